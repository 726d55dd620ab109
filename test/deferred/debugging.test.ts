import { expect } from 'chai';
import { AlreadyCalledError, Deferred, Failure, fail, getDebugging, setDebugging } from 'ropewalk/core';
import { UnhandledErrorCollector, setTurnSink } from '../../src/deferred/unhandled.ts';
import { reportTo } from '../../src/reactor/error-reporter.ts';

function makeIt(): Deferred<number> {
  return new Deferred<number>();
}

function fireIt(deferred: Deferred<number>): void {
  deferred.callback(1);
}

function unhandledIn(turn: () => void): readonly Failure[] {
  const collector = new UnhandledErrorCollector();
  const previous = setTurnSink(collector);
  try {
    turn();
  } finally {
    setTurnSink(previous);
  }
  return collector.takeUnhandled().map(({ failure }) => failure);
}

describe('setDebugging', () => {
  afterEach(() => {
    setDebugging(false);
  });

  it('is off at first, and returns what it was', () => {
    expect(getDebugging()).to.be.false;
    expect(setDebugging(true)).to.be.false;
    expect(getDebugging()).to.be.true;
    expect(setDebugging(false)).to.be.true;
  });

  it('has AlreadyCalledError tell where the Deferred was made and where it was fired', () => {
    setDebugging(true);
    const deferred = makeIt();
    fireIt(deferred);
    expect(() => deferred.callback(2)).to.throw(
      AlreadyCalledError,
      /has already been fired\. The Deferred was made\n[^]*makeIt[^]*and fired\n[^]*fireIt/,
    );
  });

  it('has reports of unhandled errors tell the same, with the error itself unchanged', () => {
    setDebugging(true);
    const error = new RangeError('no');
    const [failure] = unhandledIn(() => makeIt().errback(error));
    expect(failure?.value).to.equal(error);
    expect(failure?.getTraceback()).to.match(/^RangeError: no\n[^]*The Deferred was made\n[^]*makeIt[^]*and fired\n/);
    expect(failure?.history).to.not.include('DeferredTrace');
  });

  it('does not stop an errback from taking the report back', () => {
    setDebugging(true);
    expect(
      unhandledIn(() => {
        fail(new Error('handled')).addErrback(() => undefined);
      }),
    ).to.be.empty;
  });

  it('has the logger of a reactor told, beside the error', () => {
    const error = new Error('no');
    const fields: object[] = [];
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: (logged: object) => void fields.push(logged) };
    const report = reportTo(logger);
    report(new Failure(error, { history: 'where' }), 'Unhandled error in Deferred');
    report(new Failure(error), 'Unhandled error in Deferred');
    expect(fields).to.deep.equal([{ err: error, history: 'where' }, { err: error }]);
  });

  it('keeps nothing when it is off', () => {
    const deferred = makeIt();
    fireIt(deferred);
    expect(() => deferred.callback(2)).to.throw(AlreadyCalledError, /^The Deferred has already been fired$/);
    const [failure] = unhandledIn(() => void fail(new Error('no')));
    expect(failure?.history).to.equal(undefined);
  });
});
