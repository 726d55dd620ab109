/**
 * Random schedules run on a LoopingCall and on a model that walks through time tick by tick. A tick is a power of two of a
 * second, which floating point tells exactly, also after the origins chosen here.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Deferred, LoopingCall } from 'ropewalk/core';
import { Clock } from 'ropewalk/testing';

/** What is done to the loop after so many ticks more. */
interface Step {
  readonly ticks: number;
  readonly then: 'nothing' | 'stop' | 'reset' | 'restart';
}

interface Schedule {
  /** How far the clock is when all begins, in seconds. */
  readonly origin: number;
  readonly tickSeconds: number;
  readonly interval: number;
  readonly now: boolean;
  /** How many ticks each call takes, over and over; 0 is a function that returns at once. */
  readonly durations: readonly number[];
  readonly steps: readonly Step[];
}

const schedules: fc.Arbitrary<Schedule> = fc.record({
  origin: fc.constantFrom(0, 86400.37, 31_536_000.1, 1_700_000_000.7),
  tickSeconds: fc.constantFrom(0.25, 2 ** -10, 2 ** -16),
  interval: fc.integer({ min: 1, max: 6 }),
  now: fc.boolean(),
  durations: fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 5 }),
  steps: fc.array(
    fc.record({
      ticks: fc.integer({ min: 0, max: 20 }),
      then: fc.constantFrom('nothing', 'nothing', 'reset', 'stop', 'restart'),
    }),
    { maxLength: 12 },
  ),
});

function runReal({ origin, tickSeconds, interval, now, durations, steps }: Schedule): string[] {
  const clock = new Clock();
  clock.advance(origin);
  const log: string[] = [];
  let calls = 0;
  const say = (what: string): void => void log.push(`${(clock.seconds() - origin) / tickSeconds} ${what}`);
  const loop = LoopingCall.withCount(clock, (count) => {
    say(`call ${count}`);
    const duration = durations[calls % durations.length]!;
    calls += 1;
    if (duration === 0) return undefined;
    const done = new Deferred<undefined>();
    clock.callLater(duration * tickSeconds, () => done.callback(undefined));
    return done;
  });
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      say(`${what}: ${(error as Error).name}`);
    }
  };
  const start = (): void => {
    attempt('start', () => {
      loop.start(interval * tickSeconds, { now }).addCallback(() => say('done'));
    });
  };
  start();
  for (const { ticks, then } of steps) {
    clock.advance(ticks * tickSeconds);
    if (then === 'stop') attempt('stop', () => loop.stop());
    if (then === 'reset') attempt('reset', () => loop.reset());
    if (then === 'restart') start();
    say(loop.running ? 'running' : 'not running');
  }
  return log;
}

class Model {
  readonly log: string[] = [];
  readonly #schedule: Schedule;
  #time = 0;
  #state: 'stopped' | 'waiting' | 'calling' | 'stopping' = 'stopped';
  #origin = 0;
  #counted: number | 'at origin' | 'one before origin' = 'at origin';
  #callEnds = 0;
  #calls = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#start();
    for (const { ticks, then } of schedule.steps) {
      for (let tick = 0; tick < ticks; tick += 1) this.#tick();
      if (then === 'stop') this.#stop();
      if (then === 'reset') this.#reset();
      if (then === 'restart') this.#start();
      this.#say(this.#state === 'waiting' || this.#state === 'calling' ? 'running' : 'not running');
    }
  }

  #say(what: string): void {
    this.log.push(`${this.#time} ${what}`);
  }

  #tick(): void {
    this.#time += 1;
    if ((this.#state === 'calling' || this.#state === 'stopping') && this.#callEnds === this.#time) this.#callEnded();
    else if (this.#state === 'waiting' && (this.#time - this.#origin) % this.#schedule.interval === 0) this.#call();
  }

  #start(): void {
    if (this.#state !== 'stopped') {
      this.#say('start: LoopingCallAlreadyRunning');
      return;
    }
    this.#origin = this.#time;
    this.#counted = this.#schedule.now ? 'one before origin' : 'at origin';
    if (this.#schedule.now) this.#call();
    else this.#state = 'waiting';
  }

  #call(): void {
    this.#say(`call ${this.#count()}`);
    this.#counted = this.#time;
    const { durations } = this.#schedule;
    this.#state = 'calling';
    this.#callEnds = this.#time + durations[this.#calls % durations.length]!;
    this.#calls += 1;
    if (this.#callEnds === this.#time) this.#callEnded();
  }

  /** The interval that begins now, and those missed. */
  #count(): number {
    const { interval } = this.#schedule;
    const sinceOrigin = Math.floor((this.#time - this.#origin) / interval);
    if (this.#counted === 'at origin') return sinceOrigin;
    if (this.#counted === 'one before origin') return sinceOrigin + 1;
    if (this.#counted >= this.#origin) return sinceOrigin - Math.floor((this.#counted - this.#origin) / interval);
    return sinceOrigin + Math.floor((this.#origin - this.#counted) / interval);
  }

  #callEnded(): void {
    if (this.#state === 'stopping') {
      this.#state = 'stopped';
      this.#say('done');
    } else {
      this.#state = 'waiting';
    }
  }

  #stop(): void {
    if (this.#state === 'waiting') {
      this.#state = 'stopped';
      this.#say('done');
    } else if (this.#state === 'calling') {
      this.#state = 'stopping';
    } else {
      this.#say('stop: LoopingCallNotRunning');
    }
  }

  #reset(): void {
    if (this.#state === 'waiting') this.#origin = this.#time;
    else if (this.#state !== 'calling') this.#say('reset: LoopingCallNotRunning');
  }
}

describe('LoopingCall against a model', () => {
  it('makes the same calls with the same counts, and ends at the same times', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        expect(runReal(schedule)).to.deep.equal(new Model(schedule).log);
      }),
      { numRuns: 1000 },
    );
  });

  it('calls at most once in an interval and never drifts, whatever the interval and the origin', () => {
    const seconds = fc.oneof(
      fc.double({ min: 1e-3, max: 100, noNaN: true }),
      fc.constantFrom(1, 0.1, 0.05, 0.01, 0.007, 0.003, 0.001),
    );
    const origins = fc.oneof(
      fc.double({ min: 0, max: 2e9, noNaN: true }),
      fc.constantFrom(0.37, 3600.1, 86400.37, 1e6 + 0.1, 31_536_000.3, 1_700_000_000.123),
    );
    fc.assert(
      fc.property(seconds, origins, fc.array(seconds, { maxLength: 30 }), (interval, origin, advances) => {
        const clock = new Clock();
        clock.advance(origin);
        const times: number[] = [];
        const loop = new LoopingCall(clock, () => void times.push(clock.seconds()));
        void loop.start(interval);
        // A thousand calls are enough of any interval.
        for (const advance of advances) clock.advance(Math.min(advance, interval * 30));
        // What the clock cannot tell apart so far from its origin.
        const resolution = 4 * Number.EPSILON * clock.seconds();
        times.forEach((time, index) => {
          expect(time).to.be.closeTo(origin + index * interval, 1e-9 + resolution);
        });
        const passed = (clock.seconds() - origin) / interval;
        const rounding = 1e-9 + resolution / interval;
        expect(times.length - 1).to.be.within(Math.floor(passed - rounding), Math.floor(passed + rounding));
      }),
      { numRuns: 1000 },
    );
  });
});
