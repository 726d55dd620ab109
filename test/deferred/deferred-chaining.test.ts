import { expect } from 'chai';
import { AlreadyCalledError, Deferred, type Failure, fail, succeed } from 'ropewalk/core';

const NESTED = 100_000;

/** What the chain of `deferred` has come to, as a list so that "nothing yet" can be told from undefined. */
function results(deferred: Deferred<unknown>): unknown[] {
  const seen: unknown[] = [];
  deferred.addBoth((result) => {
    seen.push(result);
  });
  return seen;
}

describe('Deferred: waiting for an inner Deferred', () => {
  it('pauses the outer chain until the inner one fires', () => {
    const inner = new Deferred<number>();
    const outer = succeed('go').addCallback(() => inner);
    const seen = results(outer);
    expect(seen).to.be.empty;
    inner.callback(3);
    expect(seen).to.deep.equal([3]);
  });

  it('goes on at once with an inner one that has fired', () => {
    expect(results(succeed(1).addCallback((value) => succeed(value + 1)))).to.deep.equal([2]);
  });

  it('steals the inner result: callbacks added to the inner one later see undefined', () => {
    const fired = succeed(1);
    succeed(0).addCallback(() => fired);
    expect(results(fired)).to.deep.equal([undefined]);
    const unfired = new Deferred<number>();
    succeed(0).addCallback(() => unfired);
    const later = results(unfired);
    unfired.callback(1);
    expect(later).to.deep.equal([undefined]);
  });

  it('takes the result the inner chain has at the time, after the callbacks added before', () => {
    const inner = new Deferred<number>();
    inner.addCallback((value) => value * 10);
    const seen = results(succeed(0).addCallback(() => inner));
    inner.callback(4);
    expect(seen).to.deep.equal([40]);
  });

  it('fails with the error of the inner one', () => {
    const error = new Error('inner');
    const inner = new Deferred<number>();
    const seen = results(succeed(0).addCallback(() => inner));
    inner.errback(error);
    expect((seen[0] as Failure).value).to.equal(error);
  });

  it('waits for a Deferred that an errback returns', () => {
    const inner = new Deferred<string>();
    const seen = results(fail(new Error('first')).addErrback(() => inner));
    inner.callback('recovered');
    expect(seen).to.deep.equal(['recovered']);
  });

  it('waits for an inner one that waits itself', () => {
    const innermost = new Deferred<number>();
    const inner = succeed(0).addCallback(() => innermost);
    const seen = results(succeed(0).addCallback(() => inner));
    innermost.callback(5);
    expect(seen).to.deep.equal([5]);
  });

  it('runs the outer chain before what is left of the inner one', () => {
    const order: string[] = [];
    const inner = new Deferred<number>();
    const outer = succeed(0).addCallback(() => inner);
    outer.addCallback(() => order.push('outer'));
    inner.addCallback(() => order.push('inner'));
    inner.callback(1);
    expect(order).to.deep.equal(['outer', 'inner']);
  });

  it('waits for a Deferred whose callbacks are running', () => {
    const inner = new Deferred<number>();
    let seen: unknown[] = [];
    inner
      .addCallback((value) => {
        seen = results(succeed(0).addCallback(() => inner));
        expect(seen).to.be.empty;
        return value;
      })
      .addCallback((value) => value + 1);
    inner.callback(1);
    expect(seen).to.deep.equal([2]);
  });

  it('can be waited for in the middle of what is left of its chain', () => {
    const inner = new Deferred<number>();
    const order: unknown[] = [];
    const first = succeed(0).addCallback(() => inner);
    inner.addCallback(() => 'left over');
    // Runs while `inner` has one link left: waiting for it again must come after that link.
    first.addCallback(() => {
      succeed(0)
        .addCallback(() => inner)
        .addCallback((value) => order.push(value));
    });
    inner.callback(1);
    expect(order).to.deep.equal(['left over']);
  });

  it('fails with TypeError when a callback returns its own Deferred', () => {
    const deferred = new Deferred<number>();
    deferred.addCallback((): Deferred<unknown> => deferred);
    const seen = results(deferred);
    deferred.callback(1);
    expect((seen[0] as Failure).check(TypeError)).to.equal(TypeError);
  });
});

