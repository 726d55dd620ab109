import type { DatagramReceiver, UDPPort } from './datagram-transport.ts';
import type { ListenOptions } from './reactor.ts';
import type { ListeningPort } from './listening-port.ts';
import type { ProtocolFactory } from './protocol.ts';
import type { ListenUDPOptions } from './reactor-udp.ts';

/** The options of `adoptStreamPort`. */
export interface AdoptStreamPortOptions extends ListenOptions {
  /**
   * How many connections may wait to be accepted; 4,096 by default, at least 1. It replaces what the socket was opened
   * with, for the system does not tell what that was; more than the system allows is as many as it allows.
   */
  readonly backlog?: number;
}

/** The options of `adoptDatagramPort`: those of `listenUDP` but for the address, which the socket has. */
export type AdoptDatagramPortOptions = Omit<ListenUDPOptions, 'interface'>;

/**
 * The part of a reactor that takes over sockets which somebody else has opened: systemd, a parent process, inetd. A socket
 * is given by the number of its descriptor. From a call that returns on, the descriptor is the reactor's alone, and is
 * closed with the port or the connection; a call that throws leaves it as it was. Nothing else in the process may use or
 * close it then, not another reactor either: the number of a closed descriptor is given to the next that is opened.
 *
 * There is no `addressFamily`, as Twisted's methods have: the system knows which family a socket is of, so that there is
 * nothing to say and nothing to get wrong. Source: Twisted's `IReactorSocket`, which duplicates the descriptor and leaves
 * the original to the caller; Node cannot duplicate one.
 */
export interface ReactorSocket {
  /**
   * Serves the connections to a socket, of TCP or a UNIX path, that listens already; one that is bound and does not
   * listen yet begins to. Returns at once; `whenListening` tells how it went, and `getHost` of the port where the socket is bound.
   * Calls `factory.doStart()` before it returns. Once stopped, the port cannot listen again. The file of a UNIX
   * socket stays: whoever made it removes it.
   *
   * Throws `AdoptionError` for a descriptor that is not open, is no such socket, or has been adopted already,
   * `TypeError` or `RangeError` for arguments that cannot be right, `UnsupportedError` where the platform has no descriptors.
   */
  adoptStreamPort(descriptor: number, factory: ProtocolFactory, options?: AdoptStreamPortOptions): ListeningPort;

  /**
   * Runs a protocol on a connected socket, as on a connection that a port has accepted: `buildProtocol` is called with the
   * peer's address, in the next turn of the running reactor. The factory counts as in use (`doStart`, `doStop`) from this call
   * until the connection is lost. Throws as `adoptStreamPort` does; a connection that has broken by now is one that is lost.
   */
  adoptStreamConnection(descriptor: number, factory: ProtocolFactory): void;

  /**
   * Serves a UDP socket, of IPv4 or IPv6, that is bound already and has no peer: the port is that of `listenUDP`. Returns at once; the
   * protocol is started when the reactor runs, and what arrives before is held, at most `backlog` datagrams. Once stopped, the port
   * cannot listen again. What was set on the socket stays set, and the getters of the port do not know of it. On an
   * IPv6 socket `setTTL` and `setLoopbackMode` throw `UnsupportedError`, for Node cannot set them there. Descriptor 0
   * cannot be adopted so, for Node does not take it.
   *
   * Throws as `adoptStreamPort` does, and `ConnectInProgressError` for a protocol that serves a port already. Where the system does not tell
   * of what family a socket is (there is no `/proc`, or it is of another network namespace), a child process is asked, which takes
   * as long as Node takes to start.
   */
  adoptDatagramPort(descriptor: number, protocol: DatagramReceiver, options?: AdoptDatagramPortOptions): UDPPort;
}
