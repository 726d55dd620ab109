import { expect } from 'chai';
import {
  CancelledError,
  Deferred,
  DeferredLock,
  DeferredSemaphore,
  QueueUnderflow,
  inlineCallbacks,
} from 'ropewalk/core';
import { results } from './results.ts';

const kinds = {
  DeferredLock: (options?: { backlog?: number }) => new DeferredLock(options),
  'DeferredSemaphore of one token': (options?: { backlog?: number }) => new DeferredSemaphore(1, options),
};

for (const [name, make] of Object.entries(kinds)) {
  describe(name, () => {
    let lock: DeferredLock | DeferredSemaphore;
    beforeEach(() => {
      lock = make();
    });

    it('is given at once when free, and fires with itself', () => {
      expect(lock.locked).to.be.false;
      expect(results(lock.acquire())).to.deep.equal([lock]);
      expect(lock.locked).to.be.true;
      lock.release();
      expect(lock.locked).to.be.false;
    });

    it('is given to those who wait in the order in which they came, never free in between', () => {
      const order: string[] = [];
      lock.acquire();
      for (const waiter of ['a', 'b']) {
        lock.acquire().addCallback(() => order.push(`${waiter} ${String(lock.locked)}`));
      }
      expect(lock.waiting).to.have.length(2);
      lock.release();
      expect(order).to.deep.equal(['a true']);
      lock.release();
      expect(order).to.deep.equal(['a true', 'b true']);
      lock.release();
      expect([lock.locked, lock.waiting]).to.deep.equal([false, []]);
    });

    it('forgets a waiter that is cancelled, wherever it stands', () => {
      lock.acquire();
      const [first, middle, last] = [lock.acquire(), lock.acquire(), lock.acquire()];
      for (const waiter of [middle, first]) {
        waiter.cancel();
        expect(results(waiter)[0]).to.be.instanceOf(CancelledError);
      }
      expect(lock.waiting).to.deep.equal([last]);
      lock.release();
      expect(results(last)).to.deep.equal([lock]);
    });

    it('goes to the next when a waiter has been fired by whoever holds it', () => {
      lock.acquire();
      const fired = lock.acquire();
      const next = lock.acquire();
      fired.addBoth(() => undefined);
      fired.errback(new Error('fired by its holder'));
      lock.release();
      expect(next.called).to.be.true;
    });

    it('refuses to be released by more than hold it', () => {
      expect(() => lock.release()).to.throw(RangeError);
      lock.acquire();
      lock.release();
      expect(() => lock.release()).to.throw(RangeError);
      lock.acquire();
      lock.acquire().addCallback(() => {
        lock.release();
        expect(() => lock.release()).to.throw(RangeError);
      });
      lock.release();
      expect(lock.locked).to.be.false;
    });

    it('lets so many wait and no more', () => {
      const small = make({ backlog: 1 });
      small.acquire();
      const waiter = small.acquire();
      expect(() => small.acquire()).to.throw(QueueUnderflow, '1 wait already');
      waiter.addBoth(() => undefined);
      waiter.cancel();
      small.acquire();
      expect(() => make({ backlog: -1 })).to.throw(RangeError, 'backlog');
    });

    describe('run', () => {
      it('holds it until the result of the function is there', () => {
        const work = new Deferred<string>();
        const seen = results(lock.run((prefix: string) => work.addCallback((value) => prefix + value), '> '));
        expect([lock.locked, seen]).to.deep.equal([true, []]);
        work.callback('done');
        expect([lock.locked, seen]).to.deep.equal([false, ['> done']]);
      });

      it('releases it when the function throws or its Deferred fails', () => {
        const error = new Error('no');
        const throws = (): never => {
          throw error;
        };
        expect(results(lock.run(throws))).to.deep.equal([error]);
        const work = new Deferred<number>();
        const seen = results(lock.run(() => work));
        work.errback(error);
        expect([seen, lock.locked]).to.deep.equal([[error], false]);
      });

      it('does not call the function when cancelled while it waits, and cancels its work afterwards', () => {
        lock.acquire();
        let calls = 0;
        const waiting = lock.run(() => (calls += 1));
        waiting.cancel();
        expect(results(waiting)[0]).to.be.instanceOf(CancelledError);
        lock.release();
        expect([calls, lock.locked]).to.deep.equal([0, false]);
        const work = new Deferred<number>();
        const running = lock.run(() => work);
        running.cancel();
        expect(results(running)[0]).to.be.instanceOf(CancelledError);
        expect([work.called, lock.locked]).to.deep.equal([true, false]);
      });

      it('refuses what is no function before it takes the lock', () => {
        expect(() => lock.run(5 as unknown as () => number)).to.throw(TypeError);
        expect(lock.locked).to.be.false;
      });

      it('runs 20,000 that wait, in order, without using up the stack', () => {
        lock.acquire();
        const ran: number[] = [];
        const finished: number[] = [];
        for (let index = 0; index < 20_000; index += 1) {
          lock.run(() => ran.push(index)).addCallback(() => finished.push(index));
        }
        lock.release();
        expect(ran.length).to.equal(20_000);
        expect(ran.every((index, position) => index === position)).to.be.true;
        expect(finished).to.deep.equal(ran);
        expect(lock.locked).to.be.false;
      });
    });

    it('gives one who comes during a release its place at the end', () => {
      const order: string[] = [];
      lock.acquire();
      lock.acquire().addCallback(() => {
        order.push('first');
        lock.release();
        lock.acquire().addCallback(() => order.push('late'));
      });
      lock.acquire().addCallback(() => order.push('second'));
      lock.release();
      expect(order).to.deep.equal(['first', 'second']);
      lock.release();
      expect(order).to.deep.equal(['first', 'second', 'late']);
    });

    it('is released at the end of a scope, of coroutines and of async functions', async () => {
      const gate = new Deferred<number>();
      const work = inlineCallbacks(function* () {
        using held = yield* lock.acquire();
        expect(held).to.equal(lock);
        return yield* gate;
      });
      const seen = results(work());
      expect(lock.locked).to.be.true;
      gate.errback(new Error('no'));
      expect(seen[0]).to.be.instanceOf(Error);
      expect(lock.locked).to.be.false;
      const body = async (): Promise<boolean> => {
        await using held = await lock.acquire();
        return held.locked;
      };
      expect(await body()).to.be.true;
      expect(lock.locked).to.be.false;
    });
  });
}

