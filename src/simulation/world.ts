/**
 * A virtual world: one clock, one queue of events, and the hosts that live in it.
 *
 * ## Theory of operation
 *
 * Time moves only in `advance` and `advanceInSteps`. At each instant the world goes round until nothing is due:
 *
 *     ┌▶ turns:      each host that wants to be woken by now has its turn, in the order the hosts were made
 *     │  deliveries: the events that are due, in order, as far as they were scheduled before this phase began
 *     └─ once more, if anything is due
 *
 * So turns and deliveries alternate: what a turn writes is delivered in the phase that follows it, and what a delivery
 * causes waits for the next round. Then the clock steps to the next time at which anything is due, never past one, and
 * at last to where the advance was to end.
 *
 * Nothing in here asks the real world for anything, so the same program gives the same events, bit for bit. The exception is
 * TLS, for those who bring an engine for it: its work is done outside, so a world in which there is some lets the host take a
 * few turns before time goes on (outside-work.ts).
 */
import { requireDelay, requireIntegerFrom } from '../arguments.ts';
import { TurnLimitError } from '../errors.ts';
import type { RandomSource } from '../interfaces/platform.ts';
import type { TLSEngine } from '../interfaces/tls-engine.ts';
import { EventQueue, type ScheduledEvent } from './event-queue.ts';
import { KeyedRandom, type Seed } from './keyed-random.ts';
import { PerfectLink } from './link.ts';
import { OutsideWork } from './outside-work.ts';
import type { Scheduler } from './scheduler.ts';
import { type HostOptions, VirtualHost } from './virtual-host.ts';
import { DEFAULT_LINGER_BYTES, DEFAULT_LINGER_SECONDS } from '../stream-defaults.ts';
import type { StreamLimits } from './virtual-stream.ts';
import type { VirtualStreams } from './virtual-streams.ts';
import { VirtualTLS } from './virtual-tls.ts';

/** Rounds at one instant before it is taken for an endless loop: far more than any program needs to come to rest. */
export const TURNS_PER_INSTANT_MAX = 100_000;

/**
 * Sums of decimal fractions miss their mark by a few bits: ten advances by 0.1 end just before 1. What is due within so
 * many seconds after the end of an advance belongs to it.
 */
export const TIME_TOLERANCE_SECONDS = 1e-9;

/** The bounds of streams; each may be set for a world. */
export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  windowBytes: 65_536,
  lingerSeconds: DEFAULT_LINGER_SECONDS,
  lingerBytesMax: DEFAULT_LINGER_BYTES,
};

/** The options of a world. */
export interface WorldOptions {
  /** Chooses all chance in the world; 0 by default. */
  readonly seed?: Seed;
  /** How many rounds one instant may have before `TurnLimitError`; 100,000 by default. */
  readonly maxTurnsPerInstant?: number;
  /** What bounds the streams of all hosts; by default a window of 64 KiB, and a closed end lingers 2 s. */
  readonly streamLimits?: Partial<StreamLimits>;
  /**
   * The TLS of all hosts: on Node `nodeTLS()`. Without it there is none. It works in the host's time, between the steps
   * of `advanceInSteps`, so `advance` alone completes no handshake; and what is encrypted is not the same for the same seed.
   */
  readonly tls?: TLSEngine;
}

/** What in a world has not come to an end. */
export interface WorldCensus {
  /** Ends of streams that are not gone; a connection has two. */
  readonly streams: number;
  /** Listeners that are bound. */
  readonly listeners: number;
  /** Attempts to connect that have neither succeeded nor failed. */
  readonly attempts: number;
  /** Sockets for datagrams that are bound. */
  readonly datagramSockets: number;
  /** Programs that run, and ends of pipes that are not gone: those of programs, and of standard input and output. */
  readonly processes: number;
  /** Events that have not happened yet. */
  readonly events: number;
}

/** A virtual world; see the theory of operation at the head of this file. Time in it moves only by `advance`. */
export class World implements Scheduler {
  readonly #seed: Seed;
  readonly #maxTurnsPerInstant: number;
  readonly #streamLimits: StreamLimits;
  readonly #tls: TLSEngine | undefined;
  readonly #outside = new OutsideWork();
  readonly #events = new EventQueue();
  readonly #link = new PerfectLink(this);
  readonly #hosts = new Map<string, VirtualHost>();
  readonly #randomStreams = new Map<string, RandomSource>();
  #now = 0;
  #instant = 0;
  #isAdvancing = false;
  #atNextInstant: (() => void)[] = [];

  constructor(options: WorldOptions = {}) {
    const { seed = 0, maxTurnsPerInstant = TURNS_PER_INSTANT_MAX, streamLimits, tls } = options;
    requireIntegerFrom('maxTurnsPerInstant', maxTurnsPerInstant, 1);
    this.#seed = seed;
    this.#maxTurnsPerInstant = maxTurnsPerInstant;
    this.#streamLimits = { ...DEFAULT_STREAM_LIMITS, ...streamLimits };
    this.#tls = tls === undefined ? undefined : new VirtualTLS(tls, this, this.#outside);
  }

