/**
 * `CooperativeTask`: one iterator at work in a `Cooperator`. Twisted: `twisted.internet.task.CooperativeTask`.
 *
 * ## Theory of operation
 *
 * | state      | what it means                                              | how it ends                          |
 * |------------|------------------------------------------------------------|--------------------------------------|
 * | `ready`    | the next step may be taken                                 | a step, or `stop`                    |
 * | `stepping` | the iterator's `next` is on the stack                      | it returns or throws, or calls `stop`|
 * | `waiting`  | the iterator has yielded a Deferred or promise             | that fires or fails, or `stop`       |
 * | `finished` | there is an outcome; the methods throw its error           | never                                |
 *
 * Pausing is a counter beside the state, of the user's alone. The task stands among those that the scheduler steps
 * exactly while it is ready or stepping and not paused.
 */
import { Deferred } from '../deferred/deferred.ts';
import { Failure } from '../deferred/failure.ts';
import { isPromiseLike } from '../deferred/is-promise-like.ts';
import { fail, succeed } from '../deferred/succeed-fail.ts';
import { reportUnhandledError } from '../deferred/unhandled.ts';
import { NotPaused, type SchedulerError, SchedulerStopped, TaskDone, TaskFailed, TaskStopped } from '../errors.ts';

/** What a scheduler may do with a task. */
export interface TaskDriver {
  /** Takes one step. Never throws. */
  step(): void;
  /** The scheduler has stopped; so ends the task. */
  schedulerStopped(): void;
}

/** What a task tells its scheduler. */
export interface TaskScheduler {
  /** The task has been made. */
  added(task: TaskDriver): void;
  /** Whether the task has steps to take now. Told again and again; only changes matter. */
  readyChanged(task: TaskDriver, isReady: boolean): void;
  /** The task has ended. */
  finished(task: TaskDriver): void;
}

type State<I> =
  | { readonly name: 'ready' | 'stepping' | 'waiting' }
  | { readonly name: 'finished'; readonly error: SchedulerError; readonly outcome: I | Failure };

/**
 * An iterator that a `Cooperator` works off step by step, and the handle to pause it, stop it and learn of its end. A step
 * is one call of the iterator's `next`; a Deferred or promise that it yields is waited for before the next step.
 * Made by `cooperator.cooperate(iterator)`.
 *
 * An iterator that is given up (`stop`, a failed Deferred, the cooperator's `stop`) has its `return` called, so that the
 * `finally` blocks of a generator run; an error thrown there is reported as unhandled.
 */
export class CooperativeTask<I extends Iterator<unknown> = Iterator<unknown>> implements Disposable {
  readonly #iterator: I;
  readonly #scheduler: TaskScheduler;
  readonly #driver: TaskDriver;
  readonly #waiters = new Set<Deferred<I>>();
  #state: State<I> = { name: 'ready' };
  #pauses = 0;
  /** The error of a task that failed while nobody waited for it: under watch until somebody asks. */
  #unclaimed: Deferred<never> | undefined;

  constructor(iterator: I, scheduler: TaskScheduler) {
    this.#iterator = iterator;
    this.#scheduler = scheduler;
    this.#driver = {
      step: () => {
        this.#step();
      },
      schedulerStopped: () => {
        this.#giveUp(new SchedulerStopped());
      },
    };
    scheduler.added(this.#driver);
    this.#readyMayHaveChanged();
  }

