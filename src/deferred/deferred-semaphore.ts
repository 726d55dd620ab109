import type { BacklogOptions } from './deferred-lock.ts';
import type { CallbackResult, Deferred } from './deferred.ts';
import { TokenPool } from './token-pool.ts';
import { DEFAULT_BACKLOG, requireLimit } from './waiting-list.ts';

/**
 * Lets so many at a time in; the others wait in the order in which they came. Used as a `DeferredLock` is, scopes
 * included. Twisted: `twisted.internet.defer.DeferredSemaphore`.
 */
export class DeferredSemaphore implements Disposable, AsyncDisposable {
  readonly #pool: TokenPool<DeferredSemaphore>;

  /** Throws `RangeError` unless `tokens` is a whole number, 1 or more. */
  constructor(tokens: number, options: BacklogOptions = {}) {
    const { backlog = DEFAULT_BACKLOG } = options;
    requireLimit('tokens', tokens);
    if (tokens < 1) throw new RangeError('tokens must be 1 or more');
    requireLimit('backlog', backlog);
    this.#pool = new TokenPool<DeferredSemaphore>(this, tokens, backlog);
  }

  /** How many more can get in now. */
  get tokens(): number {
    return this.#pool.free;
  }

  /** How many can be in at a time. */
  get limit(): number {
    return this.#pool.limit;
  }

  /** Whether the next to come has to wait. */
  get locked(): boolean {
    return this.#pool.free === 0;
  }

  /** Those who wait, the next first; a copy. */
  get waiting(): readonly Deferred<DeferredSemaphore>[] {
    return this.#pool.waiting;
  }

  /** Fires with the semaphore when a token is the caller's, at once if one is free. Cancelling it gives up the place. */
  acquire(): Deferred<DeferredSemaphore> {
    return this.#pool.acquire();
  }

  /** Gives one token back, as `DeferredLock.release` does. Throws `RangeError` if none is out. */
  release(): void {
    this.#pool.release();
  }

  /** Acquires a token for as long as `fn` takes, as `DeferredLock.run` does. */
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
