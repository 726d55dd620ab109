import type { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { SystemError } from './platform.ts';

/** Sends and receives datagrams. */
export interface DatagramPlatform {
  /** Begins to bind. Reports `bound` or `bindFailed`, once. */
  bind(target: DatagramTarget, listener: DatagramListener): DatagramHandle;
}

/** Where to bind a socket for datagrams. */
export interface DatagramTarget {
  /** An address literal; its family is the family of the socket. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Several sockets may share the address (multicast). */
  readonly shared: boolean;
  /**
   * How many bytes may wait for room in the system, where a platform keeps them waiting, before a datagram is dropped and
   * `sendFailed` tells of `ENOBUFS`; the platform's own choice unless given.
   */
  readonly unsentBytesMax?: number | undefined;
}

/** Is told what happens to one socket, in order, and never from inside a call made on the platform. */
export interface DatagramListener {
  /** Bound; the address has the real port. Datagrams come afterwards. */
  bound(address: IPv4Address | IPv6Address): void;
  /** The address could not be had, and there is no socket: nothing follows. */
  bindFailed(error: SystemError): void;
  /** One datagram, whole, which may be empty; the buffer is the receiver's to keep. An IPv4 sender has an IPv4 address, also at `::`. */
  datagramReceived(data: Buffer, from: IPv4Address | IPv6Address): void;
  /**
   * A datagram could not be sent, or the peer of a connected socket refused one (`ECONNREFUSED`); the socket lives on. `ENOBUFS`: too
   * much waits to be sent already.
   */
  sendFailed(error: SystemError): void;
  /** The socket has closed. Comes once after `close`. */
  closed(): void;
}

/**
 * One socket for datagrams. Until it has reported `bound` nothing but `close` may be called, and after `close` nothing at all. The
 * setters throw the system's error for what the socket does not take.
 */
export interface DatagramHandle {
  /**
   * Sends one datagram, after those before it; without an address when connected, and only then. Not copied. A socket at `::`
   * sends to IPv4 addresses too.
   */
  send(data: Uint8Array, to?: IPv4Address | IPv6Address): void;
  /** Fixes the peer, once: other senders are ignored, refusals are reported. Reports through `sendFailed` if it cannot be. */
  connect(to: IPv4Address | IPv6Address): void;
  /** Whether it may send to broadcast addresses; the system forbids it at first. */
  setBroadcast(enabled: boolean): void;
  /** How many routers a multicast datagram may pass, from 0 to 255; 1 at first, the local network. */
  setMulticastTTL(hops: number): void;
  /** Whether this host too gets what it sends to a group it has joined; true at first. */
  setMulticastLoopback(enabled: boolean): void;
  /** The local interface, by its address, from which multicast datagrams leave; `0.0.0.0` or `::` leaves it to the system. */
  setMulticastInterface(host: string): void;
  /** Throws the system's error if the group cannot be joined or left. */
  joinGroup(group: string, interfaceHost?: string): void;
  /** Throws the system's error, also for a group that was not joined. */
  leaveGroup(group: string, interfaceHost?: string): void;
  /** Closes the socket, once what `send` has taken has left. Reports `closed`, and nothing else. */
  close(): void;
}
