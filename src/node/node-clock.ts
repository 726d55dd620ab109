/**
 * Node's time. However many calls a reactor has, this holds one `setImmediate` and one `setTimeout` at most.
 *
 * `#wakeTime` alone says when the turn is wanted; immediate and timer are only means, and may be early:
 * - An immediate that is no longer wanted is left to run out, which costs one pass of the loop.
 * - A timer armed for an earlier time than is wanted now is left armed; when it fires it is armed again. Otherwise
 *   each request that moves the next due time back would clear one timer and set another.
 * - Node counts a timer from the start of the loop's iteration, so that it may fire early, by as long as the turn
 *   took that armed it.
 * Whoever comes early finds that `#wakeTime` has not been reached and does not run the turn.
 */
import { performance } from 'node:perf_hooks';
import type { PlatformClock } from '../interfaces/platform.ts';

/** Node's timers take at most this many milliseconds, and fire at once for more. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export class NodeClock implements PlatformClock {
  #turn: () => void = () => {};
  #wakeTime = Infinity;
  #immediate: 'idle' | 'armed' = 'idle';
  #timer: NodeJS.Timeout | undefined;
  /** When `#timer` fires, about. */
  #timerTime = Infinity;

  now(): number {
    return performance.now() / 1000;
  }

  attach(turn: () => void): void {
    this.#turn = turn;
  }

  wakeAt(time: number): void {
    this.#wakeTime = time;
    if (time === Infinity) {
      this.#disarmTimer();
    } else if (time <= this.now()) {
      this.#armImmediate();
    } else {
      this.#armTimer(time);
    }
  }

  /** Keeps the loop from blocking, so it is not unref'd: an unref'd immediate does not. */
  #armImmediate(): void {
    if (this.#immediate === 'armed') return;
    this.#immediate = 'armed';
    setImmediate(this.#immediateFired);
  }

  /** A timer never keeps the process alive; only `keepAlive` does. */
  #armTimer(time: number): void {
    if (this.#timer !== undefined && this.#timerTime <= time) return;
    this.#disarmTimer();
    const delayMs = Math.min(Math.ceil((time - this.now()) * 1000), TIMEOUT_MS_MAX);
    this.#timerTime = time;
    this.#timer = setTimeout(this.#timerFired, delayMs);
    this.#timer.unref();
  }

  #disarmTimer(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #immediateFired = (): void => {
    this.#immediate = 'idle';
    this.#turnIfDue();
  };

  readonly #timerFired = (): void => {
    this.#timer = undefined;
    this.#turnIfDue();
  };

  #turnIfDue(): void {
    if (this.#wakeTime === Infinity) return;
    if (this.#wakeTime > this.now()) {
      this.#armTimer(this.#wakeTime);
      return;
    }
    this.#wakeTime = Infinity;
    this.#turn();
  }
}
