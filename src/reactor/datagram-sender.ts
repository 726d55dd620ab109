import { ConnectInProgressError } from '../errors.ts';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { DatagramDestination } from '../interfaces/datagram-transport.ts';
import type { IPFamily } from '../interfaces/resolver.ts';
import { chooseDestination, requireDestination, requireLength } from './datagram-destination.ts';
import type { DatagramSocket } from './datagram-socket.ts';

/** Whom a socket for datagrams sends to: whom it is told, or the peer it has been connected with, once and for good. */
export class DatagramSender {
  readonly #socket: DatagramSocket;
  readonly #families: readonly IPFamily[];
  #peer: IPv4Address | IPv6Address | undefined;
  /** Where the last datagram came from. */
  #lastSender: IPv4Address | IPv6Address | undefined;

  constructor(socket: DatagramSocket, families: readonly IPFamily[]) {
    this.#socket = socket;
    this.#families = families;
  }

  get isConnected(): boolean {
    return this.#peer !== undefined;
  }

  /** A datagram has come from there. */
  heard(from: IPv4Address | IPv6Address): void {
    this.#lastSender = from;
  }

  /** Throws for what cannot be sent, or not to that address. */
  send(bytes: Uint8Array, address: DatagramDestination | undefined): void {
    // Most answer whom they have just heard, and that address needs no check, which would cost as much as all the rest.
    const answered = this.#peer === undefined && address === this.#lastSender ? this.#lastSender : undefined;
    const to = answered ?? chooseDestination(address, this.#peer, this.#families);
    requireLength(bytes, to);
    const { isConnected } = this;
    this.#socket.call((handle) => {
      if (isConnected) handle.send(bytes);
      else handle.send(bytes, to);
    });
  }

  /** Comes to nothing on a socket that has closed. */
  connect(host: string, port: number): void {
    const peer = requireDestination(host, port, this.#families);
    if (this.#peer !== undefined) {
      throw new ConnectInProgressError(`The port is connected to ${String(this.#peer)} already`);
    }
    if (this.#socket.isClosed) return;
    this.#socket.call((handle) => {
      handle.connect(peer);
    });
    this.#peer = peer;
  }
}
