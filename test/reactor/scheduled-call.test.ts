import { expect } from 'chai';
import { Timers } from '../../src/reactor/timers.ts';
import { collectGarbageUntil } from '../deferred/collect-garbage.ts';

function makeTimers(): Timers {
  return new Timers(
    () => 0,
    () => {},
  );
}

/** A call with something big for an argument, of which only a weak reference is kept. */
function callWithArgument(timers: Timers): { call: ReturnType<Timers['callLater']>; argument: WeakRef<object> } {
  const argument = { big: new Uint8Array(1000) };
  return { call: timers.callLater(0, (ignored: object) => {}, argument), argument: new WeakRef(argument) };
}

describe('A scheduled call', () => {
  it('lets go of its function and arguments when it is cancelled [25]', async () => {
    const timers = makeTimers();
    const { call, argument } = callWithArgument(timers);
    call.cancel();
    await collectGarbageUntil(() => argument.deref() === undefined);
    expect(argument.deref()).to.equal(undefined);
    expect(call.active()).to.equal(false);
  });

  it('lets go of them when it has run', async () => {
    const timers = makeTimers();
    const { call, argument } = callWithArgument(timers);
    timers.runDue(0, (due) => due.run());
    await collectGarbageUntil(() => argument.deref() === undefined);
    expect(argument.deref()).to.equal(undefined);
    expect(call.active()).to.equal(false);
  });
});

describe('Timers', () => {
  it('tells when something may be due sooner than all else', () => {
    const told: number[] = [];
    const timers = new Timers(
      () => 100,
      (time) => told.push(time),
    );
    const first = timers.callLater(10, () => {});
    timers.callLater(20, () => {});
    const third = timers.callLater(5, () => {});
    third.delay(-1);
    expect(told).to.deep.equal([110, 105, 104]);
    expect(timers.nextDue()).to.equal(104);
    third.cancel();
    expect(timers.nextDue()).to.equal(110);
    first.delay(100);
    expect(timers.nextDue()).to.equal(120);
  });

  it('has nothing due without calls', () => {
    expect(makeTimers().nextDue()).to.equal(Infinity);
  });

  it('keeps the calls that have not run when one throws through, in their order', () => {
    const timers = makeTimers();
    const log: string[] = [];
    const error = new Error('stop here');
    timers.callLater(0, () => log.push('first'));
    timers.callLater(0, () => {
      throw error;
    });
    timers.callLater(0, () => log.push('third'));
    timers.callLater(0, () => log.push('fourth'));
    const pass = (): void => timers.runDue(0, (call) => call.run());
    expect(pass).to.throw(error);
    expect(log).to.deep.equal(['first']);
    expect(timers.getDelayedCalls()).to.have.length(2);
    pass();
    expect(log).to.deep.equal(['first', 'third', 'fourth']);
  });

  it('puts back what it took out and may not run', () => {
    const timers = makeTimers();
    const log: number[] = [];
    for (const number of [1, 2, 3]) timers.callLater(0, () => log.push(number));
    timers.takeDue(0);
    timers.callLater(0, () => log.push(4));
    timers.runTaken(
      (call) => call.run(),
      () => log.length < 2,
    );
    expect(log).to.deep.equal([1, 2]);
    timers.runDue(0, (call) => call.run());
    expect(log).to.deep.equal([1, 2, 3, 4]);
  });
});
