/** `deferLater`: a call in some time, as a Deferred. Twisted: `twisted.internet.task.deferLater`. */
import { requireFunction } from '../arguments.ts';
import { type CallbackResult, Deferred } from '../deferred/deferred.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ReactorTime } from '../interfaces/time.ts';

/**
 * Calls `fn(...args)` in `delaySeconds` on `clock` and fires with what it returns; a Deferred or a promise it returns is waited
 * for, and what it throws is the error. Without `fn` it fires with undefined. Cancelling it cancels the delayed call,
 * or what `fn` has returned. Throws `RangeError` for a delay that is negative or not finite.
 */
export function deferLater(clock: Pick<ReactorTime, 'callLater'>, delaySeconds: number): Deferred<undefined>;
export function deferLater<A extends readonly unknown[], U>(
  clock: Pick<ReactorTime, 'callLater'>,
  delaySeconds: number,
  fn: (...args: A) => CallbackResult<U>,
  ...args: A
): Deferred<U>;
export function deferLater(
  clock: Pick<ReactorTime, 'callLater'>,
  delaySeconds: number,
  fn?: (...args: unknown[]) => unknown,
  ...args: unknown[]
): Deferred<unknown> {
  if (fn !== undefined) requireFunction('fn', fn);
  const call: DelayedCall = clock.callLater(delaySeconds, () => {
    elapsed.callback(undefined);
  });
  const elapsed = new Deferred<undefined>(() => {
    call.cancel();
  });
  return fn === undefined ? elapsed : elapsed.addCallback(() => fn(...args));
}
