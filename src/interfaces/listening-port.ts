import type { Address } from '../addresses.ts';
import type { Deferred } from '../deferred/deferred.ts';

/**
 * A port that listens, or is about to. Binding begins inside `listenTCP` and ends in the background, with or without
 * a running reactor. Source: Twisted's `IListeningPort`.
 */
export interface ListeningPort extends AsyncDisposable {
  /** The bound address, with the real number when port 0 was asked for. Throws `NotListeningError` until bound and once stopped. */
  getHost(): Address;
  /** Binds again after `stopListening`. Throws `CannotListenError` if listening or binding already. */
  startListening(): void;
  /**
   * Closes the port; accepted connections live on. Fires in the turn after the listening handle has closed, also when
   * nothing listens any more.
   */
  stopListening(): Deferred<void>;
  /**
   * Fires with the port once it is bound, or fails with `CannotListenError`. Each call gives a new Deferred. A
   * failed bind that nobody has asked about is logged as an error.
   */
  whenListening(): Deferred<ListeningPort>;
  /** For people: where it listens, and what it is doing if it does not. */
  toString(): string;
  /** The same as `stopListening`. */
  [Symbol.asyncDispose](): PromiseLike<void>;
}
