/** The life of a reactor: running, stopping, crashing, running again. What that means for connections is in `stopping.ts`. */
import { expect } from 'chai';
import { Deferred, fail, type Reactor, ReactorAlreadyRunning, ReactorNotRunning } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { skipUnless, startReactor, takeErrors } from '../support/connections.ts';
import { runReactor, untilEnded } from '../support/running.ts';

export function describeLifecycle(harness: () => Harness): void {
  describe('Lifecycle', () => {
    describeRun(harness);
    describeStop(harness);
    describeShutdown(harness);
    describeCrash(harness);
    describeTwoReactors(harness);
  });
}

function describeRun(harness: () => Harness): void {
  describe('run', () => {
    it('fires startup, in whose during phase the reactor comes to be running [1]', async () => {
      const reactor = harness().createReactor();
      const log: [string, boolean][] = [];
      reactor.callWhenRunning(() => log.push(['callWhenRunning', reactor.running]));
      for (const phase of ['after', 'during', 'before'] as const) {
        reactor.addSystemEventTrigger(phase, 'startup', () => log.push([phase, reactor.running]));
      }
      expect(reactor.running).to.equal(false);
      runReactor(reactor);
      await harness().until(() => log.length === 4);
      expect(log).to.deep.equal([
        ['before', false],
        ['during', true],
        ['callWhenRunning', true],
        ['after', true],
      ]);
    });

    it('fires startup before it returns, when no trigger is waited for', () => {
      const reactor = harness().createReactor();
      let isRunning = false;
      reactor.callWhenRunning(() => (isRunning = reactor.running));
      runReactor(reactor);
      expect(isRunning).to.equal(true);
    });

    it('waits for what the triggers of startup return', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const deferred = new Deferred<void>();
      reactor.addSystemEventTrigger('before', 'startup', () => deferred);
      reactor.callWhenRunning(() => log.push('running'));
      reactor.callLater(0, () => log.push('a turn'));
      runReactor(reactor);
      await harness().until(() => log.length > 0);
      expect(log).to.deep.equal(['a turn']);
      expect(reactor.running).to.equal(false);
      deferred.callback(undefined);
      expect(log).to.deep.equal(['a turn', 'running']);
    });

    it('throws at once while the reactor runs, and may be called again after stop and after crash [4]', async () => {
      const reactor = harness().createReactor();
      const first = runReactor(reactor);
      expect(() => reactor.run()).to.throw(ReactorAlreadyRunning);
      reactor.stop();
      expect(() => reactor.run()).to.throw(ReactorAlreadyRunning);
      await untilEnded(harness(), first);

      const log: string[] = [];
      reactor.callWhenRunning(() => log.push('second run'));
      const second = runReactor(reactor);
      reactor.crash();
      await untilEnded(harness(), second);

      reactor.callLater(0, () => log.push('third run'));
      const third = runReactor(reactor);
      await harness().until(() => log.length === 2);
      expect(log).to.deep.equal(['second run', 'third run']);
      reactor.stop();
      await untilEnded(harness(), third);
    });

    it('gives back all errors of its triggers, and starts all the same', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      reactor.addSystemEventTrigger('before', 'startup', () => {
        throw new Error('before');
      });
      reactor.addSystemEventTrigger('during', 'startup', () => fail(new Error('during')));
      reactor.callWhenRunning(async () => {
        await Promise.resolve();
        throw new Error('after');
      });
      reactor.callWhenRunning(() => log.push('running'));
      runReactor(reactor);
      await harness().until(() => harness().errors.length === 3, 'three errors have been reported');
      expect(log).to.deep.equal(['running']);
      expect(takeErrors(harness()).map((error) => error.message)).to.deep.equal(['before', 'during', 'after']);
    });
  });

  describe('callWhenRunning', () => {
    it('calls at once on a running reactor, else gives an identifier to take the call back with [2]', () => {
      const reactor = harness().createReactor();
      const log: unknown[] = [];
      const kept = reactor.callWhenRunning((...args: readonly unknown[]) => log.push(...args), 'kept', 1);
      const removed = reactor.callWhenRunning(() => log.push('removed'));
      if (kept === undefined || removed === undefined) return expect.fail('an identifier is missing');
      reactor.removeSystemEventTrigger(removed);
      runReactor(reactor);
      expect(log).to.deep.equal(['kept', 1]);
      expect(reactor.callWhenRunning((...args: readonly unknown[]) => log.push(...args), 'now', 2)).to.equal(undefined);
      expect(log).to.deep.equal(['kept', 1, 'now', 2]);
    });

    it('lets an error out to its caller on a running reactor', () => {
      const reactor = startReactor(harness());
      const error = new Error('no');
      const call = (): unknown =>
        reactor.callWhenRunning(() => {
          throw error;
        });
      expect(call).to.throw(error);
    });

    it('refuses what is no function', () => {
      const reactor = harness().createReactor();
      expect(() => reactor.callWhenRunning(null as unknown as () => void)).to.throw(TypeError, 'fn');
    });
  });

  describe('Signals', () => {
    it('stop the reactor, from before the first call after startup [15]', async function () {
      skipUnless(this, harness(), 'signals');
      const reactor = harness().createReactor();
      reactor.callWhenRunning(() => harness().sendSignal('SIGTERM'));
      const run = runReactor(reactor, {});
      expect(reactor.exitSignal).to.equal(undefined);
      await untilEnded(harness(), run);
      expect(reactor.exitSignal).to.equal('SIGTERM');
      const next = runReactor(reactor);
      expect(reactor.exitSignal).to.equal(undefined);
      reactor.stop();
      await untilEnded(harness(), next);
    });

    it('stop every reactor that handles them, and no other [14]', async function () {
      skipUnless(this, harness(), 'signals');
      const [one, other, deaf] = [1, 2, 3].map(() => harness().createReactor());
      if (one === undefined || other === undefined || deaf === undefined) return;
      const runs = [runReactor(one, {}), runReactor(other, {})];
      runReactor(deaf);
      // Nothing is to be done any more: the signal has to bring the turn that stops.
      await harness().advance(0.001);
      harness().sendSignal('SIGINT');
      for (const run of runs) await untilEnded(harness(), run);
      expect([one.exitSignal, other.exitSignal]).to.deep.equal(['SIGINT', 'SIGINT']);
      expect(deaf.running).to.equal(true);
      expect(deaf.exitSignal).to.equal(undefined);
    });
  });
}

