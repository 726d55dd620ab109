/** Tasks for a pool of real threads, piscina's. */
import { once } from 'node:events';
import { MessageChannel, threadId as mainThread } from 'node:worker_threads';
import { expect } from 'chai';
import { Piscina } from 'piscina';
import {
  CancelledError,
  createReactor,
  Deferred,
  DeferredSemaphore,
  deferToWorkerPool,
  QueueUnderflow,
  type Reactor,
} from 'ropewalk';
import { spy } from 'sinon';

const filename = new URL('support/piscina-worker.mjs', import.meta.url).href;

interface Factors {
  readonly factors: number[];
  readonly threadId: number;
}

describe('deferToWorkerPool over piscina', () => {
  const log = { debug: spy(), info: spy(), warn: spy(), error: spy() };
  let reactor: Reactor;
  let pool: Piscina;

  beforeEach(() => {
    for (const method of Object.values(log)) method.resetHistory();
    reactor = createReactor({ logger: log });
    void reactor.run({ installSignalHandlers: false });
    pool = new Piscina({ filename, maxThreads: 1, maxQueue: 4, execArgv: [] });
  });

  afterEach(async () => {
    await pool.destroy();
    await reactor[Symbol.asyncDispose]();
  });

  const factorise = (number: number): Deferred<Factors> =>
    deferToWorkerPool<number, Factors>(pool, number, { reactor, name: 'factorise' });

  /** Begins a task that never ends, and waits until a thread is at it. */
  function hang(): { readonly hanging: Deferred<unknown>; readonly began: Promise<unknown> } {
    const { port1, port2 } = new MessageChannel();
    const options = { reactor, name: 'hang', transferList: [port2] };
    return { hanging: deferToWorkerPool(pool, port2, options), began: once(port1, 'message') };
  }

  async function errorOf(deferred: Deferred<unknown>): Promise<Error> {
    return deferred.addCallbacks(
      () => {
        throw new Error('it should have failed');
      },
      (failure) => failure.value,
    );
  }

  it('has a thread do the task, while the reactor goes on', async () => {
    const result = factorise(2 * 1_000_003);
    let turns = 0;
    reactor.callSoon(() => (turns += 1));
    const { factors, threadId }: Factors = await result;
    expect(factors).to.deep.equal([2, 1_000_003]);
    expect(threadId).not.to.equal(mainThread);
    expect(turns).to.equal(1);
  });

  it('has the callbacks called in a turn, which reports what nobody handles', async () => {
    const ended = new Deferred<void>();
    factorise(6).addCallback(() => {
      reactor.callSoon(() => ended.callback(undefined));
      throw new TypeError('a callback');
    });
    await ended;
    expect(log.error.callCount).to.equal(1);
    expect(log.error.firstCall.args[0]).to.have.nested.property('err.message', 'a callback');
  });

  it('fails with the error that the worker throws', async () => {
    const failing = deferToWorkerPool(pool, 'no such luck', { reactor, name: 'fail' });
    expect(await errorOf(failing)).to.include({ name: 'RangeError', message: 'no such luck' });
  });

  it('transfers what it is told to', async () => {
    const buffer = new ArrayBuffer(1024);
    const size: unknown = await deferToWorkerPool(pool, buffer, { reactor, name: 'sizeOf', transferList: [buffer] });
    expect([size, buffer.byteLength]).to.deep.equal([1024, 0]);
  });

  it('ends the thread of a task that is cancelled, and others go on', async () => {
    const { hanging, began } = hang();
    await began;
    const next = factorise(6);
    hanging.cancel();
    expect(await errorOf(hanging)).to.be.instanceOf(CancelledError);
    expect((await next).factors).to.deep.equal([2, 3]);
  });

  it('takes a task that is cancelled out of the queue', async () => {
    const { hanging, began } = hang();
    await began;
    const waiting = [factorise(6), factorise(10)];
    expect(pool.queueSize).to.equal(2);
    waiting[0]!.cancel();
    expect(await errorOf(waiting[0]!)).to.be.instanceOf(CancelledError);
    expect(pool.queueSize).to.equal(1);
    hanging.addErrback(() => undefined).cancel();
    expect((await waiting[1]!).factors).to.deep.equal([2, 5]);
  });

  it('is bounded by a semaphore, since the pool counts no task that can be cancelled', async () => {
    const threads = new DeferredSemaphore(1, { backlog: 2 });
    const { hanging, began } = hang();
    const first = threads.run(() => hanging);
    await began;
    const waiting = [factorise, factorise].map((work) => threads.run(work, 6));
    expect(() => threads.run(factorise, 6)).to.throw(QueueUnderflow);
    first.addErrback(() => undefined).cancel();
    for (const deferred of waiting) expect((await deferred).factors).to.deep.equal([2, 3]);
  });

  it('fails, tasks in work and tasks that wait, when the pool is destroyed', async () => {
    const { hanging, began } = hang();
    await began;
    const waiting = factorise(6);
    const errors = [errorOf(hanging), errorOf(waiting)];
    await pool.destroy();
    for (const error of await Promise.all(errors)) expect(error.message).to.match(/terminat/i);
    expect(log.error.callCount).to.equal(0);
  });

  it('lets tasks end in a shutdown trigger that closes the pool', async () => {
    const result = factorise(2 * 1_000_003);
    reactor.addSystemEventTrigger('before', 'shutdown', () => pool.close());
    reactor.stop();
    expect((await result).factors).to.deep.equal([2, 1_000_003]);
  });
});
