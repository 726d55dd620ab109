import { expect } from 'chai';
import { AlreadyCalledError, Deferred, Failure, fail, succeed } from 'ropewalk/core';
import { collectGarbageUntil } from './collect-garbage.ts';

describe('Deferred: firing and running callbacks', () => {
  it('runs the callbacks inside callback(), in the order they were added, each with what the one before returned', () => {
    const seen: string[] = [];
    const deferred = new Deferred<number>();
    deferred
      .addCallback((value) => {
        seen.push(`first ${String(value)}`);
        return value + 1;
      })
      .addCallback((value) => {
        seen.push(`second ${String(value)}`);
      });
    expect(seen).to.be.empty;
    deferred.callback(1);
    expect(seen).to.deep.equal(['first 1', 'second 2']);
  });

  it('runs a callback added after firing inside the call that adds it', () => {
    const seen: number[] = [];
    succeed(7).addCallback((value) => {
      seen.push(value);
    });
    expect(seen).to.deep.equal([7]);
  });

  it('passes a result along unchanged where no link takes it', () => {
    const seen: unknown[] = [];
    succeed(1)
      .addErrback(() => 'not called')
      .addCallback((value) => {
        seen.push(value);
      });
    const error = new Error('boom');
    fail(error)
      .addCallback(() => 'not called')
      .addErrback((failure) => {
        seen.push(failure.value);
      });
    expect(seen).to.deep.equal([1, error]);
  });

  it('switches to the errback side when a callback throws, and back when an errback returns', () => {
    const seen: string[] = [];
    succeed(1)
      .addCallback(() => {
        throw new RangeError('thrown');
      })
      .addCallback(() => seen.push('not called'))
      .addErrback((failure) => {
        seen.push(failure.getErrorMessage());
        return 'recovered';
      })
      .addErrback(() => seen.push('not called'))
      .addCallback((value) => {
        seen.push(String(value));
      });
    expect(seen).to.deep.equal(['thrown', 'recovered']);
  });

  it('switches to the errback side when a callback or an errback returns a Failure', () => {
    const first = new Failure(new Error('first'));
    const second = new Failure(new Error('second'));
    const seen: Failure[] = [];
    succeed(1)
      .addCallback(() => first)
      .addErrback((failure) => {
        seen.push(failure);
        return second;
      })
      .addErrback((failure) => {
        seen.push(failure);
      });
    expect(seen).to.deep.equal([first, second]);
  });

  it('wraps what an errback throws', () => {
    const error = new Error('from the errback');
    let seen: Failure | undefined;
    fail(new Error('first'))
      .addErrback(() => {
        throw error;
      })
      .addErrback((failure) => {
        seen = failure;
      });
    expect(seen?.value).to.equal(error);
  });

  it('does not give an error thrown by the callback of a pair to the errback of the same pair', () => {
    const seen: string[] = [];
    succeed(1)
      .addCallbacks(
        () => {
          throw new Error('thrown');
        },
        () => seen.push('same pair'),
      )
      .addErrback(() => seen.push('next link'));
    expect(seen).to.deep.equal(['next link']);
  });

  it('calls one side of a pair, by how it was fired', () => {
    const sides: string[] = [];
    const pair = (deferred: Deferred<number>): unknown =>
      deferred.addCallbacks(
        (value) => sides.push(`callback ${String(value)}`),
        (failure) => sides.push(`errback ${failure.getErrorMessage()}`),
      );
    pair(succeed(1));
    pair(fail(new Error('no')));
    expect(sides).to.deep.equal(['callback 1', 'errback no']);
  });

  it('lets an error pass a pair that has no errback', () => {
    const seen: string[] = [];
    fail(new Error('on'))
      .addCallbacks(() => seen.push('not called'))
      .addErrback((failure) => seen.push(failure.getErrorMessage()));
    expect(seen).to.deep.equal(['on']);
  });

  it('gives addBoth the value or the Failure', () => {
    const failure = new Failure(new Error('no'));
    const seen: unknown[] = [];
    succeed(1).addBoth((result) => seen.push(result));
    fail(failure).addBoth((result) => seen.push(result));
    expect(seen).to.deep.equal([1, failure]);
  });

  it('returns the same object from every method that adds', () => {
    const deferred = new Deferred<number>();
    expect(deferred.addCallback(() => 1)).to.equal(deferred);
    expect(deferred.addErrback(() => 1)).to.equal(deferred);
    expect(deferred.addBoth(() => 1)).to.equal(deferred);
    expect(deferred.addCallbacks(() => 1)).to.equal(deferred);
    expect(deferred.chainDeferred(new Deferred<number>())).to.equal(deferred);
  });

  it('runs a callback added by a running callback from the outer loop, after those before it', () => {
    const order: string[] = [];
    const deferred = new Deferred<number>();
    deferred
      .addCallback((value) => {
        order.push('first begins');
        deferred.addCallback(() => order.push('added'));
        order.push('first ends');
        return value;
      })
      .addCallback(() => order.push('second'));
    deferred.callback(1);
    expect(order).to.deep.equal(['first begins', 'first ends', 'second', 'added']);
  });

  it('does not deepen the stack when every callback adds the next', () => {
    const deferred = succeed(0);
    let count = 0;
    const next = (): void => {
      count += 1;
      if (count < 100_000) deferred.addCallback(next);
    };
    deferred.addCallback(next);
    expect(count).to.equal(100_000);
  });

  it('tells whether it was fired', () => {
    const deferred = new Deferred<number>();
    expect(deferred.called).to.be.false;
    deferred.callback(1);
    expect(deferred.called).to.be.true;
    const failed = fail(new Error('no'));
    expect(failed.called).to.be.true;
    failed.addErrback(() => undefined);
    expect(failed.called).to.be.true;
  });

  it('keeps no callback that has run', async () => {
    const deferred = new Deferred<number>();
    const added = ((): WeakRef<() => void> => {
      const callback = (): void => undefined;
      deferred.addCallback(callback);
      return new WeakRef(callback);
    })();
    deferred.callback(1);
    await collectGarbageUntil(() => added.deref() === undefined);
    expect(added.deref()).to.equal(undefined);
    expect(deferred.called).to.be.true;
  });

  describe('misuse', () => {
    it('throws AlreadyCalledError when it is fired twice, and keeps the first result', () => {
      const deferred = succeed(1);
      expect(() => deferred.callback(2)).to.throw(AlreadyCalledError);
      expect(() => deferred.errback(new Error('no'))).to.throw(AlreadyCalledError);
      let seen: unknown;
      deferred.addCallback((value) => {
        seen = value;
      });
      expect(seen).to.equal(1);
    });

    it('throws AlreadyCalledError when a callback fires the Deferred it runs for', () => {
      const deferred = new Deferred<number>();
      let seen: Failure | undefined;
      deferred
        .addCallback(() => {
          deferred.callback(2);
        })
        .addErrback((failure) => {
          seen = failure;
        });
      deferred.callback(1);
      expect(seen?.check(AlreadyCalledError)).to.equal(AlreadyCalledError);
    });

    it('treats callback(failure) as errback(failure)', () => {
      const failure = new Failure(new Error('no'));
      const deferred = new Deferred<number>();
      deferred.callback(failure);
      let seen: unknown;
      deferred.addCallbacks(
        () => 'not called',
        (reason) => {
          seen = reason;
        },
      );
      expect(seen).to.equal(failure);
    });

    it('refuses a Deferred or a promise as the result, and stays unfired', () => {
      const deferred = new Deferred<unknown>();
      expect(() => deferred.callback(new Deferred<number>())).to.throw(TypeError, 'chainDeferred');
      expect(() => deferred.callback(Promise.resolve(1))).to.throw(TypeError, 'fromPromise');
      expect(() => deferred.callback({ then: () => undefined })).to.throw(TypeError);
      expect(deferred.called).to.be.false;
      deferred.callback('plain');
      expect(deferred.called).to.be.true;
    });

    it('takes null, functions and objects with another kind of then as plain values', () => {
      const values = [null, () => 1, { then: 'soon' }, undefined, 0, ''];
      const seen: unknown[] = [];
      for (const value of values) succeed<unknown>(value).addCallback((result) => seen.push(result));
      expect(seen).to.deep.equal(values);
    });

    it('needs a reason for errback', () => {
      const deferred = new Deferred<number>();
      expect(() => deferred.errback(undefined)).to.throw(TypeError, 'errback()');
      expect(() => fail(undefined)).to.throw(TypeError);
      expect(deferred.called).to.be.false;
    });

    it('takes an Error, a Failure, or anything else as the reason of errback', () => {
      const error = new Error('no');
      const failure = new Failure(error);
      const seen: Failure[] = [];
      for (const reason of [error, failure, 'text']) {
        fail(reason).addErrback((received) => {
          seen.push(received);
        });
      }
      expect(seen[0]?.value).to.equal(error);
      expect(seen[1]).to.equal(failure);
      expect(seen[2]?.value.cause).to.equal('text');
    });

    it('names the argument that is not a function', () => {
      const deferred = new Deferred<number>();
      // The types forbid these; plain JavaScript does not.
      const wrong = 'callback' as unknown as () => number;
      expect(() => deferred.addCallback(wrong)).to.throw(TypeError, 'callback must be a function');
      expect(() => deferred.addErrback(wrong)).to.throw(TypeError, 'errback must be a function');
      expect(() => deferred.addBoth(wrong)).to.throw(TypeError, 'callback must be a function');
      expect(() => deferred.addCallbacks(() => 1, wrong)).to.throw(TypeError, 'errback must be a function');
    });
  });
});
