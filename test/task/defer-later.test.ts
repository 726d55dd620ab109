import { expect } from 'chai';
import { CancelledError, Deferred, deferLater } from 'ropewalk/core';
import { assertNoResult, Clock, failureResultOf, successResultOf } from 'ropewalk/testing';

describe('deferLater', () => {
  it('calls the function with the arguments when the time has come, and fires with what it returns', () => {
    const clock = new Clock();
    const sum = deferLater(clock, 2, (a: number, b: number) => a + b, 3, 4);
    clock.advance(1.5);
    assertNoResult(sum);
    clock.advance(0.5);
    expect(successResultOf(sum)).to.equal(7);
  });

  it('fires with undefined without a function', () => {
    const clock = new Clock();
    const seen: unknown[] = [];
    deferLater(clock, 1).addCallback((value) => void seen.push(value));
    clock.advance(1);
    expect(seen).to.deep.equal([undefined]);
  });

  it('waits for the Deferred that the function returns', () => {
    const clock = new Clock();
    const inner = new Deferred<string>();
    const outer: Deferred<string> = deferLater(clock, 1, () => inner);
    clock.advance(1);
    assertNoResult(outer);
    inner.callback('there');
    expect(successResultOf(outer)).to.equal('there');
  });

  it('fails with what the function throws', () => {
    const clock = new Clock();
    const outcome = deferLater(clock, 1, () => {
      throw new RangeError('no');
    });
    clock.advance(1);
    expect(failureResultOf(outcome, RangeError).getErrorMessage()).to.equal('no');
  });

  it('cancels the delayed call when it is cancelled', () => {
    const clock = new Clock();
    let isCalled = false;
    const outcome = deferLater(clock, 1, () => {
      isCalled = true;
    });
    outcome.cancel();
    expect(clock.getDelayedCalls()).to.deep.equal([]);
    expect(failureResultOf(outcome, CancelledError)).to.be.an('object');
    clock.advance(2);
    expect(isCalled).to.equal(false);
  });

  it('cancels what the function has returned when it is cancelled later', () => {
    const clock = new Clock();
    let isCancelled = false;
    const inner = new Deferred<string>(() => {
      isCancelled = true;
    });
    const outer = deferLater(clock, 1, () => inner);
    clock.advance(1);
    outer.cancel();
    expect(isCancelled).to.equal(true);
    expect(failureResultOf(outer, CancelledError)).to.be.an('object');
  });

  it('throws for what can be no delay or no function, and schedules nothing', () => {
    const clock = new Clock();
    expect(() => deferLater(clock, -1)).to.throw(RangeError);
    expect(() => deferLater(clock, NaN)).to.throw(RangeError);
    expect(() => deferLater(clock, 1, 'fn' as never)).to.throw(TypeError);
    expect(clock.getDelayedCalls()).to.deep.equal([]);
  });
});
