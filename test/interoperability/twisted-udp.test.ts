/** Datagrams with Twisted at the other end. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { bulk } from './support/bulk.ts';
import { useChildren } from './support/child.ts';
import { DatagramWitness, openUDP } from './support/datagram-witness.ts';
import { requirePeer, STARTING_MILLISECONDS, TWISTED } from './support/require-peer.ts';
import { LOOPBACK, useReactor } from './support/running-reactor.ts';

const PROGRAM = fileURLToPath(new URL('twisted/udp.py', import.meta.url));
const GROUP = '239.255.71.9';

describe('over UDP with Twisted', function () {
  this.timeout(STARTING_MILLISECONDS);
  requirePeer(TWISTED);
  const running = useReactor();
  const start = useChildren();
  const twisted = (...args: readonly string[]): ReturnType<typeof start> =>
    start(TWISTED.command, ['-B', PROGRAM, ...args]);

  it('gets its datagrams back, whole and in order, the empty and the long ones too', async () => {
    const [, port] = await twisted('echo').line(/^serving (\d+)$/);
    const ours = new DatagramWitness();
    const udpPort = await openUDP(running(), ours);
    // Twisted reads 8192 bytes of each.
    const datagrams = [Buffer.from('绳子 and rope'), Buffer.alloc(0), bulk(8192), Buffer.from('last')];
    for (const datagram of datagrams) udpPort.write(datagram, { host: LOOPBACK, port: Number(port) });
    await ours.until(() => ours.received.length === datagrams.length);
    expect(ours.received.map(({ data }) => data.equals(datagrams.shift()!))).to.deep.equal([true, true, true, true]);
    expect(ours.received[0]?.address).to.include({ family: 'IPv4', host: LOOPBACK, port: Number(port) });
  });

  it('gets them back in connected mode, and is refused when Twisted is gone', async () => {
    const child = twisted('echo');
    const [, port] = await child.line(/^serving (\d+)$/);
    const ours = new DatagramWitness();
    const udpPort = await openUDP(running(), ours);
    udpPort.connect(LOOPBACK, Number(port));
    udpPort.write('hello');
    await ours.until(() => ours.received.length === 1);
    await child.kill();
    udpPort.write('hello?');
    await ours.until(() => ours.refusals === 1);
    expect(udpPort.getHost().host).to.equal(LOOPBACK);
  });

  it('echoes to Twisted', async () => {
    const ours = DatagramWitness.echo();
    const udpPort = await openUDP(running(), ours);
    const { port } = udpPort.getHost();
    const [, from] = await twisted('ask', String(port)).line(/^heard \\u7ef3\\u5b50 and rope from (\d+)$/);
    expect(Number(from)).to.equal(port);
    expect(ours.texts).to.deep.equal(['绳子 and rope']);
  });

  it('shares a port with Twisted, and both are members of a group', async () => {
    const ours = new DatagramWitness();
    const udpPort = running().reactor.listenMulticast(0, ours, { listenMultiple: true });
    await udpPort.whenListening();
    const { port } = udpPort.getHost();
    await udpPort.setOutgoingInterface(LOOPBACK);
    await udpPort.joinGroup(GROUP, LOOPBACK);
    const child = twisted('group', String(port));
    await child.line(/^joined$/);
    udpPort.write('ask both', { host: GROUP, port });
    await child.line(/^heard ask both$/);
    await child.line(/^heard answer to ask both$/);
    await ours.until(() => ours.received.length === 2);
    expect(ours.texts).to.deep.equal(['ask both', 'answer to ask both']);
    await udpPort.leaveGroup(GROUP, LOOPBACK);
  });
});
