import { Failure } from '../deferred/failure.ts';
import { isPromiseLike } from '../deferred/is-promise-like.ts';
import { reportUnhandledError } from '../deferred/unhandled.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { HookOwner, HookWatch } from './hook-watch.ts';

/**
 * Is told of an error that nobody else can be told, and what the program was doing. `stands` is given when the error may
 * still be handled later, and says whether it is unhandled to this day. Must not throw.
 */
export type ReportError = (failure: Failure, message: string, stands?: () => boolean) => void;

/**
 * The one path of errors that have no caller to go to: thrown by hooks, delayed calls, triggers, producers. It ends at
 * the reactor's logger, never in the process.
 */
export class ErrorReporter {
  readonly #reportError: ReportError;
  readonly #hookWatch: HookWatch | undefined;

  /** `hookWatch` measures the hooks that are called through here. */
  constructor(reportError: ReportError, hookWatch?: HookWatch) {
    this.#reportError = reportError;
    this.#hookWatch = hookWatch;
  }

  /** Reports what was thrown, or a failure; returns it as a failure. Never throws. */
  report(error: unknown, message: string, stands?: () => boolean): Failure {
    const failure = error instanceof Failure ? error : new Failure(error);
    try {
      this.#reportError(failure, message, stands);
    } catch {
      // A logger that fails has nobody left to be told.
    }
    return failure;
  }

  /** Calls `fn`, and reports what it throws, and a promise it returns if that is rejected. */
  guard(message: string, fn: () => unknown): void {
    try {
      this.watch(fn(), message);
    } catch (error) {
      this.report(error, message);
    }
  }

  /** Calls a hook of `owner`, as `guard` does, and has its time measured. */
  callHook(hook: string, owner: HookOwner, call: () => unknown): void {
    const startedAt = this.#hookWatch?.now();
    this.guard(`An error in ${hook}`, call);
    if (startedAt !== undefined) this.#hookWatch?.ended(startedAt, hook, owner);
  }

  /** Reports the rejection of a promise that a callback has returned; other values are nothing to it. */
  watch(result: unknown, message: string): void {
    whenRejected(result, (error) => {
      this.report(error, message);
    });
  }
}

/** Calls `rejected` if what a hook has returned is a promise and when that is rejected. */
export function whenRejected(result: unknown, rejected: (error: unknown) => void): void {
  if (isPromiseLike(result)) result.then(undefined, rejected);
}

/** Reports to a logger, or without one to whoever is told of unhandled errors. */
export function reportTo(logger: Logger | undefined): ReportError {
  if (logger === undefined) return reportUnhandledError;
  return ({ value, history }, message) => {
    logger.error(history === undefined ? { err: value } : { err: value, history }, message);
  };
}
