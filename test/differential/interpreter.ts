/** Runs scripts on Ropewalk. The same operations as in interpreter.py, in the same order; scripts.ts describes them. */
import {
  CancelledError,
  Cooperator,
  type CooperativeTask,
  Deferred,
  DeferredList,
  DeferredLock,
  DeferredQueue,
  DeferredSemaphore,
  type DelayedCall,
  deferLater,
  execute,
  fail,
  Failure,
  FirstError,
  gatherResults,
  inlineCallbacks,
  LoopingCall,
  LoopingCallAlreadyRunning,
  LoopingCallNotRunning,
  maybeDeferred,
  succeed,
  TimeoutError,
} from 'ropewalk/core';
import { Clock } from 'ropewalk/testing';
import { setTurnSink, UnhandledErrorCollector } from '../../src/deferred/unhandled.ts';
import type { CoroutineStep, Ending, Operation, Script, Side } from './scripts.ts';

/** The error that scripts raise. */
class Boom extends Error {}

/** Errors that say that the caller is wrong. Twisted's are AssertionError, ValueError and TypeError. */
const MISUSE = [TypeError, RangeError, LoopingCallAlreadyRunning, LoopingCallNotRunning];

const TRAPPED = { Boom, Cancelled: CancelledError, Timeout: TimeoutError };

function describeError(error: unknown): string {
  if (error instanceof Boom) return `Boom ${error.message}`;
  if (error instanceof FirstError) return `FirstError ${error.index} ${show(error.subFailure)}`;
  if (MISUSE.some((type) => error instanceof type)) return 'misuse';
  return (error as Error).name;
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (value instanceof Failure) return `<${describeError(value.value)}>`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (['boolean', 'number', 'string'].includes(typeof value)) return JSON.stringify(value);
  return value instanceof Deferred ? 'a Deferred' : 'an object';
}

class Interpreter {
  readonly #log: string[] = [];
  readonly #clock = new Clock();
  readonly #things = new Map<string, unknown>();

  run(script: Script): string[] {
    const unhandled = new UnhandledErrorCollector();
    const previous = setTurnSink(unhandled);
    try {
      this.#perform(script);
    } finally {
      setTurnSink(previous);
    }
    const errors = unhandled.takeUnhandled().map(({ failure }) => `unhandled ${describeError(failure.value)}`);
    return [...this.#log, ...errors.sort()];
  }

  #perform(operations: Script): void {
    for (const operation of operations) {
      try {
        this.#operate(operation);
      } catch (error) {
        this.#say(`${operation[0]} raised ${describeError(error)}`);
      }
    }
  }

