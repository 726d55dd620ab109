/**
 * Random programs are run on real Deferreds and on a model of them; both must call the same callbacks with the same
 * results in the same order, refuse the same calls, and leave the same errors unhandled. The model is recursive and
 * keeps everything in plain lists, so it is short enough to be seen right; the real one must not recurse.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Deferred, Failure } from 'ropewalk/core';
import { Clock } from 'ropewalk/testing';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';

const POOL = 3;

type Side = 'callback' | 'errback' | 'both';

/** What a callback ends in. `receive` hands on what it was given. */
type Ending =
  | { readonly type: 'receive' }
  | { readonly type: 'value'; readonly value: number }
  | { readonly type: 'throw' | 'failure'; readonly message: string }
  | { readonly type: 'deferred'; readonly index: number };

/** One call on one Deferred of the pool; a callback makes calls too, then ends. */
type Command =
  | { readonly type: 'add'; readonly index: number; readonly side: Side; readonly body: Body }
  | { readonly type: 'callback'; readonly index: number; readonly value: number }
  | { readonly type: 'errback'; readonly index: number; readonly message: string }
  | { readonly type: 'pause' | 'unpause' | 'cancel'; readonly index: number }
  | { readonly type: 'chain'; readonly index: number; readonly other: number }
  | { readonly type: 'timeout'; readonly index: number; readonly seconds: number }
  | { readonly type: 'advance'; readonly index: number; readonly seconds: number };

interface Body {
  readonly name: number;
  readonly commands: readonly Command[];
  readonly ending: Ending;
}

/** What the canceller of a Deferred does, if it has one. */
type CancellerKind = 'none' | 'idle' | 'fires' | 'throws';

interface Program {
  readonly cancellers: readonly CancellerKind[];
  readonly commands: readonly Command[];
}

/** A machine runs a program and keeps a log; the log and the count of unhandled errors are what is compared. */
interface Machine {
  readonly log: string[];
  execute(command: Command): void;
  unhandled(): number;
  /** When the delayed calls that are left are due. */
  timers(): number[];
}

function run(machine: Machine, commands: readonly Command[]): void {
  for (const command of commands) {
    try {
      machine.execute(command);
    } catch (error) {
      machine.log.push(`${command.type} threw ${(error as Error).name}`);
    }
  }
}

class RealMachine implements Machine {
  readonly log: string[] = [];
  readonly #clock = new Clock();
  readonly #collector = new UnhandledErrorCollector();
  readonly #pool: Deferred<unknown>[];

