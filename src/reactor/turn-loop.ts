/**
 * The turn: the order in which everything happens.
 *
 * One turn is: the calls queued by `callSoon`, then the delayed calls that are due, then the stop check, then what the
 * world delivered, then one flush of everything written. The platform calls `turn()` between its deliveries, so the
 * method begins with the end of the turn before: it flushes what the deliveries wrote and reports the errors that no
 * Deferred handled, and then runs the calls, the timers and the stop check of the next. Which delayed calls are due is
 * settled before any call runs, so that all that is scheduled during a turn waits for the next one.
 *
 *      turn()                              the world                        turn()
 *      ├ flush, unhandled errors           │ dataReceived, connected, …     ├ flush, unhandled errors
 *      ├ queued calls                      │ (each between enter and leave) ├ …
 *      ├ due delayed calls                 │                                │
 *      ├ stop check                        │                                │
 *      └ reports held while not running    │                                │
 *        ╰──────────────── one turn ──────────────────────────────────────────╯
 *
 * While the loop is stopped nothing is dispatched: `enter` refuses, and what the platform reports is held in order
 * until the loop runs again. The loop asks to be woken for the earliest thing it has to do, and for nothing twice.
 */
import { setTurnSink, UnhandledErrorCollector } from '../deferred/unhandled.ts';
import type { PlatformClock } from '../interfaces/platform.ts';
import { CallQueue } from './call-queue.ts';
import type { ErrorReporter } from './error-reporter.ts';
import type { HookWatch } from './hook-watch.ts';
import type { Observation } from './observation.ts';
import type { ScheduledCall } from './scheduled-call.ts';
import { Timers } from './timers.ts';

const CALL_SOON_FAILED = 'An error in a call made by callSoon';

/** Something with bytes to send at the end of the turn. */
export interface Flushable {
  flush(): void;
}

export class TurnLoop {
  readonly timers: Timers;
  readonly #clock: PlatformClock;
  readonly #errors: ErrorReporter;
  readonly #observation: Observation | undefined;
  readonly #hookWatch: HookWatch | undefined;
  /** Called in each turn after the timers; the lifecycle decides there whether to shut down. */
  readonly #stopCheck: () => void;
  /** Told when work is queued while the loop is not running. */
  readonly #queuedWhileStopped: () => void;

  readonly #calls = new CallQueue();
  readonly #unhandled = new UnhandledErrorCollector();
  #state: 'stopped' | 'waiting' | 'dispatching' = 'stopped';
  #outerSink: UnhandledErrorCollector | undefined;
  #written: Flushable[] = [];
  #flushing: Flushable[] = [];
  #held: (() => void)[] = [];
  /** When the platform was last asked to call `turn`, if it has not since. */
  #wakeTime = Infinity;
  /** Whether a turn has been asked for while dispatching, so that `leave` has to ask the platform for it. */
  #turnWanted = false;

  constructor(
    clock: PlatformClock,
    errors: ErrorReporter,
    hooks: { readonly stopCheck: () => void; readonly queuedWhileStopped: () => void },
    watchers: { readonly observation?: Observation | undefined; readonly hookWatch?: HookWatch | undefined } = {},
  ) {
    this.#clock = clock;
    this.#errors = errors;
    this.#observation = watchers.observation;
    this.#hookWatch = watchers.hookWatch;
    this.#stopCheck = hooks.stopCheck;
    this.#queuedWhileStopped = hooks.queuedWhileStopped;
    this.timers = new Timers(
      () => clock.now(),
      (time) => {
        this.#wakeBy(time);
      },
    );
    clock.attach(() => {
      this.#turn();
    });
  }

  /** Whether calls and reports are dispatched. */
  get running(): boolean {
    return this.#state !== 'stopped';
  }

  /** Whether a report would be held now: the loop is stopped, or what was held meanwhile has not been delivered yet. */
  get holdsReports(): boolean {
    return this.#state === 'stopped' || (this.#state === 'waiting' && this.#held.length > 0);
  }

  /** How many calls wait for the next turn. */
  get queuedCallCount(): number {
    return this.#calls.size;
  }

  /** Begins to dispatch, in a later turn. */
  start(): void {
    this.#state = 'waiting';
    this.wakeSoon();
  }

