import { expect } from 'chai';
import fc from 'fast-check';
import { ScheduledCall, type ScheduledCallOwner } from '../../src/reactor/scheduled-call.ts';
import { TimerHeap } from '../../src/reactor/timer-heap.ts';

/** A heap and the clock its calls are reset by; hands out calls as `Timers` does. */
class Fixture {
  readonly heap = new TimerHeap();
  now = 0;
  #sequence = 0;
  readonly #owner: ScheduledCallOwner = {
    seconds: () => this.now,
    rescheduled: (call) => {
      this.heap.update(call);
    },
    cancelled: (call) => {
      if (call.heapIndex >= 0) this.heap.cancelled();
    },
  };

  push(time: number): ScheduledCall {
    this.#sequence += 1;
    const call = new ScheduledCall(this.#owner, time, this.#sequence, () => {}, []);
    this.heap.push(call);
    return call;
  }
}

function byTimeAndSequence(one: ScheduledCall, other: ScheduledCall): number {
  return one.time - other.time || one.sequence - other.sequence;
}

type Step =
  | { readonly type: 'push'; readonly time: number }
  | { readonly type: 'cancel'; readonly index: number }
  | { readonly type: 'reset'; readonly index: number; readonly time: number }
  | { readonly type: 'delay'; readonly index: number; readonly time: number }
  | { readonly type: 'pop'; readonly time: number };

/** Few different times, so that many calls are due at the same one. */
const time = fc.integer({ min: 0, max: 12 });
const index = fc.nat(200);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('push' as const), time }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('cancel' as const), index }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reset' as const), index, time }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('delay' as const), index, time: fc.integer({ min: -12, max: 12 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pop' as const), time }) },
);

/** Runs a program on the heap and on a sorted array, and compares what comes out. */
function check(steps: readonly Step[]): void {
  const machine = new Fixture();
  let model: ScheduledCall[] = [];
  for (const command of steps) {
    switch (command.type) {
      case 'push':
        model.push(machine.push(command.time));
        break;
      case 'cancel': {
        const [call] = model.splice(command.index % (model.length || 1), 1);
        call?.cancel();
        break;
      }
      case 'reset':
        model[command.index % (model.length || 1)]?.reset(command.time);
        break;
      case 'delay':
        model[command.index % (model.length || 1)]?.delay(command.time);
        break;
      case 'pop': {
        model.sort(byTimeAndSequence);
        const expected = model[0] !== undefined && model[0].time <= command.time ? model.shift() : undefined;
        expect(machine.heap.popDue(command.time)).to.equal(expected);
        break;
      }
    }
    expect(machine.heap.pending()).to.have.members(model);
  }
  model = model.sort(byTimeAndSequence);
  for (const expected of model) {
    expect(machine.heap.peek()).to.equal(expected);
    expect(machine.heap.popDue(Infinity)).to.equal(expected);
  }
  expect(machine.heap.peek()).to.equal(undefined);
  expect(machine.heap.size).to.equal(0);
}

describe('TimerHeap', () => {
  it('gives calls in the order of a sorted array, whatever was pushed, cancelled and moved', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 300 }), check), { numRuns: 300 });
  });

  it('does the same with long programs of cancelling, where it sweeps', () => {
    const pushes = fc.array(fc.record({ type: fc.constant('push' as const), time }), {
      minLength: 120,
      maxLength: 200,
    });
    const rest = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.record({ type: fc.constant('cancel' as const), index }) },
        { weight: 1, arbitrary: step },
      ),
      { minLength: 100, maxLength: 150 },
    );
    fc.assert(
      fc.property(pushes, rest, (first, second) => check([...first, ...second])),
      { numRuns: 60 },
    );
  });

  it('pops nothing that is not due', () => {
    const fixture = new Fixture();
    const call = fixture.push(2);
    expect(fixture.heap.popDue(1.999)).to.equal(undefined);
    expect(fixture.heap.popDue(2)).to.equal(call);
    expect(fixture.heap.popDue(Infinity)).to.equal(undefined);
  });

  it('keeps at most as many cancelled calls as pending ones, beyond fifty [25]', () => {
    const fixture = new Fixture();
    const kept = Array.from({ length: 10 }, (_, index) => fixture.push(1000 + index));
    for (let count = 0; count < 10_000; count += 1) {
      fixture.push(count % 500).cancel();
      expect(fixture.heap.size).to.be.at.most(10 + 51);
    }
    expect(fixture.heap.pending()).to.have.members(kept);
    expect(fixture.heap.peek()).to.equal(kept[0]);
  });

  it('drops the cancelled calls that come to the top', () => {
    const fixture = new Fixture();
    const calls = [1, 2, 3].map((due) => fixture.push(due));
    calls[0]?.cancel();
    calls[1]?.cancel();
    expect(fixture.heap.size).to.equal(3);
    expect(fixture.heap.peek()).to.equal(calls[2]);
    expect(fixture.heap.size).to.equal(1);
  });
});
