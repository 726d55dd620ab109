import { expect } from 'chai';
import { spy } from 'sinon';
import { CancelledError, Deferred, FailureGroup, fail, race, succeed } from 'ropewalk/core';
import { results } from './results.ts';

describe('race', () => {
  it('fires with the index and the value of the first to succeed', () => {
    const inputs = [new Deferred<string>(), new Deferred<string>()] as const;
    const seen = results(race(inputs));
    inputs[1].callback('second');
    expect(seen).to.deep.equal([[1, 'second']]);
  });

  it('cancels the others before it fires, and drops what becomes of them', () => {
    const events: string[] = [];
    const winner = new Deferred<string>();
    const fails = new Deferred<string>(() => events.push('cancelled'));
    const succeeds = new Deferred<string>((self) => self.callback('too late'));
    const all = race([fails, winner, succeeds]);
    all.addCallback(([index]) => events.push(`won by ${String(index)}`));
    winner.callback('first');
    expect(events).to.deep.equal(['cancelled', 'won by 1']);
    expect([results(fails), results(succeeds), results(winner)]).to.deep.equal([[undefined], [undefined], [undefined]]);
  });

  it('takes the first in the list of those that have fired', () => {
    expect(results(race([fail(new Error('no')), succeed('a'), succeed('b')]))).to.deep.equal([[1, 'a']]);
  });

  it('goes on when some fail', () => {
    const last = new Deferred<number>();
    const seen = results(race([fail(new Error('no')), last]));
    expect(seen).to.be.empty;
    last.callback(7);
    expect(seen).to.deep.equal([[1, 7]]);
  });

  it('fails with all failures in the order of the inputs when all fail', () => {
    const inputs = [new Deferred<number>(), new Deferred<number>()] as const;
    const seen = results(race(inputs));
    inputs[1].errback(new RangeError('second'));
    inputs[0].errback(new TypeError('first'));
    const error = seen[0];
    expect(error).to.be.instanceOf(FailureGroup);
    if (!(error instanceof FailureGroup)) return;
    expect(error.failures.map(({ value }) => value.message)).to.deep.equal(['first', 'second']);
    expect(error.code).to.equal('ERR_FAILURE_GROUP');
    expect(error.message).to.equal('All 2 Deferreds failed: first; second');
    expect((error.cause as AggregateError).errors).to.deep.equal(error.failures.map(({ value }) => value));
  });

  it('never fires without inputs, but can be cancelled', () => {
    const nothing = race([]);
    const seen = results(nothing);
    expect(seen).to.be.empty;
    nothing.cancel();
    expect(seen[0]).to.be.instanceOf(CancelledError);
  });

  it('cancels every input when it is cancelled, and fails as they do', () => {
    const cancellers = [spy(), spy()] as const;
    const all = race(cancellers.map((canceller) => new Deferred<number>(canceller)));
    const seen = results(all);
    all.cancel();
    expect(cancellers.map((canceller) => canceller.callCount)).to.deep.equal([1, 1]);
    expect(seen[0]).to.be.instanceOf(FailureGroup);
  });

  it('succeeds when cancelled if the canceller of an input gives a value', () => {
    const all = race([new Deferred<string>(), new Deferred<string>((self) => self.callback('partial'))]);
    const seen = results(all);
    all.cancel();
    expect(seen).to.deep.equal([[1, 'partial']]);
  });

  it('is won once, though a canceller makes another input succeed', () => {
    const third = new Deferred<string>();
    const first = new Deferred<string>();
    const seen = results(race([first, new Deferred<string>(() => third.callback('third')), third]));
    first.callback('first');
    expect(seen).to.deep.equal([[0, 'first']]);
  });
});
