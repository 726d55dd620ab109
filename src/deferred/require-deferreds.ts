import { describe } from '../arguments.ts';
import { Deferred } from './deferred.ts';

/** A copy of a list of `Deferred`s, which the caller's may be any iterable. Throws `TypeError`, before any is touched, for anything else. */
export function requireDeferreds(values: Iterable<unknown>): readonly Deferred<unknown>[] {
  const given: unknown = values;
  const isIterable = typeof given === 'object' && given !== null && Symbol.iterator in given;
  if (!isIterable) throw new TypeError(`deferreds must be a list of Deferreds; got ${describe(given)}`);
  return Array.from(values, (value, index) => {
    if (value instanceof Deferred) return value as Deferred<unknown>;
    throw new TypeError(`deferreds[${String(index)}] must be a Deferred; got ${describe(value)}`);
  });
}
