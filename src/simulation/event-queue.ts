/** Something that will happen in a virtual world. */
export interface ScheduledEvent {
  /** When, in seconds of the world's true time. */
  readonly time: number;
  /** True until it happens or is cancelled. */
  readonly pending: boolean;
  /** Takes it back; harmless when it has happened. */
  cancel(): void;
}

/** Below this size a heap full of cancelled events is not worth cleaning. */
const COMPACTION_EVENTS_MIN = 64;

class Event implements ScheduledEvent {
  readonly time: number;
  readonly sequence: number;
  readonly #cancelled: () => void;
  #action: (() => void) | undefined;

  constructor(time: number, sequence: number, action: () => void, cancelled: () => void) {
    this.time = time;
    this.sequence = sequence;
    this.#action = action;
    this.#cancelled = cancelled;
  }

  get pending(): boolean {
    return this.#action !== undefined;
  }

  cancel(): void {
    if (this.#action === undefined) return;
    this.#action = undefined;
    this.#cancelled();
  }

  /** The action, which is forgotten here; undefined if the event was cancelled. */
  take(): (() => void) | undefined {
    const action = this.#action;
    this.#action = undefined;
    return action;
  }

  isBefore(other: Event): boolean {
    return this.time < other.time || (this.time === other.time && this.sequence < other.sequence);
  }
}

/**
 * The events of a world in their total order: by time, and those of the same time in the order in which they were
 * scheduled. A binary heap; cancelled events stay in it until they come up, or until they are the greater part.
 */
export class EventQueue {
  #heap: Event[] = [];
  #nextSequence = 0;
  #cancelledCount = 0;
  readonly #noteCancelled = (): void => {
    this.#cancelledCount += 1;
    if (this.#heap.length > COMPACTION_EVENTS_MIN && this.#cancelledCount * 2 > this.#heap.length) this.#compact();
  };

  /** How many events are pending. */
  get size(): number {
    return this.#heap.length - this.#cancelledCount;
  }

  /** The sequence number of the next event that will be scheduled: whatever is there already has a smaller one. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  schedule(time: number, action: () => void): ScheduledEvent {
    const event = new Event(time, this.#nextSequence, action, this.#noteCancelled);
    this.#nextSequence += 1;
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1);
    return event;
  }

  /** When the first pending event is due; `Infinity` if there is none. */
  nextTime(): number {
    return this.#first()?.time ?? Infinity;
  }

  /** Takes out the first event if it is due at `time` and was scheduled before sequence number `before`. */
  takeDue(time: number, before: number): (() => void) | undefined {
    const first = this.#first();
    if (first === undefined || first.time > time || first.sequence >= before) return undefined;
    this.#removeFirst();
    return first.take();
  }

  /** The first pending event; the cancelled ones before it are dropped. */
  #first(): Event | undefined {
    let first = this.#heap[0];
    while (first !== undefined && !first.pending) {
      this.#cancelledCount -= 1;
      this.#removeFirst();
      first = this.#heap[0];
    }
    return first;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown(0);
  }

  #compact(): void {
    this.#heap = this.#heap.filter((event) => event.pending);
    this.#cancelledCount = 0;
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index -= 1) this.#siftDown(index);
  }

  #siftUp(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #siftDown(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      let least = index;
      if (this.#isBefore(left, least)) least = left;
      if (this.#isBefore(left + 1, least)) least = left + 1;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  /** False for a place beyond the end. */
  #isBefore(one: number, other: number): boolean {
    const first = this.#heap[one];
    const second = this.#heap[other];
    return first !== undefined && second !== undefined && first.isBefore(second);
  }

  #swap(one: number, other: number): void {
    const first = this.#heap[one];
    const second = this.#heap[other];
    if (first === undefined || second === undefined) return;
    this.#heap[one] = second;
    this.#heap[other] = first;
  }
}
