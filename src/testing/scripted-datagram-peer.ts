import { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import { describe, requirePort } from '../arguments.ts';
import { CannotListenError, InvalidAddressError, MessageLengthError } from '../errors.ts';
import type { DatagramDestination } from '../interfaces/datagram-transport.ts';
import { parseIPLiteral } from '../ip-literal.ts';
import { DATAGRAM_BYTES_MAX } from '../reactor/datagram-destination.ts';
import { udpAddress } from '../simulation/own-addresses.ts';
import type { VirtualDatagramSocket } from '../simulation/virtual-datagram-socket.ts';
import type { VirtualDatagrams } from '../simulation/virtual-datagrams.ts';

/** Where a scripted peer for datagrams is. */
export interface ScriptedDatagramPeerOptions {
  /** Its address; 127.0.0.1 by default. */
  readonly host?: string;
  /** By default a free one. */
  readonly port?: number;
}

/** A datagram that a scripted peer has received, and where it came from. */
export interface ReceivedDatagram {
  /** All of it. */
  readonly data: Buffer;
  /** `send` takes it, to answer. */
  readonly address: IPv4Address | IPv6Address;
}

/** A socket for datagrams, played by a test. Made by `TestReactor.datagramPeer`. */
export class ScriptedDatagramPeer {
  readonly #socket: VirtualDatagramSocket;
  readonly #address: IPv4Address | IPv6Address;
  #received: ReceivedDatagram[] = [];

  /** @internal Throws `CannotListenError` if the port is taken. */
  constructor(datagrams: VirtualDatagrams, options: ScriptedDatagramPeerOptions = {}) {
    const { host = '127.0.0.1', port = 0 } = options;
    requirePort('port', port, 0);
    this.#socket = datagrams.bind(
      { host, port, shared: false },
      {
        datagramReceived: (data, address) => {
          this.#received.push({ data, address });
        },
        bound: () => undefined,
        bindFailed: () => undefined,
        sendFailed: () => undefined,
        closed: () => undefined,
      },
    );
    const { address, error } = this.#socket;
    if (address === undefined) throw new CannotListenError(host, port, error ?? new Error('it has no address'));
    this.#address = address;
    // A peer may send to anyone: what it may not is the business of the reactor's own ports.
    this.#socket.setBroadcast(true);
  }

  /**
   * Sends a datagram, a string as UTF-8, to a port of its own host or to an address; it arrives during the next advance. It is
   * copied. Nothing happens once the peer has closed. Throws `InvalidAddressError` for what is no address, `MessageLengthError` for a
   * datagram that is too long, and `TypeError` for what is no data.
   */
  send(data: Uint8Array | string, to: number | DatagramDestination): void {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError(`data must be a string or a Uint8Array; got ${describe(data)}`);
    }
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const { host, port } = typeof to === 'number' ? { host: this.#address.host, port: to } : to;
    requirePort('port', port, 1);
    if (parseIPLiteral(host) === undefined) throw new InvalidAddressError(host, 'host must be an IP address');
    const address = udpAddress(host, port);
    if (bytes.length > DATAGRAM_BYTES_MAX[address.family]) throw new MessageLengthError();
    if (this.#socket.address !== undefined) this.#socket.send(bytes, address);
  }

  /** Every datagram received since the last `clear`, in the order in which they came. */
  get received(): readonly ReceivedDatagram[] {
    return this.#received;
  }

  /** The same as UTF-8. */
  texts(): readonly string[] {
    return this.#received.map(({ data }) => data.toString('utf8'));
  }

  /** Forgets what has been received. */
  clear(): void {
    this.#received = [];
  }

  /** Becomes a member of a group, at once. Throws an error with the system's code for what is no group, or joined already. */
  joinGroup(group: string): void {
    this.#socket.joinGroup(group);
  }

  /** Its address, from the first and also after `close`. */
  getHost(): IPv4Address | IPv6Address {
    return this.#address;
  }

  /** Frees its port: what is sent there is refused from now on. */
  close(): void {
    this.#socket.close();
  }
}
