import { expect } from 'chai';
import { spy } from 'sinon';
import {
  CancelledError,
  Deferred,
  DeferredList,
  Failure,
  FirstError,
  fail,
  gatherResults,
  race,
  succeed,
} from 'ropewalk/core';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';

/** What the chain of `deferred` has come to, as a list so that "nothing yet" can be told from undefined. */
function results(deferred: Deferred<unknown>): unknown[] {
  const seen: unknown[] = [];
  deferred.addBoth((result) => {
    seen.push(result);
  });
  return seen;
}

/** The `FirstError` that a Deferred failed with. */
function firstErrorOf([result]: unknown[]): FirstError {
  if (result instanceof Failure && result.value instanceof FirstError) return result.value;
  return expect.fail(`the result is ${String(result)}, and no FirstError`);
}

/** The messages of the errors that `program` leaves unhandled. */
function unhandledIn(program: () => void): string[] {
  const collector = new UnhandledErrorCollector();
  const previous = setTurnSink(collector);
  try {
    program();
  } finally {
    setTurnSink(previous);
  }
  return collector.takeUnhandled().map(({ failure }) => failure.getErrorMessage());
}

function pending(count: number): Deferred<string>[] {
  return Array.from({ length: count }, () => new Deferred<string>());
}

describe('DeferredList', () => {
  it('is a Deferred', () => {
    expect(new DeferredList([])).to.be.instanceOf(Deferred);
  });

  it('fires with every outcome, in the order of the inputs, when the last has fired', () => {
    const [first, second, third] = pending(3);
    const seen = results(new DeferredList([first!, second!, third!], { consumeErrors: true }));
    const failure = new Failure(new Error('no'));
    third!.callback('c');
    second!.errback(failure);
    expect(seen).to.be.empty;
    first!.callback('a');
    expect(seen).to.deep.equal([
      [
        [true, 'a'],
        [false, failure],
        [true, 'c'],
      ],
    ]);
  });

  it('takes inputs that have fired, and fires at once without inputs', () => {
    expect(results(new DeferredList([succeed(1), succeed(2)]))).to.deep.equal([
      [
        [true, 1],
        [true, 2],
      ],
    ]);
    expect(results(new DeferredList([]))).to.deep.equal([[]]);
  });

  it('leaves each input its value', () => {
    const input = succeed(1);
    results(new DeferredList([input]));
    expect(results(input)).to.deep.equal([1]);
  });

  it('takes the outcome an input has at the time it is added', () => {
    const input = new Deferred<number>();
    const list = new DeferredList([input]);
    const changed = results(input.addCallback((value) => value + 1));
    input.callback(1);
    expect(results(list)).to.deep.equal([[[true, 1]]]);
    expect(changed).to.deep.equal([2]);
  });

  it('does not change when the array it was given does', () => {
    const inputs = pending(1);
    const seen = results(new DeferredList(inputs));
    const [input] = inputs;
    inputs.push(new Deferred());
    input!.callback('a');
    expect(seen).to.deep.equal([[[true, 'a']]]);
  });

  describe('fireOnOneCallback', () => {
    it('fires with the first value and its index', () => {
      const [first, second] = pending(2);
      const seen = results(new DeferredList([first!, second!], { fireOnOneCallback: true }));
      second!.callback('b');
      expect(seen).to.deep.equal([['b', 1]]);
      first!.callback('a');
      expect(seen).to.have.length(1);
    });

    it('is not fired by an error, but with all outcomes if no input succeeds', () => {
      const [first, second] = pending(2);
      const list = new DeferredList([first!, second!], { fireOnOneCallback: true, consumeErrors: true });
      const seen = results(list);
      const failures = [new Failure(new Error('one')), new Failure(new Error('two'))];
      first!.errback(failures[0]);
      expect(seen).to.be.empty;
      second!.errback(failures[1]);
      expect(seen).to.deep.equal([failures.map((failure) => [false, failure])]);
    });

    it('never fires without inputs', () => {
      expect(new DeferredList([], { fireOnOneCallback: true }).called).to.be.false;
    });
  });

  describe('fireOnOneErrback', () => {
    it('fails with FirstError, which has the failure and the index', () => {
      const [first, second] = pending(2);
      const seen = results(new DeferredList([first!, second!], { fireOnOneErrback: true, consumeErrors: true }));
      const failure = new Failure(new Error('no'));
      second!.errback(failure);
      const error = firstErrorOf(seen);
      expect(error.subFailure).to.equal(failure);
      expect(error.index).to.equal(1);
      expect(error.cause).to.equal(failure.value);
    });

    it('neither cancels the others nor takes their results', () => {
      const canceller = spy();
      const other = new Deferred<string>(canceller);
      const list = new DeferredList([fail<string>(new Error('no')), other], {
        fireOnOneErrback: true,
        consumeErrors: true,
      });
      results(list);
      expect(canceller.called).to.be.false;
      other.callback('still there');
      expect(results(other)).to.deep.equal(['still there']);
    });

    it('still fires with all outcomes if all succeed', () => {
      expect(results(new DeferredList([succeed(1)], { fireOnOneErrback: true }))).to.deep.equal([[[true, 1]]]);
    });
  });

  describe('consumeErrors', () => {
    it('is off by default: an error stays in its input and is reported', () => {
      const messages = unhandledIn(() => {
        results(new DeferredList([fail(new Error('stays')), succeed(1)]));
      });
      expect(messages).to.deep.equal(['stays']);
    });

    it('leaves undefined in an input that failed, before and after the list has fired', () => {
      const [first, second] = pending(2);
      const messages = unhandledIn(() => {
        const list = new DeferredList([first!, second!], { fireOnOneErrback: true, consumeErrors: true });
        list.addErrback(() => undefined);
        first!.errback(new Error('first'));
        second!.errback(new Error('second'));
      });
      expect(messages).to.be.empty;
      expect([results(first!), results(second!)]).to.deep.equal([[undefined], [undefined]]);
    });
  });

  describe('cancel', () => {
    it('cancels every input that has not fired, and fires with what they end in', () => {
      const canceller = spy();
      const value = new Deferred<string>((self) => self.callback('partial'));
      const list = new DeferredList([succeed('done'), new Deferred<string>(canceller), value], { consumeErrors: true });
      const seen = results(list);
      list.cancel();
      expect(canceller.calledOnce).to.be.true;
      const [done, cancelled, partial] = seen[0] as [unknown, [boolean, Failure], unknown];
      expect(done).to.deep.equal([true, 'done']);
      expect(cancelled[0]).to.be.false;
      expect(cancelled[1].check(CancelledError)).to.equal(CancelledError);
      expect(partial).to.deep.equal([true, 'partial']);
    });

    it('cancels them all though a canceller throws', () => {
      const canceller = spy();
      const broken = new Deferred<string>(() => {
        throw new Error('broken');
      });
      const list = new DeferredList([broken, new Deferred<string>(canceller)], { consumeErrors: true });
      list.cancel();
      expect(canceller.calledOnce).to.be.true;
      expect(list.called).to.be.true;
    });

    it('cancels the rest after it has failed on the first', () => {
      const canceller = spy();
      const list = new DeferredList([new Deferred<string>(), new Deferred<string>(canceller)], {
        fireOnOneErrback: true,
        consumeErrors: true,
      });
      const seen = results(list);
      list.cancel();
      expect((seen[0] as Failure).check(FirstError)).to.equal(FirstError);
      expect(canceller.calledOnce).to.be.true;
    });

    it('touches no input once the list has fired', () => {
      const canceller = spy();
      const list = new DeferredList([succeed('a'), new Deferred<string>(canceller)], { fireOnOneCallback: true });
      list.cancel();
      expect(canceller.called).to.be.false;
      expect(results(list)).to.deep.equal([['a', 0]]);
    });

    it('reaches the inner Deferred a fired list waits for', () => {
      const canceller = spy();
      const inner = new Deferred<number>(canceller);
      const waiting = new DeferredList([succeed(1)]).addCallback(() => inner);
      waiting.addErrback(() => undefined);
      waiting.cancel();
      expect(canceller.calledOnce).to.be.true;
    });
  });
});

