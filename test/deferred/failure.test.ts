import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { ConnectionClosed, ConnectionDone, ConnectionLost, Failure } from 'ropewalk/core';

describe('Failure', () => {
  it('keeps the error, and knows its class', () => {
    const error = new RangeError('too far');
    const failure = new Failure(error);
    expect(failure.value).to.equal(error);
    expect(failure.type).to.equal(RangeError);
  });

  it('wraps what is not an error, and says what it was', () => {
    const cases: [unknown, string][] = [
      ['text', '"text"'],
      [42, '42'],
      [undefined, 'undefined'],
      [null, 'null'],
      [Symbol('mark'), 'Symbol(mark)'],
      [{ code: 1 }, '[object Object]'],
      [Object.create(null), '[object Object]'],
    ];
    for (const [reason, description] of cases) {
      const failure = new Failure(reason);
      expect(failure.value).to.be.instanceOf(Error);
      expect(failure.value.cause).to.equal(reason);
      expect(failure.getErrorMessage()).to.equal(`A value that is not an Error was thrown: ${description}`);
    }
  });

  it('keeps an error of another realm as it is', () => {
    const foreign: unknown = runInNewContext('new TypeError("from elsewhere")');
    expect(foreign).not.to.be.instanceOf(Error);
    expect(new Failure(foreign).value).to.equal(foreign);
    expect(String(new Failure(foreign))).to.contain('TypeError: from elsewhere');
    expect(new Failure(foreign).getTraceback()).to.contain('TypeError: from elsewhere');
  });

  it('unwraps another Failure', () => {
    const inner = new Failure(new Error('no'));
    expect(new Failure(inner).value).to.equal(inner.value);
  });

  describe('check', () => {
    it('returns the first class that fits, superclasses included', () => {
      const failure = new Failure(new ConnectionDone());
      expect(failure.check(ConnectionDone)).to.equal(ConnectionDone);
      expect(failure.check(ConnectionLost, ConnectionClosed, Error)).to.equal(ConnectionClosed);
    });

    it('returns undefined if none fits', () => {
      expect(new Failure(new Error('no')).check(RangeError, ConnectionDone)).to.equal(undefined);
    });
  });

  describe('trap', () => {
    it('returns the class that fits', () => {
      expect(new Failure(new ConnectionDone()).trap(RangeError, ConnectionClosed)).to.equal(ConnectionClosed);
    });

    it('throws the original error if none fits', () => {
      const error = new Error('original');
      expect(() => new Failure(error).trap(RangeError))
        .to.throw()
        .and.equal(error);
    });
  });

  it('throws its error with raiseException', () => {
    const error = new Error('no');
    expect(() => new Failure(error).raiseException())
      .to.throw()
      .and.equal(error);
  });

  describe('as text', () => {
    it('reads as Twisted writes it', () => {
      expect(String(new Failure(new ConnectionDone()))).to.equal(
        '[Failure instance: Traceback (failure with no frames): ConnectionDone: Connection was closed cleanly.]',
      );
    });

    it('names the class, or the name the error was given', () => {
      class Refused extends Error {}
      class Renamed extends Error {
        override name = 'Given';
      }
      class Narrower extends ConnectionDone {}
      const named = (error: Error): string | undefined => /frames\): (\w+):/.exec(String(new Failure(error)))?.[1];
      expect(named(new TypeError('x'))).to.equal('TypeError');
      expect(named(new Refused('x'))).to.equal('Refused');
      expect(named(new Renamed('x'))).to.equal('Given');
      expect(named(new Narrower())).to.equal('Narrower');
      expect(named(Object.assign(new Error('x'), { name: 'AbortError' }))).to.equal('AbortError');
      expect(named(new DOMException('x', 'TimeoutError'))).to.equal('TimeoutError');
      expect(named(new (class extends TypeError {})('x'))).to.equal('TypeError');
    });

    it('gives the message of the error', () => {
      expect(new Failure(new Error('the message')).getErrorMessage()).to.equal('the message');
    });

    it('gives the stack of the error and of its causes', () => {
      const cause = new RangeError('the root');
      const traceback = new Failure(new Error('on top', { cause })).getTraceback();
      expect(traceback).to.match(/^Error: on top\n\s+at /);
      expect(traceback).to.match(/\nCaused by: RangeError: the root\n\s+at /);
      expect(traceback).to.contain('failure.test.ts');
    });

    it('gives class and message of an error without a stack', () => {
      const error = new RangeError('bare');
      delete error.stack;
      expect(new Failure(error).getTraceback()).to.equal('RangeError: bare');
    });

    it('ends though the causes go round', () => {
      const error = new Error('round');
      error.cause = error;
      expect(new Failure(error).getTraceback().split('Caused by: ')).to.have.length(11);
    });

    it('copes with an error that has lost its prototype', () => {
      const error = new Error('bare');
      Object.setPrototypeOf(error, null);
      const failure = new Failure(error);
      expect(failure.type).to.equal(Error);
      expect(String(failure)).to.contain('bare');
    });
  });
});
