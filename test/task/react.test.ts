import { expect } from 'chai';
import {
  Deferred,
  deferLater,
  fail,
  NotACoroutineError,
  react,
  type Reactor,
  ReactorAlreadyRunning,
  ReactorNotRunning,
  succeed,
  SystemExit,
} from 'ropewalk/core';
import { TestReactor } from 'ropewalk/testing';

function setUp(): TestReactor {
  return new TestReactor({ running: false });
}

describe('react', () => {
  it('runs the reactor until the Deferred of main fires, and resolves with 0', async () => {
    const reactor = setUp();
    const log: unknown[] = [];
    const exitCode = react(
      reactor,
      (given: Reactor, ...names: string[]) => {
        log.push(given === reactor, given.running, ...names);
        return deferLater(given, 3, () => void log.push('main is done'));
      },
      'alice',
      'secret',
    );
    reactor.addSystemEventTrigger('during', 'shutdown', () => void log.push(`shutdown at ${reactor.seconds()}`));
    expect(log).to.deep.equal([true, false, 'alice', 'secret']);
    await reactor.advanceAsync(5);
    expect(await exitCode).to.equal(0);
    expect(log.slice(4)).to.deep.equal(['main is done', 'shutdown at 3']);
    expect(reactor.running).to.equal(false);
    expect(reactor.errors).to.deep.equal([]);
  });

  it('accepts an async function', async () => {
    const reactor = setUp();
    const exitCode = react(reactor, async (given) => {
      await deferLater(given, 1);
      await deferLater(given, 1);
    });
    await reactor.advanceAsync(3);
    expect(await exitCode).to.equal(0);
  });

  it('runs a generator function as a coroutine', async () => {
    const reactor = setUp();
    const exitCode = react(reactor, function* (given) {
      yield* deferLater(given, 1);
      throw new SystemExit(7);
    });
    reactor.advance(3);
    expect(await exitCode).to.equal(7);
  });

  it('stops a reactor whose main is done before it runs, once it runs', async () => {
    const reactor = setUp();
    let hasStarted = false;
    reactor.addSystemEventTrigger('after', 'startup', () => {
      hasStarted = true;
    });
    const exitCode = react(reactor, () => succeed('done'));
    expect(hasStarted).to.equal(true);
    reactor.advance(0);
    expect(await exitCode).to.equal(0);
  });

  for (const [when, main] of [
    ['before the reactor runs', () => fail(new RangeError('no'))],
    ['later', (reactor: Reactor) => deferLater(reactor, 1, () => fail(new RangeError('no')))],
    [
      'by throwing',
      () => {
        throw new RangeError('no');
      },
    ],
    ['by a rejection', () => Promise.reject(new RangeError('no'))],
  ] as const) {
    it(`has the reactor report the error of a main that fails ${when}, and resolves with 1`, async () => {
      const reactor = setUp();
      const exitCode = react(reactor, main);
      await reactor.advanceAsync(2);
      expect(await exitCode).to.equal(1);
      expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
      reactor.assertClean();
    });
  }

  it('resolves with the code of a SystemExit, which is not reported', async () => {
    const reactor = setUp();
    const exitCode = react(reactor, async (given) => {
      await deferLater(given, 1);
      throw new SystemExit(3);
    });
    await reactor.advanceAsync(2);
    expect(await exitCode).to.equal(3);
    reactor.assertClean();
  });

  it('refuses a SystemExit that is no status of a program', () => {
    for (const exitCode of [-1, 256, 1.5, NaN, Infinity]) {
      expect(() => new SystemExit(exitCode), String(exitCode)).to.throw(RangeError, 'exitCode');
    }
    for (const exitCode of ['3', undefined, null, 1n]) {
      expect(() => new SystemExit(exitCode as never), String(exitCode)).to.throw(TypeError, 'exitCode');
    }
    expect([0, 255].map((exitCode) => new SystemExit(exitCode).exitCode)).to.deep.equal([0, 255]);
  });

  it('takes a main that returns nothing to wait for as failed', async () => {
    const reactor = setUp();
    const exitCode = react(reactor, (() => undefined) as never);
    reactor.advance(0);
    expect(await exitCode).to.equal(1);
    expect(reactor.flushErrors(NotACoroutineError)).to.have.lengthOf(1);
  });

  it('does not wait for main when the reactor is stopped by something else', async () => {
    const reactor = setUp();
    const never = new Deferred<undefined>();
    const exitCode = react(reactor, () => never);
    reactor.callLater(1, () => reactor.stop());
    reactor.advance(1);
    expect(await exitCode).to.equal(0);
    never.callback(undefined);
    reactor.assertClean();
  });

  it('does not stop a reactor that is stopping when main ends, and takes its outcome into account', async () => {
    const reactor = setUp();
    const done = new Deferred<undefined>();
    const exitCode = react(reactor, () => done);
    reactor.addSystemEventTrigger('before', 'shutdown', () => {
      done.errback(new RangeError('interrupted'));
      return deferLater(reactor, 1);
    });
    reactor.callLater(1, () => reactor.stop());
    await reactor.advanceAsync(3);
    expect(await exitCode).to.equal(1);
    expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
    reactor.assertClean();
  });

  it('puts up with a stop in the turn in which main ends', async () => {
    const reactor = setUp();
    const exitCode = react(reactor, (given) =>
      deferLater(given, 1, () => {
        given.stop();
      }),
    );
    reactor.advance(2);
    expect(await exitCode).to.equal(0);
    expect(() => reactor.stop()).to.throw(ReactorNotRunning);
    reactor.assertClean();
  });

  it('leaves nothing behind for the next run after a crash', async () => {
    const reactor = setUp();
    const never = new Deferred<undefined>();
    const exitCode = react(reactor, () => never);
    reactor.callLater(1, () => reactor.crash());
    reactor.advance(2);
    expect(await exitCode).to.equal(0);
    void reactor.run();
    never.callback(undefined);
    reactor.advance(2);
    expect(reactor.running).to.equal(true);
    reactor.assertClean();
  });

  it('throws, and does not call main, if the reactor runs already', () => {
    const reactor = new TestReactor();
    let isCalled = false;
    const main = (): Deferred<undefined> => {
      isCalled = true;
      return succeed(undefined);
    };
    expect(() => react(reactor, main)).to.throw(ReactorAlreadyRunning);
    expect(isCalled).to.equal(false);
    expect(() => react(setUp(), undefined as never)).to.throw(TypeError);
  });

  it('throws, and leaves nothing behind, if the reactor has not stopped yet', () => {
    const reactor = setUp();
    void reactor.run();
    reactor.advance(0);
    reactor.addSystemEventTrigger('during', 'shutdown', () => deferLater(reactor, 1));
    reactor.stop();
    reactor.advance(0);
    expect(reactor.running).to.equal(false);
    expect(() => react(reactor, () => fail(new SystemExit(1)))).to.throw(ReactorAlreadyRunning);
    reactor.advance(1);
    void reactor.run();
    reactor.advance(1);
    expect(reactor.running).to.equal(true);
    reactor.assertClean();
  });
});
