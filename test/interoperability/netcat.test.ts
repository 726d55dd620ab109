import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConnectionDone, QOTD } from 'ropewalk';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { useChildren } from './support/child.ts';
import { NETCAT, requirePeer } from './support/require-peer.ts';
import { LOOPBACK, useReactor } from './support/running-reactor.ts';
import { digestOf, Witness } from './support/witness.ts';

/** What `examples/qotd-server.ts` says. */
class Greeting extends QOTD {
  override getQuote(): string {
    return '您好！欢迎您的登录，再见！\r\n';
  }
}

// -N: at the end of its input, nc shuts its writing half down; it ends when the server has closed as well.
describe('with nc -N as the client', () => {
  requirePeer(NETCAT);
  const running = useReactor();
  const start = useChildren();

  it('gives the quote of the day to one who says nothing, and waits', async () => {
    const port = await running().serve(() => new Greeting());
    const nc = start(NETCAT.command, ['-N', LOOPBACK, String(port)]);
    await nc.printed('您好！欢迎您的登录，再见！\r\n');
    nc.endInput();
    expect(await nc.ended()).to.equal(0);
  });

  it('gives the quote of the day to one whose input has ended at once', async () => {
    const port = await running().serve(() => new Greeting());
    const nc = start(NETCAT.command, ['-N', LOOPBACK, String(port)]);
    nc.endInput();
    expect(await nc.ended()).to.equal(0);
    expect(nc.output.toString()).to.equal('您好！欢迎您的登录，再见！\r\n');
  });

  it('gets a file to the last byte', async () => {
    const file = bulk(5 * MEGABYTE);
    const folder = await mkdtemp(join(tmpdir(), 'ropewalk-'));
    try {
      const path = join(folder, 'file');
      await writeFile(path, file);
      const ours = new Witness(); // discards, but for the checksum
      const port = await running().serve(() => ours);
      const input = openSync(path, 'r');
      const nc = start(NETCAT.command, ['-N', LOOPBACK, String(port)], { input });
      closeSync(input); // nc has its own
      expect(await nc.ended()).to.equal(0);
      await ours.lost();
      expect(ours.receivedBytes).to.equal(file.length);
      expect(ours.digest).to.equal(digestOf([file]));
      expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
