import { expect, use } from 'chai';
import { ConnectionDone, ConnectionLost, Deferred, Failure, succeed } from 'ropewalk';
import { successResultOf, TestReactor } from 'ropewalk/testing';
import { ropewalkChai } from 'ropewalk/testing/chai';

use(ropewalkChai);

describe('failureOf', () => {
  it('accepts a Failure of one of the types, or of any', () => {
    const failure = new Failure(new ConnectionDone());
    expect(failure).to.be.failureOf(ConnectionDone);
    expect(failure).to.be.failureOf(ConnectionLost, ConnectionDone);
    expect(failure).to.be.failureOf();
    expect(failure).not.to.be.failureOf(ConnectionLost);
  });

  it('says what it expected and what it found', () => {
    expect(() => expect(new Failure(new ConnectionDone())).to.be.failureOf(ConnectionLost, TypeError)).to.throw(
      'expected a failure of ConnectionLost or TypeError but found [Failure instance: Traceback (failure with no frames): ' +
        'ConnectionDone: Connection was closed cleanly.]',
    );
    expect(() => expect(undefined).to.be.failureOf(ConnectionDone)).to.throw(
      'expected a failure of ConnectionDone but found Undefined',
    );
    expect(() => expect(new ConnectionDone()).to.be.failureOf(ConnectionDone)).to.throw('found Error');
    expect(() => expect(new Failure(new ConnectionDone())).not.to.be.failureOf(ConnectionDone)).to.throw(
      'expected no failure of ConnectionDone but found',
    );
    expect(() => expect(undefined, 'the reason').to.be.failureOf()).to.throw(
      'the reason: expected a failure of any error',
    );
  });

  it('looks at the failure of a Deferred, which counts as handled', () => {
    const reactor = new TestReactor();
    const deferred = new Deferred<void>();
    reactor.callLater(0, () => deferred.errback(new TypeError('boom')));
    reactor.advance(0);
    expect(reactor.errors).to.have.length(1);
    expect(deferred).to.be.failureOf(TypeError);
    expect(deferred).to.be.failureOf(TypeError);
    reactor.assertClean();
  });

  it('refuses a Deferred that has a value or no result, and leaves it usable', () => {
    const fired = succeed(3);
    expect(() => expect(fired).to.be.failureOf(TypeError)).to.throw('found a Deferred that has a value');
    expect(successResultOf(fired)).to.equal(3);
    const pending = new Deferred<number>();
    expect(() => expect(pending).to.be.failureOf(TypeError)).to.throw('found a Deferred that has no result yet');
    pending.errback(new TypeError('late'));
    expect(pending).to.be.failureOf(TypeError);
  });
});
