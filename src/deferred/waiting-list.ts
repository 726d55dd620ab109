import { QueueUnderflow } from '../errors.ts';
import { Deferred } from './deferred.ts';

/**
 * How many may wait, by default, for one lock, semaphore or queue, and how many values a queue may hold. A program that
 * has more has lost the side that should keep up. `Infinity` lifts the limit.
 */
export const DEFAULT_BACKLOG = 65_536;

interface Entry<T> {
  readonly deferred: Deferred<T>;
  previous: Entry<T> | undefined;
  next: Entry<T> | undefined;
}

/** `Deferred`s that wait for their turn, first come, first served. One that is cancelled leaves at no cost. */
export class WaitingList<T> {
  readonly #limit: number;
  #first: Entry<T> | undefined;
  #last: Entry<T> | undefined;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Those that wait now, the next first. */
  toArray(): Deferred<T>[] {
    const waiting: Deferred<T>[] = [];
    for (let entry = this.#first; entry !== undefined; entry = entry.next) waiting.push(entry.deferred);
    return waiting;
  }

  /** A `Deferred` at the end of the list. Throws `QueueUnderflow` if the list is full. */
  add(): Deferred<T> {
    if (this.#size >= this.#limit) throw new QueueUnderflow(`${String(this.#size)} wait already, and no more may`);
    const deferred = new Deferred<T>(() => this.#remove(entry));
    const entry: Entry<T> = { deferred, previous: this.#last, next: undefined };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size += 1;
    return deferred;
  }

  /** Takes the first from the list, to be fired, or undefined if nobody waits. One that its holder has fired waits no more. */
  take(): Deferred<T> | undefined {
    for (let entry = this.#first; entry !== undefined; entry = this.#first) {
      this.#remove(entry);
      if (!entry.deferred.called) return entry.deferred;
    }
    return undefined;
  }

  #remove(entry: Entry<T>): void {
    if (entry.previous === undefined) this.#first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    this.#size -= 1;
  }
}

/** A limit: a whole number, 0 or more, or `Infinity`. */
export function requireLimit(name: string, value: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!(value >= 0 && (Number.isInteger(value) || value === Infinity))) {
    throw new RangeError(`${name} must be a whole number, 0 or more, or Infinity; got ${String(value)}`);
  }
}
