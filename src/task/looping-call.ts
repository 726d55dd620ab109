/**
 * `LoopingCall`: calls a function again and again. Twisted: `twisted.internet.task.LoopingCall`.
 *
 * ## Theory of operation
 *
 *                    start, now: true
 *      stopped ─────────────────────────▶ calling ──stop──▶ stopping
 *        ▲  │                             │     ▲               │
 *        │  │ start, now: false   it ends │     │ due           │ it ends
 *        │  ╰───────────────────────────▶ waiting ╯             │
 *        ╰─────────────────────────────── stop ◀────────────────╯
 *
 * Calls are due at whole intervals after the start, and the time of the next is worked out when the last one has
 * ended. So a function that takes long, or a clock that comes late, makes calls be skipped and never makes them pile
 * up, and the error of one delay is not carried to the next. Two calls never overlap.
 */
import { requireDelay, requireFunction } from '../arguments.ts';
import { Deferred } from '../deferred/deferred.ts';
import type { Failure } from '../deferred/failure.ts';
import { maybeDeferred } from '../deferred/maybe-deferred.ts';
import { CancelledError, LoopingCallAlreadyRunning, LoopingCallNotRunning } from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ReactorTime } from '../interfaces/time.ts';

/** The options of `start`. */
export interface LoopingCallStartOptions {
  /** Whether the first call is made at once, inside `start`, or after one interval; true by default. */
  readonly now?: boolean;
}

/** One run, from `start` to the firing of its Deferred. */
interface Run {
  readonly interval: number;
  readonly done: Deferred<LoopingCall>;
  /** The time from which intervals are counted: that of `start` or the last `reset`. */
  origin: number;
  /** When the last call was counted, for `withCount`; undefined before the first. */
  lastCounted: number | undefined;
  /** How many intervals after the origin that call is taken to be while `lastCounted` is undefined. */
  readonly countedAtOrigin: 0 | -1;
  /** What the call under way has returned; stale between calls. */
  result: Deferred<unknown> | undefined;
}

type State =
  | { readonly name: 'stopped' }
  | { readonly name: 'waiting'; readonly run: Run; readonly call: DelayedCall }
  | { readonly name: 'calling' | 'stopping'; readonly run: Run };

const STOPPED: State = { name: 'stopped' };

/** The part of an interval that rounding may take from a time: less than this before a call is due counts as due. */
const INTERVAL_TOLERANCE = 1e-9;

/** What rounding may take from a time whatever the interval, in parts of that time: far from its origin a clock is coarse. */
const TIME_TOLERANCE = 4 * Number.EPSILON;

/** The most that is ever taken for rounding, in intervals; those that the clock can hardly tell apart would need more. */
const TOLERANCE_MAX = 0.5;

/**
 * Calls a function at regular intervals on a clock: a reactor, or a fake one in a test. Calls do not overlap and do
 * not drift; while the function, or the Deferred or promise that it returns, takes longer than the interval, the calls
 * that were due meanwhile are skipped.
 */
export class LoopingCall implements Disposable {
  /** The clock it was made with. */
  readonly clock: Pick<ReactorTime, 'seconds' | 'callLater'>;
  readonly #fn: () => unknown;
  #state: State = STOPPED;
  #interval: number | undefined;

  constructor(clock: Pick<ReactorTime, 'seconds' | 'callLater'>, fn: () => unknown) {
    requireFunction('fn', fn);
    this.clock = clock;
    this.#fn = fn;
  }