  /** Adds a host. Its platform is for one reactor. Throws if the name is taken. */
  addHost(name: string, options: HostOptions = {}): VirtualHost {
    if (this.#hosts.has(name)) throw new Error(`the world has a host named ${name} already`);
    const host = new VirtualHost(name, options, {
      scheduler: this,
      limits: this.#streamLimits,
      random: this.random(`host/${name}`),
      tls: this.#tls,
      // Every address is the host's own. With a network between hosts, this is where an address finds its host.
      route: (from) => ({ target: from, there: this.#link, back: this.#link }),
      datagramRoutes: (from) => [{ target: from, there: this.#link, back: this.#link }],
    });
    this.#hosts.set(name, host);
    return host;
  }

  /** The stream of random numbers with this name; asked for twice, the same one. */
  random(streamName: string): RandomSource {
    const existing = this.#randomStreams.get(streamName);
    if (existing !== undefined) return existing;
    const created = new KeyedRandom(this.#seed, streamName);
    this.#randomStreams.set(streamName, created);
    return created;
  }

  /** Seconds since the world began. */
  now(): number {
    return this.#now;
  }

  /** The number of the present instant. An instant begins with each step of the clock, and with each advance by 0. */
  get instant(): number {
    return this.#instant;
  }

  /**
   * Has `action` called at `time`, or as soon as possible if that has passed: during an advance, and never from inside this
   * call.
   */
  schedule(time: number, action: () => void): ScheduledEvent {
    return this.#events.schedule(Math.max(time, this.#now), action);
  }

  /**
   * Calls `action` once when the next instant begins: when the clock steps, or at the next advance by 0. In an advance the
   * clock makes a step for it after `withinSeconds`, if nothing else is due before; by default it makes none. Returns a
   * function that takes it back, harmless afterwards.
   */
  atNextInstant(action: () => void, withinSeconds: number = Infinity): () => void {
    const step = withinSeconds < Infinity ? this.schedule(this.#now + withinSeconds, () => undefined) : undefined;
    let isAwaited = true;
    const cancel = (): void => {
      isAwaited = false;
      step?.cancel();
    };
    this.#atNextInstant.push(() => {
      if (!isAwaited) return;
      cancel();
      action();
    });
    return cancel;
  }

  /** Counts what has not come to an end, on all hosts together. */
  census(): WorldCensus {
    const hosts = [...this.#hosts.values()];
    const streams = hosts.map((host) => host.virtualStreams);
    const total = (count: (of: VirtualStreams) => number): number => streams.reduce((sum, of) => sum + count(of), 0);
    return {
      streams: total((of) => of.streamCount),
      listeners: total((of) => of.listenerCount),
      attempts: total((of) => of.attemptCount),
      datagramSockets: hosts.reduce((sum, host) => sum + host.virtualDatagrams.socketCount, 0),
      processes: hosts.reduce(
        (sum, { virtualProcesses, virtualStdio }) => sum + virtualProcesses.openCount + virtualStdio.openCount,
        0,
      ),
      events: this.#events.size,
    };
  }

  /**
   * Lets so many seconds pass, with everything that happens in them. Throws `RangeError` for a negative number or none at
   * all, `TurnLimitError` if an instant does not come to an end, and an `Error` if it is called while time is already
   * passing. What a turn or a delivery throws comes out; what was still to happen can happen in the next advance.
   */
  advance(seconds: number): void {
    const steps = this.advanceInSteps(seconds);
    while (steps.next().done !== true);
  }

  /**
   * The same, one round of turns and deliveries for each step, so that the caller can do something in between. Throws
   * when called, not at the first step, for what `advance` throws at once.
   */
  advanceInSteps(seconds: number): Iterator<undefined, undefined> {
    requireDelay('seconds', seconds);
    if (this.#isAdvancing) throw new Error('advance was called while the clock was advancing already');
    this.#isAdvancing = true;
    return this.#advance(seconds);
  }

  *#advance(seconds: number): Generator<undefined, undefined> {
    try {
      const target = this.#now + seconds;
      // What happened in the last advance, or since, may not have been answered: the host has had no turn in one that is synchronous.
      this.#outside.stir();
      if (seconds === 0) this.#beginInstant();
      yield* this.#settle();
      for (let next = this.#nextDue(); next <= target + TIME_TOLERANCE_SECONDS; next = this.#nextDue()) {
        this.#step(next);
        yield* this.#settle();
      }
      if (this.#now < target) {
        this.#step(target);
        yield* this.#settle();
      }
    } finally {
      this.#isAdvancing = false;
    }
    return undefined;
  }

  #step(time: number): void {
    this.#now = time;
    this.#beginInstant();
  }

  #beginInstant(): void {
    this.#instant += 1;
    for (const action of this.#atNextInstant.splice(0)) action();
  }

  /** Goes round at this instant until nothing is due, and the host has answered where it is asked to. */
  *#settle(): Generator<undefined, undefined> {
    for (let rounds = 0; this.#nextDue() <= this.#now || this.#outside.takeTurn();) {
      if (this.#nextDue() <= this.#now) {
        if (rounds === this.#maxTurnsPerInstant) throw this.#turnLimitError();
        rounds += 1;
        this.#goRound();
        this.#outside.stir();
      }
      yield undefined;
    }
    return undefined;
  }

  #goRound(): void {
    for (const host of this.#hosts.values()) host.virtualClock.wakeIfDue();
    const before = this.#events.nextSequence;
    for (;;) {
      const action = this.#events.takeDue(this.#now, before);
      if (action === undefined) return;
      action();
    }
  }

  #nextDue(): number {
    let next = this.#events.nextTime();
    for (const host of this.#hosts.values()) next = Math.min(next, host.virtualClock.wakeTime);
    return next;
  }

  #turnLimitError(): TurnLimitError {
    const pending = [...this.#hosts.values()].flatMap((host) => host.describePending?.() ?? []);
    return new TurnLimitError(
      `Nothing came to rest at ${String(this.#now)} s in ${String(this.#maxTurnsPerInstant)} turns; ` +
        (pending.length > 0 ? `still pending: ${pending.join(', ')}` : 'no delayed call is pending'),
    );
  }
}