describe('Deferred: chainDeferred', () => {
  it('fires the other with the value, and keeps undefined', () => {
    const other = new Deferred<number>();
    const deferred = new Deferred<number>();
    const left = results(deferred.chainDeferred(other));
    const seen = results(other);
    deferred.callback(1);
    expect(seen).to.deep.equal([1]);
    expect(left).to.deep.equal([undefined]);
  });

  it('fires the other with the error', () => {
    const other = new Deferred<number>();
    const error = new Error('no');
    const left = results(fail<number>(error).chainDeferred(other));
    expect((results(other)[0] as Failure).value).to.equal(error);
    expect(left).to.deep.equal([undefined]);
  });

  it('runs the chain of the other before its own next link', () => {
    const order: string[] = [];
    const other = new Deferred<number>();
    const deferred = new Deferred<number>();
    other.addCallback(() => order.push('other'));
    deferred.chainDeferred(other).addCallback(() => order.push('own'));
    deferred.callback(1);
    expect(order).to.deep.equal(['other', 'own']);
  });

  it('keeps AlreadyCalledError when the other has been fired', () => {
    const left = results(succeed(1).chainDeferred(succeed(2)));
    expect((left[0] as Failure).check(AlreadyCalledError)).to.equal(AlreadyCalledError);
  });

  it('refuses itself, and what is no Deferred', () => {
    const deferred = new Deferred<number>();
    expect(() => deferred.chainDeferred(deferred)).to.throw(TypeError, 'itself');
    expect(() => deferred.chainDeferred(Promise.resolve(1) as unknown as Deferred<number>)).to.throw(
      TypeError,
      'other',
    );
  });
});

describe('Deferred: depth', () => {
  it(`unwinds ${String(NESTED)} nested Deferreds without recursion, built from the outside`, () => {
    const deferreds = Array.from({ length: NESTED }, () => new Deferred<number>());
    deferreds.forEach((deferred, index) => {
      const inner = deferreds[index + 1];
      if (inner === undefined) return;
      deferred.addCallback(() => inner).addCallback((value) => value + 1);
    });
    for (const deferred of deferreds.slice(0, -1)) deferred.callback(0);
    const seen = results(deferreds[0]!);
    deferreds.at(-1)!.callback(0);
    expect(seen).to.deep.equal([NESTED - 1]);
  });

  it('does so when built from the inside, and with an error', () => {
    const innermost = new Deferred<number>();
    let outer = innermost;
    for (let level = 1; level < NESTED; level += 1) {
      const inner = outer;
      outer = succeed(0).addCallback(() => inner);
    }
    const seen = results(outer);
    const error = new Error('deep');
    innermost.errback(error);
    expect((seen[0] as Failure).value).to.equal(error);
  });

  it('does so for a chain in which every inner one has links left', () => {
    const innermost = new Deferred<number>();
    const order: number[] = [];
    let outer = innermost;
    for (let level = 1; level < NESTED; level += 1) {
      const inner = outer;
      outer = succeed(0).addCallback(() => inner);
      inner.addCallback(() => order.push(level));
    }
    innermost.callback(1);
    expect(order).to.have.length(NESTED - 1);
    // Each outer chain runs before the rest of the one it waited for.
    expect(order.slice(0, 2)).to.deep.equal([NESTED - 1, NESTED - 2]);
  });

  it('does so for Deferreds that have all fired', () => {
    let outer = succeed(1);
    for (let level = 1; level < NESTED; level += 1) {
      const inner = outer;
      outer = succeed(0).addCallback(() => inner);
    }
    expect(results(outer)).to.deep.equal([1]);
  });

  it('does so for explicit chains', () => {
    const deferreds = Array.from({ length: NESTED }, () => new Deferred<number>());
    deferreds.forEach((deferred, index) => {
      const next = deferreds[index + 1];
      if (next !== undefined) deferred.chainDeferred(next);
    });
    const seen = results(deferreds.at(-1)!);
    deferreds[0]!.callback(8);
    expect(seen).to.deep.equal([8]);
  });

  it('does so for the cancellation of nested Deferreds', () => {
    const innermost = new Deferred<number>();
    let outer = innermost;
    for (let level = 1; level < NESTED; level += 1) {
      const inner = outer;
      outer = succeed(0).addCallback(() => inner);
    }
    const seen = results(outer);
    outer.cancel();
    expect(String(seen[0])).to.contain('CancelledError');
  });
});