  /**
   * A new Deferred at each call. Fires with the iterator when that is exhausted; fails with what the iterator threw or
   * a Deferred that it yielded failed with, with `TaskStopped` after `stop`, with `SchedulerStopped` after that of the
   * cooperator. Cancelling it changes nothing for the task. The error of a task that nobody has asked about is reported
   * as unhandled.
   */
  whenDone(): Deferred<I> {
    if (this.#state.name === 'finished') {
      this.#unclaimed?.addErrback(() => undefined);
      this.#unclaimed = undefined;
      return succeed<I>(this.#state.outcome);
    }
    const waiter = new Deferred<I>(() => {
      this.#waiters.delete(waiter);
    });
    this.#waiters.add(waiter);
    return waiter;
  }

  /** Takes no step until `resume` has been called as often. Throws the `TaskFinished` that applies if it has ended. */
  pause(): void {
    this.#requireUnfinished();
    this.#pauses += 1;
    this.#readyMayHaveChanged();
  }

  /**
   * Undoes one `pause`; after the last one the task comes after all others. Throws `NotPaused` if there is none to undo;
   * waiting for a Deferred is no pause.
   */
  resume(): void {
    if (this.#pauses === 0) throw new NotPaused();
    this.#pauses -= 1;
    this.#readyMayHaveChanged();
  }

  /**
   * Ends it: no further step is taken, and those who wait for it get `TaskStopped` before this returns. What it waits
   * for is not cancelled. Throws the `TaskFinished` that applies if it has ended.
   */
  stop(): void {
    this.#requireUnfinished();
    this.#giveUp(new TaskStopped());
  }

  /** Stops it if it has not ended, otherwise does nothing. */
  [Symbol.dispose](): void {
    if (this.#state.name !== 'finished') this.stop();
  }

  #step(): void {
    this.#state = { name: 'stepping' };
    let result: IteratorResult<unknown>;
    try {
      result = this.#iterator.next();
    } catch (error) {
      this.#threw(new Failure(error));
      return;
    }
    if (this.#isFinished()) {
      // Stopped by its own iterator, which could not be closed while it ran.
      if (result.done !== true) this.#closeIterator();
    } else if (result.done === true) {
      this.#finish(new TaskDone(), this.#iterator);
    } else {
      this.#state = { name: 'ready' };
      if (isPromiseLike(result.value)) this.#waitFor(result.value);
    }
  }

  #threw(failure: Failure): void {
    if (this.#isFinished()) reportUnhandledError(failure);
    else this.#finish(failed(failure), failure);
  }

  #waitFor(result: PromiseLike<unknown>): void {
    this.#state = { name: 'waiting' };
    this.#readyMayHaveChanged();
    const deferred = result instanceof Deferred ? result : Deferred.fromPromise(result);
    deferred.addCallbacks(
      () => {
        if (this.#isFinished()) return;
        this.#state = { name: 'ready' };
        this.#readyMayHaveChanged();
      },
      (failure) => {
        // Once the task was stopped nobody waits for this: it stays unhandled.
        if (this.#isFinished()) return failure;
        this.#giveUp(failed(failure), failure);
        return undefined;
      },
    );
  }

  /** Ends it before the iterator is exhausted. */
  #giveUp(error: SchedulerError, failure: Failure = new Failure(error)): void {
    const isInside = this.#state.name === 'stepping';
    this.#finish(error, failure, isInside ? undefined : () => this.#closeIterator());
  }

  #finish(error: SchedulerError, outcome: I | Failure, beforeTelling?: () => void): void {
    this.#state = { name: 'finished', error, outcome };
    this.#readyMayHaveChanged();
    this.#scheduler.finished(this.#driver);
    beforeTelling?.();
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    if (waiters.length === 0 && error instanceof TaskFailed) this.#unclaimed = fail(outcome);
    for (const waiter of waiters) {
      // The callbacks of one may have cancelled another.
      if (!waiter.called) waiter.callback(outcome);
    }
  }

  #closeIterator(): void {
    try {
      this.#iterator.return?.();
    } catch (error) {
      reportUnhandledError(new Failure(error));
    }
  }

  #readyMayHaveChanged(): void {
    const isReady = this.#pauses === 0 && (this.#state.name === 'ready' || this.#state.name === 'stepping');
    this.#scheduler.readyChanged(this.#driver, isReady);
  }

  // A method, because the state changes inside calls that the compiler cannot look into.
  #isFinished(): boolean {
    return this.#state.name === 'finished';
  }

  #requireUnfinished(): void {
    if (this.#state.name === 'finished') throw this.#state.error;
  }
}

function failed(failure: Failure): TaskFailed {
  return new TaskFailed(`The task has failed: ${failure.getErrorMessage()}`, { cause: failure.value });
}
