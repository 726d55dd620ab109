import { Buffer } from 'node:buffer';
import { type DuplexOptions, type DuplexProtocol, duplexFactory, type ListeningPort } from 'ropewalk';
import { type ScriptedPeer, type ScriptedPeerOptions, TestReactor } from 'ropewalk/testing';

const PORT = 7;

/** One connection of a test reactor as a Duplex, and the peer that made it. */
export interface ServedDuplex {
  readonly reactor: TestReactor;
  readonly port: ListeningPort;
  readonly duplex: DuplexProtocol;
  readonly peer: ScriptedPeer;
  /** The events of the Duplex in their order: 'end', 'finish', 'close', 'timeout', and errors by their names. */
  readonly events: readonly string[];
}

export async function serveDuplex(
  options: DuplexOptions = {},
  peerOptions: ScriptedPeerOptions = {},
): Promise<ServedDuplex> {
  const reactor = new TestReactor();
  const duplexes: DuplexProtocol[] = [];
  const port = reactor.listenTCP(
    PORT,
    duplexFactory(reactor, (duplex) => void duplexes.push(duplex), options),
  );
  const peer = reactor.dial(PORT, peerOptions);
  await reactor.advanceAsync(0);
  const duplex = duplexes[0];
  if (duplex === undefined) throw new Error('there is no connection');
  return { reactor, port, duplex, peer, events: eventsOf(duplex) };
}

/** Ends what is left, and fails if something then still is, or was reported. */
export async function closeServed({ reactor, port, duplex }: ServedDuplex): Promise<void> {
  duplex.destroy();
  await reactor.advanceAsync(0);
  void port.stopListening();
  await reactor.advanceAsync(0);
  reactor.assertClean();
}

export function eventsOf(duplex: DuplexProtocol): readonly string[] {
  const events: string[] = [];
  for (const name of ['connect', 'end', 'finish', 'close', 'timeout']) duplex.on(name, () => events.push(name));
  duplex.on('error', (error: Error) => events.push(error.name));
  return events;
}

/** Bytes that differ from one offset to the next, so that reordering and loss show. */
export function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) % 251));
}
