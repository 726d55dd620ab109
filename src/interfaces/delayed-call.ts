/**
 * A call that waits for its time. `cancel`, `delay` and `reset` throw `AlreadyCalled` once it has run (or runs), and
 * `AlreadyCancelled` after `cancel`. Source: Twisted's `IDelayedCall`.
 */
export interface DelayedCall extends Disposable {
  /** When it is due, on the clock that made it, in seconds; the last known time once it has run or was cancelled. */
  getTime(): number;
  /** Takes it back, and lets go of the function and its arguments. */
  cancel(): void;
  /** Moves it by so many seconds relative to the time it is due; negative is sooner. `RangeError` if not finite. */
  delay(secondsLater: number): void;
  /** Makes it due so many seconds from now. `RangeError` if negative or not finite. */
  reset(secondsFromNow: number): void;
  /** True until it runs or is cancelled; false inside the call itself. */
  active(): boolean;
  /** For people: the name of the function, the state, the time. */
  toString(): string;
  /** Cancels it if it is still active, otherwise does nothing. */
  [Symbol.dispose](): void;
}
