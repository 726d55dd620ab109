import { expect } from 'chai';
import { spy } from 'sinon';
import { NodeClock } from '../../src/node/node-clock.ts';
import { settle, until } from './harness.ts';

describe('the clock of Node', () => {
  function clockWithTurn(): { clock: NodeClock; turns: number[] } {
    const clock = new NodeClock();
    const turns: number[] = [];
    clock.attach(() => turns.push(clock.now()));
    return { clock, turns };
  }

  it('counts seconds', async () => {
    const clock = new NodeClock();
    const begin = clock.now();
    const beginMilliseconds = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const elapsed = clock.now() - begin;
    expect(elapsed).to.be.within(0.018, (Date.now() - beginMilliseconds) / 1000 + 0.01);
  });

  it('calls the turn once for a time that has passed, from the event loop', async () => {
    const { clock, turns } = clockWithTurn();
    clock.wakeAt(clock.now());
    clock.wakeAt(0);
    expect(turns).to.have.lengthOf(0);
    await settle();
    expect(turns).to.have.lengthOf(1);
  });

  it('lets what the world has to deliver come between two turns', async () => {
    const clock = new NodeClock();
    let delivered = false;
    const turns: string[] = [];
    clock.attach(() => {
      turns.push(delivered ? 'after' : 'before');
      if (turns.length === 1) setTimeout(() => (delivered = true), 1);
      // Turns that starved the world would go on for ever.
      if (!delivered) clock.wakeAt(0);
    });
    clock.wakeAt(0);
    await until(() => turns.includes('after'));
    expect(turns[0]).to.equal('before');
    expect(turns.filter((turn) => turn === 'after')).to.have.length(1);
  });

  it('calls the turn at the time, never before it', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { clock, turns } = clockWithTurn();
      const time = clock.now() + 0.0013 * round;
      clock.wakeAt(time);
      await until(() => turns.length === 1);
      expect(turns[0]).to.be.at.least(time);
      expect(turns[0]).to.be.below(time + 1);
    }
  });

  it('lets a later call replace the earlier one, to any other time', async () => {
    const { clock, turns } = clockWithTurn();
    clock.wakeAt(0);
    const later = clock.now() + 0.03;
    clock.wakeAt(later);
    await until(() => turns.length === 1);
    expect(turns[0]).to.be.at.least(later);

    const earlier = clock.now() + 0.01;
    clock.wakeAt(clock.now() + 1000);
    clock.wakeAt(earlier);
    await until(() => turns.length === 2);
    expect(turns[1]).to.be.within(earlier, earlier + 1);

    // A timer armed for an earlier time fires, and must not bring the turn with it.
    const latest = clock.now() + 0.03;
    clock.wakeAt(clock.now() + 0.005);
    clock.wakeAt(latest);
    await until(() => turns.length === 3);
    expect(turns[2]).to.be.at.least(latest);
  });

  it('calls nothing after Infinity', async () => {
    const { clock, turns } = clockWithTurn();
    clock.wakeAt(0);
    clock.wakeAt(clock.now() + 0.001);
    clock.wakeAt(Infinity);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await settle();
    expect(turns).to.have.lengthOf(0);
  });

  it('takes times further off than a timer of Node reaches', () => {
    const { clock } = clockWithTurn();
    const timeouts = spy(globalThis, 'setTimeout');
    try {
      clock.wakeAt(clock.now() + 365 * 24 * 3600);
      expect(timeouts.firstCall.args[1]).to.equal(2 ** 31 - 1);
    } finally {
      timeouts.restore();
      clock.wakeAt(Infinity);
    }
  });

  it('sets no timer while the wanted time only moves back', () => {
    const { clock } = clockWithTurn();
    const timeouts = spy(globalThis, 'setTimeout');
    try {
      const begin = clock.now() + 60;
      for (let step = 0; step < 100; step += 1) {
        clock.wakeAt(0);
        clock.wakeAt(begin + step);
      }
      expect(timeouts.callCount).to.equal(1);
    } finally {
      timeouts.restore();
      clock.wakeAt(Infinity);
    }
  });
});
