import { requireDelay } from '../arguments.ts';
import { CancelledError, TimeoutError } from '../errors.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import type { CallbackResult, Deferred } from './deferred.ts';
import { Failure } from './failure.ts';

/**
 * Told what has come of the cancelled `Deferred` when its time was up: `CancelledError` as a rule, but a canceller may have
 * given a value or an error of its own. What it returns or throws is the result. Source: Twisted's `onTimeoutCancel`.
 */
export type TimeoutCancelHandler<T, U> = (result: T | Failure, timeoutSeconds: number) => CallbackResult<U>;

/** The work of `Deferred.addTimeout`, whose contract is there. */
export function addTimeout<T, U>(
  deferred: Deferred<T>,
  timeoutSeconds: number,
  clock: Pick<ReactorTime, 'callLater'>,
  onTimeoutCancel: TimeoutCancelHandler<T, U>,
): Deferred<T | U> {
  requireDelay('timeoutSeconds', timeoutSeconds);
  let isTimedOut = false;
  const call = clock.callLater(timeoutSeconds, () => {
    isTimedOut = true;
    deferred.cancel();
  });
  return deferred.addBoth<T | U>((result) => {
    if (isTimedOut) return onTimeoutCancel(result, timeoutSeconds);
    call.cancel();
    return result;
  });
}

/** The handler by default. Only a cancellation is the timeout's doing; any other result stands. */
export function toTimeoutError<T>(result: T | Failure, timeoutSeconds: number): T | Failure {
  if (!(result instanceof Failure) || result.check(CancelledError) === undefined) return result;
  return new Failure(new TimeoutError(timeoutSeconds, { cause: result.value }));
}
