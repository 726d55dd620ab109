import type { DatagramHandle, DatagramListener } from './datagram-platform.ts';
import type { StreamHandle, StreamListenHandle, StreamListenListener } from './stream-platform.ts';

/** Takes over sockets that someone else has opened, by their descriptor. All throw the system's error for a bad one. */
export interface AdoptionPlatform {
  adoptListener(descriptor: number, listener: StreamListenListener): StreamListenHandle;
  adoptStream(descriptor: number): StreamHandle;
  adoptDatagrams(descriptor: number, listener: DatagramListener): DatagramHandle;
}
