/**
 * Delayed calls on any clock: a reactor's or a fake one's.
 *
 * A pass first takes out every call that is due and then runs them in order, so that whatever is scheduled, or moved,
 * during the pass waits for the next one. A call that is cancelled or moved by an earlier one of the same pass does
 * not run in it.
 */
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { requireDelay, requireFunction } from '../arguments.ts';
import { ScheduledCall, type ScheduledCallOwner } from './scheduled-call.ts';
import { TimerHeap } from './timer-heap.ts';

export class Timers implements ReactorTime {
  readonly #now: () => number;
  readonly #dueSooner: (time: number) => void;
  readonly #heap = new TimerHeap();
  readonly #owner: ScheduledCallOwner;
  #sequence = 0;
  /** The calls taken out for the pass that runs, those already run among them; empty between passes. */
  #pass: ScheduledCall[] = [];

  /**
   * `now` is the clock, in seconds. `dueSooner` is told whenever a call is made, or moved, to a time that may be
   * sooner than all others; being told of a time in vain is harmless.
   */
  constructor(now: () => number, dueSooner: (time: number) => void) {
    this.#now = now;
    this.#dueSooner = dueSooner;
    this.#owner = {
      seconds: now,
      rescheduled: (call) => {
        this.#rescheduled(call);
      },
      cancelled: (call) => {
        if (call.heapIndex >= 0) this.#heap.cancelled();
      },
    };
  }

  seconds(): number {
    return this.#now();
  }

  callLater<Args extends readonly unknown[]>(
    delaySeconds: number,
    fn: (...args: Args) => unknown,
    ...args: Args
  ): DelayedCall {
    requireDelay('delaySeconds', delaySeconds);
    requireFunction('fn', fn);
    this.#sequence += 1;
    const call = new ScheduledCall(this.#owner, this.#now() + delaySeconds, this.#sequence, fn, args);
    this.#heap.push(call);
    if (call.heapIndex === 0) this.#dueSooner(call.time);
    return call;
  }

  getDelayedCalls(): readonly DelayedCall[] {
    const waiting = this.#pass.filter(isWaiting);
    return [...waiting, ...this.#heap.pending()].sort((a, b) => a.time - b.time || a.sequence - b.sequence);
  }

  /** How many calls are pending, but for those that are due in the pass that runs. */
  get pendingCount(): number {
    return this.#heap.pendingCount;
  }

  /** When the first pending call is due; `Infinity` if there is none. */
  nextDue(): number {
    return this.#heap.peek()?.time ?? Infinity;
  }

  /** Takes out what is due at `time`, for the pass that `runTaken` runs. */
  takeDue(time: number): void {
    let due = this.#heap.popDue(time);
    for (; due !== undefined; due = this.#heap.popDue(time)) this.#pass.push(due);
  }

  /**
   * Runs what was taken out, each call through `invoke`, for as long as `mayGoOn` says so. The calls that have not run
   * stay pending, also when `invoke` throws, and then the error comes out of here. Not re-entrant.
   */
  runTaken(invoke: (call: ScheduledCall) => void, mayGoOn: () => boolean = always): void {
    const pass = this.#pass;
    if (pass.length === 0) return;
    try {
      for (const call of pass) {
        if (!mayGoOn()) return;
        if (isWaiting(call)) invoke(call);
      }
    } finally {
      this.#pass = [];
      for (const call of pass) {
        if (isWaiting(call)) this.#heap.push(call);
      }
    }
  }

  /** Takes out and runs what is due at `time`. */
  runDue(time: number, invoke: (call: ScheduledCall) => void): void {
    this.takeDue(time);
    this.runTaken(invoke);
  }

  #rescheduled(call: ScheduledCall): void {
    if (call.heapIndex < 0) this.#heap.push(call);
    else this.#heap.update(call);
    if (call.heapIndex === 0) this.#dueSooner(call.time);
  }
}

/** Whether a call of the pass has still to run in it: it has neither run nor been cancelled or moved. */
function isWaiting(call: ScheduledCall): boolean {
  return call.state === 'pending' && call.heapIndex < 0;
}

function always(): boolean {
  return true;
}
