/** How the UDP suites come by ports, and wait for them. */
import type { ListenMulticastOptions, Reactor, UDPPort } from 'ropewalk/core';
import type { DatagramPeer } from '../harness/datagram-peer.ts';
import type { Harness } from '../harness.ts';
import { settled, startReactor } from './connections.ts';
import { type DatagramHooks, RecordingDatagramProtocol } from './recording-datagram-protocol.ts';

/** A port of a running reactor, whose protocol has been started. */
export interface OpenedPort {
  readonly reactor: Reactor;
  readonly protocol: RecordingDatagramProtocol;
  readonly udpPort: UDPPort;
  /** Its number. */
  readonly port: number;
}

/** Opens a port, at a free number of 127.0.0.1 unless told otherwise. */
export async function openPort(
  harness: Harness,
  hooks: DatagramHooks = {},
  options: ListenMulticastOptions & { readonly port?: number; readonly reactor?: Reactor } = {},
): Promise<OpenedPort> {
  const { reactor = startReactor(harness), port = 0, ...listenOptions } = options;
  const protocol = new RecordingDatagramProtocol(hooks);
  const udpPort = reactor.listenMulticast(port, protocol, { interface: '127.0.0.1', ...listenOptions });
  await settled(harness, udpPort.whenListening(), 'the port is bound');
  return { reactor, protocol, udpPort, port: udpPort.getHost().port };
}

/** A port, and a raw socket beside it. */
export async function openPortAndPeer(
  harness: Harness,
  hooks: DatagramHooks = {},
): Promise<OpenedPort & { readonly peer: DatagramPeer }> {
  return { ...(await openPort(harness, hooks)), peer: await harness.openDatagrams() };
}

/**
 * Lets everything arrive that has been sent: a datagram goes to and fro between another port and a raw socket, twice. For
 * cases that assert that something does not happen.
 */
export async function datagramRoundTrip(harness: Harness, reactor: Reactor): Promise<void> {
  const { udpPort, port } = await openPort(
    harness,
    { datagramReceived: (self, data, address) => self.transport.write(data, address) },
    { reactor },
  );
  const peer = await harness.openDatagrams();
  for (const expected of [1, 2]) {
    peer.send('.', port);
    await harness.until(() => peer.received.length === expected, 'an echo');
  }
  peer.close();
  await settled(harness, udpPort.stopListening(), 'the port of the echo is closed');
}
