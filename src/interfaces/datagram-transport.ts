import type { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { ListeningPort } from './listening-port.ts';
import type { HookResult } from './protocol.ts';

/** Where a datagram goes: the address object that one came from, or any object with these two. */
export interface DatagramDestination {
  /** An IPv4 or IPv6 address; names are not resolved here. */
  readonly host: string;
  /** From 1 to 65,535. */
  readonly port: number;
}

/**
 * A port for datagrams as its protocol sees it. What is written leaves as one datagram, whole and at once, or not at all;
 * whether it arrives nobody says.
 *
 * No method calls a hook of the protocol from inside itself. Until the port is bound, what is asked of it waits and is then
 * done in order. Once it is stopped every method is harmless: what is written is dropped, the setters change nothing
 * but the answer. Source: Twisted's `IUDPTransport` and `IMulticastTransport`.
 */
export interface DatagramTransport {
  /**
   * Sends one datagram, which may be empty; a string as UTF-8. The address may be left out once the port is connected, and
   * must be the peer's then. An array is not copied, and must not be changed afterwards.
   *
   * Throws `InvalidAddressError` for a host that is no address, of another family than the port's, or not the peer's;
   * `MessageLengthError` for more than 65,507 bytes to an IPv4 address or 65,527 to an IPv6 address; `TypeError` or `RangeError` for
   * other arguments that cannot be right. That the system could not send it (`ENETUNREACH`, for example) is reported to the
   * reactor's logger, once for each of its codes. A port at `::` sends to IPv4 addresses too.
   */
  write(data: Uint8Array | string, address?: DatagramDestination): void;
  /** The pieces as one datagram. */
  writeSequence(pieces: Iterable<Uint8Array | string>, address?: DatagramDestination): void;

  /**
   * Fixes the peer: only what it sends is delivered, `write` needs no address, and the protocol hears `connectionRefused` when the
   * peer's system says that nobody is there. Once only, else `ConnectInProgressError`. Throws `InvalidAddressError` for a name or an
   * address of another family.
   */
  connect(host: string, port: number): void;

  /** The local address, with the real port if 0 was asked for. Throws `NotListeningError` until bound and once stopped. */
  getHost(): IPv4Address | IPv6Address;

  /** Closes the port; what has been written still leaves. Fires in a later turn, after the protocol's `stopProtocol`. */
  stopListening(): Deferred<void>;

  /** Whether it may send to broadcast addresses; false at first, and the system then refuses (`EACCES`). */
  getBroadcastAllowed(): boolean;
  /** Takes effect at once. */
  setBroadcastAllowed(enabled: boolean): void;

  // ----------------------------------------------------------------------------------------------------- multicast

  /**
   * Becomes a member of a group, on the interface that has the address `interface`; by default on the one that the system
   * chooses. Either may be a name, which is resolved by the running reactor. Fails with `MulticastJoinError`, whose `cause` is the
   * system's error, or with `DNSLookupError`; an address of another family throws `InvalidAddressError`.
   */
  joinGroup(group: string, interfaceHost?: string): Deferred<void>;
  /** Leaves a group again, on the same interface; as `joinGroup`, also for a group that was not joined. Stopping the port leaves all. */
  leaveGroup(group: string, interfaceHost?: string): Deferred<void>;

  /** The address of the interface from which multicast datagrams leave; at first `0.0.0.0` or `::`, and the system chooses. */
  getOutgoingInterface(): string;
  /** Sets it, to the address of a local interface or to a name that has one; `''` leaves it to the system again. Fails with the system's error, or with `DNSLookupError`. */
  setOutgoingInterface(interfaceHost: string): Deferred<void>;

  /** Whether members on this host get what it sends to a group; true at first. */
  getLoopbackMode(): boolean;
  /** Takes effect at once. Throws `UnsupportedError` for an adopted IPv6 socket on Node. */
  setLoopbackMode(enabled: boolean): void;

  /** How many networks a multicast datagram may cross; 1 at first, the local one alone. */
  getTTL(): number;
  /** From 0, this host alone, to 255; `RangeError` otherwise. Takes effect at once. Throws `UnsupportedError` for an adopted IPv6 socket on Node. */
  setTTL(hops: number): void;
}

/**
 * What `listenUDP` and `listenMulticast` return. Its errors when it cannot bind, and `startListening` after `stopListening`,
 * are as those of any port; what was set, joined or connected before counts no more then.
 */
export interface UDPPort extends DatagramTransport, ListeningPort {
  getHost(): IPv4Address | IPv6Address;
  stopListening(): Deferred<void>;
  whenListening(): Deferred<UDPPort>;
}

/**
 * The part of a datagram protocol that a port calls. Hooks are synchronous and serial: `makeConnection` first and once, when
 * the port is bound and the reactor runs, the others in between, `doStop` last and once, when the port has closed.
 * An error in a hook, or the rejection of a promise it returned, is reported, and the port stays open. Source: Twisted's
 * `AbstractDatagramProtocol`.
 */
export interface DatagramReceiver {
  /** How many ports it serves, where it knows: another is refused. */
  readonly numPorts?: number;
  /** Hands over the port; the `DatagramProtocol` class then calls `startProtocol` and returns what that returned. */
  makeConnection(transport: DatagramTransport): HookResult;
  /** One datagram, whole. The buffer is the receiver's to keep; `address` may be written to. */
  datagramReceived(data: Buffer, address: IPv4Address | IPv6Address): HookResult;
  /** The peer of a connected port has refused a datagram. The port stays open. */
  connectionRefused(): HookResult;
  /** The port has closed. Nothing is called afterwards, unless another port begins with `makeConnection`. */
  doStop(): HookResult;
}
