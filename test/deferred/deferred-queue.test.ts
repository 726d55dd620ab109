import { expect } from 'chai';
import * as fc from 'fast-check';
import { CancelledError, Deferred, DeferredQueue, Failure, QueueOverflow, QueueUnderflow } from 'ropewalk/core';
import { results } from './results.ts';

describe('DeferredQueue', () => {
  it('keeps what is put, and gives it in order', () => {
    const queue = new DeferredQueue<string>();
    queue.put('a');
    queue.put('b');
    expect(queue.pending).to.deep.equal(['a', 'b']);
    expect([results(queue.get()), results(queue.get())]).to.deep.equal([['a'], ['b']]);
    expect(queue.pending).to.be.empty;
  });

  it('fires those who wait in order, inside put', () => {
    const queue = new DeferredQueue<string>();
    const seen = [results(queue.get()), results(queue.get())];
    expect(queue.waiting).to.have.length(2);
    queue.put('a');
    expect(seen).to.deep.equal([['a'], []]);
    queue.put('b');
    expect(seen).to.deep.equal([['a'], ['b']]);
  });

  it('loses no value to a get that is cancelled', () => {
    const queue = new DeferredQueue<string>();
    const [first, second] = [queue.get(), queue.get()];
    first.cancel();
    queue.put('a');
    expect(results(first)[0]).to.be.instanceOf(CancelledError);
    expect(results(second)).to.deep.equal(['a']);
  });

  it('throws QueueOverflow when more is put than it may hold', () => {
    const queue = new DeferredQueue<number>({ size: 1 });
    queue.put(1);
    expect(() => queue.put(2)).to.throw(QueueOverflow);
    results(queue.get());
    queue.put(3);
    expect(queue.pending).to.deep.equal([3]);
  });

  it('with a size of 0 takes values only for those who wait', () => {
    const queue = new DeferredQueue<number>({ size: 0 });
    expect(() => queue.put(1)).to.throw(QueueOverflow);
    const seen = results(queue.get());
    queue.put(2);
    expect(seen).to.deep.equal([2]);
  });

  it('throws QueueUnderflow when more wait than may', () => {
    const queue = new DeferredQueue<number>({ backlog: 1 });
    const waiting = queue.get();
    expect(() => queue.get()).to.throw(QueueUnderflow);
    waiting.addErrback(() => undefined).cancel();
    queue.get();
  });

  it('has limits by default, and none when they are lifted', () => {
    const queue = new DeferredQueue<number>();
    for (let index = 0; index < 65_536; index += 1) queue.put(index);
    expect(() => queue.put(-1)).to.throw(QueueOverflow);
    const unlimited = new DeferredQueue<number>({ size: Infinity });
    for (let index = 0; index < 65_537; index += 1) unlimited.put(index);
    expect(unlimited.pending).to.have.length(65_537);
  });

  it('refuses limits that make no sense, Deferreds and promises', () => {
    expect(() => new DeferredQueue({ size: -1 })).to.throw(RangeError, 'size');
    expect(() => new DeferredQueue({ backlog: 0.5 })).to.throw(RangeError, 'backlog');
    const queue = new DeferredQueue<unknown>();
    expect(() => queue.put(new Deferred())).to.throw(TypeError);
    expect(() => queue.put(Promise.resolve())).to.throw(TypeError);
    expect(queue.pending).to.be.empty;
  });

  it('fails the get that a Failure is given to', () => {
    const error = new Error('no');
    const queue = new DeferredQueue<number>();
    const waiting = results(queue.get());
    queue.put(new Failure(error));
    queue.put(new Failure(error));
    expect([waiting, results(queue.get())]).to.deep.equal([[error], [error]]);
  });

  it('keeps order through any mixture of puts, gets and cancels', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('put', 'get', 'cancel'), { maxLength: 200 }), (operations) => {
        const queue = new DeferredQueue<number>();
        const got: unknown[] = [];
        const gets: Deferred<unknown>[] = [];
        let puts = 0;
        for (const operation of operations) {
          if (operation === 'put') queue.put((puts += 1));
          else if (operation === 'cancel') gets.at(-1)?.cancel();
          else gets.push(queue.get().addCallbacks((value) => got.push(value), () => undefined)); // prettier-ignore
        }
        expect([...got, ...queue.pending]).to.deep.equal(Array.from({ length: puts }, (_, index) => index + 1));
        expect(queue.pending.length > 0 && queue.waiting.length > 0).to.be.false;
      }),
      { seed: 0x0def },
    );
  });

  describe('as an async iterable', () => {
    it('gives one value after another until the loop is left', async () => {
      const queue = new DeferredQueue<number>();
      for (const value of [1, 2, 3, 4]) queue.put(value);
      const seen: number[] = [];
      for await (const value of queue) {
        seen.push(value);
        if (value === 3) break;
      }
      expect(seen).to.deep.equal([1, 2, 3]);
      expect([queue.pending, queue.waiting]).to.deep.equal([[4], []]);
    });

    it('waits for values to come', async () => {
      const queue = new DeferredQueue<string>();
      const iterator = queue[Symbol.asyncIterator]();
      const next = iterator.next();
      queue.put('late');
      expect(await next).to.deep.equal({ done: false, value: 'late' });
    });

    it('gives up its place in the queue when it is closed', async () => {
      const queue = new DeferredQueue<string>();
      const iterator = queue[Symbol.asyncIterator]();
      const next = iterator.next();
      expect(await iterator.return?.()).to.deep.equal({ done: true, value: undefined });
      expect(queue.waiting).to.be.empty;
      expect(await next).to.deep.equal({ done: true, value: undefined });
      expect(await iterator.next()).to.deep.equal({ done: true, value: undefined });
      queue.put('kept');
      expect(queue.pending).to.deep.equal(['kept']);
    });

    it('throws the error that was put', async () => {
      const queue = new DeferredQueue<string>();
      queue.put(new Failure(new RangeError('no')));
      const error: unknown = await queue[Symbol.asyncIterator]()
        .next()
        .catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(RangeError);
    });
  });
});
