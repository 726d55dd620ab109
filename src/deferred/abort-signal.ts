/** `Deferred`s and `AbortSignal`s: a signal that cancels a `Deferred`, and a signal that aborts when one is cancelled. */
import { CancelledError } from '../errors.ts';
import { type CallbackResult, Deferred } from './deferred.ts';
import { Failure } from './failure.ts';
import { maybeDeferred } from './maybe-deferred.ts';

/**
 * Cancels `deferred` when the signal aborts, now if it has, and returns it. Stops listening as soon as a result passes
 * this point of the chain. A `CancelledError` that comes of it and has no cause gets the signal's reason as its cause.
 * Without a signal it does nothing, so that an optional one can be passed on as it is.
 */
export function cancelOnAbort<T>(deferred: Deferred<T>, signal: AbortSignal | undefined): Deferred<T> {
  if (signal === undefined) return deferred;
  const onAbort = (): void => deferred.cancel();
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  return deferred.addBoth<T>((result) => {
    signal.removeEventListener('abort', onAbort);
    return signal.aborted ? withCause(result, signal) : result;
  });
}

/** What to make the error of a cancelled operation with: the signal's reason is its cause if it was the signal. */
export function causeOfAbort(signal: AbortSignal | undefined): ErrorOptions {
  return signal?.aborted === true ? { cause: signal.reason } : {};
}

/**
 * Calls `work` now with a signal that aborts when the `Deferred` returned is cancelled, its reason a `CancelledError`: the
 * way to make work that takes a signal, such as `fetch`, cancellable.
 *
 * The `Deferred` is for what `work` returns, a value, a promise or a `Deferred`, or throws. When it is cancelled, a
 * `Deferred` that `work` returned is cancelled too, after the signal, and what that makes of it is the result; a promise
 * is not waited for: the result is `CancelledError`, and what the promise comes to is dropped.
 */
export function abortOnCancel<T>(work: (signal: AbortSignal) => CallbackResult<T>): Deferred<T> {
  const controller = new AbortController();
  const inner = maybeDeferred(work, controller.signal);
  const outer = new Deferred<T>(() => {
    controller.abort(new CancelledError());
    inner.cancel();
  });
  inner.addBoth((result) => {
    if (!outer.called) outer.callback(result);
  });
  return outer;
}

function withCause<T>(result: T | Failure, signal: AbortSignal): T | Failure {
  if (!(result instanceof Failure) || !(result.value instanceof CancelledError) || 'cause' in result.value) {
    return result;
  }
  return new Failure(new CancelledError(result.value.message, { cause: signal.reason }));
}
