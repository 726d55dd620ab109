import { QueueOverflow } from '../errors.ts';
import type { Deferred } from './deferred.ts';
import type { Failure } from './failure.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { succeed } from './succeed-fail.ts';
import { DEFAULT_BACKLOG, requireLimit, WaitingList } from './waiting-list.ts';

export interface DeferredQueueOptions {
  /** How many values may wait to be fetched; then `put` throws `QueueOverflow`. 65,536 by default, `Infinity` for no limit. */
  readonly size?: number;
  /** How many may wait for a value; then `get` throws `QueueUnderflow`. 65,536 by default, `Infinity` for no limit. */
  readonly backlog?: number;
}

/**
 * Values on their way from those who `put` to those who `get`, both in order. A `get` of an empty queue waits.
 *
 * `for await (const value of queue)` gets one value after another, without end: leave the loop with `break`. Several loops
 * share the values out. Twisted: `twisted.internet.defer.DeferredQueue`, but with limits by default.
 */
export class DeferredQueue<T> implements AsyncIterable<T> {
  readonly #size: number;
  readonly #waiting: WaitingList<T>;
  #values: T[] = [];
  /** Values before this have been fetched; taking them off one by one would move all the others each time. */
  #fetched = 0;

  constructor(options: DeferredQueueOptions = {}) {
    const { size = DEFAULT_BACKLOG, backlog = DEFAULT_BACKLOG } = options;
    requireLimit('size', size);
    requireLimit('backlog', backlog);
    this.#size = size;
    this.#waiting = new WaitingList(backlog);
  }

  /** Those who wait for a value, the next first; a copy. */
  get waiting(): readonly Deferred<T>[] {
    return this.#waiting.toArray();
  }

  /** The values that wait to be fetched, the next first; a copy. */
  get pending(): readonly T[] {
    return this.#values.slice(this.#fetched);
  }

  /**
   * Gives `value` to the first who waits, whose callbacks run before this returns, or keeps it. A `Failure` fails the `get`
   * that it is given to. Throws `QueueOverflow` if the queue is full, and `TypeError` for a `Deferred` or a promise.
   */
  put(value: T | Failure): void {
    if (isPromiseLike(value)) throw new TypeError('put() takes a plain value, not a Deferred or a promise');
    const waiter = this.#waiting.take();
    if (waiter !== undefined) {
      waiter.callback(value);
    } else {
      const pending = this.#values.length - this.#fetched;
      if (pending >= this.#size) {
        throw new QueueOverflow(`The queue holds ${String(pending)} values already, and no more may wait`);
      }
      // A Failure in the queue comes out of succeed() as the error it is.
      this.#values.push(value as T);
    }
  }

  /**
   * Fires with the next value, at once if there is one. Cancelling it while it waits gives up the place, and no value
   * is lost. Throws `QueueUnderflow` if too many wait already.
   */
  get(): Deferred<T> {
    if (this.#fetched === this.#values.length) return this.#waiting.add();
    // Within bounds: the line above says so.
    const value = this.#values[this.#fetched] as T;
    this.#fetched += 1;
    if (this.#fetched * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#fetched);
      this.#fetched = 0;
    }
    return succeed(value);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new QueueIterator(this);
  }
}

/** By hand, where an async generator would keep its place in the queue, and swallow a value, after the loop has ended. */
class QueueIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #queue: DeferredQueue<T>;
  readonly #waiting = new Set<Deferred<T>>();
  #hasEnded = false;

  constructor(queue: DeferredQueue<T>) {
    this.#queue = queue;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#hasEnded) return { done: true, value: undefined };
    const value = this.#queue.get();
    this.#waiting.add(value);
    try {
      return { done: false, value: await value };
    } catch (error) {
      if (this.#isEnded()) return { done: true, value: undefined };
      throw error;
    } finally {
      this.#waiting.delete(value);
    }
  }

  // An async iterator's methods return promises, whether or not they wait.
  // eslint-disable-next-line @typescript-eslint/require-await -- the protocol of async iterators wants promises
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#hasEnded = true;
    for (const waiter of this.#waiting) waiter.cancel();
    return { done: true, value: undefined };
  }

  /** Asked again after a wait, in which it may have changed. */
  #isEnded(): boolean {
    return this.#hasEnded;
  }
}
