import { Deferred } from '../deferred/deferred.ts';

/** Those who wait for the same thing, and are told together. */
class Waiters<T> {
  #waiting: Deferred<T>[] = [];

  add(): Deferred<T> {
    const waiter = new Deferred<T>();
    this.#waiting.push(waiter);
    return waiter;
  }

  /** Those who wait now. What they are told may have others wait for the next time, who must not be among them. */
  take(): readonly Deferred<T>[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}

/**
 * Those who wait for a port of any kind to be bound, or to have closed. Whoever settles them takes them out first, in the same
 * breath as the state changes: a callback may have the port bind again, and then others wait for that.
 */
export class ListenWaiters<P> {
  readonly #listening = new Waiters<P>();
  readonly #closing = new Waiters<void>();

  /** Fires with the port, or fails. */
  whenListening(): Deferred<P> {
    return this.#listening.add();
  }

  /** Fires when the port has closed. */
  whenClosed(): Deferred<void> {
    return this.#closing.add();
  }

  takeListening(): readonly Deferred<P>[] {
    return this.#listening.take();
  }

  takeClosing(): readonly Deferred<void>[] {
    return this.#closing.take();
  }

  /** The port is not bound, and will not be. */
  failListening(error: Error): void {
    for (const waiter of this.#listening.take()) waiter.errback(error);
  }
}
