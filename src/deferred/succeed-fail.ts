import { Deferred } from './deferred.ts';
import type { Failure } from './failure.ts';

/** A `Deferred` that has already fired with `value`. Throws `TypeError` for a `Deferred` or promise, as `callback` does. */
export function succeed<T>(value: T | Failure): Deferred<T> {
  const deferred = new Deferred<T>();
  deferred.callback(value);
  return deferred;
}

/** A `Deferred` that has already failed. Takes what `errback` takes, and like it throws `TypeError` for undefined. */
export function fail<T = never>(reason: unknown): Deferred<T> {
  const deferred = new Deferred<T>();
  deferred.errback(reason);
  return deferred;
}
