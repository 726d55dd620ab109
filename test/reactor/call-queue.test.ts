import { expect } from 'chai';
import { CallQueue } from '../../src/reactor/call-queue.ts';

/** More than a call may have arguments. */
const MANY = 300_000;

const goOn = (): boolean => true;

describe('CallQueue', () => {
  it('runs calls in order, once', () => {
    const queue = new CallQueue();
    const log: number[] = [];
    for (const number of [1, 2, 3]) queue.push(() => log.push(number));
    expect(queue.size).to.equal(3);
    queue.runQueued(goOn);
    queue.runQueued(goOn);
    expect(log).to.deep.equal([1, 2, 3]);
    expect(queue.size).to.equal(0);
  });

  it('leaves what is queued while it runs for the next time, turn after turn', () => {
    const queue = new CallQueue();
    const log: number[] = [];
    const again = (): void => {
      log.push(log.length);
      queue.push(again);
    };
    queue.push(again);
    for (let turn = 1; turn <= 5; turn += 1) {
      queue.runQueued(goOn);
      expect(log).to.have.length(turn);
      expect(queue.size).to.equal(1);
    }
  });

  it('keeps what it may not run, before what was queued meanwhile', () => {
    const queue = new CallQueue();
    const log: string[] = [];
    queue.push(() => {
      log.push('first');
      queue.push(() => log.push('queued meanwhile'));
    });
    queue.push(() => log.push('second'));
    queue.push(() => log.push('third'));
    queue.runQueued(() => log.length === 0);
    expect(log).to.deep.equal(['first']);
    expect(queue.size).to.equal(3);
    queue.runQueued(goOn);
    expect(log).to.deep.equal(['first', 'second', 'third', 'queued meanwhile']);
  });

  it('keeps any number of calls', () => {
    const queue = new CallQueue();
    const log: number[] = [];
    for (let count = 0; count < MANY; count += 1) queue.push(() => log.push(count));
    queue.runQueued(() => log.length === 0);
    queue.push(() => log.push(-1));
    expect(queue.size).to.equal(MANY);
    queue.runQueued(goOn);
    expect(log).to.have.length(MANY + 1);
    expect([log[0], log[1], log[MANY - 1], log[MANY]]).to.deep.equal([0, 1, MANY - 1, -1]);
  });
});
