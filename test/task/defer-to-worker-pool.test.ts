import { expect } from 'chai';
import {
  CancelledError,
  deferToWorkerPool,
  type DeferToWorkerPoolOptions,
  TimeoutError,
  type WorkerPool,
} from 'ropewalk/core';
import { assertNoResult, failureResultOf, MemoryWorkerPool, successResultOf, TestReactor } from 'ropewalk/testing';

describe('deferToWorkerPool', () => {
  let reactor: TestReactor;
  let pool: MemoryWorkerPool<number, number>;

  beforeEach(() => {
    reactor = new TestReactor();
    pool = new MemoryWorkerPool((task) => {
      if (task < 0) throw new RangeError('negative');
      return Math.sqrt(task);
    });
  });

  afterEach(() => {
    pool.destroy();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('fires with what the worker makes of the task', () => {
    const root = deferToWorkerPool(pool, 49);
    assertNoResult(root);
    pool.perform();
    expect(successResultOf(root)).to.equal(7);
  });

  it('fails with the error of the worker', () => {
    const root = deferToWorkerPool(pool, -1);
    pool.perform();
    expect(failureResultOf(root, RangeError).getErrorMessage()).to.equal('negative');
  });

  it('fails with what the pool throws', () => {
    const full: WorkerPool<number, number> = {
      run: () => {
        throw new RangeError('the queue is full');
      },
    };
    failureResultOf(deferToWorkerPool(full, 1), RangeError);
    const root = deferToWorkerPool(full, 1, { reactor });
    assertNoResult(root);
    reactor.advance(0);
    failureResultOf(root, RangeError);
  });

  it('takes a pool that returns promises', async () => {
    const promising: WorkerPool<string, string> = { run: async (task) => `${task}!` };
    expect(await deferToWorkerPool(promising, 'hello')).to.equal('hello!');
  });

  describe('with a reactor', () => {
    it('fires in a turn, never inside the call that brings the result', () => {
      const root = deferToWorkerPool(pool, 49, { reactor });
      pool.perform();
      assertNoResult(root);
      reactor.advance(0);
      expect(successResultOf(root)).to.equal(7);
    });

    it('fires in the order in which results came', () => {
      const order: number[] = [];
      for (const task of [1, 4, 9]) {
        deferToWorkerPool(pool, task, { reactor }).addCallback((root) => order.push(root));
      }
      for (const task of pool.tasks.toReversed()) task.succeed(Math.sqrt(task.task));
      reactor.advance(0);
      expect(order).to.deep.equal([3, 2, 1]);
    });

    it('reports an error that nobody handled at the end of the turn', () => {
      deferToWorkerPool(pool, -1, { reactor });
      deferToWorkerPool(pool, 49, { reactor }).addCallback(() => {
        throw new TypeError('a callback');
      });
      while (pool.perform());
      reactor.advance(0);
      expect(reactor.flushErrors(RangeError)).to.have.length(1);
      expect(reactor.flushErrors(TypeError)).to.have.length(1);
    });

    it('waits for one that does not run yet', () => {
      const idle = new TestReactor({ running: false });
      const root = deferToWorkerPool(pool, 49, { reactor: idle });
      pool.perform();
      idle.advance(1);
      assertNoResult(root);
      void idle.run();
      idle.advance(0);
      expect(successResultOf(root)).to.equal(7);
    });
  });

  describe('cancelled', () => {
    it('aborts the signal that the pool was given, and fails at once with CancelledError', () => {
      for (const options of [{}, { reactor }]) {
        const root = deferToWorkerPool(pool, 49, options);
        const [task] = pool.tasks;
        expect(task!.aborted).to.equal(false);
        root.cancel();
        failureResultOf(root, CancelledError);
        expect(task!.aborted).to.equal(true);
        expect(task!.options.signal!.reason).to.be.instanceOf(CancelledError);
        expect(pool.tasks).to.deep.equal([]);
      }
    });

    it('drops what the task comes to nevertheless, an error too', async () => {
      for (const options of [{}, { reactor }]) {
        for (const outcome of [() => 7, () => Promise.reject(new Error('too late'))]) {
          let finish = (): void => undefined;
          const heedless: WorkerPool<number, number> = {
            run: () => new Promise((resolve) => (finish = () => resolve(outcome()))),
          };
          const root = deferToWorkerPool(heedless, 49, options);
          root.cancel();
          finish();
          await reactor.advanceAsync(0);
          failureResultOf(root, CancelledError);
        }
      }
    });

    it('drops a result that waits for the turn', () => {
      const root = deferToWorkerPool(pool, 49, { reactor });
      pool.perform();
      root.cancel();
      reactor.advance(0);
      failureResultOf(root, CancelledError);
    });

    it('does nothing once the result is there', () => {
      const root = deferToWorkerPool(pool, 49);
      const [task] = pool.tasks;
      pool.perform();
      root.cancel();
      expect(successResultOf(root)).to.equal(7);
      expect(task!.aborted).to.equal(false);
    });

    it('by a timeout fails with TimeoutError, and the task is aborted', () => {
      const root = deferToWorkerPool(pool, 49, { reactor }).addTimeout(5, reactor);
      const [task] = pool.tasks;
      reactor.advance(5);
      failureResultOf(root, TimeoutError);
      expect(task!.aborted).to.equal(true);
    });

    it('by a signal has its reason as the cause, and gives it to the pool', () => {
      const controller = new AbortController();
      const root = deferToWorkerPool(pool, 49, { reactor, signal: controller.signal });
      const [task] = pool.tasks;
      const reason = new Error('enough');
      controller.abort(reason);
      expect(failureResultOf(root, CancelledError).value.cause).to.equal(reason);
      expect(task!.options.signal!.reason).to.equal(reason);
    });

    it('before it begins does not ask the pool', () => {
      const reason = new Error('enough');
      const root = deferToWorkerPool(pool, 49, { signal: AbortSignal.abort(reason) });
      expect(failureResultOf(root, CancelledError).value.cause).to.equal(reason);
      expect(pool.tasks).to.deep.equal([]);
    });
  });

  it('hands the options on that are for the pool', () => {
    const transferList = [new ArrayBuffer(8)];
    const forPool = { name: 'root', filename: '/worker.js', transferList };
    const controller = new AbortController();
    deferToWorkerPool(pool, 49, { ...forPool, reactor, signal: controller.signal }).addErrback(() => undefined);
    const { signal, ...given } = pool.tasks[0]!.options;
    expect(given).to.deep.equal(forPool);
    expect(given.transferList).to.equal(transferList);
    expect(signal).to.be.instanceOf(AbortSignal).and.not.equal(controller.signal);
  });

  it('refuses what cannot be right, without asking the pool', () => {
    const notAPool = { exec: () => undefined } as unknown as typeof pool;
    expect(() => deferToWorkerPool(notAPool, 1)).to.throw(TypeError, 'pool has no method run');
    const clock = { callLater: () => undefined } as unknown as typeof reactor;
    expect(() => deferToWorkerPool(pool, 1, { reactor: clock })).to.throw(TypeError, 'reactor has no method callSoon');
    const misspelt = { transfer: [] } as DeferToWorkerPoolOptions;
    expect(() => deferToWorkerPool(pool, 1, misspelt)).to.throw(TypeError, 'no transfer; there is reactor, signal');
    expect(pool.tasks).to.deep.equal([]);
  });
});
