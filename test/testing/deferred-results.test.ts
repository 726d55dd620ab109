import { expect } from 'chai';
import { Deferred, fail, succeed } from 'ropewalk';
import { assertNoResult, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';

class Odd extends Error {}
class Other extends Error {}

describe('successResultOf', () => {
  it('gives the value, which stays', () => {
    const deferred = succeed('value');
    expect(successResultOf(deferred)).to.equal('value');
    expect(successResultOf(deferred)).to.equal('value');
    const seen: string[] = [];
    deferred.addCallback((value) => {
      seen.push(value);
    });
    expect(seen).to.deep.equal(['value']);
  });

  it('refuses what is no Deferred', () => {
    // @ts-expect-error: what a program without types may do
    expect(() => successResultOf(undefined)).to.throw(TypeError, 'successResultOf takes a Deferred; got undefined');
    const promise: unknown = Promise.resolve(1);
    // @ts-expect-error: what a program without types may do
    expect(() => successResultOf(promise)).to.throw(TypeError, /got .*Promise.*advanceAsync/);
  });

  it('throws for a failure, with the error as cause, and counts it as handled', () => {
    const error = new Odd('boom');
    const deferred = fail(error);
    expect(() => successResultOf(deferred))
      .to.throw(Error, /Success expected, but the Deferred failed: .*boom/)
      .with.property('cause', error);
    expect(failureResultOf(deferred).value).to.equal(error);
  });

  it('throws when there is no result, and does not take the one that comes later', () => {
    const deferred = new Deferred<string>();
    expect(() => successResultOf(deferred)).to.throw('no result yet');
    deferred.callback('late');
    expect(successResultOf(deferred)).to.equal('late');
  });

  it('throws when the chain waits for another result', () => {
    const inner = new Deferred<string>();
    const deferred = succeed(1).addCallback<string>(() => inner);
    expect(() => successResultOf(deferred)).to.throw('no result yet');
    inner.callback('there');
    expect(successResultOf(deferred)).to.equal('there');
  });
});

describe('failureResultOf', () => {
  it('gives the failure, of any type or of those named', () => {
    const error = new Odd('boom');
    expect(failureResultOf(fail(error)).value).to.equal(error);
    expect(failureResultOf(fail(error), Other, Odd).value).to.equal(error);
  });

  it('leaves the failure in its place, but handled', () => {
    const reactor = new TestReactor();
    const error = new Odd('boom');
    const deferred = new Deferred<string>();
    reactor.callLater(0, () => deferred.errback(error));
    reactor.advance(0);
    expect(reactor.errors).to.have.length(1);
    expect(failureResultOf(deferred).value).to.equal(error);
    expect(failureResultOf(deferred).value).to.equal(error);
    reactor.advance(1);
    reactor.assertClean();
    expect(successResultOf(deferred.addErrback((failure) => failure.value.message))).to.equal('boom');
  });

  it('refuses what is no Deferred', () => {
    const error: unknown = new Odd('boom');
    // @ts-expect-error: what a program without types may do
    expect(() => failureResultOf(error)).to.throw(TypeError, 'failureResultOf takes a Deferred; got an object');
    // @ts-expect-error: what a program without types may do
    expect(() => assertNoResult('text')).to.throw(TypeError, 'assertNoResult takes a Deferred');
  });

  it('throws for another type, a value, or no result', () => {
    expect(() => failureResultOf(fail(new Odd('boom')), Other)).to.throw(
      /A failure of type Other expected, but the Deferred failed otherwise: .*boom/,
    );
    expect(() => failureResultOf(succeed('fine'))).to.throw('A failure expected, but the Deferred has a value: "fine"');
    const pending = new Deferred<string>();
    expect(() => failureResultOf(pending, Odd, Other)).to.throw('A failure of type Odd or Other expected');
    pending.errback(new Odd('late'));
    expect(failureResultOf(pending).value).to.be.instanceOf(Odd);
  });
});

describe('assertNoResult', () => {
  it('leaves a Deferred without result as it was', () => {
    const deferred = new Deferred<number>();
    assertNoResult(deferred);
    const seen: number[] = [];
    deferred.addCallback((value) => {
      seen.push(value);
      return value;
    });
    deferred.callback(3);
    expect(seen).to.deep.equal([3]);
    expect(successResultOf(deferred)).to.equal(3);
  });

  it('lets a failure that comes later through', () => {
    const deferred = new Deferred<number>();
    assertNoResult(deferred);
    deferred.errback(new Odd('late'));
    expect(failureResultOf(deferred).value).to.be.instanceOf(Odd);
  });

  it('throws for a value, which stays, and for a failure, which counts as handled', () => {
    const deferred = succeed(3);
    expect(() => assertNoResult(deferred)).to.throw('No result expected, but the Deferred has a value: 3');
    expect(successResultOf(deferred)).to.equal(3);

    const reactor = new TestReactor();
    const failed = new Deferred<void>();
    reactor.callLater(0, () => failed.errback(new Odd('boom')));
    reactor.advance(0);
    expect(() => assertNoResult(failed)).to.throw(/No result expected, but the Deferred failed: .*boom/);
    reactor.assertClean();
    expect(failureResultOf(failed, Odd).value.message).to.equal('boom');
  });
});