function describeStop(harness: () => Harness): void {
  describe('stop', () => {
    it('throws unless the reactor runs, also when called a second time [3]', async () => {
      const reactor = harness().createReactor();
      expect(() => reactor.stop()).to.throw(ReactorNotRunning);
      const run = runReactor(reactor);
      const thrown: unknown[] = [];
      reactor.addSystemEventTrigger('before', 'shutdown', () => {
        try {
          reactor.stop();
        } catch (error) {
          thrown.push(error);
        }
      });
      reactor.stop();
      expect(() => reactor.stop()).to.throw(ReactorNotRunning);
      await untilEnded(harness(), run);
      expect(thrown).to.have.length(1).and.property('0').instanceOf(ReactorNotRunning);
      expect(() => reactor.stop()).to.throw(ReactorNotRunning);
    });

    it('lets the calls run that are due in the same turn [5]', async () => {
      const reactor = startReactor(harness());
      const log: string[] = [];
      reactor.addSystemEventTrigger('before', 'shutdown', () => log.push('shutdown'));
      const time = reactor.seconds() + 0.002;
      const stopping = reactor.callLater(0.002, () => {
        reactor.stop();
        log.push(reactor.running ? 'still running' : 'not running');
      });
      const due = reactor.callLater(0.002, () => log.push('due'));
      for (const call of [stopping, due]) call.delay(time - call.getTime());
      await harness().advance(0.003);
      await harness().until(() => !reactor.running, 'the reactor has stopped');
      expect(log).to.deep.equal(['still running', 'due', 'shutdown']);
    });

    it('ends a run that is still starting', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      reactor.addSystemEventTrigger('before', 'startup', () => reactor.stop());
      reactor.callWhenRunning(() => log.push('running'));
      reactor.addSystemEventTrigger('after', 'shutdown', () => log.push('shut down'));
      await untilEnded(harness(), runReactor(reactor));
      expect(log).to.deep.equal(['running', 'shut down']);
    });

    it('leaves delayed calls for the next run', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const first = runReactor(reactor);
      // Not so soon that a busy machine could come to it in the turn that stops.
      const call = reactor.callLater(0.1, () => log.push('delayed'));
      reactor.stop();
      await untilEnded(harness(), first);
      await harness().advance(0.1);
      expect(log).to.deep.equal([]);
      expect(call.active()).to.equal(true);
      runReactor(reactor);
      await harness().until(() => log.length === 1, 'the call has been made');
    });

    it('leaves what is queued or due for the next run when the run ends in the middle of a turn', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const ending = new Deferred<void>();
      reactor.addSystemEventTrigger('before', 'shutdown', () => ending);
      const run = runReactor(reactor);
      reactor.stop();
      await harness().advance(0.001);
      reactor.callSoon(() => ending.callback(undefined));
      reactor.callSoon(() => log.push('queued'));
      reactor.callLater(0, () => log.push('delayed'));
      await untilEnded(harness(), run);
      await harness().advance(0.002);
      expect(log).to.deep.equal([]);
      runReactor(reactor);
      reactor.callSoon(() => log.push('queued later'));
      await harness().until(() => log.length === 3);
      expect(log).to.deep.equal(['queued', 'queued later', 'delayed']);
    });

    it('is what await using does, and waits for', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      reactor.addSystemEventTrigger('after', 'shutdown', () => log.push('shut down'));
      runReactor(reactor);
      let isDisposed = false;
      void reactor[Symbol.asyncDispose]().then(() => (isDisposed = true));
      await harness().until(() => isDisposed, 'the reactor has been disposed of');
      expect(log).to.deep.equal(['shut down']);
      await reactor[Symbol.asyncDispose]();
    });

    it('leaves the triggers of an unfinished startup for the next run', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const starting = new Deferred<void>();
      reactor.addSystemEventTrigger('before', 'startup', () => starting);
      reactor.callWhenRunning(() => log.push(`running: ${String(reactor.running)}`));
      let hasEnded = false;
      void reactor.run({ installSignalHandlers: false }).then(() => {
        hasEnded = true;
      });
      reactor.stop();
      await harness().until(() => hasEnded, 'the run has ended');
      starting.callback(undefined);
      expect(log).to.deep.equal([]);
      expect(reactor.running).to.equal(false);
      void reactor.run({ installSignalHandlers: false });
      expect(log).to.deep.equal(['running: true']);
    });
  });
}

