import { expect } from 'chai';
import {
  CancelledError,
  Cooperator,
  type CooperativeTask,
  type CooperatorOptions,
  Deferred,
  NotPaused,
  SchedulerStopped,
  SLICE_STEPS_MAX,
  TaskDone,
  TaskFailed,
  TaskStopped,
  succeed,
} from 'ropewalk/core';
import { assertNoResult, Clock, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';

/** A cooperator whose slices have `steps` steps, and a log of the steps of its tasks. */
function setUp(steps = 1, options: CooperatorOptions = {}) {
  const clock = new Clock();
  const log: string[] = [];
  const cooperator = new Cooperator(clock, {
    terminationPredicateFactory: () => {
      let taken = 0;
      return () => {
        taken += 1;
        return taken === steps;
      };
    },
    // One slice a second, so that a test can see each by itself.
    scheduler: (slice) => clock.callLater(1, slice),
    ...options,
  });
  function* work(name: string, count = Infinity): Generator<undefined, void> {
    try {
      for (let step = 1; step <= count; step += 1) {
        log.push(`${name}${step}`);
        yield undefined;
      }
    } finally {
      log.push(`${name} closed`);
    }
  }
  return { clock, log, cooperator, work };
}

/** What is left unhandled by what `action` does. */
function unhandledIn(action: () => void): readonly Error[] {
  const collector = new UnhandledErrorCollector();
  const previous = setTurnSink(collector);
  try {
    action();
  } finally {
    setTurnSink(previous);
  }
  return collector.takeUnhandled().map(({ failure }) => failure.value);
}

describe('Cooperator', () => {
  it('takes a step of each task in turn, and goes on in the next slice where the last one ended', () => {
    const { clock, log, cooperator, work } = setUp(2);
    for (const name of ['a', 'b', 'c']) cooperator.cooperate(work(name));
    expect(log).to.deep.equal([]);
    clock.advance(1);
    expect(log).to.deep.equal(['a1', 'b1']);
    clock.advance(2);
    expect(log).to.deep.equal(['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  });

  it('skips nobody when a task ends, pauses or waits in the middle of a round', () => {
    const { clock, log, cooperator, work } = setUp(9);
    cooperator.cooperate(work('a', 1));
    cooperator.cooperate(
      (function* () {
        log.push('b1');
        yield new Deferred<undefined>();
      })(),
    );
    cooperator.cooperate(work('c', 3));
    cooperator.cooperate(work('d', 3));
    clock.advance(1);
    expect(log).to.deep.equal(['a1', 'b1', 'c1', 'd1', 'a closed', 'c2', 'd2', 'c3', 'd3']);
  });

  it('puts a new task, and one that is resumed, after all others', () => {
    const { clock, log, cooperator, work } = setUp(3);
    const first = cooperator.cooperate(work('a'));
    cooperator.cooperate(work('b'));
    first.pause();
    cooperator.cooperate(work('c'));
    first.resume();
    clock.advance(2);
    expect(log).to.deep.equal(['b1', 'c1', 'a1', 'b2', 'c2', 'a2']);
  });

  it('asks for no slice without a task that has a step to take', () => {
    const { clock, cooperator, work } = setUp();
    expect(clock.getDelayedCalls()).to.have.lengthOf(0);
    const task = cooperator.cooperate(work('a'));
    expect(clock.getDelayedCalls()).to.have.lengthOf(1);
    task.pause();
    expect(clock.getDelayedCalls()).to.have.lengthOf(0);
    task.resume();
    expect(clock.getDelayedCalls()).to.have.lengthOf(1);
    task.stop();
    expect(clock.getDelayedCalls()).to.have.lengthOf(0);
  });

  for (const [what, predicateOfSlice] of [
    [
      'terminationPredicateFactory',
      (slice: number): (() => boolean) => {
        if (slice === 2) throw new RangeError('no predicate');
        return () => true;
      },
    ],
    [
      'predicate',
      (slice: number): (() => boolean) =>
        () => {
          if (slice === 2) throw new RangeError('no answer');
          return true;
        },
    ],
  ] as const) {
    it(`goes on with the next slice when its ${what} throws, which the reactor reports`, () => {
      const reactor = new TestReactor();
      let slices = 0;
      const cooperator = new Cooperator(reactor, {
        terminationPredicateFactory: () => {
          slices += 1;
          return predicateOfSlice(slices);
        },
      });
      let steps = 0;
      const done = cooperator.coiterate(
        (function* () {
          for (; steps < 5; steps += 1) yield undefined;
        })(),
      );
      reactor.advance(0);
      expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
      expect(steps).to.equal(5);
      successResultOf(done);
      reactor.assertClean();
    });
  }

  it('waits for start when it is made so', () => {
    const { clock, log, cooperator, work } = setUp(1, { started: false });
    expect(cooperator.running).to.equal(false);
    cooperator.cooperate(work('a'));
    clock.advance(2);
    expect(log).to.deep.equal([]);
    cooperator.start();
    expect(cooperator.running).to.equal(true);
    clock.advance(1);
    expect(log).to.deep.equal(['a1']);
  });

  describe('by default', () => {
    it('ends a slice after 10 ms on its clock', () => {
      let now = 0;
      const slices: (() => void)[] = [];
      const clock = Object.assign(new Clock(), { seconds: () => now });
      const cooperator = new Cooperator(clock, {
        scheduler: (slice) => {
          slices.push(slice);
          return { cancel: () => undefined };
        },
      });
      let steps = 0;
      cooperator.cooperate(
        (function* () {
          for (;;) {
            steps += 1;
            now += 0.003;
            yield undefined;
          }
        })(),
      );
      slices.shift()!();
      expect(steps).to.equal(4);
      slices.shift()!();
      expect(steps).to.equal(8);
    });

    it('ends a slice after so many steps where the clock stands still, and goes on in the next turn', () => {
      const reactor = new TestReactor();
      const cooperator = new Cooperator(reactor);
      let steps = 0;
      const done = cooperator.coiterate(
        (function* () {
          for (; steps < 2.5 * SLICE_STEPS_MAX; steps += 1) yield undefined;
        })(),
      );
      const seen: number[] = [];
      const look = (): void => {
        seen.push(steps);
        if (steps < 2.5 * SLICE_STEPS_MAX) reactor.callSoon(look);
      };
      reactor.callSoon(look);
      reactor.advance(0);
      expect(seen).to.include.members([SLICE_STEPS_MAX - 1, 2 * SLICE_STEPS_MAX - 1]);
      successResultOf(done);
      reactor.assertClean();
    });
  });

  describe('stop', () => {
    it('ends every task, also those that are paused or wait, and closes their iterators', () => {
      const { clock, log, cooperator, work } = setUp(3);
      const tasks = ['a', 'b'].map((name) => cooperator.cooperate(work(name)));
      const waiting = cooperator.cooperate([new Deferred<undefined>()].values());
      clock.advance(1);
      tasks[1]!.pause();
      const outcomes = [...tasks, waiting].map((task) => task.whenDone() as Deferred<unknown>);
      cooperator.stop();
      for (const outcome of outcomes) failureResultOf(outcome, SchedulerStopped);
      expect(log).to.deep.equal(['a1', 'b1', 'a closed', 'b closed']);
      expect(cooperator.running).to.equal(false);
      expect(clock.getDelayedCalls()).to.deep.equal([]);
      expect(() => tasks[0]!.stop()).to.throw(SchedulerStopped);
      cooperator.stop();
    });

    it('ends what is added afterwards at once, until it is started again', () => {
      const { clock, log, cooperator, work } = setUp();
      cooperator.stop();
      failureResultOf(cooperator.coiterate(work('a')), SchedulerStopped);
      cooperator.start();
      cooperator.cooperate(work('b'));
      clock.advance(1);
      expect(log).to.deep.equal(['b1']);
    });

    it('may be called from inside a step, and is what disposing of it does', () => {
      const { clock, log, cooperator, work } = setUp(10);
      const done = cooperator.coiterate(
        (function* () {
          yield undefined;
          cooperator[Symbol.dispose]();
          yield log.push('the step goes on to its end');
          log.push('but there is no other');
        })(),
      );
      cooperator.cooperate(work('b'));
      clock.advance(2);
      failureResultOf(done, SchedulerStopped);
      expect(log).to.deep.equal(['b1', 'b closed', 'the step goes on to its end']);
    });
  });

  describe('coiterate', () => {
    it('fires with the iterator when that is exhausted', () => {
      const { clock, cooperator, work } = setUp();
      const iterator = work('a', 2);
      const done = cooperator.coiterate(iterator);
      clock.advance(2);
      assertNoResult(done);
      clock.advance(1);
      expect(successResultOf(done)).to.equal(iterator);
    });

    it('stops the task when it is cancelled', () => {
      const { clock, log, cooperator, work } = setUp();
      const done = cooperator.coiterate(work('a'));
      clock.advance(1);
      done.cancel();
      failureResultOf(done, CancelledError);
      clock.advance(5);
      expect(log).to.deep.equal(['a1', 'a closed']);
    });
  });

  it('throws for what is no iterator that it can step', () => {
    const { cooperator } = setUp();
    expect(() => cooperator.cooperate([1, 2] as never)).to.throw(TypeError);
    expect(() =>
      cooperator.cooperate(
        (async function* () {
          yield 1;
        })() as never,
      ),
    ).to.throw(TypeError, 'synchronous');
    expect(() => new Cooperator({} as never)).to.throw(TypeError);
  });
});

describe('CooperativeTask', () => {
  it('waits for a Deferred that is yielded while the others go on', () => {
    const { clock, log, cooperator, work } = setUp(1);
    const later = new Deferred<string>();
    cooperator.cooperate(
      (function* () {
        log.push('before');
        yield later;
        log.push('after');
        yield undefined;
      })(),
    );
    cooperator.cooperate(work('b'));
    clock.advance(3);
    expect(log).to.deep.equal(['before', 'b1', 'b2']);
    later.callback('there');
    clock.advance(2);
    expect(log).to.deep.equal(['before', 'b1', 'b2', 'after', 'b3']);
    expect(successResultOf(later)).to.equal(undefined);
  });

  it('waits for a promise too, and goes on at once after a Deferred that has fired', async () => {
    const { clock, log, cooperator } = setUp(10);
    cooperator.cooperate(
      (function* () {
        yield succeed(1);
        log.push('Deferred');
        yield Promise.resolve(2);
        log.push('promise');
      })(),
    );
    clock.advance(1);
    expect(log).to.deep.equal(['Deferred']);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
    expect(log).to.deep.equal(['Deferred', 'promise']);
  });

  it('fails with what the iterator throws', () => {
    const { clock, cooperator } = setUp();
    const error = new RangeError('no');
    const task = cooperator.cooperate({
      next: () => {
        throw error;
      },
    });
    const done = task.whenDone();
    clock.advance(1);
    expect(failureResultOf(done).value).to.equal(error);
    expect(failureResultOf(task.whenDone()).value).to.equal(error);
    expect(() => task.stop())
      .to.throw(TaskFailed)
      .with.property('cause', error);
    expect(() => task.pause()).to.throw(TaskFailed);
  });

  it('fails when a Deferred that it has yielded does, and closes the iterator', () => {
    const { clock, log, cooperator } = setUp();
    const later = new Deferred<undefined>();
    const task = cooperator.cooperate(
      (function* () {
        try {
          yield later;
        } finally {
          log.push('closed');
        }
      })(),
    );
    clock.advance(1);
    task.pause();
    later.errback(new RangeError('no'));
    failureResultOf(task.whenDone(), RangeError);
    expect(log).to.deep.equal(['closed']);
  });

  it('reports its error if nobody has asked about it', () => {
    const error = new RangeError('no');
    const failing = {
      next: () => {
        throw error;
      },
    };
    const { clock, cooperator } = setUp();
    expect(
      unhandledIn(() => {
        cooperator.cooperate(failing);
        clock.advance(1);
      }),
    ).to.deep.equal([error]);
    expect(
      unhandledIn(() => {
        const task = cooperator.cooperate(failing);
        clock.advance(1);
        failureResultOf(task.whenDone(), RangeError);
      }),
    ).to.deep.equal([]);
  });

  describe('pause and resume', () => {
    it('are counted', () => {
      const { clock, log, cooperator, work } = setUp();
      const task = cooperator.cooperate(work('a'));
      task.pause();
      task.pause();
      task.resume();
      clock.advance(2);
      expect(log).to.deep.equal([]);
      task.resume();
      clock.advance(1);
      expect(log).to.deep.equal(['a1']);
      expect(() => task.resume()).to.throw(NotPaused);
    });

    it('hold a task that waits, whose Deferred is no pause to be undone', () => {
      const { clock, log, cooperator } = setUp();
      const later = new Deferred<undefined>();
      const task = cooperator.cooperate(
        (function* () {
          yield later;
          log.push('after');
        })(),
      );
      clock.advance(1);
      expect(() => task.resume()).to.throw(NotPaused);
      task.pause();
      later.callback(undefined);
      clock.advance(2);
      expect(log).to.deep.equal([]);
      task.resume();
      clock.advance(1);
      expect(log).to.deep.equal(['after']);
    });

    it('may be called by the step itself', () => {
      const { clock, log, cooperator } = setUp(5);
      function* pausing(): Generator<undefined, void> {
        task.pause();
        yield undefined;
        log.push('resumed');
      }
      const task: CooperativeTask = cooperator.cooperate(pausing());
      clock.advance(2);
      expect(log).to.deep.equal([]);
      task.resume();
      clock.advance(1);
      expect(log).to.deep.equal(['resumed']);
    });
  });

  describe('stop', () => {
    it('tells those who wait before it returns, and closes the iterator before that', () => {
      const { clock, log, cooperator, work } = setUp();
      const task = cooperator.cooperate(work('a'));
      clock.advance(1);
      task.whenDone().addErrback((failure) => void log.push(failure.value.name));
      task.stop();
      expect(log).to.deep.equal(['a1', 'a closed', 'TaskStopped']);
      failureResultOf(task.whenDone(), TaskStopped);
      expect(() => task.stop()).to.throw(TaskStopped);
      expect(() => task.pause()).to.throw(TaskStopped);
      expect(() => task.resume()).to.throw(NotPaused);
      task[Symbol.dispose]();
    });

    it('from inside a step lets that step end, and closes the iterator then', () => {
      const { clock, log, cooperator } = setUp(5);
      function* stopping(): Generator<undefined, void> {
        try {
          task[Symbol.dispose]();
          log.push('goes on');
          yield undefined;
        } finally {
          log.push('closed');
        }
      }
      const task: CooperativeTask = cooperator.cooperate(stopping());
      clock.advance(1);
      expect(log).to.deep.equal(['goes on', 'closed']);
    });

    it('leaves the Deferred that was waited for as it is, and its error to whoever wants it', () => {
      const { clock, cooperator } = setUp();
      const later = new Deferred<undefined>();
      const task = cooperator.cooperate([later].values());
      clock.advance(1);
      task.stop();
      assertNoResult(later);
      later.errback(new RangeError('late'));
      failureResultOf(later, RangeError);
      failureResultOf(task.whenDone(), TaskStopped);
    });

    it('reports what closing the iterator throws, and what a stopped step throws', () => {
      const { clock, cooperator } = setUp();
      const refusing = new RangeError('will not close');
      const late = new RangeError('thrown after stop');
      const iterator = {
        next: () => ({ done: false as const, value: undefined }),
        return: () => {
          throw refusing;
        },
      };
      expect(
        unhandledIn(() => {
          cooperator.cooperate(iterator).stop();
          const task: CooperativeTask = cooperator.cooperate({
            next: () => {
              task.stop();
              throw late;
            },
          });
          clock.advance(1);
        }),
      ).to.deep.equal([refusing, late]);
    });
  });

  it('has ended when its iterator is exhausted', () => {
    const { clock, cooperator } = setUp();
    const task = cooperator.cooperate([].values());
    clock.advance(1);
    expect(() => task.stop()).to.throw(TaskDone);
    successResultOf(task.whenDone());
  });

  it('lets a Deferred of whenDone be cancelled for itself alone', () => {
    const { clock, log, cooperator, work } = setUp();
    const task = cooperator.cooperate(work('a', 1));
    const cancelled = task.whenDone();
    const kept = task.whenDone();
    cancelled.cancel();
    failureResultOf(cancelled, CancelledError);
    clock.advance(2);
    successResultOf(kept);
    expect(log).to.deep.equal(['a1', 'a closed']);
  });
});
