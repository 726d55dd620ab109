/** Calls for the next turn, in the order in which they were queued. */
export class CallQueue {
  #queued: (() => void)[] = [];
  /** The calls of the turn that runs; kept to be filled again, so that queueing allocates nothing. */
  #running: (() => void)[] = [];

  get size(): number {
    return this.#queued.length;
  }

  push(call: () => void): void {
    this.#queued.push(call);
  }

  /**
   * Runs what was queued before this call began, for as long as `mayGoOn` says so; what is queued meanwhile waits, and
   * what has not run is first in the next turn. Not re-entrant. A call must not throw.
   */
  runQueued(mayGoOn: () => boolean): void {
    if (this.#queued.length === 0) return;
    const calls = this.#queued;
    this.#queued = this.#running;
    this.#running = calls;
    let count = 0;
    for (const call of calls) {
      if (!mayGoOn()) break;
      count += 1;
      call();
    }
    // Not by `unshift(...)`: as arguments of one call so many would overflow the stack.
    if (count < calls.length) this.#queued = calls.slice(count).concat(this.#queued);
    calls.length = 0;
  }
}
