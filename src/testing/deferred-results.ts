/**
 * What a `Deferred` holds right now, for tests. Nothing is waited for: time in a test moves by `advance`, so a result is
 * either there or it is not. Twisted: `trial`'s `successResultOf`, `failureResultOf`, `assertNoResult`, but for one thing: the
 * result stays where it is, where trial leaves `None`, so to ask twice gives the same answer twice.
 */
import { describe } from '../arguments.ts';
import { Deferred } from '../deferred/deferred.ts';
import { type ErrorClass, Failure } from '../deferred/failure.ts';

/**
 * The value of a `Deferred`. Throws if there is none yet, or if it is a failure, which then counts as handled; `TypeError` for
 * anything but a `Deferred`. The value stays, for later callbacks and another look.
 */
export function successResultOf<T>(deferred: Deferred<T>): T {
  const { result } = requireResult('successResultOf', deferred, 'Success');
  if (!(result instanceof Failure)) return result;
  throw new Error(`Success expected, but the Deferred failed: ${result.getTraceback()}`, { cause: result.value });
}

/**
 * The failure of a `Deferred`, which counts as handled from now on and stays, for later errbacks and another look. Throws if
 * there is none yet, if it is a value, or if the error is of none of the types, where any are given; `TypeError` for
 * anything but a `Deferred`.
 */
export function failureResultOf<T>(deferred: Deferred<T>, ...types: readonly ErrorClass[]): Failure {
  const expected =
    types.length === 0 ? 'A failure' : `A failure of type ${types.map((type) => type.name).join(' or ')}`;
  const { result } = requireResult('failureResultOf', deferred, expected);
  if (!(result instanceof Failure))
    throw new Error(`${expected} expected, but the Deferred has a value: ${show(result)}`);
  if (types.length === 0 || result.check(...types) !== undefined) return result;
  throw new Error(`${expected} expected, but the Deferred failed otherwise: ${result.getTraceback()}`, {
    cause: result.value,
  });
}

/**
 * Throws if a `Deferred` has a result already, which stays, and a failure counts as handled; otherwise leaves it as it was.
 * `TypeError` for anything but a `Deferred`.
 */
export function assertNoResult<T>(deferred: Deferred<T>): void {
  requireDeferred('assertNoResult', deferred);
  const held = lookAt(deferred);
  if (held === undefined) return;
  const { result } = held;
  throw new Error(
    `No result expected, but the Deferred ${
      result instanceof Failure ? `failed: ${result.getTraceback()}` : `has a value: ${show(result)}`
    }`,
  );
}

/** A result that is there; in an object, since the result itself may be undefined. */
export interface HeldResult<T> {
  readonly result: T | Failure;
}

/**
 * The result that is there now, or undefined. It stays, but a failure counts as handled. A result that comes later is not
 * touched.
 */
export function lookAt<T>(deferred: Deferred<T>): HeldResult<T> | undefined {
  let held: HeldResult<T> | undefined;
  let isLooking = true;
  deferred.addBoth<unknown>((result) => {
    if (isLooking) held = { result };
    return result;
  });
  isLooking = false;
  // A promise takes notice of an error, and leaves it in its place.
  if (held?.result instanceof Failure) deferred.toPromise().catch(() => undefined);
  return held;
}

function requireResult<T>(caller: string, deferred: Deferred<T>, expected: string): HeldResult<T> {
  requireDeferred(caller, deferred);
  const held = lookAt(deferred);
  if (held !== undefined) return held;
  throw new Error(`${expected} expected, but the Deferred has no result yet; is an advance() missing?`);
}

function requireDeferred(caller: string, value: unknown): void {
  if (value instanceof Deferred) return;
  const hint = value instanceof Promise ? '; for a promise, await reactor.advanceAsync() and then the promise' : '';
  throw new TypeError(`${caller} takes a Deferred; got ${describe(value)}${hint}`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
