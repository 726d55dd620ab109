import { isIPv6 } from 'node:net';
import type {
  DatagramHandle,
  DatagramListener,
  DatagramPlatform,
  DatagramTarget,
} from '../interfaces/datagram-platform.ts';
import { NodeDatagramHandle } from './node-datagram-handle.ts';

/** UDP sockets, by `node:dgram`. */
export class NodeDatagrams implements DatagramPlatform {
  /**
   * A shared socket has `SO_REUSEADDR`, which all systems take for members of a group. Node's `reusePort`, which came with 22.12, would
   * spread what is sent to the host alone over those that share, on Linux only; then programs would behave by the version of Node.
   */
  bind({ host, port, shared, unsentBytesMax }: DatagramTarget, listener: DatagramListener): DatagramHandle {
    return new NodeDatagramHandle(
      { type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: shared },
      { address: host, port },
      listener,
      unsentBytesMax,
    );
  }
}
