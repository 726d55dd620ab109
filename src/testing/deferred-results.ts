/**
 * What a `Deferred` holds right now, for tests. Nothing is waited for: time in a test moves by `advance`, so a result is
 * either there or it is not. Twisted: `trial`'s `successResultOf`, `failureResultOf`, `assertNoResult`.
 */
import type { Deferred } from '../deferred/deferred.ts';
import { type ErrorClass, Failure } from '../deferred/failure.ts';

/** Takes the value out of a `Deferred`, leaving undefined. Throws if there is none yet, or if it is a failure. */
export function successResultOf<T>(deferred: Deferred<T>): T {
  const taken = take(deferred, 'Success');
  if (!(taken.result instanceof Failure)) return taken.result;
  throw new Error(`Success expected, but the Deferred failed: ${taken.result.getTraceback()}`, {
    cause: taken.result.value,
  });
}

/**
 * Takes the failure out of a `Deferred`, so that it counts as handled. Throws if there is none yet, if it is a value, or if
 * the error is of none of the types, where any are given.
 */
export function failureResultOf<T>(deferred: Deferred<T>, ...types: readonly ErrorClass[]): Failure {
  const expected =
    types.length === 0 ? 'A failure' : `A failure of type ${types.map((type) => type.name).join(' or ')}`;
  const { result } = take(deferred, expected);
  if (!(result instanceof Failure))
    throw new Error(`${expected} expected, but the Deferred has a value: ${show(result)}`);
  if (types.length === 0 || result.check(...types) !== undefined) return result;
  throw new Error(`${expected} expected, but the Deferred failed otherwise: ${result.getTraceback()}`, {
    cause: result.value,
  });
}

/** Throws if a `Deferred` has a result already; otherwise leaves it as it was. */
export function assertNoResult<T>(deferred: Deferred<T>): void {
  const taken = takeIfThere(deferred, (result) => result);
  if (taken === undefined) return;
  const { result } = taken;
  // The result stays in its place, but its error must not be reported once more as unhandled.
  if (result instanceof Failure) takeIfThere(deferred, () => undefined);
  throw new Error(
    `No result expected, but the Deferred ${
      result instanceof Failure ? `failed: ${result.getTraceback()}` : `has a value: ${show(result)}`
    }`,
  );
}

interface Taken<T> {
  readonly result: T | Failure;
}

function take<T>(deferred: Deferred<T>, expected: string): Taken<T> {
  const taken = takeIfThere(deferred, () => undefined);
  if (taken !== undefined) return taken;
  throw new Error(`${expected} expected, but the Deferred has no result yet`);
}

/**
 * The result that is there now, with what `leave` makes of it left in its place. A result that comes later passes the
 * look-out untouched.
 */
function takeIfThere<T>(deferred: Deferred<T>, leave: (result: T | Failure) => unknown): Taken<T> | undefined {
  let taken: Taken<T> | undefined;
  let isLooking = true;
  deferred.addBoth<unknown>((result) => {
    if (!isLooking) return result;
    taken = { result };
    return leave(result);
  });
  isLooking = false;
  return taken;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
