import { expect } from 'chai';
import { spy } from 'sinon';
import { CancelledError, Deferred, abortOnCancel, cancelOnAbort, succeed } from 'ropewalk/core';
import { results } from './results.ts';

/** A signal that counts who listens to it. */
function countedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const listening = new Set<unknown>();
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: 'abort', listener: () => void) => {
    listening.add(listener);
    add(type, listener);
  };
  signal.removeEventListener = (type: 'abort', listener: () => void) => {
    listening.delete(listener);
    remove(type, listener);
  };
  return { controller, listeners: () => listening.size };
}

describe('cancelOnAbort', () => {
  it('cancels when the signal aborts, with its reason as the cause', () => {
    const { controller, listeners } = countedSignal();
    const canceller = spy();
    const seen = results(cancelOnAbort(new Deferred<number>(canceller), controller.signal));
    expect([listeners(), seen]).to.deep.equal([1, []]);
    controller.abort('enough');
    expect(canceller.callCount).to.equal(1);
    expect(seen[0]).to.be.instanceOf(CancelledError);
    expect((seen[0] as Error).cause).to.equal('enough');
    expect(listeners()).to.equal(0);
  });

  it('cancels at once when the signal has aborted', () => {
    const { controller, listeners } = countedSignal();
    controller.abort('before');
    const [error] = results(cancelOnAbort(new Deferred<number>(), controller.signal));
    expect(error).to.be.instanceOf(CancelledError);
    expect([(error as Error).cause, listeners()]).to.deep.equal(['before', 0]);
  });

  it('stops listening when the result is there, whatever it is', () => {
    const { controller, listeners } = countedSignal();
    const deferreds = Array.from({ length: 9 }, () => cancelOnAbort(new Deferred<number>(), controller.signal));
    deferreds.forEach(results);
    expect(listeners()).to.equal(9);
    deferreds.forEach((deferred, index) => {
      if (index % 3 === 0) deferred.callback(1);
      else if (index % 3 === 1) deferred.errback(new Error('no'));
      else deferred.cancel();
    });
    expect(listeners()).to.equal(0);
    cancelOnAbort(succeed(1), controller.signal);
    expect(listeners()).to.equal(0);
  });

  it('leaves alone what has its own cause, or is no cancellation', () => {
    const signal = AbortSignal.abort('signal');
    const own = new CancelledError('mine', { cause: 'mine' });
    const other = new RangeError('other');
    expect(results(cancelOnAbort(new Deferred<number>((self) => self.errback(own)), signal))).to.deep.equal([own]);
    expect(results(cancelOnAbort(new Deferred<number>((self) => self.errback(other)), signal))).to.deep.equal([other]);
    expect(results(cancelOnAbort(succeed(1), signal))).to.deep.equal([1]);
  });

  it('does nothing without a signal', () => {
    const deferred = new Deferred<number>();
    expect(cancelOnAbort(deferred, undefined)).to.equal(deferred);
    deferred.callback(1);
    expect(results(deferred)).to.deep.equal([1]);
  });
});

describe('abortOnCancel', () => {
  it('aborts the signal of work that is a promise, and fails at once', () => {
    let signal: AbortSignal | undefined;
    const deferred = abortOnCancel((given) => {
      signal = given;
      return new Promise<string>(() => undefined);
    });
    const seen = results(deferred);
    expect(signal?.aborted).to.be.false;
    deferred.cancel();
    expect(signal?.aborted).to.be.true;
    expect(signal?.reason).to.be.instanceOf(CancelledError);
    expect(seen[0]).to.be.instanceOf(CancelledError);
  });

  it('drops what the promise comes to afterwards', async () => {
    const work = Promise.reject(new Error('aborted'));
    const deferred = abortOnCancel(() => work);
    const seen = results(deferred);
    deferred.cancel();
    await work.catch(() => undefined);
    expect(seen).to.have.length(1);
  });

  it('cancels work that is a Deferred after the signal, and takes what that makes of it', () => {
    const events: string[] = [];
    const deferred = abortOnCancel((signal) => {
      signal.addEventListener('abort', () => events.push('aborted'));
      return new Deferred<string>((self) => {
        events.push('cancelled');
        self.callback('partial');
      });
    });
    deferred.cancel();
    expect(events).to.deep.equal(['aborted', 'cancelled']);
    expect(results(deferred)).to.deep.equal(['partial']);
  });

  it('passes results and errors, and then does not abort', async () => {
    let signal: AbortSignal | undefined;
    const keep = (given: AbortSignal): number => {
      signal = given;
      return 1;
    };
    const deferred = abortOnCancel(keep);
    deferred.cancel();
    expect([results(deferred), signal?.aborted]).to.deep.equal([[1], false]);
    const error = new Error('no');
    const throws = (): never => {
      throw error;
    };
    expect(results(abortOnCancel(throws))).to.deep.equal([error]);
    expect(await abortOnCancel(async () => 'async')).to.equal('async');
  });

  it('goes with cancelOnAbort from one signal to another', () => {
    const { controller, listeners } = countedSignal();
    let inner: AbortSignal | undefined;
    const work = abortOnCancel((signal) => {
      inner = signal;
      return new Promise<string>(() => undefined);
    });
    const seen = results(cancelOnAbort(work, controller.signal));
    controller.abort('outside');
    expect(inner?.aborted).to.be.true;
    expect([(seen[0] as Error).cause, listeners()]).to.deep.equal(['outside', 0]);
  });
});
