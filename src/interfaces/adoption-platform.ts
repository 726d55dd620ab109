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
   * A socket for datagrams that is bound already and has no peer, looked at and left as it is. May have to wait for another process to look
   * at it (see the platform), so that it is asked for once.
   */
  findDatagrams(descriptor: number): AdoptableDatagrams;
}

/** A socket for datagrams that could be taken over, as long as nothing else is done with its descriptor. */
export interface AdoptableDatagrams {
  /** Where it is bound: its families have to be known before it is taken. */
  readonly address: IPv4Address | IPv6Address;
  /** Takes it over. Reports as one that was made by `bind` does, `bound` first. `unsentBytesMax` is that of a `DatagramTarget`. */
  adopt(listener: DatagramListener, unsentBytesMax?: number): DatagramHandle;
}
