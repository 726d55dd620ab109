import { expectTypeOf } from 'expect-type';
import {
  type Deferred,
  DeferredLock,
  DeferredQueue,
  type Failure,
  abortOnCancel,
  ensureDeferred,
  inlineCallbacks,
  race,
  succeed,
} from 'ropewalk/core';
import { Clock } from 'ropewalk/testing';

// Checked by the compiler; at run time these only have to run.
describe('The types of coroutines and combinators', () => {
  it('give yield* the type of the value, and yield unknown', () => {
    const run = inlineCallbacks(function* (count: number, name: string) {
      const number = yield* succeed(count);
      expectTypeOf(number).toEqualTypeOf<number>();
      const text = yield* succeed(name).addCallback((value) => [value]);
      expectTypeOf(text).toEqualTypeOf<string[]>();
      const anything = yield succeed(1);
      expectTypeOf(anything).toEqualTypeOf<unknown>();
      return text.length + number;
    });
    expectTypeOf(run).parameters.toEqualTypeOf<[number, string]>();
    expectTypeOf(run(1, 'a')).toEqualTypeOf<Deferred<number>>();
    // @ts-expect-error -- the arguments of the generator function
    run('a', 1);
  });

  it('follow what the generator returns: values, Deferreds, promises and Failures', () => {
    const deferred = inlineCallbacks(function* () { return succeed('text'); }); // prettier-ignore
    expectTypeOf(deferred()).toEqualTypeOf<Deferred<string>>();
    const promise = inlineCallbacks(function* () { return Promise.resolve(1); }); // prettier-ignore
    expectTypeOf(promise()).toEqualTypeOf<Deferred<number>>();
    const nothing = inlineCallbacks(function* () {
      yield* succeed(1);
    });
    expectTypeOf(nothing()).toEqualTypeOf<Deferred<void>>();
  });

  it('follow what ensureDeferred is given', () => {
    expectTypeOf(ensureDeferred(succeed(1))).toEqualTypeOf<Deferred<number>>();
    expectTypeOf(ensureDeferred(Promise.resolve('a'))).toEqualTypeOf<Deferred<string>>();
    const generate = function* (): Generator<unknown, boolean, unknown> {
      return (yield* succeed(1)) === 1;
    };
    expectTypeOf(ensureDeferred(generate())).toEqualTypeOf<Deferred<boolean>>();
  });

  it('give race the index and any of the values', () => {
    expectTypeOf(race([succeed(1), succeed('a')])).toEqualTypeOf<Deferred<[index: number, value: number | string]>>();
    expectTypeOf(race([succeed(1)].slice())).toEqualTypeOf<Deferred<[index: number, value: number]>>();
    // @ts-expect-error -- Deferreds only
    expectTypeOf(() => race([succeed(1), 5])).toBeFunction();
  });

  it('keep the type through addTimeout, and add what its handler returns', () => {
    const clock = new Clock();
    expectTypeOf(succeed(1).addTimeout(1, clock)).toEqualTypeOf<Deferred<number>>();
    expectTypeOf(succeed(1).addTimeout(1, clock, () => 'late')).toEqualTypeOf<Deferred<number | string>>();
    succeed(1).addTimeout(1, clock, (result, seconds) => {
      expectTypeOf(result).toEqualTypeOf<number | Failure>();
      expectTypeOf(seconds).toEqualTypeOf<number>();
      return result;
    });
  });

  it('come from the work given to locks, queues and abortOnCancel', () => {
    const lock = new DeferredLock();
    expectTypeOf(lock.run((value: number) => succeed(String(value)), 1)).toEqualTypeOf<Deferred<string>>();
    expectTypeOf(lock.acquire()).toEqualTypeOf<Deferred<DeferredLock>>();
    expectTypeOf(new DeferredQueue<string>().get()).toEqualTypeOf<Deferred<string>>();
    expectTypeOf(abortOnCancel(async (signal) => signal.aborted)).toEqualTypeOf<Deferred<boolean>>();
  });
});
