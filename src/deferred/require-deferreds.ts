import { describe } from '../arguments.ts';
import { Deferred } from './deferred.ts';

/**
 * A copy of a list of `Deferred`s, which may be any iterable. Throws `TypeError`, before any of them is touched, for
 * anything else.
 */
export function requireDeferreds(values: Iterable<unknown>): readonly Deferred<unknown>[] {
  const given: unknown = values;
  const isIterable = typeof given === 'object' && given !== null && Symbol.iterator in given;
  if (!isIterable) throw new TypeError(`deferreds must be a list of Deferreds; got ${describe(given)}`);
  const copy: unknown[] = Array.isArray(values) ? values.slice() : [...values];
  for (let index = 0; index < copy.length; index += 1) {
    if (copy[index] instanceof Deferred) continue;
    throw new TypeError(`deferreds[${String(index)}] must be a Deferred; got ${describe(copy[index])}`);
  }
  // The loop has looked at each.
  return copy as Deferred<unknown>[];
}
