/** Where errors go that have no caller to go to: one path, which ends at the reactor's logger. */
import { expect } from 'chai';
import { type Deferred, fail, Failure, type Logger } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { startReactor, takeErrors } from '../support/connections.ts';

function messages(harness: Harness): string[] {
  return takeErrors(harness).map((error) => error.message);
}

function throwing(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

export function describeErrors(harness: () => Harness): void {
  describe('Errors', () => {
    describeUnhandledErrors(harness);
    describeReporting(harness);
  });
}

function describeUnhandledErrors(harness: () => Harness): void {
  describe('An error that no Deferred handles', () => {
    it('is reported once, when the turn has ended in which it arose', async () => {
      const reactor = startReactor(harness());
      const reportedInTurn: number[] = [];
      const reportedInNext: number[] = [];
      reactor.callSoon(() => {
        fail(new Error('nobody cares'));
        reactor.callSoon(() => reportedInNext.push(harness().errors.length));
      });
      reactor.callSoon(() => reportedInTurn.push(harness().errors.length));
      await harness().until(() => reportedInNext.length > 0);
      await harness().advance(0.001);
      expect(reportedInTurn).to.deep.equal([0]);
      expect(reportedInNext).to.deep.equal([1]);
      expect(messages(harness())).to.deep.equal(['nobody cares']);
    });

    it('is not reported if an errback is added later in the same turn', async () => {
      const reactor = startReactor(harness());
      let failed: Deferred<never> | undefined;
      let handled: Error | undefined;
      reactor.callSoon(() => {
        failed = fail(new Error('handled after all'));
      });
      reactor.callSoon(() => {
        failed?.addErrback((failure) => {
          handled = failure.value;
        });
      });
      await harness().until(() => handled !== undefined);
      await harness().advance(0.001);
      expect(harness().errors).to.deep.equal([]);
    });

    it('still comes to an errback that is added too late to silence the report', async () => {
      const reactor = startReactor(harness());
      let failed: Deferred<never> | undefined;
      let handled: Error | undefined;
      reactor.callSoon(() => {
        failed = fail(new Error('late'));
      });
      await harness().until(() => harness().errors.length > 0, 'the error has been reported');
      failed?.addErrback((failure) => {
        handled = failure.value;
      });
      expect(handled?.message).to.equal('late');
      expect(messages(harness())).to.deep.equal(['late']);
    });

    it('is reported also when no other turn follows, because the reactor crashes', async () => {
      const reactor = startReactor(harness());
      await harness().advance(0.001);
      reactor.callSoon(() => {
        fail(new Error('before the crash'));
        void Promise.resolve().then(() => reactor.crash());
      });
      await harness().until(() => !reactor.running, 'the reactor has crashed');
      expect(messages(harness())).to.deep.equal(['before the crash']);
    });

    it('is reported also when it arises in the last turn of a run, before run() resolves', async () => {
      const reactor = harness().createReactor();
      const reported: string[] = [];
      reactor.addSystemEventTrigger('during', 'shutdown', () => void fail(new Error('at the very end')));
      const run = reactor.run({ installSignalHandlers: false }).then(() => reported.push(...messages(harness())));
      reactor.stop();
      await harness().until(() => reported.length > 0);
      await run;
      expect(reported).to.deep.equal(['at the very end']);
    });
  });
}

function describeReporting(harness: () => Harness): void {
  describe('The report', () => {
    it('goes to the logger, with the error and what the reactor was doing', async () => {
      const log: [object, string][] = [];
      const ignore = (): void => {};
      const error = (fields: object, message: string): void => void log.push([fields, message]);
      const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error };
      const reactor = harness().createReactor({ logger });
      const thrown = new Error('thrown');
      const failed = new Error('failed');
      void reactor.run({ installSignalHandlers: false });
      reactor.callLater(0, () => {
        fail(failed);
        throw thrown;
      });
      await harness().until(() => log.length === 2, 'both errors have been logged');
      expect(log).to.deep.equal([
        [{ err: thrown }, 'An error in a delayed call'],
        [{ err: failed }, 'Unhandled error in Deferred'],
      ]);
    });

    it('may itself fail without harm', async () => {
      let reportCount = 0;
      const reactor = harness().createReactor({
        errorReporter: () => {
          reportCount += 1;
          throw new Error('the disk is full');
        },
      });
      void reactor.run({ installSignalHandlers: false });
      let isCalled = false;
      reactor.callLater(0, throwing('first'));
      reactor.callSoon(() => {
        fail(new Error('second'));
      });
      reactor.callLater(0.001, () => (isCalled = true));
      await harness().advance(0.002);
      await harness().until(() => isCalled && reportCount === 2);
    });

    it('makes an error of what is thrown and is none', async () => {
      const reactor = startReactor(harness());
      reactor.callSoon(() => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- it is what careless code does
        throw 'a string';
      });
      await harness().until(() => harness().errors.length === 1);
      const [failure] = harness().errors.splice(0);
      expect(failure).to.be.instanceOf(Failure);
      expect(failure?.value).to.be.instanceOf(Error);
      expect(failure?.value.cause).to.equal('a string');
    });
  });
}
