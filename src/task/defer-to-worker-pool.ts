/**
 * `deferToWorkerPool`: work for another thread, as a Deferred. Twisted: `twisted.internet.threads.deferToThreadPool`, which
 * takes a function; here it is data that goes to a worker, since functions cannot be sent.
 */
import { requireMethods, requireOptions } from '../arguments.ts';
import { cancelOnAbort, causeOfAbort } from '../deferred/abort-signal.ts';
import { Deferred } from '../deferred/deferred.ts';
import type { Failure } from '../deferred/failure.ts';
import { maybeDeferred } from '../deferred/maybe-deferred.ts';
import { fail } from '../deferred/succeed-fail.ts';
import { CancelledError } from '../errors.ts';
import type { WorkerPool } from '../interfaces/worker-pool.ts';

/** The options of `deferToWorkerPool`. Those the pool is not known to have it ignores. */
export interface DeferToWorkerPoolOptions {
  /**
   * Calls the callbacks in a turn, as everything else that happens to a program, and reports the error that nobody handles at
   * the end of that turn. Without a reactor the result comes whenever the pool's promise tells it, between turns.
   */
  readonly reactor?: {
    callSoon<Args extends readonly unknown[]>(fn: (...args: Args) => unknown, ...args: Args): void;
  };
  /** Aborting it cancels the `Deferred`; if it is aborted already, the pool is not asked. */
  readonly signal?: AbortSignal;
  /** Which of the worker's functions is to do it: for the pool. */
  readonly name?: string;
  /** Which file the worker's functions are in: for the pool. */
  readonly filename?: string;
  /** What of the task is handed over and not copied, such as an `ArrayBuffer`: for the pool. */
  readonly transferList?: readonly object[];
}

const OPTIONS: readonly (keyof DeferToWorkerPoolOptions)[] = ['reactor', 'signal', 'name', 'filename', 'transferList'];

/**
 * Gives `task` to a pool of workers now, and fires with the result, or fails with the error, that the pool tells. With a
 * `reactor` it fires in one of its turns, never inside this call; a reactor that is not running fires it when it runs.
 *
 * Cancelling it aborts the signal that the pool was given, and fails it with `CancelledError` at once; what the task
 * comes to after that is dropped. Nothing is cancelled by itself when a reactor stops: end the pool in a shutdown trigger.
 * How many tasks may wait, and what happens to those in work when the pool ends, is the pool's to say. Throws
 * `TypeError` for arguments that cannot be right.
 */
export function deferToWorkerPool<Task, Result>(
  pool: WorkerPool<Task, Result>,
  task: Task,
  options: DeferToWorkerPoolOptions = {},
): Deferred<Result> {
  requireMethods('pool', pool, ['run']);
  requireOptions('options', options, OPTIONS);
  const { reactor, signal, ...poolOptions } = options;
  if (reactor !== undefined) requireMethods('reactor', reactor, ['callSoon']);
  if (signal?.aborted === true) return fail(new CancelledError(undefined, causeOfAbort(signal)));

  const controller = new AbortController();
  let isWanted = true;
  const deferred = new Deferred<Result>(() => {
    isWanted = false;
    controller.abort(signal?.aborted === true ? signal.reason : new CancelledError());
  });
  const deliver = (outcome: Result | Failure): void => {
    if (isWanted) deferred.callback(outcome);
  };
  const runOptions = { ...poolOptions, signal: controller.signal };
  maybeDeferred(() => pool.run(task, runOptions)).addBoth((outcome) => {
    if (reactor === undefined) deliver(outcome);
    else if (isWanted) reactor.callSoon(deliver, outcome);
  });
  return cancelOnAbort(deferred, signal);
}
