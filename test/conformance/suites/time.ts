/** Time: delayed calls, queued calls, and the order of everything within turns. */
import { expect } from 'chai';
import {
  AlreadyCalled,
  AlreadyCancelled,
  type DelayedCall,
  fail,
  QueueOverflow,
  type Reactor,
  setDebugging,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { skipUnless, startReactor, takeErrors } from '../support/connections.ts';

/** Far enough away not to happen in a case. */
const LONG_SECONDS = 1000;

/** Makes a call due at just this time. Exact, for times that are not far apart: their difference has no rounding. */
function align(call: DelayedCall, time: number): void {
  call.delay(time - call.getTime());
}

/** Makes calls that are due at one time, and returns the log in which they write their numbers. */
function callTogether(reactor: Reactor, count: number): number[] {
  const log: number[] = [];
  const time = reactor.seconds() + 0.005;
  for (let index = 0; index < count; index += 1) {
    align(
      reactor.callLater(0.005, () => log.push(index)),
      time,
    );
  }
  return log;
}

export function describeTime(harness: () => Harness): void {
  describe('Time', () => {
    describe('The order of a turn', () => {
      it('runs queued calls, then delayed calls, then the stop check [16]', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        reactor.addSystemEventTrigger('before', 'shutdown', () => log.push('stop check'));
        reactor.callSoon(() => {
          reactor.callLater(0, () => log.push('delayed'));
          reactor.callSoon(() => {
            log.push('queued');
            reactor.stop();
          });
        });
        await harness().until(() => !reactor.running, 'the reactor has stopped');
        expect(log).to.deep.equal(['queued', 'delayed', 'stop check']);
      });

      it('runs calls queued by a queued call in the next turn [17]', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        reactor.callSoon(() => {
          reactor.callLater(0, () => log.push('delayed'));
          reactor.callSoon(() => {
            log.push('queued');
            reactor.callSoon(() => log.push('queued by the queued'));
          });
          reactor.callSoon(() => log.push('queued second'));
        });
        await harness().until(() => log.length === 4);
        expect(log).to.deep.equal(['queued', 'queued second', 'delayed', 'queued by the queued']);
      });

      it('is begun by a call queued from outside of any turn', async () => {
        const reactor = startReactor(harness());
        await harness().advance(0);
        let isCalled = false;
        reactor.callSoon(() => (isCalled = true));
        expect(isCalled).to.equal(false);
        await harness().until(() => isCalled, 'the call has been made');
      });

      it('leaves what is scheduled during a turn for the next, delayed calls that queued calls make included', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        reactor.callSoon(() => {
          reactor.callLater(0, () => log.push('delayed'));
          reactor.callSoon(() => log.push('next turn'));
        });
        await harness().until(() => log.length === 2);
        expect(log).to.deep.equal(['next turn', 'delayed']);
      });

      it('never runs a call of no delay in the turn that made it [18]', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        reactor.callLater(0, () => {
          log.push('first');
          reactor.callLater(0, () => log.push('delayed by the first'));
          // Queued calls come first in a turn, so this one shows where the next turn began.
          reactor.callSoon(() => log.push('next turn'));
        });
        await harness().until(() => log.length === 3);
        expect(log).to.deep.equal(['first', 'next turn', 'delayed by the first']);
      });
    });

    describe('callLater', () => {
      it('runs calls by due time', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        reactor.callLater(0.006, (name: string) => log.push(name), 'third');
        reactor.callLater(0.002, (name: string) => log.push(name), 'first');
        reactor.callLater(0.004, (name: string) => log.push(name), 'second');
        await harness().advance(0.008);
        await harness().until(() => log.length === 3);
        expect(log).to.deep.equal(['first', 'second', 'third']);
      });

      it('runs calls due at the same time in the order in which they were made [19]', async () => {
        const reactor = startReactor(harness());
        const log = callTogether(reactor, 12);
        await harness().advance(0.006);
        await harness().until(() => log.length === 12);
        expect(log).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      });

      it('passes the arguments on', async () => {
        const reactor = startReactor(harness());
        const got: unknown[] = [];
        reactor.callLater(0, (...args: readonly [number, string, object]) => got.push(...args), 1, 'two', { three: 3 });
        await harness().until(() => got.length > 0);
        expect(got).to.deep.equal([1, 'two', { three: 3 }]);
      });

      it('runs nothing before it is due', async () => {
        const reactor = startReactor(harness());
        let calledAt: number | undefined;
        const call = reactor.callLater(0.005, () => (calledAt = reactor.seconds()));
        await harness().advance(0.006);
        await harness().until(() => calledAt !== undefined);
        expect(calledAt).to.be.at.least(call.getTime());
      });

      it('refuses a delay that is negative, infinite or not a number [20]', () => {
        const reactor = harness().createReactor();
        for (const delay of [-1, -Number.MIN_VALUE, NaN, Infinity, -Infinity]) {
          expect(() => reactor.callLater(delay, () => {})).to.throw(RangeError, 'delaySeconds');
        }
        // What a program without types might pass.
        for (const delay of ['1', undefined, null, {}] as unknown as number[]) {
          expect(() => reactor.callLater(delay, () => {})).to.throw(TypeError, 'delaySeconds');
        }
        expect(() => reactor.callLater(0, 'fn' as unknown as () => void)).to.throw(TypeError, 'fn');
        expect(reactor.getDelayedCalls()).to.deep.equal([]);
      });

      it('does not run a call early that is further away than a timer of the host can reach [28]', async () => {
        const reactor = startReactor(harness());
        let isCalled = false;
        // Beyond 2,147,483,647 ms, which Node's timers take for 1 ms.
        const call = reactor.callLater(2_147_484, () => (isCalled = true));
        await harness().advance(0.02);
        expect(isCalled).to.equal(false);
        expect(call.active()).to.equal(true);
      });

      it('keeps what is called before run() for then', async () => {
        const reactor = harness().createReactor();
        const log: string[] = [];
        reactor.callLater(0, () => log.push('delayed'));
        reactor.callSoon(() => log.push('queued'));
        await harness().advance(0.002);
        expect(log).to.deep.equal([]);
        void reactor.run({ installSignalHandlers: false });
        expect(log).to.deep.equal([]);
        await harness().until(() => log.length === 2);
        expect(log).to.deep.equal(['queued', 'delayed']);
      });

      it('reports an error in a call and runs the others [26]', async () => {
        const reactor = startReactor(harness());
        const log: number[] = [];
        const error = new Error('in a delayed call');
        const time = reactor.seconds() + 0.002;
        for (const index of [1, 2, 3]) {
          const call = reactor.callLater(0.002, () => {
            log.push(index);
            if (index === 2) throw error;
          });
          align(call, time);
        }
        await harness().advance(0.003);
        await harness().until(() => log.length === 3);
        expect(takeErrors(harness())).to.deep.equal([error]);
      });

      it('reports the rejection of an async function, and the error of a Deferred that a call returns', async () => {
        const reactor = startReactor(harness());
        reactor.callLater(0, async () => {
          await Promise.resolve();
          throw new Error('rejected');
        });
        reactor.callLater(0, () => fail(new Error('failed')));
        await harness().until(() => harness().errors.length === 2, 'both errors have been reported');
        expect(takeErrors(harness()).map((error) => error.message)).to.have.members(['rejected', 'failed']);
      });
    });

    describe('A delayed call', () => {
      it('says where it was made while debugging is on, by itself and when it fails [30]', async () => {
        const messages: string[] = [];
        const reactor = harness().createReactor({
          errorReporter: (_failure, message) => {
            messages.push(message);
          },
        });
        void reactor.run({ installSignalHandlers: false });
        const wasDebugging = setDebugging(true);
        let call: DelayedCall;
        try {
          call = reactor.callLater(0, () => {
            throw new Error('failed');
          });
        } finally {
          setDebugging(wasDebugging);
        }
        expect(String(call)).to.include('suites/time.ts');
        reactor.callLater(0, () => Promise.reject(new Error('failed')));
        await harness().until(() => messages.length === 2, 'both errors are reported');
        expect(messages[0]).to.match(/^An error in a delayed call; it was made\n[^]*suites\/time\.ts/);
        expect(messages[1]).to.equal('An error in a delayed call');
      });

      it('is active until it runs or is cancelled', async () => {
        const reactor = startReactor(harness());
        const call = reactor.callLater(0, () => {});
        const cancelled = reactor.callLater(0, () => expect.fail('it was cancelled'));
        expect(call.active()).to.equal(true);
        cancelled.cancel();
        expect(cancelled.active()).to.equal(false);
        await harness().until(() => !call.active(), 'the call has run');
      });

      it('refuses to be changed once it has run, or was cancelled [21]', async () => {
        const reactor = startReactor(harness());
        const called = reactor.callLater(0, () => {});
        await harness().until(() => !called.active(), 'the call has run');
        const cancelled = reactor.callLater(LONG_SECONDS, () => {});
        cancelled.cancel();
        const changes: ((call: DelayedCall) => void)[] = [
          (call) => call.cancel(),
          (call) => call.delay(1),
          (call) => call.reset(1),
        ];
        for (const change of changes) {
          expect(() => change(called)).to.throw(AlreadyCalled);
          expect(() => change(cancelled)).to.throw(AlreadyCancelled);
        }
      });

      it('counts as called while it runs [22]', async () => {
        const reactor = startReactor(harness());
        const log: unknown[] = [];
        const call = reactor.callLater(0, () => {
          log.push(call.active(), reactor.getDelayedCalls().includes(call));
          call.cancel();
        });
        reactor.callLater(0, () => log.push('the next'));
        await harness().until(() => log.length === 3);
        expect(log).to.deep.equal([false, false, 'the next']);
        expect(takeErrors(harness())).to.have.length(1).and.property('0').instanceOf(AlreadyCalled);
      });

      it('does not run if an earlier call of the same turn cancels or moves it [23]', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        const time = reactor.seconds() + 0.002;
        const first = reactor.callLater(0.002, () => {
          cancelled.cancel();
          moved.reset(0);
          // Where the next turn begins.
          reactor.callSoon(() => log.push('next turn'));
        });
        const cancelled = reactor.callLater(0.002, () => log.push('cancelled'));
        const moved = reactor.callLater(0.002, () => log.push('moved'));
        const last = reactor.callLater(0.002, () => log.push('last'));
        for (const call of [first, cancelled, moved, last]) align(call, time);
        await harness().advance(0.003);
        await harness().until(() => log.includes('moved'));
        expect(log).to.deep.equal(['last', 'next turn', 'moved']);
      });

      it('is delayed from when it was due, and reset from now [24]', async () => {
        const reactor = startReactor(harness());
        const call = reactor.callLater(10, () => {});
        const due = call.getTime();
        call.delay(5);
        expect(call.getTime()).to.equal(due + 5);
        call.delay(-12);
        expect(call.getTime()).to.equal(due + 5 - 12);
        await harness().advance(0.002);
        call.reset(1);
        expect(call.getTime()).to.be.closeTo(reactor.seconds() + 1, 0.1);
        for (const seconds of [NaN, Infinity, -Infinity]) {
          expect(() => call.delay(seconds)).to.throw(RangeError, 'secondsLater');
        }
        for (const seconds of [-1, NaN, Infinity]) {
          expect(() => call.reset(seconds)).to.throw(RangeError, 'secondsFromNow');
        }
        call.cancel();
      });

      it('runs when it was moved to: later, sooner, and at once when that time has passed', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        const later = reactor.callLater(0.001, () => log.push('later'));
        const sooner = reactor.callLater(LONG_SECONDS, () => log.push('sooner'));
        const atOnce = reactor.callLater(LONG_SECONDS, () => log.push('at once'));
        later.delay(0.008);
        align(sooner, reactor.seconds() + 0.004);
        atOnce.delay(-2 * LONG_SECONDS);
        await harness().advance(0.01);
        await harness().until(() => log.length === 3);
        expect(log).to.deep.equal(['at once', 'sooner', 'later']);
      });

      it('keeps its place among others when it is moved to their time', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        const first = reactor.callLater(0.005, () => log.push('made first'));
        const second = reactor.callLater(0.003, () => log.push('made second'));
        align(first, second.getTime());
        await harness().advance(0.004);
        await harness().until(() => log.length === 2);
        expect(log).to.deep.equal(['made first', 'made second']);
      });

      it('leaves the order of the others alone when it is cancelled, however many are [25]', async () => {
        const reactor = startReactor(harness());
        const log: number[] = [];
        const calls = Array.from({ length: 500 }, (_, index) =>
          reactor.callLater(0.001 + (index % 7) * 1e-6, () => log.push(index)),
        );
        const kept = calls.filter((_, index) => index % 50 === 0);
        for (const call of calls) if (!kept.includes(call)) call.cancel();
        const expected = [...kept].sort((one, other) => one.getTime() - other.getTime());
        expect(reactor.getDelayedCalls()).to.deep.equal(expected);
        await harness().advance(0.002);
        await harness().until(() => log.length === kept.length);
        expect(log).to.deep.equal(expected.map((call) => calls.indexOf(call)));
      });

      it('is cancelled by being disposed of, once, and says what it is', () => {
        const reactor = harness().createReactor();
        const call = reactor.callLater(1, function ringTheBell() {});
        expect(String(call)).to.contain('ringTheBell').and.contain('pending');
        call[Symbol.dispose]();
        expect(call.active()).to.equal(false);
        call[Symbol.dispose]();
        expect(String(call)).to.contain('cancelled');
      });
    });

    describe('more delayed calls than may be pending', () => {
      it('are refused with QueueOverflow, those that run or are cancelled making room', async () => {
        const reactor = harness().createReactor({ maxDelayedCalls: 3 });
        void reactor.run({ installSignalHandlers: false });
        const isRun: boolean[] = [];
        reactor.callLater(0.001, () => isRun.push(true));
        const [one] = [reactor.callLater(LONG_SECONDS, () => {}), reactor.callLater(LONG_SECONDS, () => {})];
        const more = (): DelayedCall => reactor.callLater(LONG_SECONDS, () => {});
        expect(more).to.throw(QueueOverflow, '3 delayed calls');
        one.cancel();
        more();
        expect(more).to.throw(QueueOverflow);
        await harness().advance(0.002);
        await harness().until(() => isRun.length === 1, 'one has run');
        more();
        expect(more).to.throw(QueueOverflow);
        expect(reactor.getDelayedCalls()).to.have.length(3);
        for (const maxDelayedCalls of [0, -1, 1.5, NaN]) {
          expect(() => harness().createReactor({ maxDelayedCalls })).to.throw(RangeError, 'maxDelayedCalls');
        }
      });
    });

    describe('getDelayedCalls', () => {
      it('lists what is pending in the order in which it will run, without what was cancelled [27]', () => {
        const reactor = harness().createReactor();
        const third = reactor.callLater(30, () => {});
        const first = reactor.callLater(10, () => {});
        const cancelled = reactor.callLater(5, () => {});
        const second = reactor.callLater(10, () => {});
        align(second, first.getTime());
        const moved = reactor.callLater(1, () => {});
        moved.delay(100);
        cancelled.cancel();
        expect(reactor.getDelayedCalls()).to.deep.equal([first, second, third, moved]);
      });

      it('lists, inside a call, the others that are due in the same turn', async () => {
        const reactor = startReactor(harness());
        let listed: readonly DelayedCall[] | undefined;
        const time = reactor.seconds() + 0.002;
        const running = reactor.callLater(0.002, () => {
          listed = reactor.getDelayedCalls();
        });
        const due = reactor.callLater(0.002, () => {});
        const later = reactor.callLater(LONG_SECONDS, () => {});
        align(running, time);
        align(due, time);
        await harness().advance(0.003);
        await harness().until(() => listed !== undefined);
        expect(listed).to.deep.equal([due, later]);
      });

      it('gives a list that does not change by itself', () => {
        const reactor = harness().createReactor();
        const call = reactor.callLater(1, () => {});
        const before = reactor.getDelayedCalls();
        reactor.callLater(2, () => {});
        call.cancel();
        expect(before).to.deep.equal([call]);
      });
    });

    describe('callSoon', () => {
      it('makes calls in order, with their arguments, never from inside itself', async () => {
        const reactor = startReactor(harness());
        const log: unknown[] = [];
        reactor.callSoon((...args: readonly unknown[]) => log.push(...args), 1, 'one');
        reactor.callSoon((...args: readonly unknown[]) => log.push(...args), 2);
        expect(log).to.deep.equal([]);
        await harness().until(() => log.length === 3);
        expect(log).to.deep.equal([1, 'one', 2]);
      });

      it('reports an error, or a rejection, and makes the other calls', async () => {
        const reactor = startReactor(harness());
        const log: string[] = [];
        reactor.callSoon(() => {
          throw new Error('thrown');
        });
        reactor.callSoon(() => Promise.reject(new Error('rejected')));
        reactor.callSoon(() => log.push('called'));
        await harness().until(() => harness().errors.length === 2, 'both errors have been reported');
        expect(log).to.deep.equal(['called']);
        expect(takeErrors(harness()).map((error) => error.message)).to.deep.equal(['thrown', 'rejected']);
      });

      it('throws QueueOverflow when as many calls wait as may, and takes more when they have been made', async () => {
        const reactor = harness().createReactor({ maxQueuedCalls: 3 });
        let calls = 0;
        const call = (): void => {
          calls += 1;
        };
        for (let count = 0; count < 3; count += 1) reactor.callSoon(call);
        expect(() => reactor.callSoon(call)).to.throw(QueueOverflow, '3 calls wait');
        void reactor.run({ installSignalHandlers: false });
        await harness().until(() => calls === 3, 'they have been made');
        reactor.callSoon(call);
        await harness().until(() => calls === 4, 'there is room again');
        for (const maxQueuedCalls of [0, -1, 1.5, NaN]) {
          expect(() => harness().createReactor({ maxQueuedCalls })).to.throw(RangeError, 'maxQueuedCalls');
        }
      });

      it('ends a loop of itself before memory is used up, and the reactor goes on', async () => {
        const reactor = harness().createReactor({ maxQueuedCalls: 1000 });
        void reactor.run({ installSignalHandlers: false });
        reactor.callSoon(() => {
          for (;;) reactor.callSoon(() => undefined);
        });
        await harness().until(() => harness().errors.length === 1, 'it has failed');
        expect(takeErrors(harness())[0]).to.be.instanceOf(QueueOverflow);
        let isCalled = false;
        await harness().advance(0.001);
        reactor.callSoon(() => (isCalled = true));
        await harness().until(() => isCalled, 'it goes on');
      });

      it('refuses what is no function', () => {
        const reactor = harness().createReactor();
        expect(() => reactor.callSoon(undefined as unknown as () => void)).to.throw(TypeError, 'fn');
      });
    });

    describe('seconds', () => {
      // The clock of the system is stepped for real in test/interoperability/clock-steps.test.ts.
      it('never goes back, from one call to the next or in between [29]', async () => {
        const reactor = startReactor(harness());
        const times = [reactor.seconds()];
        const again = (): void => {
          times.push(reactor.seconds());
          if (times.length < 50) reactor.callLater(0.0005, again);
        };
        reactor.callLater(0, again);
        await harness().until(() => {
          times.push(reactor.seconds());
          return times.length > 200;
        }, 'some time has passed');
        await harness().advance(0.05);
        times.push(reactor.seconds());
        expect(times).to.deep.equal([...times].sort((one, other) => one - other));
        expect(times.at(-1)).to.be.greaterThan(times[0] ?? NaN);
      });

      it('is the due time, to the bit, inside a call on a virtual clock', async function () {
        skipUnless(this, harness(), 'virtual-time');
        const reactor = startReactor(harness());
        const log: number[] = [];
        const start = reactor.seconds();
        const tick = (): void => {
          log.push(reactor.seconds() - start);
          reactor.callLater(1, tick);
        };
        reactor.callLater(1, tick);
        await harness().advance(5);
        // Twisted's Clock would jump to 5 and run it once.
        expect(log).to.deep.equal([1, 2, 3, 4, 5]);
      });
    });
  });
}
