import { getDebugging } from '../deferred/unhandled.ts';
import { AlreadyCalled, AlreadyCancelled } from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import { requireDelay, requireFinite } from '../arguments.ts';
import { nameOf } from './contexts.ts';

/** What a call needs of the timers that made it. */
export interface ScheduledCallOwner {
  seconds(): number;
  /** The call's due time has changed. */
  rescheduled(call: ScheduledCall): void;
  /** The call has been cancelled. */
  cancelled(call: ScheduledCall): void;
}

/** The one implementation of `DelayedCall`; made by `Timers`. */
export class ScheduledCall implements DelayedCall {
  state: 'pending' | 'called' | 'cancelled' = 'pending';
  /** When it is due. */
  time: number;
  /** Breaks ties among calls due at the same time: the order in which they were made. */
  readonly sequence: number;
  /** The time under which it stands in the heap, never later than `time`; the heap's alone. */
  key: number;
  /** Where it stands in the heap; -1 when it does not. The heap's alone. */
  heapIndex = -1;

  readonly #owner: ScheduledCallOwner;
  #fn: ((...args: never[]) => unknown) | undefined;
  #args: readonly unknown[] | undefined;
  /** Of its function, once it has run. */
  #name = '';
  /** Made where the call was made, for its stack, while debugging is on (`setDebugging`). */
  readonly #creation: Error | undefined = getDebugging() ? new Error('made here') : undefined;

  constructor(
    owner: ScheduledCallOwner,
    time: number,
    sequence: number,
    fn: (...args: never[]) => unknown,
    args: readonly unknown[],
  ) {
    this.#owner = owner;
    this.time = time;
    this.key = time;
    this.sequence = sequence;
    this.#fn = fn;
    this.#args = args;
  }

  /** Runs it. Whatever the function throws comes out; what it returns is returned. For `Timers` alone. */
  run(): unknown {
    const fn = this.#fn;
    const args = this.#args;
    this.#name = this.name;
    this.state = 'called';
    this.#fn = undefined;
    this.#args = undefined;
    // The pair was checked against each other when `callLater` took it.
    return fn?.(...((args ?? []) as never[]));
  }

  /** The name of its function; of one that was cancelled it is forgotten. */
  get name(): string {
    const name = this.#fn === undefined ? this.#name : nameOf(this.#fn);
    return name === '' ? 'anonymous function' : name;
  }

  getTime(): number {
    return this.time;
  }

  active(): boolean {
    return this.state === 'pending';
  }

  cancel(): void {
    this.#requirePending();
    this.state = 'cancelled';
    this.#fn = undefined;
    this.#args = undefined;
    this.#owner.cancelled(this);
  }

  delay(secondsLater: number): void {
    this.#requirePending();
    requireFinite('secondsLater', secondsLater);
    this.time += secondsLater;
    this.#owner.rescheduled(this);
  }

  reset(secondsFromNow: number): void {
    this.#requirePending();
    requireDelay('secondsFromNow', secondsFromNow);
    this.time = this.#owner.seconds() + secondsFromNow;
    this.#owner.rescheduled(this);
  }

  [Symbol.dispose](): void {
    if (this.state === 'pending') this.cancel();
  }

  /** For people: what will be called and when. */
  toString(): string {
    const call = `${this.name} (${this.state}, due at ${String(this.time)} s)`;
    return `${call}${this.describeCreation()}`;
  }

  /** Where it was made, on lines of their own, if debugging was on then. */
  describeCreation(): string {
    const frames = this.#creation?.stack?.split('\n').slice(1) ?? [];
    return frames.length === 0 ? '' : `; it was made\n${frames.join('\n')}`;
  }

  #requirePending(): void {
    switch (this.state) {
      case 'pending':
        return;
      case 'called':
        throw new AlreadyCalled();
      case 'cancelled':
        throw new AlreadyCancelled();
    }
  }
}
