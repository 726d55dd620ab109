/** How an `AbortSignal` cancels a `Deferred`, and where the error's `cause` comes from. */
import type { Deferred } from '../deferred/deferred.ts';

/** Cancels `deferred` when the signal aborts, now if it has, and stops listening once the result is there. */
export function cancelOnAbort<T>(deferred: Deferred<T>, signal: AbortSignal | undefined): Deferred<T> {
  if (signal === undefined) return deferred;
  if (signal.aborted) {
    deferred.cancel();
    return deferred;
  }
  const onAbort = (): void => deferred.cancel();
  signal.addEventListener('abort', onAbort);
  return deferred.addBoth((result) => {
    signal.removeEventListener('abort', onAbort);
    return result;
  });
}

/** What to make the error of a cancelled operation with: the signal's reason is its cause if it was the signal. */
export function causeOfAbort(signal: AbortSignal | undefined): ErrorOptions {
  return signal?.aborted === true ? { cause: signal.reason } : {};
}
