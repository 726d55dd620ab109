import type { IPFamily } from './resolver.ts';
import type { ClientProtocolFactory, ProtocolFactory } from './protocol.ts';
import type { Connector } from './connector.ts';
import type { ListeningPort } from './listening-port.ts';
import type { TLSOptions } from './tls-engine.ts';

/** What bounds one connection: an option of all that makes connections. */
export interface ConnectionOptions {
  /**
   * How many bytes may wait to be sent before `write` returns false and a push producer is paused; 65,536 by default, as in
   * Twisted: enough to keep a fast link busy for a turn.
   */
  readonly highWaterMark?: number;
  /**
   * How many bytes may wait to be sent at all; 134,217,728 (128 MiB) by default, so that a protocol which pays no heed to its
   * peer's pace does not eat the memory of the process. One more, and the connection is aborted; its protocol gets
   * `connectionLost(WriteBufferLimitError)`. At least `highWaterMark`.
   */
  readonly writeBufferLimit?: number;
}

/** What bounds a port: an option of all that listens for connections. */
export interface ListenOptions extends ConnectionOptions {
  /** How many connections may wait to be accepted; 50 by default, at least 1. */
  readonly backlog?: number;
  /**
   * How many connections this port may have at a time, those included whose TLS handshake is under way; no limit by default, but
   * for what the system allows. A connection too many is closed as soon as it is accepted, unread: it never
   * reaches the factory. The first of a row is logged as a warning. (To keep them waiting instead, stop listening.)
   */
  readonly maxConnections?: number;
}

/** The options of `listenTCP`. */
export interface ListenTCPOptions extends ListenOptions {
  /**
   * The local address to bind, a literal or `localhost`; by default `''`, every IPv4 address. `'::'` is every address of
   * both families.
   */
  readonly interface?: string;
  /**
   * Whether others may listen on the same port, who say so too, in this process or in others of the same user; false by
   * default. The system gives each new connection to one of them. Throws `UnsupportedError` where the platform has no such
   * thing; on Node it takes 22.12 or 23.1 at least, on Linux, FreeBSD, Solaris or AIX.
   */
  readonly reusePort?: boolean;
  /**
   * In a worker of `node:cluster`, whether the port is this worker's own and not shared with the other workers; false by
   * default. Means nothing elsewhere, and with `reusePort` is always so.
   */
  readonly exclusive?: boolean;
}

/** The options of `connectTCP`. */
export interface ConnectTCPOptions extends ConnectionOptions {
  /**
   * Seconds for the whole attempt, name resolution and all addresses together; 30 by default. 0 leaves it no time at
   * all, `Infinity` is refused: say a large number instead.
   */
  readonly timeout?: number;
  /** The local address to connect from: a host, or a host and a port. By default the system chooses. */
  readonly bindAddress?: string | readonly [host: string, port: number];
  /**
   * Which addresses of a name to try; by default all, those of IPv4 first. A host that is an address of another family
   * cannot be resolved.
   */
  readonly families?: readonly IPFamily[];
}

/** The part of a reactor that makes TCP connections. Source: Twisted's `IReactorTCP`. */
export interface ReactorTCP {
  /**
   * Begins to listen and returns at once; `whenListening` tells how it went. Calls `factory.doStart()` before it
   * returns. Port 0 lets the system choose. Throws `TypeError` or `RangeError` for arguments that cannot be right.
   */
  listenTCP(port: number, factory: ProtocolFactory, options?: ListenTCPOptions): ListeningPort;

  /**
   * Begins to connect; the attempt itself waits for the next turn of the running reactor. `host` is an IP address or
   * a name; the addresses of a name are tried one after another, IPv4 first. Calls `factory.doStart()` and
   * `startedConnecting` before it returns. Throws `TypeError` or `RangeError` for arguments that cannot be right.
   */
  connectTCP(host: string, port: number, factory: ClientProtocolFactory, options?: ConnectTCPOptions): Connector;
}

/** The options of `listenTLS`. */
export interface ListenTLSOptions extends ListenTCPOptions {
  /** Seconds that a client has for the handshake, from the moment its connection is accepted; 30 by default. */
  readonly handshakeTimeout?: number;
}

