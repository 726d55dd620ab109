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

  /** Runs what was queued before this call began; what is queued meanwhile waits. Not re-entrant. A call must not throw. */
  runQueued(): void {
    if (this.#queued.length === 0) return;
    const calls = this.#queued;
    this.#queued = this.#running;
    this.#running = calls;
    for (const call of calls) call();
    calls.length = 0;
  }
}
