import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { Deferred, DeferredList, Failure, execute, fail, gatherResults, maybeDeferred, succeed } from 'ropewalk/core';
import type { DeferredOutcome } from 'ropewalk/core';

// Checked by the compiler; at run time these only have to run.
describe('The types of Deferred', () => {
  it('follow what callbacks return: values, Deferreds, promises and Failures', () => {
    const deferred = succeed(1);
    expectTypeOf(deferred).toEqualTypeOf<Deferred<number>>();
    expectTypeOf(deferred.addCallback((value) => String(value))).toEqualTypeOf<Deferred<string>>();
    expectTypeOf(succeed(1).addCallback((value) => succeed(value))).toEqualTypeOf<Deferred<number>>();
    expectTypeOf(succeed(1).addCallback(async () => 'later')).toEqualTypeOf<Deferred<string>>();
    expectTypeOf(succeed(1).addCallback((): string | Failure => 'a')).toEqualTypeOf<Deferred<string>>();
    expectTypeOf(succeed(1).addCallback(() => undefined)).toEqualTypeOf<Deferred<undefined>>();
    expectTypeOf(succeed(1).addCallback(() => {})).toEqualTypeOf<Deferred<void>>();
  });

  it('have no value after a callback that always fails', () => {
    const failed = succeed(1).addCallback(() => new Failure(new Error('always')));
    expectTypeOf(failed).toEqualTypeOf<Deferred<never>>();
    failed.addErrback(() => undefined);
    const both = succeed(1).addBoth(() => new Failure(new Error('always')));
    expectTypeOf(both).toEqualTypeOf<Deferred<never>>();
    both.addErrback(() => undefined);
  });

  it('refuse a Deferred for a value, as the call does', () => {
    // @ts-expect-error -- a Deferred is no number
    expect(() => new Deferred<number>().callback(succeed(1))).to.throw(TypeError);
    // @ts-expect-error -- nor is a promise
    expect(() => new Deferred<number>().callback(Promise.resolve(1))).to.throw(TypeError);
  });

  it('keep the value an errback is passed by with', () => {
    expectTypeOf(succeed(1).addErrback(() => 'recovered')).toEqualTypeOf<Deferred<number | string>>();
    expectTypeOf(succeed(1).addErrback((failure) => failure)).toEqualTypeOf<Deferred<number>>();
    succeed(1).addErrback((failure) => {
      expectTypeOf(failure).toEqualTypeOf<Failure>();
    });
  });

  it('join both sides', () => {
    expectTypeOf(succeed(1).addCallbacks(String, () => true)).toEqualTypeOf<Deferred<string | boolean>>();
    expectTypeOf(succeed(1).addCallbacks(String)).toEqualTypeOf<Deferred<string>>();
    succeed(1).addBoth((result) => {
      expectTypeOf(result).toEqualTypeOf<number | Failure>();
    });
  });

  it('let a Deferred<void> fire without a value, and no other', () => {
    new Deferred<void>().callback();
    // @ts-expect-error -- a value is needed
    new Deferred<number>().callback();
    // @ts-expect-error -- of the right type
    new Deferred<number>().callback('text');
  });

  it('await to the value', async () => {
    expectTypeOf(await succeed('text')).toEqualTypeOf<string>();
    expectTypeOf(succeed(1).toPromise()).toEqualTypeOf<Promise<number>>();
    expectTypeOf<Deferred<number>>().toExtend<PromiseLike<number>>();
    expectTypeOf(Deferred.fromPromise(Promise.resolve(1))).toEqualTypeOf<Deferred<number>>();
  });

  it('widen: a Deferred of a class is one of its superclass', () => {
    expectTypeOf<Deferred<RangeError>>().toExtend<Deferred<Error>>();
    expectTypeOf<Deferred<number>>().toExtend<Deferred<unknown>>();
    expectTypeOf<Deferred<string>>().not.toExtend<Deferred<number>>();
  });

  it('give each input of gatherResults and DeferredList its own type', () => {
    const gathered = gatherResults([succeed(1), succeed('text')]);
    expectTypeOf(gathered).toEqualTypeOf<Deferred<[number, string]>>();
    expectTypeOf(gatherResults([succeed(1)].slice())).toEqualTypeOf<Deferred<number[]>>();
    new DeferredList([succeed(1), succeed('text')]).addCallback((outcomes) => {
      expectTypeOf(outcomes).toEqualTypeOf<[DeferredOutcome<number>, DeferredOutcome<string>]>();
    });
    new DeferredList([succeed(1)].slice()).addCallback((outcomes) => {
      for (const [success, result] of outcomes) {
        if (success) expectTypeOf(result).toEqualTypeOf<number>();
        else expectTypeOf(result).toEqualTypeOf<Failure>();
      }
    });
    new DeferredList([succeed(1), succeed('text')], { fireOnOneCallback: true }).addCallback((result) => {
      expectTypeOf(result).toExtend<unknown[]>();
      expectTypeOf<[string | number, number]>().toExtend<typeof result>();
    });
  });

  it('come from the function for maybeDeferred and execute', () => {
    expectTypeOf(maybeDeferred((value: number) => String(value), 1)).toEqualTypeOf<Deferred<string>>();
    expectTypeOf(maybeDeferred(() => succeed(1))).toEqualTypeOf<Deferred<number>>();
    expectTypeOf(maybeDeferred(async () => 1)).toEqualTypeOf<Deferred<number>>();
    expectTypeOf(execute(() => 1)).toEqualTypeOf<Deferred<number>>();
    // @ts-expect-error -- the argument the function needs
    maybeDeferred((value: number) => value, 'text').addErrback(() => undefined);
    fail(new Error('no')).addErrback(() => undefined);
  });

  it('tell which class a Failure was trapped as', () => {
    const failure = new Failure(new RangeError('no'));
    expectTypeOf(failure.check(RangeError, TypeError)).toEqualTypeOf<
      typeof RangeError | typeof TypeError | undefined
    >();
    expectTypeOf(failure.trap(RangeError)).toEqualTypeOf<typeof RangeError>();
  });
});
