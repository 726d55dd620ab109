import { expect } from 'chai';
import { spy } from 'sinon';
import { CancelledError, Deferred, type Failure, fail, succeed } from 'ropewalk/core';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';

function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(promise).then(
    () => expect.fail('it was fulfilled'),
    (reason: unknown) => reason,
  );
}

/** A promise and the functions that settle it. */
function controlled<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  // Assigned by the executor, which runs inside the constructor.
  let settle!: { resolve: (value: T) => void; reject: (reason: unknown) => void };
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

/** Lets everything that is queued in microtasks run. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('Deferred and promises', () => {
  describe('awaiting a Deferred', () => {
    it('gives the value', async () => {
      expect(await succeed(1)).to.equal(1);
      const later = new Deferred<number>();
      const promise = (async () => await later)();
      later.callback(2);
      expect(await promise).to.equal(2);
    });

    it('throws the error itself, not the Failure', async () => {
      const error = new RangeError('no');
      try {
        await fail(error);
        expect.fail('nothing was thrown');
      } catch (caught) {
        expect(caught).to.equal(error);
      }
    });

    it('leaves the result in place for other awaits and for callbacks', async () => {
      const deferred = succeed(1);
      expect(await deferred).to.equal(1);
      expect(await deferred).to.equal(1);
      const seen: unknown[] = [];
      deferred.addCallback((value) => seen.push(value));
      expect(seen).to.deep.equal([1]);
      const error = new Error('no');
      const failed = fail(error);
      expect(await rejectionOf(failed)).to.equal(error);
      expect(await rejectionOf(failed)).to.equal(error);
      failed.addErrback((failure) => seen.push(failure.value));
      expect(seen).to.deep.equal([1, error]);
    });

    it('sees the chain as it is at that point', async () => {
      const deferred = new Deferred<number>();
      const before = deferred.toPromise();
      const after = deferred.addCallback((value) => value + 1).toPromise();
      deferred.callback(1);
      expect(await Promise.all([before, after])).to.deep.equal([1, 2]);
    });

    it('returns native promises from then and toPromise, whose functions run later', async () => {
      const onFulfilled = spy();
      const promise = succeed(1).then(onFulfilled);
      expect(promise).to.be.instanceOf(Promise);
      expect(succeed(1).toPromise()).to.be.instanceOf(Promise);
      expect(onFulfilled.called).to.be.false;
      await promise;
      expect(onFulfilled.args).to.deep.equal([[1]]);
    });

    it('works with Promise.all and with async functions that return one', async () => {
      const returned = async (): Promise<number> => succeed(2);
      expect(await Promise.all([succeed(1), returned()])).to.deep.equal([1, 2]);
    });

    it('counts as handling an error', async () => {
      const collector = new UnhandledErrorCollector();
      const previous = setTurnSink(collector);
      let promises: Promise<unknown>[];
      try {
        const awaitedBefore = new Deferred<number>();
        const awaitedAfter = fail(new Error('after'));
        promises = [rejectionOf(awaitedBefore.toPromise()), rejectionOf(awaitedAfter.toPromise())];
        awaitedBefore.errback(new Error('before'));
        awaitedBefore.addCallback(() => 'passed by');
      } finally {
        setTurnSink(previous);
      }
      expect(collector.takeUnhandled()).to.be.empty;
      await Promise.all(promises);
    });

    it('does not cover an error that an errback after it returns, be it the same', async () => {
      const collector = new UnhandledErrorCollector();
      const previous = setTurnSink(collector);
      const deferred = new Deferred<number>();
      const promise = rejectionOf(deferred.toPromise());
      try {
        deferred.addErrback((failure) => failure);
        deferred.errback(new Error('returned'));
      } finally {
        setTurnSink(previous);
      }
      expect(collector.takeUnhandled().map(({ failure }) => failure.getErrorMessage())).to.deep.equal(['returned']);
      await promise;
    });

    it('does not cover an error that comes after it in the chain', async () => {
      const collector = new UnhandledErrorCollector();
      const previous = setTurnSink(collector);
      const deferred = succeed(1);
      const promise = deferred.toPromise();
      try {
        deferred.addCallback(() => {
          throw new Error('later');
        });
      } finally {
        setTurnSink(previous);
      }
      expect(await promise).to.equal(1);
      expect(collector.takeUnhandled().map(String)).to.have.length(1);
      deferred.addErrback(() => undefined);
    });
  });

  describe('a callback that returns a promise', () => {
    it('makes the chain wait, and resumes it with the value', async () => {
      const { promise, resolve } = controlled<string>();
      const seen: unknown[] = [];
      const deferred = succeed(0).addCallback(() => promise);
      deferred.addCallback((value) => seen.push(value));
      await macrotask();
      expect(seen).to.be.empty;
      resolve('there');
      expect(seen).to.be.empty;
      await macrotask();
      expect(seen).to.deep.equal(['there']);
    });

    it('resumes it with the error of a rejection', async () => {
      const error = new Error('rejected');
      expect(await rejectionOf(succeed(0).addCallback(() => Promise.reject(error)))).to.equal(error);
    });

    it('waits for an async callback', async () => {
      const deferred = succeed(1).addCallback(async (value) => {
        await macrotask();
        return value + 1;
      });
      expect(await deferred).to.equal(2);
    });

    it('waits for any thenable, and only for its first answer', async () => {
      const thenable: PromiseLike<number> = {
        then(onFulfilled) {
          onFulfilled?.(1);
          onFulfilled?.(2);
          return Promise.resolve() as Promise<never>;
        },
      };
      expect(await succeed(0).addCallback(() => thenable)).to.equal(1);
    });

    it('fails when looking for then throws', async () => {
      const error = new Error('getter');
      const hostile = Object.defineProperty({}, 'then', {
        get() {
          throw error;
        },
      });
      expect(await rejectionOf(succeed(0).addCallback(() => hostile))).to.equal(error);
    });

    it('fails with CancelledError when cancelled, and ignores what the promise says later', async () => {
      for (const settle of ['resolve', 'reject'] as const) {
        const late = controlled<unknown>();
        const seen: unknown[] = [];
        const deferred = succeed(0).addCallback(() => late.promise);
        deferred.addBoth((result) => {
          seen.push(result);
        });
        deferred.cancel();
        expect((seen[0] as Failure).check(CancelledError)).to.equal(CancelledError);
        late[settle](new Error('late'));
        await macrotask();
        expect(seen).to.have.length(1);
      }
    });
  });

  describe('fromPromise', () => {
    it('fires with the value', async () => {
      const deferred = Deferred.fromPromise(Promise.resolve(1));
      expect(deferred.called).to.be.false;
      expect(await deferred).to.equal(1);
    });

    it('fails with the reason, an error as it is, anything else wrapped', async () => {
      const error = new Error('no');
      expect(await rejectionOf(Deferred.fromPromise(Promise.reject(error)))).to.equal(error);
      for (const reason of ['text', undefined, null]) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- this is what is tested
        const caught = await rejectionOf(Deferred.fromPromise(Promise.reject(reason)));
        expect(caught).to.be.instanceOf(Error);
        expect((caught as Error).cause).to.equal(reason);
      }
    });

    it('calls onCancel when cancelled, and ignores what the promise says later', async () => {
      const abort = new AbortController();
      const aborted = new Promise<never>((_resolve, reject) => {
        abort.signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
      const deferred = Deferred.fromPromise(aborted, () => abort.abort());
      const seen: Failure[] = [];
      deferred.addErrback((failure) => {
        seen.push(failure);
      });
      deferred.cancel();
      expect(abort.signal.aborted).to.be.true;
      expect(seen.map((failure) => failure.check(CancelledError))).to.deep.equal([CancelledError]);
      await macrotask();
      expect(seen).to.have.length(1);
    });

    it('ignores it without a rejection nobody handles', async () => {
      const rejections: unknown[] = [];
      const listener = (reason: unknown): unknown => rejections.push(reason);
      process.on('unhandledRejection', listener);
      try {
        for (const settle of ['resolve', 'reject'] as const) {
          const late = controlled<unknown>();
          const deferred = Deferred.fromPromise(late.promise, () => undefined);
          deferred.addErrback(() => undefined);
          deferred.cancel();
          late[settle](new Error('late'));
          await macrotask();
        }
      } finally {
        process.off('unhandledRejection', listener);
      }
      expect(rejections).to.be.empty;
    });

    it('may be fired by onCancel', async () => {
      const { promise, resolve } = controlled<string>();
      const deferred = Deferred.fromPromise(promise, (self) => self.callback('partial'));
      deferred.cancel();
      resolve('complete');
      expect(await deferred).to.equal('partial');
    });
  });
});
