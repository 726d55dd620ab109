/**
 * A UDP socket.
 *
 *   binding ──bound──▶ bound ──close──▶ closing ──▶ closed
 *   binding ──close──▶ closing
 *   binding ──bindFailed──▶ failed
 *
 * Hosts are addresses here, so the lookup that Node makes for each call is replaced by one that answers at once: then Node
 * binds and sends inside the call, except in a worker of a cluster, and where a datagram has to wait for room. What Node emits
 * inside a call is reported right after it.
 *
 * Closing waits for datagrams that wait for room: Node would drop them.
 */
import { type BindOptions, createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { DatagramHandle, DatagramListener } from '../interfaces/datagram-platform.ts';
import { interfaceAddress } from './interface-address.ts';
import { toMappedAddress, udpAddress } from './socket-addresses.ts';
import { toSystemError } from '../system-error.ts';
import { systemError } from './make-system-error.ts';

/**
 * How much may wait for room in the system by default, which happens where a program sends faster than its network: Node would keep
 * any amount. Several times what a system's own buffer holds; a program that fills it is better told than delayed.
 */
export const DEFAULT_UNSENT_BYTES_MAX: number = 1024 * 1024;

export class NodeDatagramHandle implements DatagramHandle {
  readonly #listener: DatagramListener;
  readonly #socket: Socket;
  readonly #isIPv6: boolean;
  /** libuv learns which family a socket is of when it binds it, and takes one that was bound before for one of IPv4. */
  readonly #isMistaken: boolean;
  readonly #unsentBytesMax: number;
  #state: 'binding' | 'bound' | 'closing' | 'closed' | 'failed' = 'binding';

  constructor(
    options: SocketOptions,
    bind: BindOptions,
    listener: DatagramListener,
    unsentBytesMax: number = DEFAULT_UNSENT_BYTES_MAX,
  ) {
    this.#listener = listener;
    this.#unsentBytesMax = unsentBytesMax;
    this.#isIPv6 = options.type === 'udp6';
    this.#isMistaken = this.#isIPv6 && bind.fd !== undefined;
    this.#socket = createSocket({ ...options, lookup: (host, _options, found) => found(null, host, 0) });
    this.#socket.on('listening', () => process.nextTick(this.#bound));
    this.#socket.on('error', this.#errorReported);
    this.#socket.on('message', this.#messageReceived);
    this.#socket.on('close', this.#closed);
    try {
      this.#socket.bind(bind);
    } catch (error) {
      // Node may not use the network at all (`--permission`), or the descriptor is no socket.
      this.#errorReported(error);
    }
    this.#socket.unref();
  }

  /** Whether its descriptor has been closed, or was never had. */
  get destroyed(): boolean {
    return this.#state === 'closed' || this.#state === 'failed';
  }

  send(data: Uint8Array, to?: IPv4Address | IPv6Address): void {
    if (this.#socket.getSendQueueSize() > this.#unsentBytesMax) {
      this.#sendFailedSoon(sendError('ENOBUFS', `more than ${this.#unsentBytesMax} bytes wait to be sent already`));
      return;
    }
    try {
      if (to === undefined) this.#socket.send(data, this.#sent);
      else this.#socket.send(data, to.port, this.#nameFor(to), this.#sent);
    } catch {
      // The system did not take the peer; Node's error is about an argument that is missing.
      this.#sendFailedSoon(sendError('ENOTCONN', 'the socket could not be connected'));
    }
  }

  connect(to: IPv4Address | IPv6Address): void {
    this.#socket.connect(to.port, this.#nameFor(to), (error?: Error) => {
      if (error !== undefined) this.#sendFailed(error);
    });
  }

  setBroadcast(enabled: boolean): void {
    this.#socket.setBroadcast(enabled);
  }

  setMulticastTTL(hops: number): void {
    this.#refuseIfMistaken('setMulticastTTL');
    this.#socket.setMulticastTTL(hops);
  }

  setMulticastLoopback(enabled: boolean): void {
    this.#refuseIfMistaken('setMulticastLoopback');
    this.#socket.setMulticastLoopback(enabled);
  }

  setMulticastInterface(host: string): void {
    this.#socket.setMulticastInterface(interfaceAddress(host));
  }

  joinGroup(group: string, interfaceHost?: string): void {
    this.#socket.addMembership(group, interfaceHost === undefined ? undefined : interfaceAddress(interfaceHost));
  }

  leaveGroup(group: string, interfaceHost?: string): void {
    this.#socket.dropMembership(group, interfaceHost === undefined ? undefined : interfaceAddress(interfaceHost));
  }

  close(): void {
    switch (this.#state) {
      case 'binding':
      case 'bound':
        this.#state = 'closing';
        this.#closeIfSent();
        return;
      case 'closing':
      case 'closed':
      case 'failed':
    }
  }

  readonly #bound = (): void => {
    if (this.#state !== 'binding') return;
    this.#state = 'bound';
    const { family, address, port } = this.#socket.address();
    this.#listener.bound(udpAddress(family, address, port));
  };

  readonly #errorReported = (error: unknown): void => {
    if (this.#state === 'binding') process.nextTick(this.#bindFailed, error);
    else this.#sendFailed(error);
  };

  readonly #bindFailed = (error: unknown): void => {
    if (this.#state !== 'binding') return;
    this.#state = 'failed';
    this.#socket.close();
    this.#listener.bindFailed(toSystemError(error));
  };

  readonly #messageReceived = (data: Buffer, { family, address, port }: RemoteInfo): void => {
    if (this.#state === 'bound') this.#listener.datagramReceived(data, udpAddress(family, address, port));
  };

  /** Called for each datagram, when it has left or cannot leave; never from inside `send`. */
  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#sendFailed(error);
    this.#closeIfSent();
  };

  readonly #sendFailed = (error: unknown): void => {
    if (this.#state === 'bound') this.#listener.sendFailed(toSystemError(error));
  };

  #sendFailedSoon(error: unknown): void {
    process.nextTick(this.#sendFailed, error);
  }

  #closeIfSent(): void {
    if (this.#state !== 'closing' || this.#socket.getSendQueueCount() > 0) return;
    this.#state = 'closed';
    this.#socket.close();
  }

  readonly #closed = (): void => {
    if (this.#state === 'closed') this.#listener.closed();
  };

  /** The option of IPv4 would be set, which means nothing to what is sent over IPv6, and Node would call that a success. */
  #refuseIfMistaken(method: string): void {
    if (this.#isMistaken) throw systemError('ENOTSUP', `${method} does nothing on an adopted IPv6 socket in Node`);
  }

  #nameFor({ family, host }: IPv4Address | IPv6Address): string {
    return this.#isIPv6 && family === 'IPv4' ? toMappedAddress(host) : host;
  }
}

function sendError(code: string, text: string): Error {
  return Object.assign(new Error(`send ${code}: ${text}`), { code, syscall: 'send' });
}
