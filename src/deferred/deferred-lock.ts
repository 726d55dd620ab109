import type { CallbackResult, Deferred } from './deferred.ts';
import { TokenPool } from './token-pool.ts';
import { DEFAULT_BACKLOG, requireLimit } from './waiting-list.ts';

export interface BacklogOptions {
  /** How many may wait; then `acquire` throws `QueueUnderflow`. 65,536 by default; `Infinity` lifts the limit. */
  readonly backlog?: number;
}

/**
 * Lets one at a time in; the others wait in the order in which they came. Prefer `run`, or a scope, which cannot forget
 * to release:
 * ```ts
 * using held = yield* lock.acquire(); // in an async function: await lock.acquire()
 * ```
 * It is not re-entrant: whoever holds it and acquires it again waits for itself. Twisted: `twisted.internet.defer.DeferredLock`.
 */
export class DeferredLock implements Disposable, AsyncDisposable {
  readonly #pool: TokenPool<DeferredLock>;

  constructor(options: BacklogOptions = {}) {
    const { backlog = DEFAULT_BACKLOG } = options;
    requireLimit('backlog', backlog);
    this.#pool = new TokenPool<DeferredLock>(this, 1, backlog);
  }

  /** Whether somebody holds it. It stays so while it is passed on. */
  get locked(): boolean {
    return this.#pool.free === 0;
  }

  /** Those who wait, the next first; a copy. */
  get waiting(): readonly Deferred<DeferredLock>[] {
    return this.#pool.waiting;
  }

  /** Fires with the lock when it is the caller's, at once if it is free. Cancelling it gives up the place in the queue. */
  acquire(): Deferred<DeferredLock> {
    return this.#pool.acquire();
  }

  /**
   * Gives the lock to the next who waits, synchronously, except from inside the callbacks of one who has just been given
   * it: then as soon as those return. Throws `RangeError` if nobody holds it.
   */
  release(): void {
    this.#pool.release();
  }

  /**
   * Acquires the lock, calls `fn`, and releases it when the result of `fn` is there, an error too. Fires with that
   * result. Cancelling it gives up the place in the queue, or cancels what `fn` returned.
   */
  run<A extends unknown[], U>(fn: (...args: A) => CallbackResult<U>, ...args: A): Deferred<U> {
    return this.#pool.run(fn, args);
  }

  /** The same as `release`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** The same, for `await using`; it releases before it returns. */
  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}