  /**
   * Dispatches nothing more, from now on: not even the rest of this turn. What is queued stays queued. The errors that
   * no Deferred has handled are reported when the call ends from which this was called.
   */
  stop(): void {
    if (this.#state === 'dispatching') this.#leaveSink();
    else this.#reportUnhandled();
    this.#state = 'stopped';
    this.#wakeTime = Infinity;
    this.#clock.wakeAt(Infinity);
  }

  /** Queues a call for the next turn. */
  callSoon(fn: () => unknown): void {
    this.#calls.push(() => {
      this.#errors.guard(CALL_SOON_FAILED, fn);
    });
    this.wakeSoon();
  }

  /** The same for a call of the user's, whose time is measured; `fn` is what he knows, `call` calls it. */
  callUserSoon(fn: (...args: never[]) => unknown, call: () => unknown): void {
    const watch = this.#hookWatch;
    if (watch === undefined) {
      this.callSoon(call);
      return;
    }
    this.#calls.push(() => {
      const startedAt = watch.now();
      this.#errors.guard(CALL_SOON_FAILED, call);
      watch.ended(startedAt, 'queued call', fn);
    });
    this.wakeSoon();
  }

  /** Has `flushable.flush()` called at the end of the turn. Ask once per turn. */
  flushLater(flushable: Flushable): void {
    this.#written.push(flushable);
    if (this.#state === 'waiting') this.#wakeBy(0);
  }

  /** Gives what has been written to the system. To be called while the loop dispatches. */
  flush(): void {
    if (this.#written.length === 0) return;
    const flushing = this.#written;
    this.#written = this.#flushing;
    this.#flushing = flushing;
    for (const flushable of flushing) flushable.flush();
    flushing.length = 0;
  }

  /** Asks for a turn as soon as possible. */
  wakeSoon(): void {
    this.#wakeBy(0);
  }

  /**
   * Dispatches a report of the platform: hooks may be called in `report`. Held, in order, while the loop is not
   * running. `report` must not throw.
   */
  deliver(report: () => void): void {
    if (this.holdsReports) this.hold(report);
    else this.deliverNow(report);
  }

  /** Dispatches at once, whatever is held and also while the loop does not run: that a port has been bound, for example. */
  deliverNow(report: () => void): void {
    if (this.#state !== 'waiting') {
      report();
      return;
    }
    this.#dispatch();
    try {
      report();
    } finally {
      this.leave();
    }
  }

  /** The two halves of `deliver`, for reports too frequent for a closure each. False: hold the report instead. */
  enter(): boolean {
    if (this.#state !== 'waiting' || this.#held.length > 0) return false;
    this.#dispatch();
    return true;
  }

  leave(): void {
    switch (this.#state) {
      case 'dispatching':
        this.#state = 'waiting';
        this.#leaveSink();
        this.#arm();
        return;
      case 'stopped':
        this.#reportUnhandled(); // no turn follows that would do it
        return;
      case 'waiting': // stopped and started again from inside
        return;
    }
  }

  /** Keeps a report for when the loop runs again. */
  hold(report: () => void): void {
    this.#held.push(report);
  }

  #dispatch(): void {
    this.#state = 'dispatching';
    this.#outerSink = setTurnSink(this.#unhandled);
  }

  #turn(): void {
    this.#wakeTime = Infinity;
    if (this.#state !== 'waiting') return;
    this.#dispatch();
    try {
      this.flush();
      this.#reportUnhandled();
      this.timers.takeDue(this.#clock.now());
      this.#calls.runQueued(this.#isInTurn);
      this.timers.runTaken(this.#runDelayedCall, this.#isInTurn);
      if (this.#isInTurn()) this.#stopCheck();
      this.#deliverHeld();
    } finally {
      this.leave();
    }
  }

  /** Whether the turn goes on: not once the loop has been stopped in it, even if it has been started again since. */
  readonly #isInTurn = (): boolean => this.#state === 'dispatching';

  readonly #runDelayedCall = (call: ScheduledCall): void => {
    const startedAt = this.#hookWatch?.now();
    try {
      const result = this.#observation === undefined ? call.run() : this.#runObserved(this.#observation, call);
      if (result !== undefined) this.#errors.watch(result, `An error in a delayed call${call.describeCreation()}`);
    } catch (error) {
      this.#errors.report(error, `An error in a delayed call${call.describeCreation()}`);
    }
    if (startedAt !== undefined) this.#hookWatch?.ended(startedAt, 'delayed call', call.name);
  };

  #runObserved(observation: Observation, call: ScheduledCall): unknown {
    return observation.runCall(call, () => call.run());
  }

  #reportUnhandled(): void {
    for (const { failure, isUnhandled } of this.#unhandled.takeUnhandled()) {
      this.#errors.report(failure, 'Unhandled error in Deferred', isUnhandled);
    }
  }

  #deliverHeld(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const report of held) {
      if (this.#isInTurn()) report();
      else this.#held.push(report);
    }
  }

  #leaveSink(): void {
    setTurnSink(this.#outerSink);
    this.#outerSink = undefined;
  }

  /** Asks the platform for the next turn, when there is something for it to do. */
  #arm(): void {
    const isWorkLeft = this.#calls.size > 0 || this.#written.length > 0 || this.#held.length > 0;
    const soon = this.#turnWanted || isWorkLeft || !this.#unhandled.isEmpty;
    this.#turnWanted = false;
    this.#wakeBy(soon ? 0 : this.timers.nextDue());
  }

  #wakeBy(time: number): void {
    switch (this.#state) {
      case 'stopped':
        this.#queuedWhileStopped();
        return;
      case 'dispatching':
        // Delayed calls and what was written `leave` sees for itself.
        if (time === 0) this.#turnWanted = true;
        return;
      case 'waiting':
        if (time >= this.#wakeTime) return;
        this.#wakeTime = time;
        this.#clock.wakeAt(time);
    }
  }
}