describe('Deferred: pausing', () => {
  it('holds the callbacks back until it is unpaused', () => {
    const deferred = new Deferred<number>();
    deferred.pause();
    const seen = results(deferred);
    deferred.callback(1);
    expect(seen).to.be.empty;
    expect(deferred.called).to.be.true;
    deferred.unpause();
    expect(seen).to.deep.equal([1]);
  });

  it('counts: it goes on when unpause was called as often as pause', () => {
    const deferred = succeed(1);
    deferred.pause();
    deferred.pause();
    const seen = results(deferred);
    deferred.unpause();
    expect(seen).to.be.empty;
    deferred.unpause();
    expect(seen).to.deep.equal([1]);
  });

  it('does not fire by being unpaused', () => {
    const deferred = new Deferred<number>();
    const seen = results(deferred);
    deferred.pause();
    deferred.unpause();
    expect(seen).to.be.empty;
    deferred.callback(1);
    expect(seen).to.deep.equal([1]);
  });

  it('stops after the callback that pauses', () => {
    const deferred = new Deferred<number>();
    const order: string[] = [];
    deferred
      .addCallback(() => {
        order.push('first');
        deferred.pause();
      })
      .addCallback(() => order.push('second'));
    deferred.callback(1);
    expect(order).to.deep.equal(['first']);
    deferred.unpause();
    expect(order).to.deep.equal(['first', 'second']);
  });

  it('goes on in the same loop when a callback pauses and unpauses', () => {
    const deferred = new Deferred<number>();
    const order: string[] = [];
    deferred
      .addCallback(() => {
        deferred.pause();
        deferred.unpause();
        order.push('first');
      })
      .addCallback(() => order.push('second'));
    deferred.callback(1);
    expect(order).to.deep.equal(['first', 'second']);
  });

  it('makes an outer one wait, though the inner one has fired', () => {
    const inner = succeed(1);
    inner.pause();
    const seen = results(succeed(0).addCallback(() => inner));
    expect(seen).to.be.empty;
    inner.unpause();
    expect(seen).to.deep.equal([1]);
  });

  it('holds the result of an inner one that arrives meanwhile', () => {
    const inner = new Deferred<number>();
    const outer = succeed(0).addCallback(() => inner);
    outer.pause();
    const seen = results(outer);
    inner.callback(1);
    expect(seen).to.be.empty;
    outer.unpause();
    expect(seen).to.deep.equal([1]);
  });

  it('leaves it waiting for an inner one when the pause ends first', () => {
    const inner = new Deferred<number>();
    const outer = succeed(0).addCallback(() => inner);
    const seen = results(outer);
    outer.pause();
    outer.unpause();
    expect(seen).to.be.empty;
    inner.callback(1);
    expect(seen).to.deep.equal([1]);
  });

  it('holds promises back too', async () => {
    const deferred = succeed(1);
    deferred.pause();
    let settled = false;
    const promise = deferred.then((value) => {
      settled = true;
      return value;
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(settled).to.be.false;
    deferred.unpause();
    expect(await promise).to.equal(1);
  });

  it('throws when there is no pause to undo', () => {
    expect(() => new Deferred<number>().unpause()).to.throw(RangeError, 'unpause()');
  });
});
