import { expect } from 'chai';
import { type ReactorTime, TurnLimitError } from 'ropewalk';
import { Clock } from 'ropewalk/testing';

describe('Clock', () => {
  let clock: Clock;
  let log: string[];

  beforeEach(() => {
    clock = new Clock();
    log = [];
  });

  const note = (text: string): void => {
    log.push(`${text} at ${String(clock.seconds())}`);
  };

  it('stands still until it is advanced', () => {
    const time: ReactorTime = clock;
    time.callLater(1, note, 'call');
    expect(clock.seconds()).to.equal(0);
    clock.advance(0.5);
    expect(log).to.deep.equal([]);
    expect(clock.getDelayedCalls()).to.have.length(1);
    clock.advance(0.5);
    expect(log).to.deep.equal(['call at 1']);
    expect(clock.getDelayedCalls()).to.have.length(0);
  });

  it('steps to each due time, so that a re-arming call runs as often as in real time', () => {
    const tick = (): void => {
      note('tick');
      if (clock.seconds() < 3) clock.callLater(1, tick);
    };
    clock.callLater(1, tick);
    clock.advance(10);
    expect(log).to.deep.equal(['tick at 1', 'tick at 2', 'tick at 3']);
    expect(clock.seconds()).to.equal(10);
  });

  it('runs calls due at the same time in the order they were made', () => {
    clock.callLater(2, note, 'late');
    for (const name of ['a', 'b', 'c']) clock.callLater(1, note, name);
    clock.advance(2);
    expect(log).to.deep.equal(['a at 1', 'b at 1', 'c at 1', 'late at 2']);
  });

  it('runs a call for now in a later turn of the same instant', () => {
    clock.callLater(0, () => {
      clock.callLater(0, note, 'inner');
      note('outer');
    });
    clock.callLater(0, note, 'second');
    clock.advance(0);
    expect(log).to.deep.equal(['outer at 0', 'second at 0', 'inner at 0']);
  });

  it('pumps through several amounts of time', () => {
    clock.callLater(3, note, 'call');
    clock.pump([1, 1.5, 1]);
    expect(log).to.deep.equal(['call at 3']);
    expect(clock.seconds()).to.equal(3.5);
  });

  it('lets an error out of advance, and the rest stays pending', () => {
    clock.callLater(1, () => {
      throw new Error('boom');
    });
    clock.callLater(1, note, 'same time');
    clock.callLater(2, note, 'later');
    expect(() => clock.advance(5)).to.throw('boom');
    expect(clock.seconds()).to.equal(1);
    expect(log).to.deep.equal([]);
    expect(clock.getDelayedCalls()).to.have.length(2);
    clock.advance(1);
    expect(log).to.deep.equal(['same time at 1', 'later at 2']);
  });

  it('counts what is due a rounding error later as due', () => {
    clock.callLater(1, note, 'due');
    for (let tenth = 0; tenth < 10; tenth += 1) clock.advance(0.1);
    expect(log).to.deep.equal(['due at 1']);
  });

  it('refuses amounts of time that cannot pass, and to be advanced from inside', () => {
    for (const seconds of [-1, NaN, Infinity]) expect(() => clock.advance(seconds)).to.throw(RangeError);
    clock.callLater(0, () => {
      expect(() => clock.advance(1)).to.throw('advancing already');
      note('checked');
    });
    clock.advance(0);
    expect(log).to.deep.equal(['checked at 0']);
  });

  it('ends an instant that does not end by itself, naming the call', () => {
    const rearm = (): void => {
      clock.callLater(0, rearm);
    };
    clock.callLater(0, rearm);
    expect(() => clock.advance(1)).to.throw(TurnLimitError, /100000 turns.*rearm/);
  });
});
