import { expect } from 'chai';
import { AlreadyCalledError, Deferred } from 'ropewalk/core';
import { assertNoResult, failureResultOf, MemoryWorkerPool, successResultOf } from 'ropewalk/testing';

describe('MemoryWorkerPool', () => {
  it('does tasks one by one, in the order given, when it is told to', () => {
    const done: string[] = [];
    const pool = new MemoryWorkerPool<string, number>((task) => done.push(task));
    const results = ['a', 'b'].map((task) => pool.run(task));
    expect(done).to.deep.equal([]);
    expect(pool.perform()).to.equal(true);
    expect(done).to.deep.equal(['a']);
    expect(successResultOf(results[0]!)).to.equal(1);
    assertNoResult(results[1]!);
    expect(pool.tasks.map(({ task }) => task)).to.deep.equal(['b']);
    expect([pool.perform(), pool.perform()]).to.deep.equal([true, false]);
    expect(pool.tasks).to.deep.equal([]);
  });

  it('fails a task with what the function throws', () => {
    const pool = new MemoryWorkerPool<string, number>(() => {
      throw new RangeError('no');
    });
    const result = pool.run('a');
    pool.perform();
    failureResultOf(result, RangeError);
  });

  it('waits for what the function returns, and does others meanwhile', () => {
    const answers = new Map(['a', 'b'].map((task) => [task, new Deferred<number>()]));
    const pool = new MemoryWorkerPool<string, number>((task) => answers.get(task)!);
    const results = ['a', 'b'].map((task) => pool.run(task));
    while (pool.perform());
    expect(pool.tasks).to.have.length(2);
    answers.get('b')!.callback(2);
    assertNoResult(results[0]!);
    expect(successResultOf(results[1]!)).to.equal(2);
    expect(pool.tasks).to.have.length(1);
  });

  it('lets the test answer, in any order', () => {
    const pool = new MemoryWorkerPool<string, number>();
    const results = ['a', 'b', 'c'].map((task) => pool.run(task));
    const [a, b, c] = pool.tasks;
    c!.succeed(3);
    a!.fail(new RangeError('no'));
    expect(successResultOf(results[2]!)).to.equal(3);
    failureResultOf(results[0]!, RangeError);
    expect(pool.tasks).to.deep.equal([b]);
    expect(() => c!.succeed(4)).to.throw(AlreadyCalledError);
    expect(() => pool.perform()).to.throw(TypeError, 'the constructor');
    expect(() => new MemoryWorkerPool(7 as never)).to.throw(TypeError, 'work must be a function');
  });

  it('lets the test answer before the function does', () => {
    const slow = new Deferred<number>();
    const pool = new MemoryWorkerPool<string, number>(() => slow);
    const result = pool.run('a');
    pool.perform();
    pool.tasks[0]!.succeed(1);
    slow.callback(2);
    expect(successResultOf(result)).to.equal(1);
  });

  it('fails a task that is aborted, waiting or in work, and drops what comes of it', () => {
    const controller = new AbortController();
    const slow = new Deferred<number>();
    const pool = new MemoryWorkerPool<string, number>(() => slow);
    const results = ['a', 'b'].map((task) => pool.run(task, { signal: controller.signal }));
    const kept = pool.run('c');
    pool.perform();
    const [a, b] = pool.tasks;
    controller.abort('enough');
    for (const result of results) {
      expect(failureResultOf(result).value).to.include({ name: 'AbortError', cause: 'enough' });
    }
    expect([a!.aborted, b!.aborted]).to.deep.equal([true, true]);
    slow.callback(1);
    b!.succeed(2);
    expect(pool.tasks.map(({ task }) => task)).to.deep.equal(['c']);
    assertNoResult(kept);
    failureResultOf(pool.run('d', { signal: controller.signal }));
    expect(pool.tasks).to.have.length(1);
  });

  it('fails everything once it is destroyed', () => {
    using pool = new MemoryWorkerPool<string, number>();
    const before = pool.run('a');
    const [task] = pool.tasks;
    pool.destroy();
    expect(failureResultOf(before).getErrorMessage()).to.equal('The pool has been destroyed');
    failureResultOf(pool.run('b'));
    task!.succeed(1);
    expect(pool.tasks).to.deep.equal([]);
  });
});