/** The options of `connectTLS`; `timeout` covers the handshake, too. */
export type ConnectTLSOptions = ConnectTCPOptions;

/** What TLS is configured with, or who says so: a function is asked for each connection anew. */
export type TLSSource = TLSOptions | (() => TLSOptions);

/**
 * The part of a reactor that makes encrypted connections over TCP. A protocol is built, and its `connectionMade` called, when
 * the handshake has succeeded, so it never sees a peer that has not been verified; `handshakeCompleted` follows.
 * Source: Twisted's `IReactorSSL`, in which the protocol is connected before the handshake.
 */
export interface ReactorTLS {
  /**
   * As `listenTCP`. A handshake that fails, or takes too long, is logged as a warning and closes that connection; the
   * factory does not hear of it. A function for `tls` is called once now and then for each connection: with another object
   * than before, new connections get other certificates, while those that exist go on. Handshakes that are under
   * way when the port stops listening are given up. Throws the host's error for options that it cannot work with, and
   * `UnsupportedError` where the reactor has no TLS.
   */
  listenTLS(port: number, factory: ProtocolFactory, tls: TLSSource, options?: ListenTLSOptions): ListeningPort;

  /**
   * As `connectTCP`. The certificate must be for `tls.servername`, which is `host` unless it is given. A failed handshake
   * is `clientConnectionFailed`: with `VerifyError`, `CertificateError`, or `SSLError`. Throws as `listenTLS` does.
   */
  connectTLS(
    host: string,
    port: number,
    factory: ClientProtocolFactory,
    tls: TLSOptions,
    options?: ConnectTLSOptions,
  ): Connector;
}

/** The options of `listenUNIX`. */
export interface ListenUNIXOptions extends ListenOptions {
  /**
   * The permissions of the socket's file, set right after it has been bound; 0o666 by default, with which everyone who
   * can reach the path may connect. To keep others out from the very first, use a directory that they cannot enter.
   */
  readonly mode?: number;
  /**
   * Whether to hold `PATH.lock`, a symbolic link to the number of this process, while it listens; false by default. A
   * socket that a process left behind which has died is removed then, and only then: the lock of a live one is
   * respected. Twisted's `wantPID`, whose lock files are the same. Not for abstract names.
   */
  readonly lockFile?: boolean;
}

/** The options of `connectUNIX`. */
export interface ConnectUNIXOptions extends ConnectionOptions {
  /** Seconds for the attempt; 30 by default. */
  readonly timeout?: number;
}

/**
 * The part of a reactor that makes connections over UNIX sockets. A path that begins with NUL is an abstract name, which
 * has no file (Linux). Source: Twisted's `IReactorUNIX`.
 */
export interface ReactorUNIX {
  /**
   * Begins to listen and returns at once; `whenListening` tells how it went, with `CannotListenError` where something is
   * at the path already or the path is too long. The file is removed when the port stops. Calls `factory.doStart()` before it
   * returns. Throws `TypeError` or `RangeError` for arguments that cannot be right.
   */
  listenUNIX(path: string, factory: ProtocolFactory, options?: ListenUNIXOptions): ListeningPort;

  /**
   * Begins to connect; the attempt itself waits for the next turn of the running reactor. It fails with
   * `ConnectionRefusedError` if nobody listens at the socket any more, with `ConnectError` if there is none. Calls
   * `factory.doStart()` and `startedConnecting` before it returns. Throws `TypeError` or `RangeError` for arguments that
   * cannot be right.
   */
  connectUNIX(path: string, factory: ClientProtocolFactory, options?: ConnectUNIXOptions): Connector;
}

/** The phases of a system event, in order. */
export type SystemEventPhase = 'before' | 'during' | 'after';

/** Exists in types only. */
declare const systemEventTrigger: unique symbol;

/** What `addSystemEventTrigger` returns, for `removeSystemEventTrigger` alone. */
export interface SystemEventTriggerID {
  /** For the compiler alone: nothing else can be given in place of one. */
  readonly [systemEventTrigger]: true;
}
