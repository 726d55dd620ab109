import { expect } from 'chai';
import { spy } from 'sinon';
import { AlreadyCalledError, CancelledError, Deferred, Failure, fail, succeed } from 'ropewalk/core';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';

/** What the chain of `deferred` has come to; errors as the error itself. */
function results(deferred: Deferred<unknown>): unknown[] {
  const seen: unknown[] = [];
  deferred.addBoth((result) => {
    seen.push(result instanceof Failure ? result.value : result);
  });
  return seen;
}

describe('Deferred: cancel', () => {
  describe('without a canceller', () => {
    it('fails with CancelledError', () => {
      const deferred = new Deferred<number>();
      const seen = results(deferred);
      deferred.cancel();
      expect(seen).to.have.length(1);
      expect(seen[0]).to.be.instanceOf(CancelledError);
    });

    for (const method of ['callback', 'errback'] as const) {
      it(`drops one ${method} that comes after all, and refuses the next`, () => {
        const deferred = new Deferred<unknown>();
        const seen = results(deferred);
        deferred.cancel();
        deferred[method](new Error('late'));
        expect(() => deferred[method](new Error('later'))).to.throw(AlreadyCalledError);
        expect(seen).to.have.length(1);
      });
    }

    it('drops one result that comes by way of chainDeferred', () => {
      const deferred = new Deferred<number>();
      const seen = results(deferred);
      deferred.cancel();
      expect(results(succeed(1).chainDeferred(deferred))).to.deep.equal([undefined]);
      expect(results(succeed(2).chainDeferred(deferred))[0]).to.be.instanceOf(AlreadyCalledError);
      expect(seen).to.have.length(1);
    });
  });

  describe('with a canceller', () => {
    it('calls it with the Deferred, then fails with CancelledError', () => {
      const canceller = spy();
      const deferred = new Deferred<number>(canceller);
      const seen = results(deferred);
      deferred.cancel();
      expect(canceller.args).to.deep.equal([[deferred]]);
      expect(seen[0]).to.be.instanceOf(CancelledError);
    });

    it('refuses the first result that comes after all', () => {
      const deferred = new Deferred<number>(() => undefined);
      results(deferred);
      deferred.cancel();
      expect(() => deferred.callback(1)).to.throw(AlreadyCalledError);
    });

    it('keeps the value or the error the canceller fires it with', () => {
      const error = new Error('gave up');
      const cancelled = new Deferred<string>((deferred) => deferred.callback('partial'));
      const failed = new Deferred<string>((deferred) => deferred.errback(error));
      cancelled.cancel();
      failed.cancel();
      expect(results(cancelled)).to.deep.equal(['partial']);
      expect(results(failed)).to.deep.equal([error]);
    });

    it('fails with what the canceller throws, and does not throw itself', () => {
      const error = new Error('canceller broke');
      const deferred = new Deferred<number>(() => {
        throw error;
      });
      deferred.cancel();
      expect(results(deferred)).to.deep.equal([error]);
    });

    it('reports what the canceller throws after it fired the Deferred', () => {
      const collector = new UnhandledErrorCollector();
      const previous = setTurnSink(collector);
      try {
        const deferred = new Deferred<number>((self) => {
          self.callback(1);
          throw new Error('afterwards');
        });
        deferred.cancel();
        expect(results(deferred)).to.deep.equal([1]);
      } finally {
        setTurnSink(previous);
      }
      expect(collector.takeUnhandled().map(({ failure }) => failure.getErrorMessage())).to.deep.equal(['afterwards']);
    });

    it('is not called again by a cancel from inside it', () => {
      let calls = 0;
      const deferred = new Deferred<number>((self) => {
        calls += 1;
        expect(self.called).to.be.false;
        self.cancel();
      });
      deferred.cancel();
      deferred.cancel();
      expect(calls).to.equal(1);
      expect(results(deferred)[0]).to.be.instanceOf(CancelledError);
    });
  });

  it('does nothing once it has fired', () => {
    const canceller = spy();
    const deferred = new Deferred<number>(canceller);
    deferred.callback(1);
    deferred.cancel();
    expect(results(deferred)).to.deep.equal([1]);
    expect(canceller.called).to.be.false;
    const failed = fail(new Error('no'));
    failed.cancel();
    expect((results(failed)[0] as Error).message).to.equal('no');
  });

  it('does nothing from inside a callback', () => {
    const deferred = new Deferred<number>();
    deferred.addCallback((value) => {
      deferred.cancel();
      return value;
    });
    deferred.callback(1);
    expect(results(deferred)).to.deep.equal([1]);
  });

  it('cancels the inner Deferred it waits for, whose error then comes out', () => {
    const canceller = spy();
    const inner = new Deferred<number>(canceller);
    const outer = succeed(0).addCallback(() => inner);
    outer.cancel();
    expect(canceller.calledOnceWithExactly(inner)).to.be.true;
    expect(results(outer)[0]).to.be.instanceOf(CancelledError);
    expect(results(inner)).to.deep.equal([undefined]);
  });

  it('takes the value an inner canceller gives instead', () => {
    const inner = new Deferred<number>((self) => self.callback(9));
    const outer = succeed(0).addCallback(() => inner);
    outer.cancel();
    expect(results(outer)).to.deep.equal([9]);
  });

  it('reaches an inner Deferred at any depth', () => {
    const canceller = spy();
    const innermost = new Deferred<number>(canceller);
    const inner = succeed(0).addCallback(() => innermost);
    const outer = succeed(0).addCallback(() => inner);
    outer.cancel();
    expect(canceller.calledOnce).to.be.true;
    expect(results(outer)[0]).to.be.instanceOf(CancelledError);
  });

  it('leaves the chain free to recover', () => {
    const deferred = new Deferred<string>();
    const seen = results(
      deferred.addErrback((failure) => {
        failure.trap(CancelledError);
        return 'recovered';
      }),
    );
    deferred.cancel();
    expect(seen).to.deep.equal(['recovered']);
  });

  it('fails a Deferred that is paused when it is released', () => {
    const deferred = new Deferred<number>();
    deferred.pause();
    const seen = results(deferred);
    deferred.cancel();
    expect(seen).to.be.empty;
    deferred.unpause();
    expect(seen[0]).to.be.instanceOf(CancelledError);
  });

  it('ends a ring of Deferreds that wait for one another', () => {
    const one = new Deferred<unknown>();
    const other = new Deferred<unknown>();
    one.addCallback(() => other);
    other.addCallback(() => one);
    one.callback(1);
    other.callback(2);
    const seen = [results(one), results(other)];
    expect(seen).to.deep.equal([[], []]);
    one.cancel();
    // The other one waits for the one cancelled, and so takes its error.
    expect(seen[0]).to.deep.equal([undefined]);
    expect(seen[1]?.[0]).to.be.instanceOf(CancelledError);
  });
});