function describeShutdown(harness: () => Harness): void {
  describe('Shutdown', () => {
    it('goes through its phases; during the second the reactor is no longer running [6]', async () => {
      const reactor = harness().createReactor();
      const log: [string, boolean][] = [];
      for (const [phase, name] of [
        ['after', 'after'],
        ['during', 'during, first'],
        ['before', 'before'],
        ['during', 'during, second'],
      ] as const) {
        reactor.addSystemEventTrigger(phase, 'shutdown', () => log.push([name, reactor.running]));
      }
      const run = runReactor(reactor);
      reactor.stop();
      await untilEnded(harness(), run);
      expect(log).to.deep.equal([
        ['before', true],
        ['during, first', false],
        ['during, second', false],
        ['after', false],
      ]);
    });

    it('waits for Deferreds and promises, and goes on when they, or a trigger, fail [8]', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const deferred = new Deferred<void>();
      let resolve = (): void => {};
      const promise = new Promise<void>((resolvePromise) => (resolve = resolvePromise));
      reactor.addSystemEventTrigger('before', 'shutdown', () => {
        throw new Error('thrown');
      });
      reactor.addSystemEventTrigger('before', 'shutdown', () => deferred);
      reactor.addSystemEventTrigger('before', 'shutdown', () => promise);
      reactor.addSystemEventTrigger('before', 'shutdown', async () => {
        await promise;
        throw new Error('rejected');
      });
      reactor.addSystemEventTrigger('before', 'shutdown', () => log.push('last'));
      reactor.addSystemEventTrigger('during', 'shutdown', () => log.push('during'));
      const run = runReactor(reactor);
      reactor.stop();
      await harness().until(() => log.length > 0);
      deferred.errback(new Error('failed'));
      await harness().advance(0.001);
      expect(log).to.deep.equal(['last']);
      expect(reactor.running).to.equal(true);
      resolve();
      await untilEnded(harness(), run);
      expect(log).to.deep.equal(['last', 'during']);
      const messages = takeErrors(harness()).map((error) => error.message);
      expect(messages).to.deep.equal(['thrown', 'failed', 'rejected']);
    });

    it('waits in the other phases as well [9]', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const [during, after] = [new Deferred<void>(), new Deferred<void>()];
      reactor.addSystemEventTrigger('during', 'shutdown', () => {
        log.push('during');
        return during;
      });
      reactor.addSystemEventTrigger('after', 'shutdown', () => {
        log.push('after');
        return after;
      });
      const run = runReactor(reactor);
      reactor.stop();
      await harness().advance(0.001);
      expect(log).to.deep.equal(['during']);
      during.callback(undefined);
      expect(log).to.deep.equal(['during', 'after']);
      await harness().advance(0.001);
      expect(run.hasEnded).to.equal(false);
      after.callback(undefined);
      await untilEnded(harness(), run);
    });

    it('has turns while it waits', async () => {
      const reactor = harness().createReactor();
      const run = runReactor(reactor);
      reactor.addSystemEventTrigger('before', 'shutdown', () => {
        const deferred = new Deferred<void>();
        reactor.callLater(0.002, () => deferred.callback(undefined));
        return deferred;
      });
      reactor.stop();
      await harness().advance(0.003);
      await untilEnded(harness(), run);
    });
  });

  describe('System event triggers', () => {
    it('run once, and in the order in which they were added [10]', () => {
      const reactor = harness().createReactor();
      const log: unknown[] = [];
      reactor.addSystemEventTrigger('during', 'tide', (...args: readonly unknown[]) => log.push(...args), 'first', 1);
      reactor.addSystemEventTrigger('during', 'tide', () => log.push('second'));
      reactor.fireSystemEvent('tide');
      reactor.fireSystemEvent('tide');
      expect(log).to.deep.equal(['first', 1, 'second']);
    });

    it('run in the firing under way if they are added to its phase or a later one', () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      reactor.addSystemEventTrigger('during', 'tide', () => {
        log.push('during');
        reactor.addSystemEventTrigger('before', 'tide', () => log.push('added before'));
        reactor.addSystemEventTrigger('during', 'tide', () => log.push('added during'));
        reactor.addSystemEventTrigger('after', 'tide', () => log.push('added after'));
      });
      reactor.fireSystemEvent('tide');
      expect(log).to.deep.equal(['during', 'added during', 'added after']);
      reactor.fireSystemEvent('tide');
      expect(log.slice(3)).to.deep.equal(['added before']);
    });

    it('are taken back by their identifier, once, and before they run [11]', () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const removed = reactor.addSystemEventTrigger('before', 'tide', () => log.push('removed'));
      const run = reactor.addSystemEventTrigger('before', 'tide', () => {
        log.push('run');
        expect(() => reactor.removeSystemEventTrigger(run)).to.throw(RangeError, 'has run');
        reactor.removeSystemEventTrigger(other);
      });
      const other = reactor.addSystemEventTrigger('before', 'tide', () => log.push('other'));
      reactor.removeSystemEventTrigger(removed);
      expect(() => reactor.removeSystemEventTrigger(removed)).to.throw(RangeError, 'before tide');
      reactor.fireSystemEvent('tide');
      expect(log).to.deep.equal(['run']);
      for (const id of [undefined, null, 1, 'tide', {}] as unknown as (typeof run)[]) {
        expect(() => reactor.removeSystemEventTrigger(id)).to.throw(TypeError, 'id');
      }
    });

    it('are refused for a phase there is not, an event that is no string, or no function [12]', () => {
      const reactor = harness().createReactor();
      const trigger = (): void => {};
      for (const phase of ['befor', '', undefined, 'toString'] as unknown as 'before'[]) {
        expect(() => reactor.addSystemEventTrigger(phase, 'startup', trigger)).to.throw(RangeError, 'phase');
      }
      expect(() => reactor.addSystemEventTrigger('before', 1 as unknown as string, trigger)).to.throw(
        TypeError,
        'eventType',
      );
      expect(() => reactor.addSystemEventTrigger('before', 'startup', 1 as unknown as () => void)).to.throw(
        TypeError,
        'fn',
      );
    });
  });
}

