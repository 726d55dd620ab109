/**
 * System events: `startup`, `shutdown` and any that users fire, each in three phases, before, during and after.
 *
 * Triggers run in the order in which they were added, once: they are taken out as they run. One added to a phase while that
 * phase runs still runs in it. A phase ends when the Deferreds and promises its triggers have returned have fired, with
 * whatever result; only then does the next begin. An error in a trigger is reported and stops nothing. When nothing is
 * waited for, all three phases run before `fire` returns. Source: Twisted's `_ThreePhaseEvent`, which waits in *before* only.
 */
import { Deferred } from '../deferred/deferred.ts';
import { isPromiseLike } from '../deferred/is-promise-like.ts';
import type { SystemEventPhase, SystemEventTriggerID } from '../interfaces/reactor.ts';
import { describe, requireString } from '../arguments.ts';
import type { ErrorReporter } from './error-reporter.ts';
import { type HookWatch, timed } from './hook-watch.ts';

const PHASES: readonly SystemEventPhase[] = ['before', 'during', 'after'];

type Phases = Readonly<Record<SystemEventPhase, Trigger[]>>;

/** One trigger. The object itself is its identifier. */
class Trigger {
  readonly eventType: string;
  readonly phase: SystemEventPhase;
  readonly run: () => unknown;

  constructor(phase: SystemEventPhase, eventType: string, run: () => unknown) {
    this.phase = phase;
    this.eventType = eventType;
    this.run = run;
  }
}

export class SystemEvents {
  readonly #errors: ErrorReporter;
  readonly #hookWatch: HookWatch | undefined;
  readonly #events = new Map<string, Phases>();

  /** `hookWatch` measures what triggers take. */
  constructor(errors: ErrorReporter, hookWatch?: HookWatch) {
    this.#errors = errors;
    this.#hookWatch = hookWatch;
  }

  /** `fn` is what the user knows, `call` calls it. */
  add(
    phase: SystemEventPhase,
    eventType: string,
    fn: (...args: never[]) => unknown,
    call: () => unknown,
  ): SystemEventTriggerID {
    if (!PHASES.includes(phase)) {
      throw new RangeError(`phase must be 'before', 'during' or 'after'; got ${describe(phase)}`);
    }
    requireString('eventType', eventType);
    const run = (): unknown => timed(this.#hookWatch, `${phase} ${eventType} trigger`, fn, call);
    const trigger = new Trigger(phase, eventType, run);
    this.#phasesOf(eventType)[phase].push(trigger);
    // An identifier is opaque to users, so its type says nothing about triggers.
    return trigger as unknown as SystemEventTriggerID;
  }

  remove(id: SystemEventTriggerID): void {
    const trigger: unknown = id;
    if (!(trigger instanceof Trigger)) {
      throw new TypeError(`id must be what addSystemEventTrigger returned; got ${describe(id)}`);
    }
    const triggers = this.#phasesOf(trigger.eventType)[trigger.phase];
    const index = triggers.indexOf(trigger);
    if (index < 0) {
      throw new RangeError(`The ${trigger.phase} ${trigger.eventType} trigger has run or was removed already`);
    }
    triggers.splice(index, 1);
  }

  /**
   * Fires an event. `own` has the caller's own step for each phase, which runs first in it and is waited for as
   * triggers are. When `goesOn` says no, the rest of the triggers is left for the next firing. Returns a Deferred that
   * fires when all phases have ended, and not at all if the firing did not go on; it never fails.
   */
  fire(
    eventType: string,
    own: Partial<Record<SystemEventPhase, () => unknown>> = {},
    goesOn: () => boolean = () => true,
  ): Deferred<void> {
    const phases = this.#phasesOf(eventType);
    const fired = new Deferred<void>();
    const runFrom = (index: number): void => {
      if (!goesOn()) return;
      const phase = PHASES[index];
      if (phase === undefined) {
        fired.callback(undefined);
        return;
      }
      const steps = takeSteps(own[phase], phases[phase], goesOn);
      this.#runPhase(`${phase} ${eventType}`, steps, () => {
        runFrom(index + 1);
      });
    };
    runFrom(0);
    return fired;
  }

  /** Runs one phase, and calls `ended` when all it waits for has fired: at once if there is nothing. */
  #runPhase(name: string, steps: Iterable<() => unknown>, ended: () => void): void {
    let waitingCount = 1; // the phase itself, so that it cannot end while triggers are still being run
    const oneEnded = (): void => {
      waitingCount -= 1;
      if (waitingCount === 0) ended();
    };
    const message = `An error in a ${name} trigger`;
    for (const step of steps) {
      const result = this.#call(step, message);
      if (!isPromiseLike(result)) continue;
      waitingCount += 1;
      this.#whenSettled(result, message, oneEnded);
    }
    oneEnded();
  }

  #call(trigger: () => unknown, message: string): unknown {
    try {
      return trigger();
    } catch (error) {
      this.#errors.report(error, message);
      return undefined;
    }
  }

  /** Deferreds are waited for as Deferreds, so that one that has fired does not cost a microtask. */
  #whenSettled(result: PromiseLike<unknown>, message: string, settled: () => void): void {
    const deferred = result instanceof Deferred ? result : Deferred.fromPromise(result);
    deferred.addErrback((failure) => {
      this.#errors.report(failure, message);
    });
    deferred.addBoth(settled);
  }

  #phasesOf(eventType: string): Phases {
    let phases = this.#events.get(eventType);
    if (phases === undefined) {
      phases = { before: [], during: [], after: [] };
      this.#events.set(eventType, phases);
    }
    return phases;
  }
}

/** The caller's own step and then the triggers, each taken out as its turn comes, so that one added meanwhile is among them. */
function* takeSteps(
  own: (() => unknown) | undefined,
  triggers: Trigger[],
  goesOn: () => boolean,
): Generator<() => unknown, void> {
  if (own !== undefined) yield own;
  while (goesOn()) {
    const trigger = triggers.shift();
    if (trigger === undefined) return;
    yield trigger.run;
  }
}
