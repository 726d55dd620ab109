import { expect } from 'chai';
import { Deferred, fail } from 'ropewalk/core';
import { TestReactor } from 'ropewalk/testing';
import { UnhandledErrorCollector, collectBetweenTurns, setTurnSink } from '../../src/deferred/unhandled.ts';

function messagesOf(collector: UnhandledErrorCollector): string[] {
  return collector.takeUnhandled().map(({ failure }) => failure.getErrorMessage());
}

describe('Errors nobody handles, between turns', () => {
  it('go to the one who collects, until it stops', () => {
    const collector = new UnhandledErrorCollector();
    const stop = collectBetweenTurns(collector);
    fail(new Error('between'));
    stop();
    fail(new Error('after')).addErrback(() => undefined);
    expect(messagesOf(collector)).to.deep.equal(['between']);
  });

  it('go to the turn while one runs', () => {
    const [between, turn] = [new UnhandledErrorCollector(), new UnhandledErrorCollector()];
    const stop = collectBetweenTurns(between);
    const previous = setTurnSink(turn);
    fail(new Error('in the turn'));
    setTurnSink(previous);
    stop();
    expect([messagesOf(between), messagesOf(turn)]).to.deep.equal([[], ['in the turn']]);
  });

  it('go to the one who asked last; they may stop in any order', () => {
    const [one, other] = [new UnhandledErrorCollector(), new UnhandledErrorCollector()];
    const stopOne = collectBetweenTurns(one);
    const stopOther = collectBetweenTurns(other);
    fail(new Error('both'));
    stopOne();
    fail(new Error('other'));
    stopOther();
    expect([messagesOf(one), messagesOf(other)]).to.deep.equal([[], ['both', 'other']]);
  });

  it('are in the errors of a test reactor after advanceAsync, when they arose in a microtask', async () => {
    const reactor = new TestReactor();
    reactor.callLater(1, async () => {
      await Promise.resolve();
      new Deferred<number>().errback(new RangeError('in a continuation'));
    });
    await reactor.advanceAsync(1);
    expect(reactor.flushErrors(RangeError).map((failure) => failure.getErrorMessage())).to.deep.equal([
      'in a continuation',
    ]);
    reactor.assertClean();
  });

  it('are not reported when the continuations handle them in time', async () => {
    const reactor = new TestReactor();
    reactor.callLater(1, async () => {
      await Promise.resolve();
      const failed = fail(new Error('handled'));
      await Promise.resolve();
      failed.addErrback(() => undefined);
    });
    await reactor.advanceAsync(1);
    reactor.assertClean();
  });
});
