/**
 * A binary heap of calls, ordered by due time and then by the order in which they were made.
 *
 * Two things are lazy, because idle time-outs are cancelled and postponed far more often than they run. A cancelled
 * call stays in the heap until it comes to the top, or until more than half of the heap is cancelled, when all of
 * them are swept out at once. A postponed call stays where it is, under the key it had, and is moved when it comes to
 * the top. So `cancel` and a `reset` to a later time cost O(1), and the top is put right before anyone sees it.
 */
import type { ScheduledCall } from './scheduled-call.ts';

/** Below this many cancelled calls sweeping is not worth its while. */
const SWEEP_MINIMUM = 50;

export class TimerHeap {
  #calls: ScheduledCall[] = [];
  #cancelledCount = 0;

  /** Adds a call under its due time. */
  push(call: ScheduledCall): void {
    call.key = call.time;
    call.heapIndex = this.#calls.length;
    this.#calls.push(call);
    this.#siftUp(call.heapIndex);
  }

  /** The pending call that is due first, or undefined. */
  peek(): ScheduledCall | undefined {
    for (;;) {
      const top = this.#calls[0];
      if (top === undefined) return undefined;
      if (top.state === 'cancelled') {
        this.#removeTop();
        this.#cancelledCount -= 1;
      } else if (top.key < top.time) {
        top.key = top.time;
        this.#siftDown(0);
      } else {
        return top;
      }
    }
  }

  /** Removes and returns the call that is due first, if it is due at `time`. */
  popDue(time: number): ScheduledCall | undefined {
    const top = this.peek();
    if (top === undefined || top.time > time) return undefined;
    this.#removeTop();
    return top;
  }

  /** Puts a call in its place after its due time has changed. */
  update(call: ScheduledCall): void {
    if (call.time >= call.key) return;
    call.key = call.time;
    this.#siftUp(call.heapIndex);
  }

  /** Notes that a call of the heap has been cancelled. */
  cancelled(): void {
    this.#cancelledCount += 1;
    if (this.#cancelledCount > SWEEP_MINIMUM && this.#cancelledCount * 2 > this.#calls.length) this.#sweep();
  }

  /** The calls that are pending, in no order. */
  pending(): ScheduledCall[] {
    return this.#calls.filter((call) => call.state === 'pending');
  }

  /** How many calls are pending. */
  get pendingCount(): number {
    return this.#calls.length - this.#cancelledCount;
  }

  /** How many calls the heap holds, cancelled ones included. */
  get size(): number {
    return this.#calls.length;
  }

  #sweep(): void {
    const kept: ScheduledCall[] = [];
    for (const call of this.#calls) {
      if (call.state === 'pending') {
        call.key = call.time;
        call.heapIndex = kept.length;
        kept.push(call);
      } else {
        call.heapIndex = -1;
      }
    }
    this.#calls = kept;
    this.#cancelledCount = 0;
    for (let index = (kept.length >> 1) - 1; index >= 0; index -= 1) this.#siftDown(index);
  }

  #removeTop(): void {
    const top = this.#calls[0];
    const last = this.#calls.pop();
    if (top === undefined || last === undefined) return;
    top.heapIndex = -1;
    if (top === last) return;
    this.#place(last, 0);
    this.#siftDown(0);
  }

  #siftUp(start: number): void {
    const call = this.#calls[start];
    if (call === undefined) return;
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#calls[parentIndex];
      if (parent === undefined || isBefore(parent, call)) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(call, index);
  }

  #siftDown(start: number): void {
    const call = this.#calls[start];
    if (call === undefined) return;
    let index = start;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = this.#calls[leftIndex];
      if (left === undefined) break;
      const right = this.#calls[leftIndex + 1];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (isBefore(call, child)) break;
      const childIndex = child === left ? leftIndex : leftIndex + 1;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(call, index);
  }

  #place(call: ScheduledCall, index: number): void {
    this.#calls[index] = call;
    call.heapIndex = index;
  }
}

/** The total order of calls: by key, then by the order in which they were made. */
function isBefore(one: ScheduledCall, other: ScheduledCall): boolean {
  return one.key < other.key || (one.key === other.key && one.sequence < other.sequence);
}
