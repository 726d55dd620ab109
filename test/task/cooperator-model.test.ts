/**
 * Random programs run on a Cooperator and on a model of it. In the model a task that becomes ready draws a number, and
 * the next to step is the one with the lowest number above that of the last, or else the lowest of all.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Cooperator, type CooperativeTask, Deferred, Failure } from 'ropewalk/core';
import { Clock } from 'ropewalk/testing';
import { setTurnSink, UnhandledErrorCollector } from '../../src/deferred/unhandled.ts';

const DEFERREDS = 4;

/** What is done from outside, or by an iterator in its step. Tasks are named by the order in which they are made. */
type Command = Firing | { readonly type: 'pause' | 'resume' | 'stop'; readonly task: number };

interface Firing {
  readonly type: 'fire' | 'fail';
  readonly deferred: number;
}

function isFiring(command: Command): command is Firing {
  return command.type === 'fire' || command.type === 'fail';
}

/** One step of an iterator: it gives commands, then yields a value, or a Deferred, or throws. */
interface Step {
  readonly commands: readonly Command[];
  readonly ending: 'value' | 'throw' | number;
}

type Action =
  | Command
  | { readonly type: 'add'; readonly steps: readonly Step[] }
  | { readonly type: 'slice'; readonly length: number }
  | { readonly type: 'stopAll' | 'startAll' };

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const, 'stop' as const),
    task: fc.nat(3),
  }),
  fc.record({ type: fc.constantFrom('fire' as const, 'fail' as const), deferred: fc.nat(DEFERREDS - 1) }),
);

const step: fc.Arbitrary<Step> = fc.record({
  commands: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(command, { maxLength: 2 }) },
  ),
  ending: fc.oneof(
    { weight: 5, arbitrary: fc.constant('value' as const) },
    { weight: 3, arbitrary: fc.nat(DEFERREDS - 1) },
    { weight: 1, arbitrary: fc.constant('throw' as const) },
  ),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('add' as const), steps: fc.array(step, { maxLength: 6 }) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('slice' as const), length: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 6, arbitrary: command },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('stopAll' as const, 'startAll' as const) }) },
);

/** Runs the program and adds what is left unhandled. */
function runReal(actions: readonly Action[]): string[] {
  const unhandled = new UnhandledErrorCollector();
  const previous = setTurnSink(unhandled);
  try {
    const log = run(actions);
    return [...log, ...unhandled.takeUnhandled().map(({ failure }) => `unhandled: ${failure.value.message}`)];
  } finally {
    setTurnSink(previous);
  }
}

function run(actions: readonly Action[]): string[] {
  const log: string[] = [];
  let slice: (() => void) | undefined;
  let sliceLength = 1;
  const cooperator = new Cooperator(new Clock(), {
    scheduler: (next) => {
      slice = next;
      return { cancel: () => void (slice = undefined) };
    },
    terminationPredicateFactory: () => {
      let left = sliceLength;
      return () => (left -= 1) === 0;
    },
  });
  const tasks: CooperativeTask[] = [];
  const deferreds = Array.from({ length: DEFERREDS }, () => new Deferred<unknown>());

  function give(given: Command): void {
    if (isFiring(given)) {
      const deferred = deferreds[given.deferred]!;
      if (deferred.called) return;
      if (given.type === 'fire') deferred.callback(undefined);
      else deferred.errback(new Error('failed'));
      return;
    }
    const task = tasks[given.task];
    if (task === undefined) return;
    try {
      task[given.type]();
    } catch (error) {
      log.push(`${given.type} ${given.task}: ${(error as Error).name}`);
    }
  }

  function* work(task: number, steps: readonly Step[]): Generator<unknown, void> {
    try {
      for (const { commands, ending } of steps) {
        log.push(`step ${task}`);
        commands.forEach(give);
        if (ending === 'throw') throw new Error('thrown');
        yield ending === 'value' ? ending : deferreds[ending];
      }
    } finally {
      log.push(`closed ${task}`);
    }
  }

  for (const next of actions) {
    switch (next.type) {
      case 'add': {
        const index = tasks.length;
        const task = cooperator.cooperate(work(index, next.steps));
        tasks.push(task);
        task.whenDone().addBoth((result) => {
          log.push(`end ${index}: ${result instanceof Failure ? result.value.message : 'exhausted'}`);
        });
        break;
      }
      case 'slice': {
        sliceLength = next.length;
        const runSlice = slice;
        slice = undefined;
        if (runSlice === undefined) log.push('idle');
        else runSlice();
        break;
      }
      case 'stopAll':
        cooperator.stop();
        break;
      case 'startAll':
        cooperator.start();
        break;
      default:
        give(next);
    }
  }
  for (const deferred of deferreds) deferred.addErrback(() => undefined);
  return log;
}

interface ModelTask {
  readonly index: number;
  readonly steps: readonly Step[];
  position: number;
  hasBegun: boolean;
  isInside: boolean;
  pauses: number;
  waitsFor: number | undefined;
  /** The name of the error its methods throw, once it has ended. */
  ended: string | undefined;
  /** Its place in the round while it has a step to take. */
  ticket: number | undefined;
}

