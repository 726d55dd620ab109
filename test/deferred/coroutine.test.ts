import { expect } from 'chai';
import { spy } from 'sinon';
import {
  CancelledError,
  Deferred,
  Failure,
  NotACoroutineError,
  ensureDeferred,
  fail,
  inlineCallbacks,
  succeed,
} from 'ropewalk/core';
import { results } from './results.ts';

/** A generator that throws what it is thrown, after `log`ging it, and returns what it was given otherwise. */
const waitFor = inlineCallbacks(function* (source: unknown) {
  return yield source;
});

describe('inlineCallbacks', () => {
  it('runs synchronously until it has to wait, and on from there inside callback()', () => {
    const events: string[] = [];
    const source = new Deferred<number>();
    const run = inlineCallbacks(function* (name: string) {
      events.push(`${name} begins`);
      const value = yield* source;
      events.push(`${name} got ${String(value)}`);
      return value * 2;
    });
    const seen = results(run('it'));
    expect(events).to.deep.equal(['it begins']);
    source.callback(21);
    expect(events).to.deep.equal(['it begins', 'it got 21']);
    expect(seen).to.deep.equal([42]);
  });

  it('passes on `this` and every argument', () => {
    class Account {
      readonly balance = 5;
      readonly after = inlineCallbacks(function* (this: Account, one: number, other: number) {
        return this.balance + one + (yield* succeed(other));
      });
    }
    expect(results(new Account().after(1, 2))).to.deep.equal([8]);
  });

  it('gives back at once what is no Deferred or promise', () => {
    const given: unknown[] = [1, undefined, null, 'text', { then: 'no function' }, [succeed(1)]];
    const received: unknown[] = [];
    const run = inlineCallbacks(function* () {
      for (const value of given) received.push(yield value);
    });
    expect(results(run())).to.deep.equal([undefined]);
    expect(received).to.deep.equal(given);
  });

  it('throws the error itself at the yield, where it can be caught', () => {
    const error = new RangeError('no');
    expect(results(waitFor(fail(error)))).to.deep.equal([error]);
    const catching = inlineCallbacks(function* () {
      try {
        yield* fail(error);
      } catch (caught) {
        return caught;
      }
      return 'nothing was thrown';
    });
    expect(results(catching())).to.deep.equal([error]);
  });

  it('fails with what the generator throws, and with a Failure it returns', () => {
    const error = new Error('thrown');
    const throwing = inlineCallbacks(function* (): Generator<unknown, number, unknown> {
      throw error;
    });
    const returning = inlineCallbacks(function* () {
      return new Failure(error);
    });
    expect([results(throwing()), results(returning())]).to.deep.equal([[error], [error]]);
  });

  it('waits for a Deferred or a promise that the generator returns', async () => {
    const inner = new Deferred<string>();
    const seen = results(ensureDeferred((function* () { return inner; })())); // prettier-ignore
    expect(seen).to.be.empty;
    inner.callback('later');
    expect(seen).to.deep.equal(['later']);
    expect(await ensureDeferred((function* () { return Promise.resolve('promised'); })())).to.equal('promised'); // prettier-ignore
  });

  it('waits for promises, resolved and rejected', async () => {
    const error = new Error('rejected');
    expect(await waitFor(Promise.resolve(5))).to.equal(5);
    expect(await waitFor(Promise.reject(error)).addErrback((failure) => failure.value)).to.equal(error);
  });

  it('does not run while what it waits for is paused', () => {
    const source = succeed(1);
    source.pause();
    const seen = results(waitFor(source));
    expect(seen).to.be.empty;
    source.unpause();
    expect(seen).to.deep.equal([1]);
  });

  it('takes the result out of what it waited for', () => {
    const source = succeed(1);
    results(waitFor(source));
    expect(results(source)).to.deep.equal([undefined]);
  });

  it('runs 100,000 yields of fired Deferreds and of plain values without using up the stack', () => {
    const count = inlineCallbacks(function* () {
      let sum = 0;
      for (let index = 0; index < 100_000; index += 1) sum += yield* succeed(1);
      for (let index = 0; index < 100_000; index += 1) yield index;
      return sum;
    });
    expect(results(count())).to.deep.equal([100_000]);
  });

  it('unwinds 50,000 coroutines that wait for one another without using up the stack', () => {
    const source = new Deferred<number>();
    const addOne = inlineCallbacks(function* (inner: Deferred<number>) {
      return (yield* inner) + 1;
    });
    const passOn = inlineCallbacks(function* (inner: Deferred<number>) {
      yield undefined;
      return inner;
    });
    let outermost: Deferred<number> = source;
    for (let depth = 0; depth < 25_000; depth += 1) outermost = passOn(addOne(outermost));
    const seen = results(outermost);
    source.callback(0);
    expect(seen).to.deep.equal([25_000]);
  });

  it('runs finally blocks', () => {
    const events: string[] = [];
    const source = new Deferred<number>();
    const run = inlineCallbacks(function* () {
      try {
        yield* source;
      } finally {
        events.push('finally');
      }
    });
    const deferred = run();
    deferred.cancel();
    expect(events).to.deep.equal(['finally']);
    expect(results(deferred)[0]).to.be.instanceOf(CancelledError);
  });

  it('fails when it waits for itself', () => {
    const source = new Deferred<number>();
    const run = inlineCallbacks(function* (): Generator<unknown, unknown, unknown> {
      yield* source;
      return yield self;
    });
    const self: Deferred<unknown> = run();
    source.callback(1);
    expect(results(self)[0]).to.be.instanceOf(TypeError);
  });

  it('throws for what is no generator function', () => {
    const notGenerator = (() => 5) as unknown as () => Generator<unknown, number, unknown>;
    expect(() => inlineCallbacks(notGenerator)()).to.throw(NotACoroutineError);
    expect(() => inlineCallbacks(undefined as unknown as typeof notGenerator)).to.throw(TypeError);
  });

  describe('cancelled', () => {
    it('cancels what it waits for, and fails with what the generator lets through', () => {
      const canceller = spy();
      const source = new Deferred<number>(canceller);
      const deferred = waitFor(source);
      deferred.cancel();
      expect(canceller.calledOnceWithExactly(source)).to.be.true;
      expect(results(deferred)[0]).to.be.instanceOf(CancelledError);
    });

    it('succeeds with what the generator returns after it caught the error', () => {
      const run = inlineCallbacks(function* () {
        try {
          return yield* new Deferred<string>();
        } catch {
          return 'recovered';
        }
      });
      const deferred = run();
      deferred.cancel();
      expect(results(deferred)).to.deep.equal(['recovered']);
    });

    it('may go on to wait for something else, and can be cancelled there again', () => {
      const [first, second, third] = [new Deferred<number>(), new Deferred<number>(), new Deferred<number>()];
      const stubborn = inlineCallbacks(function* () {
        for (const source of [first, second]) {
          try {
            yield* source;
          } catch {
            // Goes on regardless.
          }
        }
        return yield* third;
      });
      const deferred = stubborn();
      const seen = results(deferred);
      deferred.cancel();
      expect([first.called, second.called, seen]).to.deep.equal([true, false, []]);
      deferred.cancel();
      expect([second.called, third.called, seen]).to.deep.equal([true, false, []]);
      third.callback(3);
      expect(seen).to.deep.equal([3]);
    });

    it('keeps callbacks in order, those added after the cancel too', () => {
      const second = new Deferred<string>();
      const stubborn = inlineCallbacks(function* () {
        try {
          yield* new Deferred<number>();
        } catch {
          return yield* second;
        }
        return 'not cancelled';
      });
      const events: string[] = [];
      const deferred = stubborn();
      deferred.addCallback((value) => {
        events.push(`before: ${value}`);
        return value;
      });
      deferred.cancel();
      deferred.addCallback((value) => events.push(`after: ${value}`));
      second.callback('done');
      expect(events).to.deep.equal(['before: done', 'after: done']);
    });

    it('from inside a step reaches what is waited for next', () => {
      const [first, second] = [new Deferred<number>(), new Deferred<number>()];
      const run = inlineCallbacks(function* () {
        yield* first;
        self.cancel();
        yield* second;
      });
      const self: Deferred<unknown> = run();
      const seen = results(self);
      first.callback(1);
      expect(second.called).to.be.true;
      expect(seen[0]).to.be.instanceOf(CancelledError);
    });

    it('from inside the last step changes nothing', () => {
      const first = new Deferred<number>();
      const run = inlineCallbacks(function* (): Generator<unknown, string, unknown> {
        yield* first;
        self.cancel();
        return 'done';
      });
      const self: Deferred<string> = run();
      const seen = results(self);
      first.callback(1);
      expect(seen).to.deep.equal(['done']);
    });

    it('cancels what the generator has returned', () => {
      const inner = new Deferred<number>();
      const deferred = ensureDeferred((function* () { return inner; })()); // prettier-ignore
      const seen = results(deferred);
      deferred.cancel();
      expect(inner.called).to.be.true;
      expect(seen[0]).to.be.instanceOf(CancelledError);
    });

    it('reaches the innermost of coroutines that wait for one another', () => {
      const source = new Deferred<number>();
      const deferred = waitFor(waitFor(waitFor(source)));
      deferred.cancel();
      expect(source.called).to.be.true;
      expect(results(deferred)[0]).to.be.instanceOf(CancelledError);
    });

    it('does not wait for a promise', async () => {
      const deferred = waitFor(new Promise(() => undefined));
      deferred.cancel();
      expect(results(deferred)[0]).to.be.instanceOf(CancelledError);
    });
  });
});

describe('ensureDeferred', () => {
  it('runs a generator, waits for a promise, and returns a Deferred as it is', async () => {
    const generate = function* (): Generator<unknown, number, unknown> {
      return (yield* succeed(1)) + 1;
    };
    expect(results(ensureDeferred(generate()))).to.deep.equal([2]);
    expect(await ensureDeferred((async () => 'async')())).to.equal('async');
    const deferred = new Deferred<number>();
    expect(ensureDeferred(deferred)).to.equal(deferred);
  });

  it('throws NotACoroutineError for anything else', () => {
    for (const wrong of [5, undefined, null, {}, () => 1, [succeed(1)]] as unknown[]) {
      expect(() => ensureDeferred(wrong as Promise<number>)).to.throw(NotACoroutineError);
    }
  });
});
