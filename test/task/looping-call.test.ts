import { expect } from 'chai';
import {
  CancelledError,
  Deferred,
  LoopingCall,
  LoopingCallAlreadyRunning,
  LoopingCallNotRunning,
  type DelayedCall,
  type Failure,
  type ReactorTime,
} from 'ropewalk/core';
import { Clock, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';

/**
 * A clock that is not punctual: `jump` passes over due times and then runs each pending call once that is due, or will be
 * in `earlySeconds`.
 */
class RoughClock implements ReactorTime {
  #now: number;
  readonly #earlySeconds: number;
  readonly #calls = new Map<DelayedCall, () => unknown>();

  constructor({ now = 0, earlySeconds = 0 } = {}) {
    this.#now = now;
    this.#earlySeconds = earlySeconds;
  }

  seconds(): number {
    return this.#now;
  }

  callLater<A extends readonly unknown[]>(delay: number, fn: (...args: A) => unknown, ...args: A): DelayedCall {
    const time = this.#now + delay;
    const call: DelayedCall = {
      getTime: () => time,
      active: () => this.#calls.has(call),
      cancel: () => void this.#calls.delete(call),
      delay: () => undefined,
      reset: () => undefined,
      [Symbol.dispose]: () => undefined,
    };
    this.#calls.set(call, () => fn(...args));
    return call;
  }

  getDelayedCalls(): readonly DelayedCall[] {
    return [...this.#calls.keys()];
  }

  jump(seconds: number): void {
    this.#now += seconds;
    for (const [call, fn] of [...this.#calls]) {
      if (call.getTime() <= this.#now + this.#earlySeconds && this.#calls.delete(call)) fn();
    }
  }
}

/** Its error has been taken: what is left is nothing. */
function assertHandled(deferred: Deferred<unknown>): void {
  expect(successResultOf(deferred)).to.equal(undefined);
}

function recordTimes(clock: ReactorTime): { readonly times: number[]; readonly loop: LoopingCall } {
  const times: number[] = [];
  return { times, loop: new LoopingCall(clock, () => void times.push(clock.seconds())) };
}

describe('LoopingCall', () => {
  describe('time', () => {
    it('makes the first call inside start and the others at each interval', () => {
      const clock = new Clock();
      const { times, loop } = recordTimes(clock);
      void loop.start(2);
      expect(times).to.deep.equal([0]);
      clock.advance(5);
      expect(times).to.deep.equal([0, 2, 4]);
    });

    it('waits for one interval first when asked not to begin now', () => {
      const clock = new Clock();
      const { times, loop } = recordTimes(clock);
      void loop.start(2, { now: false });
      expect(times).to.deep.equal([]);
      clock.advance(5);
      expect(times).to.deep.equal([2, 4]);
    });

    it('calls once in each turn with an interval of 0', () => {
      const clock = new RoughClock();
      const { times, loop } = recordTimes(clock);
      void loop.start(0);
      clock.jump(0);
      clock.jump(0);
      expect(times).to.deep.equal([0, 0, 0]);
    });

    it('skips calls for which the clock came too late, and keeps to its times afterwards', () => {
      const clock = new RoughClock();
      const { times, loop } = recordTimes(clock);
      void loop.start(1);
      for (const seconds of [2.5, 0.5, 1]) clock.jump(seconds);
      expect(times).to.deep.equal([0, 2.5, 3, 4]);
    });

    it('does not drift, and calls once in each interval, where seconds cannot be told exactly', () => {
      const clock = new Clock();
      clock.advance(1234.1);
      const { times, loop } = recordTimes(clock);
      void loop.start(0.1);
      clock.advance(1000.05);
      expect(times).to.have.lengthOf(10_001);
      expect(times.at(-1)).to.be.closeTo(2234.1, 1e-6);
    });

    it('takes a call that comes early by a rounding error for the one that was due', () => {
      const clock = new RoughClock({ earlySeconds: 1e-11 });
      const { times, loop } = recordTimes(clock);
      void loop.start(1, { now: false });
      clock.jump(1 - 1e-12);
      clock.jump(0.5);
      expect(times).to.deep.equal([1 - 1e-12]);
      clock.jump(0.5);
      expect(times).to.have.lengthOf(2);
    });
  });

  describe('far from the origin of its clock', () => {
    for (const origin of [0.37, 3600.1, 86400.37, 31_536_000.3, 1_700_000_000.123]) {
      for (const interval of [1, 0.1, 0.007, 0.001]) {
        it(`calls once in each interval of ${interval} s from ${origin} s on, and counts them one by one`, () => {
          const reactor = new TestReactor();
          reactor.advance(origin);
          const counts: number[] = [];
          const loop = LoopingCall.withCount(reactor, (count) => void counts.push(count));
          void loop.start(interval);
          reactor.advance(100.5 * interval);
          expect(counts).to.deep.equal(Array.from({ length: 101 }, () => 1));
        });
      }
    }

    it('waits another interval where rounding has left nothing of the wait', () => {
      const reactor = new TestReactor();
      reactor.advance(2 ** 40);
      const clockStep = 2 ** -12; // the least step between two numbers of that size
      const times: number[] = [];
      void new LoopingCall(reactor, () => void times.push(reactor.seconds())).start(0.6 * clockStep);
      reactor.advance(10 * clockStep);
      expect(times).to.deep.equal(Array.from({ length: 11 }, (_, index) => 2 ** 40 + index * clockStep));
    });
  });

  describe('a function that takes time', () => {
    it('is called again at the first whole interval after its Deferred has fired', () => {
      const clock = new Clock();
      const times: number[] = [];
      const loop = new LoopingCall(clock, () => {
        times.push(clock.seconds());
        const done = new Deferred<undefined>();
        clock.callLater(2.5, () => done.callback(undefined));
        return done;
      });
      void loop.start(1);
      clock.advance(7);
      expect(times).to.deep.equal([0, 3, 6]);
    });

    it('is called again after its promise has settled', async () => {
      const clock = new Clock();
      let calls = 0;
      const loop = new LoopingCall(clock, async () => {
        await Promise.resolve();
        calls += 1;
      });
      void loop.start(1);
      clock.advance(5);
      expect(calls).to.equal(0);
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(calls).to.equal(2);
    });

    it('ends the loop with its error', async () => {
      const clock = new Clock();
      const loop = new LoopingCall(clock, () => Promise.reject(new RangeError('no')));
      const done = loop.start(1);
      expect(loop.running).to.equal(true);
      const error: unknown = await done.toPromise().catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(RangeError);
      expect(loop.running).to.equal(false);
      expect(clock.getDelayedCalls()).to.deep.equal([]);
    });

    it('ends the loop when it throws, at the first call or a later one', () => {
      const clock = new Clock();
      let calls = 0;
      const loop = new LoopingCall(clock, () => {
        calls += 1;
        if (calls !== 2) throw new RangeError(`call ${calls}`);
      });
      expect(failureResultOf(loop.start(1)).getErrorMessage()).to.equal('call 1');
      const done = loop.start(1);
      clock.advance(3);
      expect(failureResultOf(done).getErrorMessage()).to.equal('call 3');
      expect(loop.running).to.equal(false);
    });
  });

  describe('withCount', () => {
    function recordCounts(clock: ReactorTime): { readonly counts: [number, number][]; readonly loop: LoopingCall } {
      const counts: [number, number][] = [];
      const loop = LoopingCall.withCount(clock, (count) => void counts.push([clock.seconds(), count]));
      return { counts, loop };
    }

    it('tells how many intervals have begun since the last call', () => {
      const clock = new RoughClock();
      const { counts, loop } = recordCounts(clock);
      void loop.start(1);
      clock.jump(3.5);
      clock.jump(0.5);
      expect(counts).to.deep.equal([
        [0, 1],
        [3.5, 3],
        [4, 1],
      ]);
    });

    it('counts from the start when the first call is not made now', () => {
      const clock = new RoughClock();
      const { counts, loop } = recordCounts(clock);
      void loop.start(1, { now: false });
      clock.jump(3.5);
      expect(counts).to.deep.equal([[3.5, 3]]);
    });

    it('always tells 1 with an interval of 0', () => {
      const clock = new RoughClock();
      const { counts, loop } = recordCounts(clock);
      void loop.start(0);
      clock.jump(5);
      expect(counts).to.deep.equal([
        [0, 1],
        [5, 1],
      ]);
    });

    it('makes the first call where seconds cannot be told exactly', () => {
      // (1000000000.1 - 0.1) - 1000000000.1 is not -0.1 in floating point.
      const clock = new RoughClock({ now: 1_000_000_000.1 });
      const { counts, loop } = recordCounts(clock);
      void loop.start(0.1);
      expect(counts.map(([, count]) => count)).to.deep.equal([1]);
    });

    it('begins to count anew at each start', () => {
      const clock = new RoughClock();
      const { counts, loop } = recordCounts(clock);
      void loop.start(1);
      loop.stop();
      clock.jump(10);
      void loop.start(1);
      expect(counts).to.deep.equal([
        [0, 1],
        [10, 1],
      ]);
    });

    it('makes no call of a clock so early that no interval has begun, and counts that interval at the next', () => {
      const clock = new RoughClock({ earlySeconds: 0.1 });
      const { counts, loop } = recordCounts(clock);
      void loop.start(1, { now: false });
      clock.jump(0.95);
      expect(counts).to.deep.equal([]);
      clock.jump(0.05);
      expect(counts).to.deep.equal([[1, 1]]);
    });

    it('counts the intervals before a reset with those after it', () => {
      const clock = new Clock();
      const { counts, loop } = recordCounts(clock);
      void loop.start(1);
      for (let resets = 0; resets < 3; resets += 1) {
        clock.advance(0.75);
        loop.reset();
      }
      clock.advance(1);
      expect(counts).to.deep.equal([
        [0, 1],
        [3.25, 3],
      ]);
    });
  });

  describe('stop', () => {
    it('fires the Deferred of start with the looping call, before it returns', () => {
      const clock = new Clock();
      const { times, loop } = recordTimes(clock);
      const done = loop.start(1);
      clock.advance(1);
      loop.stop();
      expect(successResultOf(done)).to.equal(loop);
      expect(loop.running).to.equal(false);
      clock.advance(5);
      expect(times).to.deep.equal([0, 1]);
      expect(clock.getDelayedCalls()).to.deep.equal([]);
    });

    it('from inside the function fires it when the function returns', () => {
      const clock = new Clock();
      const seen: string[] = [];
      const loop = new LoopingCall(clock, () => {
        loop.stop();
        seen.push(`stopped, running: ${loop.running}`);
      });
      loop.start(1).addCallback(() => void seen.push('fired'));
      expect(seen).to.deep.equal(['stopped, running: false', 'fired']);
    });

    it('waits for the Deferred of a call that is under way', () => {
      const clock = new Clock();
      const underway = new Deferred<undefined>();
      const loop = new LoopingCall(clock, () => underway);
      let isDone = false;
      loop.start(1).addCallback(() => {
        isDone = true;
      });
      loop.stop();
      expect(isDone).to.equal(false);
      expect(loop.running).to.equal(false);
      underway.callback(undefined);
      expect(isDone).to.equal(true);
      expect(clock.getDelayedCalls()).to.deep.equal([]);
    });

    it('lets the loop be started again, from a callback of its Deferred too', () => {
      const clock = new Clock();
      const { times, loop } = recordTimes(clock);
      loop.start(1).addCallback(() => void loop.start(3, { now: false }));
      loop.stop();
      expect(loop.running).to.equal(true);
      expect(loop.interval).to.equal(3);
      clock.advance(6);
      expect(times).to.deep.equal([0, 3, 6]);
    });

    it('is what disposing of it does, once', () => {
      const clock = new Clock();
      let done: Deferred<LoopingCall>;
      {
        using loop = new LoopingCall(clock, () => undefined);
        done = loop.start(1);
        loop.stop();
      }
      expect(successResultOf(done).running).to.equal(false);
      const other = new LoopingCall(clock, () => undefined);
      done = other.start(1);
      other[Symbol.dispose]();
      expect(successResultOf(done)).to.equal(other);
    });
  });

  describe('reset', () => {
    it('puts the next call one whole interval away and counts from there', () => {
      const clock = new Clock();
      const { times, loop } = recordTimes(clock);
      void loop.start(2);
      clock.advance(1.5);
      loop.reset();
      clock.advance(5);
      expect(times).to.deep.equal([0, 3.5, 5.5]);
    });

    it('does nothing during a call', () => {
      const clock = new Clock();
      const times: number[] = [];
      const loop = new LoopingCall(clock, () => {
        times.push(clock.seconds());
        loop.reset();
      });
      void loop.start(2);
      clock.advance(4);
      expect(times).to.deep.equal([0, 2, 4]);
    });
  });

  describe('cancelling the Deferred of start', () => {
    it('stops the loop', () => {
      const clock = new Clock();
      const { times, loop } = recordTimes(clock);
      const done = loop.start(1);
      done.cancel();
      expect(failureResultOf(done, CancelledError)).to.be.an('object');
      expect(loop.running).to.equal(false);
      clock.advance(5);
      expect(times).to.deep.equal([0]);
    });

    it('cancels what the function has returned', () => {
      const clock = new Clock();
      const seen: string[] = [];
      const underway = new Deferred<undefined>(() => void seen.push('cancelled'));
      const loop = new LoopingCall(clock, () => underway);
      const done = loop.start(1);
      done.cancel();
      expect(seen).to.deep.equal(['cancelled']);
      expect(failureResultOf(done, CancelledError)).to.be.an('object');
      expect(loop.running).to.equal(false);
      assertHandled(underway);
    });

    it('from inside the function cancels what that returns, and leaves another error to whoever wants it', () => {
      const clock = new Clock();
      let calls = 0;
      const underway = new Deferred<undefined>((deferred) => deferred.errback(new RangeError('mine')));
      const loop: LoopingCall = new LoopingCall(clock, () => {
        calls += 1;
        if (calls === 1) return undefined;
        done.cancel();
        return underway;
      });
      const done = loop.start(1);
      clock.advance(1);
      expect(failureResultOf(done, CancelledError)).to.be.an('object');
      expect(failureResultOf(underway, RangeError).getErrorMessage()).to.equal('mine');
      expect(loop.running).to.equal(false);
    });
  });

  describe('misuse', () => {
    it('throws at once', () => {
      const clock = new Clock();
      const { loop } = recordTimes(clock);
      expect(() => loop.stop()).to.throw(LoopingCallNotRunning);
      expect(() => loop.reset()).to.throw(LoopingCallNotRunning);
      expect(() => loop.start(-1)).to.throw(RangeError);
      expect(() => loop.start(NaN)).to.throw(RangeError);
      expect(() => loop.start(Infinity)).to.throw(RangeError);
      expect(loop.running).to.equal(false);
      expect(loop.interval).to.equal(undefined);
      void loop.start(1);
      expect(() => loop.start(1)).to.throw(LoopingCallAlreadyRunning);
      expect(() => new LoopingCall(clock, undefined as never)).to.throw(TypeError);
      expect(() => LoopingCall.withCount(clock, 3 as never)).to.throw(TypeError);
    });

    it('throws for a start while the call under way at the stop has not ended', () => {
      const underway = new Deferred<undefined>();
      const loop = new LoopingCall(new Clock(), () => underway);
      const failures: Failure[] = [];
      loop.start(1).addErrback((failure) => void failures.push(failure));
      loop.stop();
      expect(() => loop.start(1)).to.throw(LoopingCallAlreadyRunning, 'its last call has not ended');
      expect(() => loop.stop()).to.throw(LoopingCallNotRunning);
      underway.errback(new RangeError('late'));
      expect(failures).to.have.lengthOf(1);
      expect(failures[0]!.value).to.be.instanceOf(RangeError);
      expect(() => loop.stop()).to.throw(LoopingCallNotRunning);
    });
  });
});
