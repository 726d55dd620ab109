import { type Deferred, Failure } from 'ropewalk/core';

/** What the chain of `deferred` has come to, filled in when it does; errors as the error itself. The result is taken. */
export function results(deferred: Deferred<unknown>): unknown[] {
  const seen: unknown[] = [];
  deferred.addBoth((result) => {
    seen.push(result instanceof Failure ? result.value : result);
  });
  return seen;
}
