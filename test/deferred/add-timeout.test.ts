import { expect } from 'chai';
import { spy } from 'sinon';
import { CancelledError, Deferred, Failure, TimeoutError, succeed } from 'ropewalk/core';
import { Clock } from 'ropewalk/testing';
import { results } from './results.ts';

describe('Deferred: addTimeout', () => {
  let clock: Clock;
  beforeEach(() => {
    clock = new Clock();
  });

  it('cancels when the time is up, and makes the error a TimeoutError', () => {
    const canceller = spy();
    const seen = results(new Deferred<number>(canceller).addTimeout(5, clock));
    clock.advance(4.9);
    expect([seen, canceller.callCount]).to.deep.equal([[], 0]);
    clock.advance(0.1);
    expect(canceller.callCount).to.equal(1);
    const error = seen[0];
    expect(error).to.be.instanceOf(TimeoutError);
    if (!(error instanceof TimeoutError)) return;
    expect([error.code, error.timeoutSeconds]).to.deep.equal(['ERR_TIMEOUT', 5]);
    expect(error.message).to.equal('The Deferred had no result after 5 seconds');
    expect(error.cause).to.be.instanceOf(CancelledError);
  });

  it('passes a result that comes in time, and takes its delayed call back at once', () => {
    const error = new Error('no');
    const deferreds = [new Deferred<number>(), new Deferred<number>()] as const;
    const seen = deferreds.map((deferred) => results(deferred.addTimeout(5, clock)));
    expect(clock.getDelayedCalls()).to.have.length(2);
    deferreds[0].callback(1);
    deferreds[1].errback(error);
    expect(seen).to.deep.equal([[1], [error]]);
    expect(clock.getDelayedCalls()).to.be.empty;
  });

  it('leaves no delayed call for a Deferred that has fired', () => {
    expect(results(succeed(1).addTimeout(5, clock))).to.deep.equal([1]);
    expect(clock.getDelayedCalls()).to.be.empty;
  });

  it('covers callbacks added before it, and not those after', () => {
    const [before, after] = [new Deferred<number>(), new Deferred<number>()];
    const seenBefore = results(
      succeed(0)
        .addCallback(() => before)
        .addTimeout(1, clock),
    );
    const seenAfter = results(
      succeed(0)
        .addTimeout(1, clock)
        .addCallback(() => after),
    );
    clock.advance(2);
    expect(seenBefore[0]).to.be.instanceOf(TimeoutError);
    expect(seenAfter).to.be.empty;
  });

  it('leaves a cancellation by someone else a CancelledError', () => {
    const deferred = new Deferred<number>().addTimeout(5, clock);
    deferred.cancel();
    expect(results(deferred)[0]).to.be.instanceOf(CancelledError);
    expect(clock.getDelayedCalls()).to.be.empty;
  });

  it('leaves what a canceller gives in place of the error', () => {
    const error = new RangeError('gave up');
    const value = results(new Deferred<string>((self) => self.callback('partial')).addTimeout(1, clock));
    const failure = results(new Deferred<string>((self) => self.errback(error)).addTimeout(1, clock));
    clock.advance(1);
    expect([value, failure]).to.deep.equal([['partial'], [error]]);
  });

  it('gives onTimeoutCancel the result and the time, and takes what it returns or throws', () => {
    const received: unknown[] = [];
    const replaced = results(
      new Deferred<number>().addTimeout(3, clock, (result, timeoutSeconds) => {
        received.push(result instanceof Failure ? result.value.name : result, timeoutSeconds);
        return 'instead';
      }),
    );
    const error = new Error('mine');
    const thrown = results(
      new Deferred<number>().addTimeout(3, clock, () => {
        throw error;
      }),
    );
    clock.advance(3);
    expect(received).to.deep.equal(['CancelledError', 3]);
    expect([replaced, thrown]).to.deep.equal([['instead'], [error]]);
  });

  it('does not call onTimeoutCancel when the time was not up', () => {
    const onTimeoutCancel = spy();
    const deferred = new Deferred<number>().addTimeout(3, clock, onTimeoutCancel);
    deferred.cancel();
    results(deferred);
    clock.advance(9);
    expect(onTimeoutCancel.called).to.be.false;
  });

  it('may be added twice: the shorter one counts', () => {
    const seen = results(new Deferred<number>().addTimeout(9, clock).addTimeout(2, clock));
    clock.advance(2);
    expect((seen[0] as TimeoutError).timeoutSeconds).to.equal(2);
    expect(clock.getDelayedCalls()).to.be.empty;
  });

  it('refuses times and handlers that make no sense, and leaves the chain alone', () => {
    const deferred = new Deferred<number>();
    for (const seconds of [-1, NaN, Infinity]) expect(() => deferred.addTimeout(seconds, clock)).to.throw(RangeError);
    expect(() => deferred.addTimeout(1, clock, 5 as unknown as () => number)).to.throw(TypeError, 'onTimeoutCancel');
    expect(clock.getDelayedCalls()).to.be.empty;
    deferred.callback(1);
    expect(results(deferred)).to.deep.equal([1]);
  });
});