class Model {
  readonly #log: string[] = [];
  readonly #unhandled: string[] = [];
  readonly #tasks: ModelTask[] = [];
  readonly #deferreds: ('open' | 'fired' | 'failed')[] = Array.from({ length: DEFERREDS }, () => 'open');
  /** Tasks in the order in which they began to wait. */
  readonly #waiting: ModelTask[] = [];
  #tickets = 0;
  #last = 0;
  #isRunning = true;

  run(actions: readonly Action[]): string[] {
    for (const next of actions) this.#perform(next);
    return [...this.#log, ...this.#unhandled];
  }

  #perform(next: Action): void {
    switch (next.type) {
      case 'add':
        this.#add(next.steps);
        break;
      case 'slice':
        this.#slice(next.length);
        break;
      case 'stopAll':
        this.#isRunning = false;
        for (const task of this.#tasks) {
          if (task.ended === undefined) this.#end(task, 'SchedulerStopped', 'The cooperator has been stopped');
        }
        break;
      case 'startAll':
        this.#isRunning = true;
        break;
      default:
        this.#give(next);
    }
  }

  #add(steps: readonly Step[]): void {
    const task: ModelTask = {
      index: this.#tasks.length,
      steps,
      position: 0,
      hasBegun: false,
      isInside: false,
      pauses: 0,
      waitsFor: undefined,
      ended: undefined,
      ticket: undefined,
    };
    this.#tasks.push(task);
    if (this.#isRunning) this.#updateTicket(task);
    else this.#end(task, 'SchedulerStopped', 'The cooperator has been stopped');
  }

  #slice(length: number): void {
    const ready = (): ModelTask[] =>
      this.#tasks.filter(({ ticket }) => ticket !== undefined).sort((a, b) => a.ticket! - b.ticket!);
    if (ready().length === 0) {
      this.#log.push('idle');
      return;
    }
    for (let left = length; left > 0 && ready().length > 0; left -= 1) {
      const task = ready().find(({ ticket }) => ticket! > this.#last) ?? ready()[0]!;
      this.#last = task.ticket!;
      this.#step(task);
    }
  }

  #step(task: ModelTask): void {
    const taken = task.steps[task.position];
    task.position += 1;
    task.hasBegun = true;
    if (taken === undefined) {
      this.#log.push(`closed ${task.index}`);
      this.#end(task, 'TaskDone', 'exhausted', true);
      return;
    }
    this.#log.push(`step ${task.index}`);
    task.isInside = true;
    for (const given of taken.commands) this.#give(given);
    task.isInside = false;
    if (taken.ending === 'throw') {
      this.#log.push(`closed ${task.index}`);
      if (task.ended === undefined) this.#end(task, 'TaskFailed', 'thrown', true);
      else this.#unhandled.push('unhandled: thrown');
    } else if (task.ended !== undefined) {
      this.#log.push(`closed ${task.index}`);
    } else if (taken.ending !== 'value') {
      task.waitsFor = taken.ending;
      this.#updateTicket(task);
      this.#tell(task);
    }
  }

  /** Goes on if what it waits for is there. */
  #tell(task: ModelTask): void {
    const outcome = this.#deferreds[task.waitsFor!]!;
    if (outcome === 'open') return;
    // The first to be told of a failure takes it; those who come later find undefined.
    if (outcome === 'failed') this.#deferreds[task.waitsFor!] = 'fired';
    task.waitsFor = undefined;
    if (outcome === 'failed') this.#end(task, 'TaskFailed', 'failed');
    else this.#updateTicket(task);
  }

  #give(given: Command): void {
    if (isFiring(given)) {
      if (this.#deferreds[given.deferred] !== 'open') return;
      this.#deferreds[given.deferred] = given.type === 'fire' ? 'fired' : 'failed';
      const waiting = this.#waiting.filter((task) => task.waitsFor === given.deferred && task.ended === undefined);
      for (const task of waiting) if (task.ended === undefined) this.#tell(task);
      return;
    }
    const task = this.#tasks[given.task];
    if (task === undefined) return;
    const error = given.type === 'resume' ? (task.pauses === 0 ? 'NotPaused' : undefined) : task.ended;
    if (error !== undefined) this.#log.push(`${given.type} ${given.task}: ${error}`);
    else if (given.type === 'stop') this.#end(task, 'TaskStopped', 'The task has been stopped');
    else {
      task.pauses += given.type === 'pause' ? 1 : -1;
      this.#updateTicket(task);
    }
  }

  #updateTicket(task: ModelTask): void {
    if (task.waitsFor !== undefined && !this.#waiting.includes(task)) this.#waiting.push(task);
    if (task.waitsFor === undefined && this.#waiting.includes(task))
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
    const isReady = task.ended === undefined && task.pauses === 0 && task.waitsFor === undefined;
    if (!isReady) task.ticket = undefined;
    else task.ticket ??= this.#tickets += 1;
  }

  #end(task: ModelTask, error: string, message: string, isClosed = false): void {
    task.ended = error;
    task.ticket = undefined;
    // A generator that has not begun has no finally block to run.
    if (!isClosed && !task.isInside && task.hasBegun) this.#log.push(`closed ${task.index}`);
    this.#log.push(`end ${task.index}: ${message}`);
  }
}

describe('Cooperator against a model', () => {
  it('takes the same steps in the same order, and ends the tasks in the same ways', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const model = new Model();
        expect(runReal(actions)).to.deep.equal(model.run(actions));
      }),
      { numRuns: 1000 },
    );
  });
});
