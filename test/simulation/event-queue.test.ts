import { expect } from 'chai';
import fc from 'fast-check';
import { EventQueue } from '../../src/simulation/event-queue.ts';

function drain(queue: EventQueue, time = Infinity, before = Infinity): void {
  for (let action = queue.takeDue(time, before); action !== undefined; action = queue.takeDue(time, before)) action();
}

describe('EventQueue', () => {
  it('gives events by time, and those of one time in the order they were scheduled', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 200 }), (times) => {
        const queue = new EventQueue();
        const seen: [number, number][] = [];
        for (const [index, time] of times.entries()) queue.schedule(time, () => seen.push([time, index]));
        drain(queue);
        expect(seen).to.deep.equal(
          times.map((time, index): [number, number] => [time, index]).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
        );
      }),
    );
  });

  it('gives only what is due, and only what was scheduled before a given number', () => {
    const queue = new EventQueue();
    const seen: string[] = [];
    queue.schedule(1, () => seen.push('first'));
    const before = queue.nextSequence;
    queue.schedule(1, () => seen.push('later'));
    queue.schedule(2, () => seen.push('not due'));
    drain(queue, 1, before);
    expect(seen).to.deep.equal(['first']);
    drain(queue, 1);
    expect(seen).to.deep.equal(['first', 'later']);
    expect(queue.nextTime()).to.equal(2);
  });

  it('forgets cancelled events, however many', () => {
    const queue = new EventQueue();
    const seen: number[] = [];
    const events = Array.from({ length: 1000 }, (_, index) => queue.schedule(1000 - index, () => seen.push(index)));
    for (const [index, event] of events.entries()) if (index % 10 !== 0) event.cancel();
    expect(queue.size).to.equal(100);
    expect(events[1]?.pending).to.be.false;
    expect(events[0]?.pending).to.be.true;
    drain(queue);
    expect(seen).to.deep.equal(Array.from({ length: 100 }, (_, index) => 990 - index * 10));
    expect(queue.size).to.equal(0);
    expect(queue.nextTime()).to.equal(Infinity);
  });

  it('takes a second cancel, and one after the event, for nothing', () => {
    const queue = new EventQueue();
    const cancelled = queue.schedule(1, () => undefined);
    const happened = queue.schedule(2, () => undefined);
    cancelled.cancel();
    cancelled.cancel();
    drain(queue);
    happened.cancel();
    expect(queue.size).to.equal(0);
    queue.schedule(3, () => undefined);
    expect(queue.size).to.equal(1);
  });
});
