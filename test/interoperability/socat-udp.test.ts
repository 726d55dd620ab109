/** Datagrams with socat at the other end. */
import { expect } from 'chai';
import { useChildren } from './support/child.ts';
import { DatagramWitness, openUDP } from './support/datagram-witness.ts';
import { requirePeer, SOCAT } from './support/require-peer.ts';
import { LOOPBACK, useReactor } from './support/running-reactor.ts';

/** Has socat say when and where it listens. */
const TELL = ['-d', '-d', '-d'];

describe('over UDP with socat', () => {
  requirePeer(SOCAT);
  const running = useReactor();
  const start = useChildren();

  it('asks a program behind socat', async () => {
    const port = await freePort();
    const socat = start(SOCAT.command, [...TELL, `UDP-RECVFROM:${port},bind=${LOOPBACK},fork`, 'SYSTEM:tr a-z A-Z']);
    await socat.line(/receiving on/);
    const ours = new DatagramWitness();
    const udpPort = await openUDP(running(), ours);
    for (const text of ['one', 'two']) {
      udpPort.write(text, { host: LOOPBACK, port });
      await ours.until(() => ours.texts.includes(text.toUpperCase()));
    }
    expect(ours.received.map(({ address }) => address.port)).to.deep.equal([port, port]);
  });

  it('answers what socat sends', async () => {
    const ours = DatagramWitness.echo();
    const udpPort = await openUDP(running(), ours);
    const socat = start(SOCAT.command, ['-t', '5', 'STDIO', `UDP:${LOOPBACK}:${udpPort.getHost().port}`]);
    for (const text of ['one ', 'two']) {
      socat.send(text);
      await ours.until(() => ours.texts.includes(text));
    }
    await socat.printed('one two');
    expect(ours.texts).to.deep.equal(['one ', 'two']);
  });

  it('answers over IPv6 at ::, by either family', async function () {
    const ours = DatagramWitness.echo();
    const udpPort = running().reactor.listenUDP(0, ours, { interface: '::' });
    try {
      await udpPort.whenListening();
    } catch (error) {
      if (this.test) this.test.title += ` (skipped: ${String(error)})`;
      this.skip();
    }
    const { port } = udpPort.getHost();
    for (const address of [`UDP6:[::1]:${port}`, `UDP4:${LOOPBACK}:${port}`]) {
      const socat = start(SOCAT.command, ['-t', '5', 'STDIO', address]);
      socat.send(address);
      await socat.printed(address);
    }
    expect(ours.received.map(({ address }) => address.host)).to.deep.equal(['::1', LOOPBACK]);
  });

  /** socat takes no port 0 for datagrams, so one is asked for and given back. */
  async function freePort(): Promise<number> {
    const udpPort = await openUDP(running(), new DatagramWitness());
    const { port } = udpPort.getHost();
    await udpPort.stopListening();
    return port;
  }
});