describe('gatherResults', () => {
  it('gives all values in the order of the inputs', () => {
    const [first, second] = pending(2);
    const seen = results(gatherResults([first!, second!]));
    second!.callback('b');
    first!.callback('a');
    expect(seen).to.deep.equal([['a', 'b']]);
    expect(results(gatherResults([]))).to.deep.equal([[]]);
  });

  it('fails with FirstError as soon as one fails', () => {
    const error = new Error('no');
    const seen = results(gatherResults([new Deferred<number>(), fail(error)], { consumeErrors: true }));
    const first = firstErrorOf(seen);
    expect(first.subFailure.value).to.equal(error);
    expect(first.index).to.equal(1);
  });

  it('reports the errors of its inputs unless it consumes them', () => {
    const gather = (consumeErrors: boolean): void => {
      gatherResults([fail(new Error('one')), fail(new Error('two'))], { consumeErrors }).addErrback(() => undefined);
    };
    expect(unhandledIn(() => gather(false))).to.deep.equal(['one', 'two']);
    expect(unhandledIn(() => gather(true))).to.be.empty;
  });

  it('cancels its inputs when it is cancelled', () => {
    const cancellers = [spy(), spy()];
    const gathered = gatherResults(
      cancellers.map((canceller) => new Deferred<number>(canceller)),
      { consumeErrors: true },
    );
    const seen = results(gathered);
    gathered.cancel();
    expect(cancellers.map((canceller) => canceller.callCount)).to.deep.equal([1, 1]);
    expect(firstErrorOf(seen).subFailure.check(CancelledError)).to.equal(CancelledError);
  });

  it('refuses what is no Deferred before it touches any, as gatherResults and race do, and takes any iterable', () => {
    const waiting = new Deferred<number>();
    for (const make of [(list: never) => new DeferredList(list), gatherResults, race] as ((list: never) => unknown)[]) {
      expect(() => make([waiting, Promise.resolve(1)] as never)).to.throw(TypeError, 'deferreds[1] must be a Deferred');
      expect(() => make(undefined as never)).to.throw(TypeError, 'deferreds must be a list of Deferreds');
    }
    const list = new DeferredList(new Set([succeed(1)]) as never);
    expect(list.called).to.equal(true);
    waiting.callback(1);
  });
});
