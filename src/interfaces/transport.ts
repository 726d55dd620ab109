import type { Address } from '../addresses.ts';
import type { Consumer } from './producer.ts';

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
}