  constructor(cancellers: readonly CancellerKind[]) {
    this.#pool = cancellers.map((kind) => {
      if (kind === 'none') return new Deferred<unknown>();
      return new Deferred<unknown>((deferred) => {
        if (kind === 'fires') deferred.callback(-1);
        if (kind === 'throws') throw new Error('canceller');
      });
    });
  }

  runInTurn(commands: readonly Command[]): void {
    const previous = setTurnSink(this.#collector);
    try {
      run(this, commands);
    } finally {
      setTurnSink(previous);
    }
  }

  execute(command: Command): void {
    const deferred = this.#pool[command.index]!;
    switch (command.type) {
      case 'add': {
        const call = (result: unknown): unknown => this.#call(command.body, result);
        if (command.side === 'callback') deferred.addCallback(call);
        else if (command.side === 'errback') deferred.addErrback(call);
        else deferred.addBoth(call);
        break;
      }
      case 'callback':
        deferred.callback(command.value);
        break;
      case 'errback':
        deferred.errback(new Error(command.message));
        break;
      case 'chain':
        deferred.chainDeferred(this.#pool[command.other]!);
        break;
      case 'timeout':
        deferred.addTimeout(command.seconds, this.#clock);
        break;
      case 'advance':
        this.#clock.advance(command.seconds);
        break;
      default:
        deferred[command.type]();
    }
  }

  unhandled(): number {
    return this.#collector.takeUnhandled().length;
  }

  timers(): number[] {
    return this.#clock.getDelayedCalls().map((call) => call.getTime());
  }

  #call(body: Body, result: unknown): unknown {
    this.log.push(`${String(body.name)} got ${describeResult(result)}`);
    run(this, body.commands);
    const { ending } = body;
    switch (ending.type) {
      case 'receive':
        return result;
      case 'value':
        return ending.value;
      case 'throw':
        throw new Error(ending.message);
      case 'failure':
        return new Failure(new Error(ending.message));
      case 'deferred':
        return this.#pool[ending.index];
    }
  }
}

function describeResult(result: unknown): string {
  if (!(result instanceof Failure)) return String(result);
  return result.value.name === 'Error' ? `error ${result.getErrorMessage()}` : `error ${result.value.name}`;
}

/** In the model a result is its description. */
type Outcome = string;

type ModelStep =
  | { readonly type: 'call'; readonly side: Side; readonly body: Body }
  | { readonly type: 'resume' | 'fire'; readonly deferred: ModelDeferred }
  | { readonly type: 'timer'; readonly timer: ModelTimer };

interface ModelTimer {
  readonly due: number;
  readonly deferred: ModelDeferred;
  hasFired: boolean;
}

class ModelDeferred {
  outcome: Outcome | undefined;
  waitsFor: ModelDeferred | undefined;
  steps: ModelStep[] = [];
  pauses = 0;
  isRunning = false;
  isCancelling = false;
  dropsNext = false;
  readonly canceller: CancellerKind;

  constructor(canceller: CancellerKind) {
    this.canceller = canceller;
  }

  hasFired(): boolean {
    return this.outcome !== undefined || this.waitsFor !== undefined;
  }

  get isAtRest(): boolean {
    return this.outcome !== undefined && !this.isRunning && this.pauses === 0 && this.steps.length === 0;
  }
}

class ModelMachine implements Machine {
  readonly log: string[] = [];
  readonly #pool: ModelDeferred[];
  #now = 0;
  #timers: ModelTimer[] = [];

  constructor(cancellers: readonly CancellerKind[]) {
    this.#pool = cancellers.map((kind) => new ModelDeferred(kind));
  }

  execute(command: Command): void {
    const deferred = this.#pool[command.index]!;
    switch (command.type) {
      case 'add':
        deferred.steps.push({ type: 'call', side: command.side, body: command.body });
        this.#advance(deferred);
        break;
      case 'callback':
        this.#fire(deferred, String(command.value));
        break;
      case 'errback':
        this.#fire(deferred, `error ${command.message}`);
        break;
      case 'pause':
        deferred.pauses += 1;
        break;
      case 'unpause':
        if (deferred.pauses === 0) throw new RangeError();
        deferred.pauses -= 1;
        this.#advance(deferred);
        break;
      case 'cancel':
        this.#cancel(deferred);
        break;
      case 'chain':
        if (command.other === command.index) throw new TypeError();
        deferred.steps.push({ type: 'fire', deferred: this.#pool[command.other]! });
        this.#advance(deferred);
        break;
      case 'timeout': {
        const timer = { due: this.#now + command.seconds, deferred, hasFired: false };
        this.#timers.push(timer);
        deferred.steps.push({ type: 'timer', timer });
        this.#advance(deferred);
        break;
      }
      case 'advance':
        this.#passTime(this.#now + command.seconds);
        break;
    }
  }

  unhandled(): number {
    return this.#pool.filter((deferred) => deferred.isAtRest && isError(deferred.outcome!)).length;
  }

  timers(): number[] {
    return this.#timers.map((timer) => timer.due).sort((one, other) => one - other);
  }

  #passTime(end: number): void {
    for (;;) {
      const due = Math.min(...this.#timers.map((timer) => timer.due));
      if (due > end) break;
      this.#now = due;
      const timer = this.#timers.find((candidate) => candidate.due === due)!;
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.hasFired = true;
      this.#cancel(timer.deferred);
    }
    this.#now = end;
  }

  #passTimer(deferred: ModelDeferred, timer: ModelTimer): void {
    if (timer.hasFired && deferred.outcome === 'error CancelledError') deferred.outcome = 'error TimeoutError';
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  #fire(deferred: ModelDeferred, outcome: Outcome): void {
    if (this.#accepts(deferred)) {
      deferred.outcome = outcome;
      this.#advance(deferred);
    }
  }

  #accepts(deferred: ModelDeferred): boolean {
    if (!deferred.hasFired()) return true;
    if (!deferred.dropsNext) throw Object.assign(new Error(), { name: 'AlreadyCalledError' });
    deferred.dropsNext = false;
    return false;
  }

  #cancel(deferred: ModelDeferred): void {
    if (deferred.waitsFor !== undefined) {
      const row = [deferred];
      let innermost: ModelDeferred = deferred.waitsFor;
      while (innermost.waitsFor !== undefined && !row.includes(innermost)) {
        row.push(innermost);
        innermost = innermost.waitsFor;
      }
      if (!row.includes(innermost)) {
        this.#cancel(innermost);
        return;
      }
      deferred.waitsFor = undefined;
      deferred.outcome = 'error CancelledError';
      this.#advance(deferred);
    } else if (!deferred.hasFired() && !deferred.isCancelling) {
      if (deferred.canceller === 'none') deferred.dropsNext = true;
      deferred.isCancelling = true;
      if (deferred.canceller === 'fires') this.#fire(deferred, '-1');
      if (deferred.canceller === 'throws') this.#fire(deferred, 'error canceller');
      if (!deferred.hasFired()) this.#fire(deferred, 'error CancelledError');
    }
  }

  /** Runs the steps of `deferred` as far as they go. */
  #advance(deferred: ModelDeferred): void {
    while (deferred.outcome !== undefined && !deferred.isRunning && deferred.pauses === 0) {
      const step = deferred.steps.shift();
      if (step === undefined) return;
      if (step.type === 'call') this.#call(deferred, deferred.outcome, step.side, step.body);
      else if (step.type === 'timer') this.#passTimer(deferred, step.timer);
      else if (step.type === 'resume') this.#resume(deferred, deferred.outcome, step.deferred);
      else this.#fireOther(deferred, deferred.outcome, step.deferred);
    }
  }

  #call(deferred: ModelDeferred, received: Outcome, side: Side, body: Body): void {
    if (side !== 'both' && (side === 'errback') !== isError(received)) return;
    deferred.isRunning = true;
    this.log.push(`${String(body.name)} got ${received}`);
    run(this, body.commands);
    deferred.isRunning = false;
    deferred.outcome = received;
    const { ending } = body;
    if (ending.type === 'value') deferred.outcome = String(ending.value);
    if (ending.type === 'throw' || ending.type === 'failure') deferred.outcome = `error ${ending.message}`;
    if (ending.type === 'deferred') this.#waitFor(deferred, this.#pool[ending.index]!);
  }

  #waitFor(outer: ModelDeferred, inner: ModelDeferred): void {
    if (inner === outer) outer.outcome = 'error TypeError';
    else if (inner.isAtRest) {
      outer.outcome = inner.outcome;
      inner.outcome = 'undefined';
    } else {
      outer.outcome = undefined;
      outer.waitsFor = inner;
      inner.steps.push({ type: 'resume', deferred: outer });
    }
  }

  #resume(inner: ModelDeferred, outcome: Outcome, outer: ModelDeferred): void {
    if (outer.waitsFor !== inner) return;
    outer.waitsFor = undefined;
    outer.outcome = outcome;
    inner.outcome = 'undefined';
    this.#advance(outer);
  }

  #fireOther(deferred: ModelDeferred, outcome: Outcome, other: ModelDeferred): void {
    deferred.outcome = 'undefined';
    try {
      this.#fire(other, outcome);
    } catch {
      deferred.outcome = 'error AlreadyCalledError';
    }
  }
}

