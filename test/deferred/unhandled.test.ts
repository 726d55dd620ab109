import { expect } from 'chai';
import { Deferred, type Failure, fail, setUnhandledErrorHandler, succeed } from 'ropewalk/core';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';
import { collectGarbageUntil } from './collect-garbage.ts';

/** Runs `turn` as a reactor would, and returns the messages of the errors reported at its end. */
function inTurn(turn: () => unknown, collector = new UnhandledErrorCollector()): string[] {
  const previous = setTurnSink(collector);
  try {
    turn();
  } finally {
    setTurnSink(previous);
  }
  return collector.takeUnhandled().map(({ failure }) => failure.getErrorMessage());
}

describe('Errors nobody handles', () => {
  describe('in a turn', () => {
    it('are reported at its end, in the order they came to rest', () => {
      const messages = inTurn(() => {
        fail(new Error('first'));
        succeed(1).addCallback(() => {
          throw new Error('second');
        });
        const third = new Deferred<number>();
        third.errback(new Error('third'));
      });
      expect(messages).to.deep.equal(['first', 'second', 'third']);
    });

    it('are not reported when an errback was there, or is added before the end', () => {
      const messages = inTurn(() => {
        const before = new Deferred<number>();
        before.addErrback(() => undefined);
        before.errback(new Error('before'));
        const after = fail(new Error('after'));
        after.addErrback(() => undefined);
      });
      expect(messages).to.be.empty;
    });

    it('are reported when an errback fails in turn, and only the newer one', () => {
      const messages = inTurn(() => {
        fail(new Error('old')).addErrback(() => {
          throw new Error('new');
        });
      });
      expect(messages).to.deep.equal(['new']);
    });

    it('are reported once when they pass links without an errback', () => {
      const collector = new UnhandledErrorCollector();
      let deferred: Deferred<unknown> | undefined;
      const messages = inTurn(() => {
        deferred = fail(new Error('once')).addErrback((failure) => failure);
        deferred.addCallback(() => 1).addCallback(() => 2);
      }, collector);
      expect(messages).to.deep.equal(['once']);
      expect(inTurn(() => deferred?.addCallback(() => 3), collector)).to.be.empty;
    });

    it('are reported for the Deferred that has them in the end, not for the one they were taken from', () => {
      const messages = inTurn(() => {
        const inner = fail(new Error('stolen'));
        succeed(0).addCallback(() => inner);
        const other = new Deferred<never>();
        fail(new Error('chained')).chainDeferred(other);
      });
      expect(messages).to.deep.equal(['stolen', 'chained']);
    });

    it('are not reported while a Deferred waits, though it once had failed', () => {
      const inner = new Deferred<number>();
      const messages = inTurn(() => {
        fail(new Error('handled')).addErrback(() => inner);
      });
      expect(messages).to.be.empty;
      expect(inTurn(() => inner.errback(new Error('of the inner one')))).to.deep.equal(['of the inner one']);
    });

    it('are not reported while a pause holds them, but when it ends', () => {
      const pausedBefore = new Deferred<number>();
      pausedBefore.pause();
      let pausedAfter: Deferred<unknown> | undefined;
      expect(
        inTurn(() => {
          pausedBefore.errback(new Error('before'));
          pausedAfter = fail(new Error('after'));
          pausedAfter.pause();
        }),
      ).to.be.empty;
      expect(
        inTurn(() => {
          pausedBefore.unpause();
          pausedAfter?.unpause();
        }),
      ).to.deep.equal(['before', 'after']);
    });

    it('are not reported when a paused chain gets its errback before it is released', () => {
      const messages = inTurn(() => {
        const deferred = fail(new Error('late'));
        deferred.pause();
        deferred.addErrback(() => undefined);
        deferred.unpause();
      });
      expect(messages).to.be.empty;
    });

    it('still reach an errback added in a later turn', () => {
      let deferred: Deferred<unknown> | undefined;
      expect(inTurn(() => (deferred = fail(new Error('late'))))).to.deep.equal(['late']);
      let seen: Failure | undefined;
      deferred?.addErrback((failure) => {
        seen = failure;
      });
      expect(seen?.getErrorMessage()).to.equal('late');
    });

    it('go to the sink of the inner turn when turns nest', () => {
      const outer = inTurn(() => {
        fail(new Error('outer'));
        expect(inTurn(() => fail(new Error('inner')))).to.deep.equal(['inner']);
        fail(new Error('outer again'));
      });
      expect(outer).to.deep.equal(['outer', 'outer again']);
    });

    it('are forgotten once they were taken', () => {
      const collector = new UnhandledErrorCollector();
      expect(inTurn(() => fail(new Error('once')), collector)).to.deep.equal(['once']);
      expect(collector.takeUnhandled()).to.be.empty;
    });
  });

  describe('outside any turn', () => {
    /** Sets the handler for the time of `program`, then collects garbage until `awaited` was reported, or long enough. */
    async function reportedAfter(program: () => void, awaited: string): Promise<string[]> {
      const messages: string[] = [];
      const previous = setUnhandledErrorHandler((failure) => messages.push(failure.getErrorMessage()));
      try {
        program();
        await collectGarbageUntil(() => messages.includes(awaited));
      } finally {
        setUnhandledErrorHandler(previous);
      }
      return messages;
    }

    it('are reported to the handler when the Deferred was garbage collected', async () => {
      expect(await reportedAfter(() => void fail(new Error('lost')), 'lost')).to.include('lost');
    });

    it('are not reported when they were handled, stolen or awaited', async () => {
      const messages = await reportedAfter(() => {
        fail(new Error('an errback took this')).addErrback(() => undefined);
        const inner = fail(new Error('an outer Deferred took this'));
        succeed(0)
          .addCallback(() => inner)
          .addErrback(() => undefined);
        fail(new Error('a promise took this')).then(undefined, () => undefined);
        fail(new Error('a waiting chain took this')).addErrback(() => new Deferred<number>());
        fail(new Error('nobody took this'));
      }, 'nobody took this');
      expect(messages).to.include('nobody took this');
      expect(messages.filter((message) => message.endsWith('took this'))).to.deep.equal(['nobody took this']);
    });

    it('reports what a canceller throws after it fired, at once', () => {
      const messages: string[] = [];
      const previous = setUnhandledErrorHandler((failure) => messages.push(failure.getErrorMessage()));
      new Deferred<number>((self) => {
        self.callback(1);
        throw new Error('afterwards');
      }).cancel();
      setUnhandledErrorHandler(previous);
      expect(messages).to.deep.equal(['afterwards']);
    });

    it('are written to console.error by default', () => {
      const original = console.error;
      const lines: unknown[] = [];
      console.error = (line: unknown) => lines.push(line);
      const handler = setUnhandledErrorHandler(() => undefined);
      setUnhandledErrorHandler(handler);
      try {
        new Deferred<number>((self) => {
          self.callback(1);
          throw new RangeError('afterwards');
        }).cancel();
      } finally {
        console.error = original;
      }
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(/^Unhandled error in Deferred: RangeError: afterwards\n\s+at /);
    });
  });

  describe('setUnhandledErrorHandler', () => {
    it('returns the handler until now', () => {
      const handler = (): void => undefined;
      const previous = setUnhandledErrorHandler(handler);
      expect(setUnhandledErrorHandler(previous)).to.equal(handler);
    });

    it('refuses what is no function', () => {
      expect(() => setUnhandledErrorHandler(undefined as unknown as () => void)).to.throw(TypeError, 'handler');
    });
  });
});