/** More than one call may have arguments. */
const MANY_CALLS = 300_000;

function describeCrash(harness: () => Harness): void {
  describe('crash', () => {
    it('leaves the loop at once without any event, and run() begins anew [13]', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      reactor.addSystemEventTrigger('before', 'shutdown', () => log.push('shutdown'));
      const run = runReactor(reactor);
      reactor.crash();
      expect(reactor.running).to.equal(false);
      await untilEnded(harness(), run);
      expect(log).to.deep.equal([]);
      reactor.callWhenRunning(() => log.push('startup'));
      const again = runReactor(reactor);
      expect(log).to.deep.equal(['startup']);
      reactor.stop();
      await untilEnded(harness(), again);
      expect(log).to.deep.equal(['startup', 'shutdown']);
    });

    it('throws unless the reactor runs', () => {
      const reactor = harness().createReactor();
      expect(() => reactor.crash()).to.throw(ReactorNotRunning);
      runReactor(reactor);
      reactor.crash();
      expect(() => reactor.crash()).to.throw(ReactorNotRunning);
    });

    it('leaves the rest of the turn to the next run', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const run = runReactor(reactor);
      reactor.callSoon(() => {
        log.push('crash');
        reactor.crash();
      });
      reactor.callSoon(() => log.push('queued'));
      reactor.callLater(0, () => log.push('delayed'));
      await untilEnded(harness(), run);
      await harness().advance(0.002);
      expect(log).to.deep.equal(['crash']);
      runReactor(reactor);
      await harness().until(() => log.length === 3);
      expect(log).to.deep.equal(['crash', 'queued', 'delayed']);
    });

    it('leaves any number of calls to it, and in order', async () => {
      const reactor = harness().createReactor();
      let calls = 0;
      const run = runReactor(reactor);
      reactor.callSoon(() => reactor.crash());
      for (let count = 0; count < MANY_CALLS; count += 1) reactor.callSoon(() => (calls += 1));
      await untilEnded(harness(), run);
      expect(calls).to.equal(0);
      expect(reactor.inspect().queuedCallCount).to.equal(MANY_CALLS);
      runReactor(reactor);
      await harness().until(() => calls === MANY_CALLS, 'all have been made');
    });

    it('may be followed by run() in the same call', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      runReactor(reactor);
      const time = reactor.seconds() + 0.002;
      const crashing = reactor.callLater(0.002, () => {
        reactor.crash();
        runReactor(reactor);
        reactor.callSoon(() => log.push('queued'));
      });
      const due = reactor.callLater(0.002, () => log.push('due'));
      for (const call of [crashing, due]) call.delay(time - call.getTime());
      await harness().advance(0.003);
      await harness().until(() => log.length === 2);
      // The next turn is the first of the second run.
      expect(log).to.deep.equal(['queued', 'due']);
    });

    it('makes the startup that was being waited for void', async () => {
      const reactor = harness().createReactor();
      const log: string[] = [];
      const deferred = new Deferred<void>();
      reactor.addSystemEventTrigger('before', 'startup', () => deferred);
      const run = runReactor(reactor);
      reactor.crash();
      await untilEnded(harness(), run);
      deferred.callback(undefined);
      expect(reactor.running).to.equal(false);
      runReactor(reactor);
      reactor.callWhenRunning(() => log.push('running'));
      expect(log).to.deep.equal(['running']);
    });
  });
}

