import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { DatagramHandle, DatagramListener } from './datagram-platform.ts';
import type { StreamHandle, StreamListenHandle, StreamListenListener } from './stream-platform.ts';

/**
 * Takes over sockets that somebody else has opened, by their descriptors. From a call that returns on, a descriptor
 * belongs to the handle and is closed with it. A call throws, with the system's code, for what is no such socket or has been
 * taken over already, and leaves the descriptor as it was.
 */
export interface AdoptionPlatform {
  /**
   * A socket that listens already, whichever its family. Reports as one that was made by `listen` does. `backlog` is how many
   * connections may wait to be accepted from now on.
   */
  adoptListener(descriptor: number, backlog: number, listener: StreamListenListener): StreamListenHandle;
  /** A connected stream, whichever its family; like an accepted one it is silent until it is opened. */
  adoptStream(descriptor: number): StreamHandle;
  /**
   * Where the socket for datagrams is bound that `adoptDatagrams` would take: its families have to be known before it is taken.
   * Throws for what `adoptDatagrams` would not take, and leaves the descriptor as it is in any case.
   */
  addressOfDatagrams(descriptor: number): IPv4Address | IPv6Address;
  /** A socket for datagrams, bound already and not connected. Reports as one that was made by `bind` does, `bound` first. `unsentBytesMax` is that of a `DatagramTarget`. */
  adoptDatagrams(descriptor: number, listener: DatagramListener, unsentBytesMax?: number): DatagramHandle;
}
