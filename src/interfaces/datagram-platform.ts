import type { Buffer } from 'node:buffer';
import type { Address, IPv4Address, IPv6Address } from '../addresses.ts';
import type { SystemError } from './platform.ts';

/** Sends and receives datagrams. */
export interface DatagramPlatform {
  /** Begins to bind. Reports `bound` or `bindFailed`, once. */
  bind(target: DatagramTarget, listener: DatagramListener): DatagramHandle;
}

export interface DatagramTarget {
  /** An address literal; its family is the family of the socket. */
  readonly host: string;
  readonly port: number;
  /** Several sockets may share the address (multicast). */
  readonly shared: boolean;
}

export interface DatagramListener {
  bound(address: Address): void;
  bindFailed(error: SystemError): void;
  /** One datagram, whole; the buffer is the receiver's to keep. */
  datagramReceived(data: Buffer, from: IPv4Address | IPv6Address): void;
  /** A datagram could not be sent, or the peer of a connected socket refused one (`ECONNREFUSED`); the socket lives on. */
  sendFailed(error: SystemError): void;
  /** The socket has closed. Comes once after `close`. */
  closed(): void;
}

export interface DatagramHandle {
  /** Sends one datagram, without an address only when connected. Not copied. */
  send(data: Uint8Array, to?: IPv4Address | IPv6Address): void;
  /** Fixes the peer: other senders are ignored, refusals are reported. Reports through `sendFailed` if it cannot be. */
  connect(to: IPv4Address | IPv6Address): void;
  setBroadcast(enabled: boolean): void;
  setMulticastTTL(hops: number): void;
  setMulticastLoopback(enabled: boolean): void;
  setMulticastInterface(host: string): void;
  /** Throws the system's error if the group cannot be joined or left. */
  joinGroup(group: string, interfaceHost?: string): void;
  leaveGroup(group: string, interfaceHost?: string): void;
  close(): void;
}