function describeTwoReactors(harness: () => Harness): void {
  describe('Two reactors in one process', () => {
    it('run and stop independently', async () => {
      const [one, other] = [harness().createReactor(), harness().createReactor()];
      const runOfOne = runReactor(one);
      const runOfOther = runReactor(other);
      one.stop();
      await untilEnded(harness(), runOfOne);
      expect(other.running).to.equal(true);
      let isCalled = false;
      other.callLater(0, () => (isCalled = true));
      await harness().until(() => isCalled, 'the other goes on');
      other.stop();
      await untilEnded(harness(), runOfOther);
    });

    it('have errors of their own, also when one works inside a call of the other', async () => {
      const messages: string[] = [];
      const named = (name: string): Reactor =>
        harness().createReactor({
          errorReporter: (failure) => {
            messages.push(`${name}: ${failure.value.message}`);
          },
        });
      const [one, other] = [named('one'), named('other')];
      runReactor(one);
      one.callSoon(() => {
        fail(new Error('mine'));
        other.addSystemEventTrigger('before', 'startup', () => void fail(new Error('yours')));
        runReactor(other);
        fail(new Error('mine too'));
      });
      await harness().until(() => messages.length === 3, 'three errors have been reported');
      expect(messages).to.have.members(['one: mine', 'one: mine too', 'other: yours']);
    });
  });
}
