/**
 * A pool of workers whose work is done when the test says so. Twisted: `createMemoryWorker` of `twisted._threads`, here with
 * the interface of a pool, and with tasks that the test may answer one by one, out of order, with an error or never.
 */
import { requireFunction } from '../arguments.ts';
import { type CallbackResult, Deferred } from '../deferred/deferred.ts';
import { Failure } from '../deferred/failure.ts';
import { maybeDeferred } from '../deferred/maybe-deferred.ts';
import { fail } from '../deferred/succeed-fail.ts';
import { AlreadyCalledError } from '../errors.ts';
import type { WorkerPool } from '../interfaces/worker-pool.ts';

/** What a worker would be told with a task. */
export interface MemoryWorkerTaskOptions {
  readonly signal?: AbortSignal;
  readonly name?: string;
  readonly filename?: string;
  readonly transferList?: readonly object[];
}

/** A task that a `MemoryWorkerPool` was given. */
export interface MemoryWorkerTask<Task, Result> {
  /** What is to be done. */
  readonly task: Task;
  /** What was said with it: `name`, `transferList` and so on. */
  readonly options: MemoryWorkerTaskOptions;
  /** Whether nobody wants its result any more. */
  readonly aborted: boolean;
  /**
   * The worker has done it; who waits for the result has it when this returns, or in the next turn. Dropped if the task has been
   * aborted or the pool destroyed. Throws `AlreadyCalledError` if the task has been answered.
   */
  succeed(result: Result): void;
  /** The worker's function has thrown this. Otherwise as `succeed`. */
  fail(error: Error): void;
}

/**
 * A pool in memory, to be given to `deferToWorkerPool` in place of one with threads: deterministic, and without waiting. A
 * task that is not answered hangs. One that is aborted leaves the pool, and fails with an error named `AbortError`, as
 * in piscina.
 */
export class MemoryWorkerPool<Task, Result> implements WorkerPool<Task, Result> {
  readonly #work: ((task: Task, options: MemoryWorkerTaskOptions) => CallbackResult<Result>) | undefined;
  readonly #pending = new Set<PendingTask<Task, Result>>();
  #isDestroyed = false;

  /** `work` is what the workers do when `perform` is called; without it the test answers the tasks itself. */
  constructor(work?: (task: Task, options: MemoryWorkerTaskOptions) => CallbackResult<Result>) {
    if (work !== undefined) requireFunction('work', work);
    this.#work = work;
  }

  /** The tasks that have not been answered, in the order in which they were given. */
  get tasks(): readonly MemoryWorkerTask<Task, Result>[] {
    return [...this.#pending];
  }

  run(task: Task, options: MemoryWorkerTaskOptions = {}): Deferred<Result> {
    if (this.#isDestroyed) return fail(destroyed());
    const pending = new PendingTask<Task, Result>(task, options, () => {
      this.#pending.delete(pending);
    });
    this.#pending.add(pending);
    pending.begin();
    return pending.result;
  }

  /**
   * Has the function given to the constructor do the first task that it has not begun, whose answer is what the function returns or
   * throws; a Deferred or a promise it returns is waited for. Returns whether there was one, so that
   * `while (pool.perform());` does them all.
   */
  perform(): boolean {
    if (this.#work === undefined) throw new TypeError('perform() needs the function given to the constructor');
    const waiting = [...this.#pending].find(({ isWaiting }) => isWaiting);
    waiting?.work(this.#work);
    return waiting !== undefined;
  }

  /** Ends the pool, as `destroy` of piscina: what has not been answered fails, and so does what is given later. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const pending of this.#pending) pending.giveUp(destroyed());
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}

/**
 *     waiting ──▶ in work ──▶ answered
 *        ╰────────────╰─────▶ given up: whatever the worker makes of it then, nobody hears of it
 *
 * A test may answer also what is in work, before the function does.
 */
class PendingTask<Task, Result> implements MemoryWorkerTask<Task, Result> {
  readonly task: Task;
  readonly options: MemoryWorkerTaskOptions;
  readonly result: Deferred<Result> = new Deferred<Result>();
  readonly #left: () => void;
  #state: 'waiting' | 'in work' | 'answered' | 'given up' = 'waiting';

  constructor(task: Task, options: MemoryWorkerTaskOptions, left: () => void) {
    this.task = task;
    this.options = options;
    this.#left = left;
  }

  get aborted(): boolean {
    return this.options.signal?.aborted === true;
  }

  get isWaiting(): boolean {
    return this.#state === 'waiting';
  }

  begin(): void {
    const { signal } = this.options;
    if (signal?.aborted === true) this.#aborted();
    else signal?.addEventListener('abort', this.#aborted);
  }

  work(work: (task: Task, options: MemoryWorkerTaskOptions) => CallbackResult<Result>): void {
    this.#state = 'in work';
    maybeDeferred(work, this.task, this.options).addBoth((outcome) => {
      if (this.#state === 'in work') this.#answer(outcome);
    });
  }

  succeed(result: Result): void {
    this.#answer(result);
  }

  fail(error: Error): void {
    this.#answer(new Failure(error));
  }

  giveUp(error: Error): void {
    this.#leave('given up');
    this.result.errback(error);
  }

  #answer(outcome: Result | Failure): void {
    if (this.#state === 'answered') throw new AlreadyCalledError('The task has been answered already');
    if (this.#state === 'given up') return;
    this.#leave('answered');
    this.result.callback(outcome);
  }

  readonly #aborted = (): void => {
    const error = new Error('The task has been aborted', { cause: this.options.signal?.reason });
    error.name = 'AbortError';
    this.giveUp(error);
  };

  #leave(state: 'answered' | 'given up'): void {
    this.#state = state;
    this.options.signal?.removeEventListener('abort', this.#aborted);
    this.#left();
  }
}

function destroyed(): Error {
  return new Error('The pool has been destroyed');
}