function isError(outcome: Outcome): boolean {
  return outcome.startsWith('error ');
}

const index = fc.nat({ max: POOL - 1 });
const message = fc.constantFrom('a', 'b', 'c');
const seconds = fc.integer({ min: 1, max: 4 });
const ending: fc.Arbitrary<Ending> = fc.oneof(
  fc.record({ type: fc.constant('receive' as const) }),
  fc.record({ type: fc.constant('value' as const), value: fc.nat({ max: 9 }) }),
  fc.record({ type: fc.constantFrom('throw' as const, 'failure' as const), message }),
  fc.record({ type: fc.constant('deferred' as const), index }),
);

function commandsOf(depth: number): fc.Arbitrary<Command[]> {
  const inner = depth === 0 ? fc.constant([]) : commandsOf(depth - 1);
  const body = fc.record({ name: fc.nat({ max: 999 }), commands: inner, ending });
  const add = fc.record({
    type: fc.constant('add' as const),
    index,
    side: fc.constantFrom('callback' as const, 'errback' as const, 'both' as const),
    body,
  });
  const command: fc.Arbitrary<Command> = fc.oneof(
    { weight: 5, arbitrary: add },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('callback' as const), index, value: fc.nat({ max: 9 }) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('errback' as const), index, message }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom('pause' as const, 'unpause' as const, 'unpause' as const, 'cancel' as const),
        index,
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('chain' as const), index, other: index }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('timeout' as const), index, seconds }) },
    // Time does not pass inside a callback.
    { weight: depth === 2 ? 2 : 0, arbitrary: fc.record({ type: fc.constant('advance' as const), index, seconds }) },
  );
  return fc.array(command, depth === 2 ? { minLength: 10, maxLength: 30 } : { maxLength: 3 });
}

const program: fc.Arbitrary<Program> = fc.record({
  cancellers: fc.array(fc.constantFrom<CancellerKind>('none', 'idle', 'fires', 'throws'), {
    minLength: POOL,
    maxLength: POOL,
  }),
  commands: commandsOf(2),
});

describe('Deferred against its model', () => {
  it('does what the model does, for any program', () => {
    fc.assert(
      fc.property(program, ({ cancellers, commands }) => {
        const real = new RealMachine(cancellers);
        const model = new ModelMachine(cancellers);
        real.runInTurn(commands);
        run(model, commands);
        expect(real.log).to.deep.equal(model.log);
        expect(real.unhandled()).to.equal(model.unhandled());
        expect(real.timers()).to.deep.equal(model.timers());
      }),
      // A fixed seed, so that a run of the suite tells of a change in the code; change it to explore.
      { seed: 0x0def, numRuns: 1000 },
    );
  });

  it('is given programs that do something', () => {
    const logs = fc.sample(program, { seed: 0x0def, numRuns: 1000 }).map(({ cancellers, commands }) => {
      const model = new ModelMachine(cancellers);
      run(model, commands);
      return model.log;
    });
    expect(logs.filter((log) => log.length >= 3).length).to.be.greaterThan(500);
    const logsWith = (name: string): number => logs.filter((log) => log.some((line) => line.includes(name))).length;
    expect(logsWith('got error CancelledError')).to.be.greaterThan(50);
    expect(logsWith('got error TimeoutError')).to.be.greaterThan(20);
    expect(logsWith('threw AlreadyCalledError')).to.be.greaterThan(50);
  });
});