describe('DeferredSemaphore', () => {
  it('lets as many in as it has tokens', () => {
    const semaphore = new DeferredSemaphore(2);
    const seen = [1, 2, 3].map(() => results(semaphore.acquire()));
    expect(seen).to.deep.equal([[semaphore], [semaphore], []]);
    expect([semaphore.tokens, semaphore.limit, semaphore.locked]).to.deep.equal([0, 2, true]);
    semaphore.release();
    expect(seen[2]).to.deep.equal([semaphore]);
    semaphore.release();
    expect([semaphore.tokens, semaphore.locked]).to.deep.equal([1, false]);
    semaphore.release();
    expect(semaphore.tokens).to.equal(2);
    expect(() => semaphore.release()).to.throw(RangeError);
  });

  it('keeps to its limit while work comes and goes', () => {
    const semaphore = new DeferredSemaphore(3);
    const started: Deferred<undefined>[] = [];
    let running = 0;
    let most = 0;
    const all = Array.from({ length: 50 }, () =>
      semaphore.run(() => {
        running += 1;
        most = Math.max(most, running);
        const work = new Deferred<undefined>();
        started.push(work);
        return work.addCallback(() => {
          running -= 1;
        });
      }),
    );
    for (let next = started.shift(); next !== undefined; next = started.shift()) next.callback(undefined);
    expect([most, running, semaphore.tokens]).to.deep.equal([3, 0, 3]);
    expect(all.every((deferred) => deferred.called)).to.be.true;
  });

  for (const tokens of [0, -1, 1.5, NaN]) {
    it(`refuses to have ${String(tokens)} tokens`, () => {
      expect(() => new DeferredSemaphore(tokens)).to.throw(RangeError, 'tokens');
    });
  }
});