  #say(line: string): void {
    this.#log.push(line);
  }

  // A script says what a name stands for by the operations it uses it in; the interpreters take its word.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it stands for a cast at each use
  #thing<T>(name: string): T {
    if (!this.#things.has(name)) throw new Error(`The script uses ${name} before it makes it`);
    return this.#things.get(name) as T;
  }

  #deferred(name: string): Deferred<unknown> {
    return this.#thing<Deferred<unknown>>(name);
  }

  /** What a function does after it has said that it was called. */
  #end(ending: Ending, received?: unknown): unknown {
    switch (ending[0]) {
      case 'pass':
        return received;
      case 'value':
        return ending[1];
      case 'raise':
        throw new Boom(ending[1]);
      case 'fail':
        return new Failure(new Boom(ending[1]));
      case 'deferred':
        return this.#deferred(ending[1]);
      case 'do':
        this.#perform(ending[1]);
        return this.#end(ending[2], received);
    }
  }

  #function(label: string, ending: Ending): (received?: unknown) => unknown {
    return (received) => {
      this.#say(`${label} ${show(received)}`);
      return this.#end(ending, received);
    };
  }

  /** A function that ends otherwise at each call, over and over. */
  #sequence(label: string, endings: readonly Ending[]): (...received: unknown[]) => unknown {
    let calls = 0;
    return (...received) => {
      const ending = endings[calls % endings.length]!;
      calls += 1;
      this.#say([label, `at ${this.#clock.seconds()}`, ...received.map(show)].join(' '));
      return this.#end(ending);
    };
  }

  *#iterator(label: string, endings: readonly Ending[]): Generator<unknown, void> {
    for (const ending of endings) {
      this.#say(`${label} steps`);
      yield this.#end(ending);
    }
  }

  #operate(operation: Operation): void {
    switch (operation[0]) {
      case 'new':
        this.#things.set(operation[1], this.#newDeferred(operation[1], operation[2]));
        return;
      case 'succeed':
        this.#things.set(operation[1], succeed(operation[2]));
        return;
      case 'fail':
        this.#things.set(operation[1], fail(new Boom(operation[2])));
        return;
      case 'maybe':
        this.#things.set(operation[1], maybeDeferred(this.#function(operation[2], operation[3])));
        return;
      case 'execute':
        this.#things.set(operation[1], execute(this.#function(operation[2], operation[3])));
        return;
      case 'callback':
        this.#deferred(operation[1]).callback(operation[2]);
        return;
      case 'errback':
        this.#deferred(operation[1]).errback(new Boom(operation[2]));
        return;
      case 'add':
        this.#add(this.#deferred(operation[1]), operation[2], this.#function(operation[3], operation[4]));
        return;
      case 'addPair': {
        const [, name, label, ending, otherLabel, otherEnding] = operation;
        this.#deferred(name).addCallbacks(this.#function(label, ending), this.#function(otherLabel, otherEnding));
        return;
      }
      case 'trap': {
        const [, name, label, kind] = operation;
        this.#deferred(name).addErrback((failure) => {
          failure.trap(TRAPPED[kind]);
          this.#say(`${label} trapped ${show(failure)}`);
        });
        return;
      }
      case 'pause':
        this.#deferred(operation[1]).pause();
        return;
      case 'unpause':
        this.#deferred(operation[1]).unpause();
        return;
      case 'cancel':
        this.#deferred(operation[1]).cancel();
        return;
      case 'chain':
        this.#deferred(operation[1]).chainDeferred(this.#deferred(operation[2]));
        return;
      case 'called':
        this.#say(`${operation[1]} called: ${this.#deferred(operation[1]).called}`);
        return;
      case 'list': {
        const [, name, names, options] = operation;
        this.#things.set(
          name,
          new DeferredList(
            names.map((other) => this.#deferred(other)),
            options,
          ),
        );
        return;
      }
      case 'gather': {
        const [, name, names, options] = operation;
        this.#things.set(
          name,
          gatherResults(
            names.map((other) => this.#deferred(other)),
            options,
          ),
        );
        return;
      }
      case 'timeout': {
        const [, name, seconds, label, ending] = operation;
        const deferred = this.#deferred(name);
        if (label === undefined || ending === undefined) deferred.addTimeout(seconds, this.#clock);
        else deferred.addTimeout(seconds, this.#clock, this.#function(label, ending));
        return;
      }
      case 'coroutine':
        this.#things.set(operation[1], this.#runCoroutine(operation[2], operation[3]));
        return;
      default:
        this.#operateOnLocks(operation);
    }
  }

  #operateOnLocks(operation: Operation): void {
    switch (operation[0]) {
      case 'lock':
        this.#things.set(operation[1], new DeferredLock());
        return;
      case 'semaphore':
        this.#things.set(operation[1], new DeferredSemaphore(operation[2]));
        return;
      case 'acquire':
        this.#things.set(operation[2], this.#thing<DeferredLock | DeferredSemaphore>(operation[1]).acquire());
        return;
      case 'release':
        this.#thing<DeferredLock | DeferredSemaphore>(operation[1]).release();
        return;
      case 'runLocked': {
        const [, name, deferred, label, ending] = operation;
        const lock = this.#thing<DeferredLock | DeferredSemaphore>(name);
        this.#things.set(deferred, lock.run(this.#function(label, ending)));
        return;
      }
      case 'locked':
        this.#say(`${operation[1]} locked: ${this.#thing<DeferredLock>(operation[1]).locked}`);
        return;
      case 'tokens':
        this.#say(`${operation[1]} tokens: ${this.#thing<DeferredSemaphore>(operation[1]).tokens}`);
        return;
      case 'queue': {
        const [, name, size, backlog] = operation;
        const options = { ...(size === null ? {} : { size }), ...(backlog === null ? {} : { backlog }) };
        this.#things.set(name, new DeferredQueue<unknown>(options));
        return;
      }
      case 'put':
        this.#thing<DeferredQueue<unknown>>(operation[1]).put(operation[2]);
        return;
      case 'get':
        this.#things.set(operation[2], this.#thing<DeferredQueue<unknown>>(operation[1]).get());
        return;
      default:
        this.#operateInTime(operation);
    }
  }

  #operateInTime(operation: Operation): void {
    switch (operation[0]) {
      case 'advance':
      case 'jump':
        this.#clock.advance(operation[1]);
        return;
      case 'callLater': {
        const [, name, seconds, label, ending] = operation;
        this.#things.set(name, this.#clock.callLater(seconds, this.#sequence(label, [ending])));
        return;
      }
      case 'cancelCall':
        this.#thing<DelayedCall>(operation[1]).cancel();
        return;
      case 'delayCall':
        this.#thing<DelayedCall>(operation[1]).delay(operation[2]);
        return;
      case 'resetCall':
        this.#thing<DelayedCall>(operation[1]).reset(operation[2]);
        return;
      case 'active':
        this.#say(`${operation[1]} active: ${this.#thing<DelayedCall>(operation[1]).active()}`);
        return;
      case 'pending':
        this.#say(
          `pending ${this.#clock
            .getDelayedCalls()
            .map((call) => call.getTime())
            .join(' ')}`,
        );
        return;
      case 'deferLater': {
        const [, name, seconds, label, ending] = operation;
        const isPlain = label === undefined || ending === undefined;
        this.#things.set(
          name,
          isPlain
            ? deferLater(this.#clock, seconds)
            : deferLater(this.#clock, seconds, this.#function(label, ending), 7),
        );
        return;
      }
      case 'loop': {
        const [, name, endings, withCount] = operation;
        const fn = this.#sequence(name, endings);
        const isCounting = withCount === true;
        const loop = isCounting ? LoopingCall.withCount(this.#clock, fn) : new LoopingCall(this.#clock, fn);
        this.#things.set(name, loop);
        return;
      }
      case 'start': {
        const [, name, deferred, interval, now = true] = operation;
        this.#things.set(deferred, this.#thing<LoopingCall>(name).start(interval, { now }));
        return;
      }
      case 'stop':
        this.#thing<LoopingCall | Cooperator | CooperativeTask>(operation[1]).stop();
        return;
      case 'reset':
        this.#thing<LoopingCall>(operation[1]).reset();
        return;
      case 'running':
        this.#say(`${operation[1]} running: ${this.#thing<LoopingCall | Cooperator>(operation[1]).running}`);
        return;
      case 'cooperator':
        this.#things.set(operation[1], this.#newCooperator(operation[2], operation[3] ?? true));
        return;
      case 'cooperate': {
        const [, name, task, endings] = operation;
        this.#things.set(task, this.#thing<Cooperator>(name).cooperate(this.#iterator(task, endings)));
        return;
      }
      case 'coiterate': {
        const [, name, deferred, label, endings] = operation;
        this.#things.set(deferred, this.#thing<Cooperator>(name).coiterate(this.#iterator(label, endings)));
        return;
      }
      case 'whenDone':
        this.#things.set(operation[2], this.#thing<CooperativeTask>(operation[1]).whenDone());
        return;
      case 'pauseTask':
        this.#thing<CooperativeTask>(operation[1]).pause();
        return;
      case 'resume':
        this.#thing<CooperativeTask>(operation[1]).resume();
        return;
      case 'begin':
        this.#thing<Cooperator>(operation[1]).start();
        return;
      default:
        throw new Error(`There is no operation ${operation[0]}`);
    }
  }

  #runCoroutine(label: string, steps: readonly CoroutineStep[]): Deferred<unknown> {
    return inlineCallbacks(function* (this: Interpreter): Generator<unknown, unknown> {
      for (const step of steps) {
        if (step[0] === 'return') return step[1];
        yield* this.#take(label, step);
      }
      return undefined;
    }).call(this);
  }

  *#take(label: string, step: CoroutineStep): Generator<unknown, void> {
    if (step[0] === 'return') throw new Error('A coroutine returns outside of try');
    if (step[0] !== 'try') {
      const received: unknown = yield this.#end(step);
      this.#say(`${label} got ${show(received)}`);
      return;
    }
    const [, ...tried] = step;
    try {
      for (const inner of tried) yield* this.#take(label, inner);
    } catch (error) {
      this.#say(`${label} caught ${describeError(error)}`);
    }
  }

  #newDeferred(name: string, canceller?: 'idle' | 'callback' | 'errback' | 'raise'): Deferred<unknown> {
    if (canceller === undefined) return new Deferred<unknown>();
    return new Deferred<unknown>((deferred) => {
      this.#say(`cancelling ${name}`);
      if (canceller === 'callback') deferred.callback('cancelled');
      if (canceller === 'errback') deferred.errback(new Boom('cancelled'));
      if (canceller === 'raise') throw new Boom('canceller');
    });
  }

  #add(deferred: Deferred<unknown>, side: Side, fn: (received?: unknown) => unknown): void {
    if (side === 'callback') deferred.addCallback(fn);
    else if (side === 'errback') deferred.addErrback(fn);
    else deferred.addBoth(fn);
  }

  #newCooperator(steps: number, started: boolean): Cooperator {
    return new Cooperator(this.#clock, {
      started,
      terminationPredicateFactory: () => {
        let left = steps;
        return () => (left -= 1) === 0;
      },
      scheduler: (slice) => this.#clock.callLater(1, slice),
    });
  }
}

/** The trace of a script: what its functions were called with, what its operations threw, and the unhandled errors. */
export function runOnRopewalk(script: Script): string[] {
  return new Interpreter().run(script);
}
