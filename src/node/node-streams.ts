import type { Socket } from 'node:net';
import type {
  Lingering,
  ListenTarget,
  StreamConnectHandle,
  StreamConnectListener,
  StreamHandle,
  StreamListenHandle,
  StreamListenListener,
  StreamPlatform,
  StreamTarget,
} from '../interfaces/stream-platform.ts';
import { DataEventSource } from './byte-source.ts';
import { NodeConnectHandle } from './node-connect-handle.ts';
import { type AdoptedListenTarget, NodeListenHandle } from './node-listen-handle.ts';
import { NodeStreamHandle, TCPStreamHandle } from './node-stream-handle.ts';
import { requireReusePort } from './reuse-port.ts';
import { ReadSlabs, SlabSource } from './read-slabs.ts';
import { tcpAddresses, unixAddresses } from './socket-addresses.ts';
import { openDescriptor, takeOver } from './socket-takeover.ts';

/** How sockets are read: into a buffer of ours, or by 'data' events. */
export type ReadingMode = 'onread' | 'data';

/** Where an accepted connection came in. */
export type Place = { readonly kind: 'tcp' } | { readonly kind: 'unix'; readonly path: string | undefined };

/** TCP and UNIX sockets, by `node:net`. */
export class NodeStreams implements StreamPlatform {
  readonly #reading: ReadingMode;
  readonly #linger: Lingering;
  readonly #slabs = new ReadSlabs();

  constructor(reading: ReadingMode, linger: Lingering) {
    this.#reading = reading;
    this.#linger = linger;
  }

  /** While the attempt lasts the process does not end: Node cannot tell the system otherwise. */
  connect(target: StreamTarget, listener: StreamConnectListener): StreamConnectHandle {
    const source = this.#reading === 'onread' ? new SlabSource(this.#slabs) : undefined;
    return new NodeConnectHandle(target, source?.onread, {
      connected: (socket) => {
        const addresses = target.kind === 'tcp' ? tcpAddresses(socket) : unixAddresses('client', target.path);
        listener.connected(this.#handle(target.kind, socket, source, addresses));
      },
      connectFailed: (error) => listener.connectFailed(error),
    });
  }

  /**
   * Node binds before it returns to its event loop, a TCP port not quite inside this call but right after it; in a
   * worker of `node:cluster` the primary process binds, and this one hears of it later.
   */
  listen(target: ListenTarget, listener: StreamListenListener): StreamListenHandle {
    if (target.kind === 'tcp' && target.reusePort === true) requireReusePort();
    return new NodeListenHandle(target, listener, (socket) => this.#accepted(target, socket));
  }

  /** Listens on a socket that is there already; `place` is asked where it does, at each connection. */
  adoptListener(target: AdoptedListenTarget, place: () => Place, listener: StreamListenListener): StreamListenHandle {
    return new NodeListenHandle(target, listener, (socket) => this.#accepted(place(), socket));
  }

  /**
   * A stream that is connected already, and the socket beneath. `path` is that of our end, should it be a UNIX socket. Throws
   * Node's error for a descriptor that it cannot use.
   */
  adoptStream(
    descriptor: number,
    path: string | undefined,
  ): { readonly stream: StreamHandle; readonly socket: Socket } {
    const source = this.#reading === 'onread' ? new SlabSource(this.#slabs) : undefined;
    const socket = openDescriptor(descriptor, source?.onread);
    // To Node, a UNIX socket has no address.
    const kind = 'address' in socket.address() ? 'tcp' : 'unix';
    if (kind === 'tcp') socket.setNoDelay(true);
    const addresses = kind === 'tcp' ? tcpAddresses(socket) : unixAddresses('server', path);
    return { stream: this.#handle(kind, socket, source, addresses), socket };
  }

  #accepted(target: Place, accepted: Socket): StreamHandle {
    let socket = accepted;
    let source: SlabSource | undefined;
    if (this.#reading === 'onread') {
      source = new SlabSource(this.#slabs);
      socket = takeOver(accepted, source);
      if (!source.asked) source = undefined;
    }
    const addresses = target.kind === 'tcp' ? tcpAddresses(socket) : unixAddresses('server', target.path);
    return this.#handle(target.kind, socket, source, addresses);
  }

  #handle(
    kind: 'tcp' | 'unix',
    socket: Socket,
    source: SlabSource | undefined,
    addresses: ReturnType<typeof tcpAddresses>,
  ): StreamHandle {
    const parts = {
      socket,
      source: source ?? new DataEventSource(socket),
      ...addresses,
      linger: this.#linger,
    };
    return kind === 'tcp' ? new TCPStreamHandle(parts) : new NodeStreamHandle(parts);
  }
}
