import type { DatagramReceiver, UDPPort } from './datagram-transport.ts';

/** The options of `listenUDP`. */
export interface ListenUDPOptions {
  /**
   * The local address to bind, a literal or `localhost`; by default `''`, every IPv4 address. `'::'` is every address of
   * both families.
   */
  readonly interface?: string;
  /**
   * How many bytes of a datagram are delivered; what is longer is cut off there, as `recv` does. By default 65,535, which no
   * datagram exceeds. (Twisted's default, 8192, cuts them.)
   */
  readonly maxPacketSize?: number;
  /**
   * How many datagrams that have arrived may wait while the reactor does not run; 256 by default, about what Linux keeps for a
   * socket unasked. More are dropped. Also how many calls may wait until the port is bound; more throw `QueueOverflow`.
   */
  readonly backlog?: number;
  /**
   * How many bytes may wait for room in the system, where the program sends faster than its network; 1,048,576 (1 MiB) by
   * default, several times what a system's own buffer holds. A datagram that comes while more wait is dropped, and the first is
   * reported, with `ENOBUFS`. In memory there is always room.
   */
  readonly writeBufferLimit?: number;
}

/** The options of `listenMulticast`. */
export interface ListenMulticastOptions extends ListenUDPOptions {
  /**
   * Whether others may bind the same port, here and in other programs, if all of them say so; false by default. Each then
   * gets what is sent to a group, and one of them, by the choice of the system, what is sent to the host alone.
   */
  readonly listenMultiple?: boolean;
}

/** The part of a reactor that sends and receives datagrams. Source: Twisted's `IReactorUDP`. */
export interface ReactorUDP {
  /**
   * Begins to bind and returns at once; `whenListening` tells how it went. Port 0 lets the system choose. The protocol is
   * started when the port is bound and the reactor runs; what arrives before is held, at most `backlog` datagrams. A protocol
   * serves one port at a time: a second one throws `ConnectInProgressError`. Throws `TypeError` or `RangeError` for arguments that
   * cannot be right.
   */
  listenUDP(port: number, protocol: DatagramReceiver, options?: ListenUDPOptions): UDPPort;
}

/** The part of a reactor that shares ports between members of a group. Source: Twisted's `IReactorMulticast`. */
export interface ReactorMulticast {
  /** `listenUDP`, for a port that may be shared. To receive what is sent to a group, join it by `transport.joinGroup`. */
  listenMulticast(port: number, protocol: DatagramReceiver, options?: ListenMulticastOptions): UDPPort;
}
