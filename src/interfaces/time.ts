import type { DelayedCall } from './delayed-call.ts';

/**
 * Time as a reactor or a fake clock gives it. A function that needs only time asks for this, never for a reactor.
 *
 * Order is total: calls run by due time, and those due at the same time in the order in which they were made.
 * Source: Twisted's `IReactorTime`.
 */
export interface ReactorTime {
  /** Seconds on a monotonic clock with an arbitrary origin; only differences mean something. */
  seconds(): number;

  /**
   * Calls `fn(...args)` once, `delaySeconds` from now, in a turn of its own: never from inside this call, and with a
   * delay of 0 not in the turn that is running. Throws `RangeError` for a delay that is negative, NaN or infinite.
   * An error thrown by `fn`, or a rejected promise that it returns, is reported by a reactor and does not stop other calls.
   */
  callLater<Args extends readonly unknown[]>(
    delaySeconds: number,
    fn: (...args: Args) => unknown,
    ...args: Args
  ): DelayedCall;

  /** The calls that are pending, in the order in which they will run. */
  getDelayedCalls(): readonly DelayedCall[];
}