  /**
   * A looping call whose function is told how many intervals have begun since it was last called: 1, or more when calls
   * were skipped. Always 1 with an interval of 0. A call that would be told 0 is not made.
   */
  static withCount(clock: Pick<ReactorTime, 'seconds' | 'callLater'>, fn: (count: number) => unknown): LoopingCall {
    requireFunction('fn', fn);
    const loopingCall: LoopingCall = new LoopingCall(clock, () => loopingCall.#callWithCount(fn));
    return loopingCall;
  }

  /** True from `start` until `stop`, or until the function fails. */
  get running(): boolean {
    return this.#state.name === 'waiting' || this.#state.name === 'calling';
  }

  /** The seconds last given to `start`; undefined before the first. */
  get interval(): number | undefined {
    return this.#interval;
  }

  /**
   * Begins to call the function every `intervalSeconds`, 0 for once in each turn, as is an interval too small to change
   * the clock's time; the first time at once, inside this call, unless `now` is false. The Deferred fires with this looping call after `stop`, when no call is under way any
   * more; if the function throws, or its Deferred or promise fails, the loop ends and the error is delivered there.
   * Cancelling it stops the loop, and cancels the call under way.
   *
   * Throws `RangeError` for an interval that is negative or not finite, and `LoopingCallAlreadyRunning` while it runs, or
   * has been stopped during a call that has not ended.
   */
  start(intervalSeconds: number, options: LoopingCallStartOptions = {}): Deferred<LoopingCall> {
    const { now = true } = options;
    requireDelay('intervalSeconds', intervalSeconds);
    if (this.#state.name !== 'stopped') {
      const why = this.#state.name === 'stopping' ? 'its last call has not ended' : 'it is running';
      throw new LoopingCallAlreadyRunning(`The looping call cannot be started: ${why}`);
    }
    this.#interval = intervalSeconds;
    const run: Run = {
      interval: intervalSeconds,
      done: new Deferred(() => {
        this.#cancelled(run);
      }),
      origin: this.clock.seconds(),
      lastCounted: undefined,
      countedAtOrigin: now ? -1 : 0,
      result: undefined,
    };
    if (now) this.#call(run);
    else this.#wait(run, run.origin);
    return run.done;
  }

  /**
   * Makes no more calls. Fires the Deferred of `start` before it returns, or if a call is under way, when that has
   * ended; the call itself goes on. Throws `LoopingCallNotRunning` if it is not running.
   */
  stop(): void {
    switch (this.#state.name) {
      case 'waiting':
        this.#state.call.cancel();
        this.#end(this.#state.run);
        return;
      case 'calling':
        this.#state = { name: 'stopping', run: this.#state.run };
        return;
      case 'stopped':
      case 'stopping':
        throw new LoopingCallNotRunning('The looping call cannot be stopped: it is not running');
    }
  }

  /**
   * Counts intervals from now on: the next call is one whole interval away. Does nothing during a call. Throws
   * `LoopingCallNotRunning` if it is not running.
   */
  reset(): void {
    switch (this.#state.name) {
      case 'waiting': {
        const { run, call } = this.#state;
        call.cancel();
        run.origin = this.clock.seconds();
        this.#wait(run, run.origin);
        return;
      }
      case 'calling':
        return;
      case 'stopped':
      case 'stopping':
        throw new LoopingCallNotRunning('The looping call cannot be reset: it is not running');
    }
  }

  /** Stops it if it is running, otherwise does nothing. */
  [Symbol.dispose](): void {
    if (this.running) this.stop();
  }

  #call(run: Run): void {
    this.#state = { name: 'calling', run };
    const result = maybeDeferred(this.#fn);
    run.result = result;
    result.addCallbacks(
      () => {
        this.#callEnded(run);
      },
      (failure) => this.#callFailed(run, failure),
    );
    // Cancelled from inside the function, before there was a result to cancel.
    if (this.#isOver(run)) result.cancel();
  }

  #callEnded(run: Run): void {
    if (this.#isOver(run)) return;
    if (this.#state.name === 'stopping') this.#end(run);
    else this.#wait(run, this.clock.seconds());
  }

  #callFailed(run: Run, failure: Failure): Failure | undefined {
    // Nobody waits for the loop any more: its own cancellation is no error, anything else stays unhandled.
    if (this.#isOver(run)) return failure.check(CancelledError) === undefined ? failure : undefined;
    this.#state = STOPPED;
    run.done.errback(failure);
    return undefined;
  }

  #wait(run: Run, now: number): void {
    const call = this.clock.callLater(untilNext(run, now), () => {
      this.#call(run);
    });
    this.#state = { name: 'waiting', run, call };
  }

  #end(run: Run): void {
    this.#state = STOPPED;
    run.done.callback(this);
  }

  #cancelled(run: Run): void {
    if (this.#isOver(run)) return;
    const previous = this.#state;
    this.#state = STOPPED;
    if (previous.name === 'waiting') previous.call.cancel();
    else run.result?.cancel();
  }

  /** Whether the run has ended, perhaps with another one after it. */
  #isOver(run: Run): boolean {
    return this.#state.name === 'stopped' || this.#state.run !== run;
  }

  #callWithCount(fn: (count: number) => unknown): unknown {
    // Called by `#call` alone, which has just entered this state.
    if (this.#state.name !== 'calling') return undefined;
    const { run } = this.#state;
    if (run.interval === 0) return fn(1);
    const now = this.clock.seconds();
    const counted = run.lastCounted === undefined ? run.countedAtOrigin : intervalsUntil(run, run.lastCounted);
    const count = intervalsUntil(run, now) - counted;
    if (count <= 0) return undefined;
    run.lastCounted = now;
    return fn(count);
  }
}

/** How long to wait at `now` for the next whole interval after the origin. */
function untilNext(run: Run, now: number): number {
  if (run.interval === 0) return 0;
  const wait = run.origin + (intervalsUntil(run, now) + 1) * run.interval - now;
  // A wait that rounding has made nothing would be for the call just made.
  return now + wait > now ? wait : Math.max(0, wait) + run.interval;
}

/** How many whole intervals lie between the origin and `time`; negative if that was before the last `reset`. */
function intervalsUntil(run: Run, time: number): number {
  const intervals = (time - run.origin) / run.interval;
  const rounding = (TIME_TOLERANCE * Math.max(Math.abs(time), Math.abs(run.origin))) / run.interval;
  return Math.trunc(intervals + Math.sign(intervals) * Math.min(TOLERANCE_MAX, INTERVAL_TOLERANCE + rounding));
}
