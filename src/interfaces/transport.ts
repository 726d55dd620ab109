import type { Address } from '../addresses.ts';
import type { Consumer } from './producer.ts';
import type { TLSOptions } from './tls-engine.ts';

/** The options of `startTLS`. */
export interface StartTLSOptions {
  /** Which side of the handshake this is; by default the side that accepted the connection is the server. */
  readonly isServer?: boolean;
  /** Bytes of the peer's handshake that the protocol has been given already, behind the line that agreed on TLS. */
  readonly received?: Uint8Array;
  /** Seconds for the handshake; 30 by default. */
  readonly handshakeTimeout?: number;
}

/**
 * A stream connection as its protocol sees it: bytes out through `write`, bytes in through `dataReceived`.
 *
 * No method calls a hook of the protocol from inside itself, so all of them may be called from any hook. After the
 * connection is lost every method is harmless: `write` drops what it is given, the others do nothing, and the
 * addresses stay readable. Source: Twisted's `ITransport`, `ITCPTransport`, `IPushProducer`.
 */
export interface Transport extends Consumer {
  /** True from before `connectionMade` until just before `connectionLost`. */
  readonly connected: boolean;
  /** True once `loseConnection` has been called, or the connection is otherwise on its way out. */
  readonly disconnecting: boolean;

  /**
   * Sends bytes, or a string as UTF-8, after all that was written before, with everything else written in this turn
   * in one system call where the platform can. An array is not copied and must not be changed until it has left.
   * Throws `TypeError` for anything else. After `loseConnection` or `loseWriteConnection`, and on a lost connection,
   * the data is dropped, and the result is false. Otherwise false means that more bytes wait than the high-water mark
   * (64 KiB): a registered producer is paused then, and resumed when they have left.
   */
  write(data: Uint8Array | string): boolean;

  /**
   * How many bytes may wait to be sent (see `ConnectionOptions`), for whoever keeps more in front of the transport. Undefined
   * where nobody says.
   */
  readonly writeBufferLimit?: number;

  /** `write` for each piece in order. */
  writeSequence(pieces: Iterable<Uint8Array | string>): boolean;

  /**
   * Closes in order: delivers no more data, waits for a registered producer to unregister, sends what is buffered,
   * then a FIN. `connectionLost(ConnectionDone)` comes in a later turn, without waiting for the peer.
   */
  loseConnection(): void;

  /** Drops what is buffered and resets the connection. `connectionLost(ConnectionAborted)` comes in a later turn. */
  abortConnection(): void;

  /**
   * Closes the writing half once what is buffered has been sent; reading goes on. A protocol that has
   * `writeConnectionLost` is told, once.
   */
  loseWriteConnection(): void;

  /** The local address. */
  getHost(): Address;
  /** The address of the peer. */
  getPeer(): Address;

  /** Delivers nothing more, loss included, until `resumeProducing`. */
  pauseProducing(): void;
  /** Delivers again, what came first first. Does nothing after `loseConnection`. */
  resumeProducing(): void;
  /** The same as `loseConnection`. */
  stopProducing(): void;

  // Options of TCP. On a stream that has none, and on a lost connection, the setters change nothing but the answer.
  /** Whether small writes leave at once (Nagle's algorithm off). On by default, unlike in Twisted. */
  getTcpNoDelay(): boolean;
  /** Takes effect at once. */
  setTcpNoDelay(enabled: boolean): void;
  /** Whether the system probes an idle connection. Off by default. */
  getTcpKeepAlive(): boolean;
  /** Takes effect at once. How long the system waits before it probes is the system's. */
  setTcpKeepAlive(enabled: boolean): void;

  // TLS. On a stream that is not encrypted, there is nothing to know.
  /**
   * Encrypts the connection from here on: what was written before leaves as it is, what is written afterwards is
   * encrypted, and no more data is delivered but what was. The handshake begins when everything before has left;
   * `handshakeCompleted` tells the protocol that it has succeeded. A client verifies the certificate for `tls.servername`,
   * by default the host given to `connectTCP`. If the handshake fails the connection is lost: with `VerifyError`, `CertificateError`,
   * `SSLError`, `TLSHandshakeTimeoutError`, or `ConnectionLost` if the peer has gone.
   *
   * May be called again once the handshake is over: TLS in TLS. Throws `UnsupportedError` where the reactor has no
   * TLS, `HandshakeInProgressError` while a handshake is under way, `TypeError`, `RangeError` or the host's own error for
   * options that cannot be right. Does nothing once the connection is being closed. Source: Twisted's `ITLSTransport`.
   */
  startTLS(tls: TLSOptions, options?: StartTLSOptions): void;
  /**
   * The peer's certificate, in DER (on Node: `new X509Certificate(der)` of `node:crypto`); undefined if it has sent none,
   * and while the connection is not encrypted. Readable after the connection is lost. Source: Twisted's `ISSLTransport`.
   */
  getPeerCertificate(): Uint8Array | undefined;
  /** What both sides agreed to speak (ALPN, RFC 7301); undefined if nothing. Source: Twisted's `INegotiated`. */
  readonly negotiatedProtocol: string | undefined;
}
