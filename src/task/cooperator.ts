/** `Cooperator`: shares time among iterators. Twisted: `twisted.internet.task.Cooperator`. */
import { describe, requireMethods } from '../arguments.ts';
import { Deferred } from '../deferred/deferred.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { CooperativeTask, type TaskDriver, type TaskScheduler } from './cooperative-task.ts';

/** How long a slice of work lasts by default: short enough that a reactor still answers at once. */
export const SLICE_SECONDS = 0.01;

/**
 * How many steps a slice has at most by default. A fake clock stands still during a slice, so time alone would not end
 * one; and a thousand short steps cost far more than the turn between two slices.
 */
export const SLICE_STEPS_MAX = 1000;

/** The options of a cooperator. */
export interface CooperatorOptions {
  /**
   * Called at the beginning of each slice; the function it returns is called after each step and ends the slice by
   * returning true. By default a slice ends after `SLICE_SECONDS` on the clock, or `SLICE_STEPS_MAX` steps. If either
   * throws, the slice ends, the error goes to whoever called the slice (a reactor reports it), and the next slice comes.
   */
  readonly terminationPredicateFactory?: () => () => boolean;
  /** Has a function called later, once, never from inside; by default in the next turn of the clock. */
  readonly scheduler?: (slice: () => void) => Pick<DelayedCall, 'cancel'>;
  /** Whether it works from the first, or waits for `start`; true by default. */
  readonly started?: boolean;
}

/**
 * Works off iterators in turns, a step of each after a step of the other, in short slices between which the reactor does
 * what else there is. A new or resumed task comes after all others, and where one slice ends the next goes on.
 *
 * There is no cooperator for all: make one for a reactor, `new Cooperator(reactor)`, and hand it to those who are to share it.
 */
export class Cooperator implements Disposable {
  readonly #terminationPredicateFactory: () => () => boolean;
  readonly #schedule: (slice: () => void) => Pick<DelayedCall, 'cancel'>;
  readonly #scheduler: TaskScheduler;
  readonly #unfinished = new Set<TaskDriver>();
  /** The tasks with a step to take. A set's iterator meets what is added during the round, and skips nothing when a task goes. */
  readonly #ready = new Set<TaskDriver>();
  #round: Iterator<TaskDriver, unknown> = this.#ready.values();
  #state: 'unstarted' | 'running' | 'stopped';
  #nextSlice: Pick<DelayedCall, 'cancel'> | undefined;

  constructor(clock: Pick<ReactorTime, 'seconds' | 'callLater'>, options: CooperatorOptions = {}) {
    requireMethods('clock', clock, ['seconds', 'callLater']);
    this.#terminationPredicateFactory = options.terminationPredicateFactory ?? ((): (() => boolean) => sliceEnd(clock));
    this.#schedule = options.scheduler ?? ((slice): DelayedCall => clock.callLater(0, slice));
    this.#state = (options.started ?? true) ? 'running' : 'unstarted';
    this.#scheduler = {
      added: (task) => {
        this.#added(task);
      },
      readyChanged: (task, isReady) => {
        this.#readyChanged(task, isReady);
      },
      finished: (task) => {
        this.#unfinished.delete(task);
      },
    };
  }

  /** Whether it works, or would if it had a task. */
  get running(): boolean {
    return this.#state === 'running';
  }

  /**
   * Adds an iterator, whose first step is taken in a later turn. On a cooperator that has stopped the task ends at once,
   * with `SchedulerStopped`. Throws `TypeError` for what is no iterator; one that is asynchronous cannot be stepped.
   */
  cooperate<I extends Iterator<unknown>>(iterator: I): CooperativeTask<I> {
    requireMethods('iterator', iterator, ['next']);
    if (Symbol.asyncIterator in iterator) {
      throw new TypeError(`iterator must be a synchronous iterator; got ${describe(iterator)}`);
    }
    return new CooperativeTask(iterator, this.#scheduler);
  }

  /**
   * Adds an iterator and tells only of its end, as `whenDone` does. Cancelling the Deferred stops the task and fails with
   * `CancelledError`.
   */
  coiterate<I extends Iterator<unknown>>(iterator: I): Deferred<I> {
    const task = this.cooperate(iterator);
    const waiter = task.whenDone();
    const done = new Deferred<I>(() => {
      // First, so that what comes is CancelledError and not TaskStopped.
      waiter.cancel();
      task.stop();
    });
    waiter.chainDeferred(done);
    return done;
  }

  /** Begins to work, or does so again after `stop`. */
  start(): void {
    this.#state = 'running';
    this.#scheduleSlice();
  }

  /**
   * Ends all its tasks, also those that are paused or wait for a Deferred, with `SchedulerStopped`, before it returns. Tasks
   * added from now on end at once, until `start`.
   */
  stop(): void {
    this.#state = 'stopped';
    for (const task of [...this.#unfinished]) task.schedulerStopped();
  }

  /** The same as `stop`. */
  [Symbol.dispose](): void {
    this.stop();
  }

  #added(task: TaskDriver): void {
    this.#unfinished.add(task);
    if (this.#state === 'stopped') task.schedulerStopped();
  }

  #readyChanged(task: TaskDriver, isReady: boolean): void {
    if (isReady) {
      this.#ready.add(task);
      this.#scheduleSlice();
    } else if (this.#ready.delete(task) && this.#ready.size === 0) {
      this.#nextSlice?.cancel();
      this.#nextSlice = undefined;
    }
  }

  #scheduleSlice(): void {
    if (this.#state !== 'running' || this.#nextSlice !== undefined || this.#ready.size === 0) return;
    this.#nextSlice = this.#schedule(() => {
      this.#nextSlice = undefined;
      try {
        this.#runSlice();
      } finally {
        // Also when the user's predicate threw: the tasks are not to blame, and go on while the clock has the error.
        this.#scheduleSlice();
      }
    });
  }

  #runSlice(): void {
    const isOver = this.#terminationPredicateFactory();
    while (this.#ready.size > 0) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#ready.values();
        continue;
      }
      next.value.step();
      if (isOver()) return;
    }
  }
}

/** The default end of a slice. */
function sliceEnd(clock: Pick<ReactorTime, 'seconds' | 'callLater'>): () => boolean {
  const endTime = clock.seconds() + SLICE_SECONDS;
  let steps = 0;
  return () => {
    steps += 1;
    return steps >= SLICE_STEPS_MAX || clock.seconds() >= endTime;
  };
}
