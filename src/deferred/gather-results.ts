import type { Deferred } from './deferred.ts';
import { DeferredList, type DeferredListOptions } from './deferred-list.ts';

/**
 * Fires with the values of all `deferreds`, in the order given, or fails with `FirstError` as soon as one fails; the
 * others then go on. Cancelling it cancels every input that has not fired. Errors after the first stay in their inputs
 * and are reported as unhandled unless `consumeErrors` is set. Twisted: `twisted.internet.defer.gatherResults`.
 */
export function gatherResults<const T extends readonly unknown[]>(
  deferreds: readonly [...{ [K in keyof T]: Deferred<T[K]> }],
  options: Pick<DeferredListOptions, 'consumeErrors'> = {},
): Deferred<{ -readonly [K in keyof T]: T[K] }> {
  const list = new DeferredList<T>(deferreds, { ...options, fireOnOneErrback: true });
  return list.addCallback((outcomes) => {
    // With fireOnOneErrback the list succeeds only when every input has, each with a value of its own type.
    return outcomes.map((outcome) => outcome[1]) as { -readonly [K in keyof T]: T[K] };
  });
}
