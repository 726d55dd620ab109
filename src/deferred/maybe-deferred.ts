/** Two ways to call a function and have its outcome as a `Deferred`, whatever happens. Twisted: `twisted.internet.defer`. */
import { Deferred, type CallbackResult } from './deferred.ts';
import { Failure } from './failure.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { fail, succeed } from './succeed-fail.ts';

/**
 * Calls `fn` now. A `Deferred` it returns is returned as it is, a promise is waited for, any other value is there at
 * once; a `Failure` it returns, or what it throws, is the error. Never throws.
 */
export function maybeDeferred<A extends unknown[], U>(fn: (...args: A) => CallbackResult<U>, ...args: A): Deferred<U> {
  try {
    const outcome = fn(...args);
    if (outcome instanceof Deferred) return outcome;
    if (isPromiseLike(outcome)) return Deferred.fromPromise(outcome);
    return succeed(outcome);
  } catch (error) {
    return fail(new Failure(error));
  }
}

/**
 * Calls `fn` now, for a function that returns plain values: what it throws is the error. It does not flatten, so a
 * function that returns a `Deferred` or a promise is misuse and throws `TypeError`, as `callback` does; use
 * `maybeDeferred` for one.
 */
export function execute<A extends unknown[], U>(fn: (...args: A) => U | Failure, ...args: A): Deferred<U> {
  let outcome: U | Failure;
  try {
    outcome = fn(...args);
  } catch (error) {
    return fail(new Failure(error));
  }
  return succeed(outcome);
}
