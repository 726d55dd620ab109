import type { DatagramHandle, DatagramListener } from './datagram-platform.ts';
import type { StreamHandle, StreamListenHandle, StreamListenListener } from './stream-platform.ts';

/** Takes over sockets that someone else has opened, by their descriptor. All throw the system's error for a bad one. */
export interface AdoptionPlatform {
  /** A socket that listens already. Reports as one that was made by `listen` does, `listening` first. */
  adoptListener(descriptor: number, listener: StreamListenListener): StreamListenHandle;
  /** A connected stream; like an accepted one it is silent until it is opened. */
  adoptStream(descriptor: number): StreamHandle;
  /** A socket for datagrams, bound already. Reports as one that was made by `bind` does, `bound` first. */
  adoptDatagrams(descriptor: number, listener: DatagramListener): DatagramHandle;
}
