/** What a lock and a semaphore have in common: a number of tokens, and those who wait for one. */
import type { CallbackResult, Deferred } from './deferred.ts';
import { maybeDeferred } from './maybe-deferred.ts';
import { succeed } from './succeed-fail.ts';
import { WaitingList } from './waiting-list.ts';

/**
 * A token given back while others wait goes to the first of them and is never free in between, so nobody who comes later
 * can get in first. The first waiter's callbacks may give their token back at once; the next waiter is then called when
 * they have returned, not from inside them: any number of waiters takes no stack, and their results come in order.
 */
export class TokenPool<Owner> {
  readonly limit: number;
  readonly #owner: Owner;
  readonly #waiting: WaitingList<Owner>;
  #free: number;
  /** Tokens given back that are on their way to a waiter. */
  #passing = 0;
  #isHandingOver = false;

  /** `owner` is what those who get a token are given. */
  constructor(owner: Owner, limit: number, backlog: number) {
    this.limit = limit;
    this.#owner = owner;
    this.#free = limit;
    this.#waiting = new WaitingList(backlog);
  }

  get free(): number {
    return this.#free;
  }

  get waiting(): Deferred<Owner>[] {
    return this.#waiting.toArray();
  }

  acquire(): Deferred<Owner> {
    if (this.#free === 0) return this.#waiting.add();
    this.#free -= 1;
    return succeed(this.#owner);
  }

  release(): void {
    if (this.#free + this.#passing >= this.limit) {
      throw new RangeError('release() was called more often than a token was acquired');
    }
    this.#passing += 1;
    if (!this.#isHandingOver) this.#handOver();
  }

  run<A extends unknown[], U>(fn: (...args: A) => CallbackResult<U>, args: A): Deferred<U> {
    if (typeof fn !== 'function') throw new TypeError('run() takes a function');
    return this.acquire().addCallback<U>(() =>
      maybeDeferred(fn, ...args).addBoth<U>((result) => {
        this.release();
        return result;
      }),
    );
  }

  #handOver(): void {
    this.#isHandingOver = true;
    while (this.#passing > 0) {
      // First, for a release from inside the waiter's callbacks is of this token.
      this.#passing -= 1;
      const next = this.#waiting.take();
      if (next === undefined) this.#free += 1;
      else next.callback(this.#owner);
    }
    this.#isHandingOver = false;
  }
}
