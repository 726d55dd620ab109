import { requireDelay } from '../arguments.ts';
import { TurnLimitError } from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { Timers } from '../reactor/timers.ts';
import { TIME_TOLERANCE_SECONDS, TURNS_PER_INSTANT_MAX } from '../simulation/world.ts';

/**
 * A clock that stands still until it is advanced, for code that needs only time. It begins at 0.
 *
 * An error thrown by a delayed call leaves `advance`, with the clock at the time of that call and the calls that have
 * not run still pending; the next advance goes on from there. Twisted's `internet.task.Clock`, but for one thing:
 * `advance` steps to each due time, so that calls which re-arm themselves run as often as they would in real time.
 */
export class Clock implements ReactorTime {
  readonly #timers = new Timers(
    () => this.#now,
    () => undefined,
  );
  #now = 0;
  #isAdvancing = false;

  /** Seconds since the clock was made, as far as it has been advanced. */
  seconds(): number {
    return this.#now;
  }

  /** Has `fn(...args)` called by the advance that comes to `delaySeconds` from now, by 0 too: never from inside this call. */
  callLater<Args extends readonly unknown[]>(
    delaySeconds: number,
    fn: (...args: Args) => unknown,
    ...args: Args
  ): DelayedCall {
    return this.#timers.callLater(delaySeconds, fn, ...args);
  }

  /** The calls that are pending, in the order in which they will run. */
  getDelayedCalls(): readonly DelayedCall[] {
    return this.#timers.getDelayedCalls();
  }

  /**
   * Lets so many seconds pass and runs the calls that come due, in order, each at its own time. Throws `RangeError` for a
   * number that is negative or not finite, `TurnLimitError` if calls re-arm 100,000 times without time passing, and an
   * `Error` if called from a delayed call.
   */
  advance(seconds: number): void {
    requireDelay('seconds', seconds);
    if (this.#isAdvancing) throw new Error('advance was called while the clock was advancing already');
    this.#isAdvancing = true;
    try {
      const target = this.#now + seconds;
      this.#settle();
      for (let next = this.#timers.nextDue(); next <= target + TIME_TOLERANCE_SECONDS; next = this.#timers.nextDue()) {
        this.#now = next;
        this.#settle();
      }
      this.#now = Math.max(this.#now, target);
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** `advance` for each of the numbers. */
  pump(timings: Iterable<number>): void {
    for (const seconds of timings) this.advance(seconds);
  }

  /** Runs passes at this instant until nothing is due. */
  #settle(): void {
    for (let turns = 0; this.#timers.nextDue() <= this.#now; turns += 1) {
      if (turns === TURNS_PER_INSTANT_MAX) {
        const due = this.#timers.getDelayedCalls().filter((call) => call.getTime() <= this.#now);
        throw new TurnLimitError(
          `Calls went on re-arming at ${String(this.#now)} s for ${String(turns)} turns; ` +
            `still pending: ${due.map(String).join(', ')}`,
        );
      }
      this.#timers.runDue(this.#now, (call) => {
        call.run();
      });
    }
  }
}
