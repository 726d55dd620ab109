import { expect } from 'chai';
import { Deferred, Failure, execute, fail, maybeDeferred, succeed } from 'ropewalk/core';

function resultOf(deferred: Deferred<unknown>): unknown {
  const seen: unknown[] = [];
  deferred.addBoth((result) => {
    seen.push(result instanceof Failure ? result.value : result);
  });
  expect(seen, 'the Deferred has not fired').to.have.length(1);
  return seen[0];
}

describe('succeed and fail', () => {
  it('make Deferreds that have fired', () => {
    const error = new Error('no');
    expect(resultOf(succeed(1))).to.equal(1);
    expect(resultOf(fail(error))).to.equal(error);
    expect(resultOf(succeed(new Failure(error)))).to.equal(error);
  });

  it('refuse a Deferred as a value', () => {
    expect(() => succeed(succeed(1))).to.throw(TypeError);
  });
});

describe('maybeDeferred', () => {
  it('gives what the function returns, called with the arguments', () => {
    expect(resultOf(maybeDeferred((one: number, two: string) => `${String(one)} ${two}`, 1, 'two'))).to.equal('1 two');
  });

  it('fails with what the function throws', () => {
    const error = new Error('thrown');
    const deferred = maybeDeferred(() => {
      throw error;
    });
    expect(resultOf(deferred)).to.equal(error);
  });

  it('fails with undefined thrown, wrapped', () => {
    const deferred = maybeDeferred(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- this is what is tested
      throw undefined;
    });
    expect(resultOf(deferred)).to.be.instanceOf(Error);
  });

  it('fails with a Failure the function returns', () => {
    const failure = new Failure(new Error('returned'));
    expect(resultOf(maybeDeferred(() => failure))).to.equal(failure.value);
  });

  it('returns the very Deferred the function returns', () => {
    const deferred = new Deferred<number>();
    expect(maybeDeferred(() => deferred)).to.equal(deferred);
  });

  it('waits for a promise the function returns', async () => {
    expect(await maybeDeferred(async () => 3)).to.equal(3);
    const error = new Error('rejected');
    const rejected = maybeDeferred(() => Promise.reject<number>(error));
    let seen: unknown;
    await rejected.addErrback((failure) => {
      seen = failure.value;
    });
    expect(seen).to.equal(error);
  });
});

describe('execute', () => {
  it('gives what the function returns or throws', () => {
    const error = new Error('thrown');
    expect(resultOf(execute((value: number) => value + 1, 1))).to.equal(2);
    expect(
      resultOf(
        execute(() => {
          throw error;
        }),
      ),
    ).to.equal(error);
    expect(resultOf(execute(() => new Failure(error)))).to.equal(error);
  });

  it('does not flatten: a function that returns a Deferred or a promise is misuse', () => {
    expect(() => execute(() => succeed(1))).to.throw(TypeError);
    expect(() => execute(() => Promise.resolve(1))).to.throw(TypeError);
  });
});
