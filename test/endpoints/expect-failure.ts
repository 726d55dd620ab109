import type { Deferred, Failure } from 'ropewalk';

/**
 * Takes the error of a Deferred as it comes, and hands it out afterwards: one that nobody has taken by the end of its
 * turn is reported as unhandled.
 */
export function expectFailure<E extends Error>(
  deferred: Deferred<unknown>,
  type: abstract new (...args: never[]) => E,
): () => E {
  let failure: Failure | undefined;
  deferred.addErrback((reason) => {
    failure = reason;
  });
  return () => {
    if (failure?.value instanceof type) return failure.value;
    throw new Error(`expected a failure of type ${type.name}, got ${String(failure)}`, { cause: failure?.value });
  };
}
