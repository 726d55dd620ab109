/** UNIX sockets of Ropewalk with socat at the other end. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConnectionDone, connectProtocol, Factory, UNIXClientEndpoint, UNIXServerEndpoint } from 'ropewalk';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { useChildren } from './support/child.ts';
import { requirePeer, SOCAT } from './support/require-peer.ts';
import { useReactor } from './support/running-reactor.ts';
import { digestOf, HalfCloseWitness } from './support/witness.ts';

/** How long socat goes on with one direction after the other has ended. */
const PATIENCE = ['-t', '30'];

/** Has socat say when it listens. */
const TELL = ['-d', '-d'];

describe('over UNIX sockets with socat', () => {
  requirePeer(SOCAT);
  const running = useReactor();
  const start = useChildren();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  async function serve(path: string, ours: HalfCloseWitness): Promise<void> {
    class OneConnection extends Factory {
      override buildProtocol(): HalfCloseWitness {
        return ours;
      }
    }
    await new UNIXServerEndpoint(running().reactor, path, { mode: 0o600, lockFile: true }).listen(new OneConnection());
  }

  it('as the server: closes its half and still hears all that cat sends back', async () => {
    const path = join(folder, 's');
    const socat = start(SOCAT.command, [...PATIENCE, ...TELL, `UNIX-LISTEN:${path}`, 'EXEC:cat']);
    await socat.line(/listening on /);
    const data = bulk(MEGABYTE);
    const ours = new HalfCloseWitness({
      made: (transport) => {
        transport.write(data);
        transport.loseWriteConnection();
      },
    });
    await connectProtocol(new UNIXClientEndpoint(running().reactor, path), ours);
    await ours.lost();
    expect(ours.receivedBytes).to.equal(data.length);
    expect(ours.digest).to.equal(digestOf([data]));
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await socat.ended()).to.equal(0);
  });

  it('as the client: answers after socat has closed its half', async () => {
    const path = join(folder, 's');
    const ours = new HalfCloseWitness({
      readLost: (transport) => {
        transport.write(`heard ${ours.text}`);
        transport.loseConnection();
      },
    });
    await serve(path, ours);
    const socat = start(SOCAT.command, [...PATIENCE, 'STDIO', `UNIX-CONNECT:${path}`]);
    socat.send('a question');
    socat.endInput();
    expect(await socat.ended()).to.equal(0);
    expect(socat.output.toString()).to.equal('heard a question');
    expect(ours.events).to.deep.equal(['made', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('as the client on an abstract name', async function () {
    if (process.platform !== 'linux') {
      if (this.test) this.test.title += ' (skipped: abstract names are of Linux)';
      this.skip();
    }
    const name = `ropewalk ${folder.replaceAll('/', ' ')}`;
    const ours = new HalfCloseWitness({ readLost: (transport) => transport.loseConnection() });
    class OneConnection extends Factory {
      override buildProtocol(): HalfCloseWitness {
        return ours;
      }
    }
    await new UNIXServerEndpoint(running().reactor, `\0${name}`).listen(new OneConnection());
    // Node 20 fills the name up with NULs, and to the system those are part of it.
    const isPadded = readFileSync('/proc/net/unix', 'latin1').includes(`@${name}@@`);
    const length = `unix-tightsocklen=${isPadded ? 0 : 1}`;
    const socat = start(SOCAT.command, [...PATIENCE, 'STDIO', `ABSTRACT-CONNECT:${name},${length}`]);
    socat.send('hello');
    socat.endInput();
    expect(await socat.ended()).to.equal(0);
    expect(ours.text).to.equal('hello');
  });
});
