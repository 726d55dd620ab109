import type { PlatformClock } from '../interfaces/platform.ts';
import type { Scheduler } from './scheduler.ts';

/** The clock of one host. It wakes its reactor when the world comes to it, between two rounds of deliveries. */
export class VirtualClock implements PlatformClock {
  readonly #scheduler: Scheduler;
  #turn: (() => void) | undefined;
  #wakeTime = Infinity;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  now(): number {
    return this.#scheduler.now();
  }

  attach(turn: () => void): void {
    if (this.#turn !== undefined) throw new Error('a platform serves one reactor, and this one has one already');
    this.#turn = turn;
  }

  wakeAt(time: number): void {
    this.#wakeTime = time;
  }

  /** When the reactor wants its next turn; `Infinity` if it does not. For the world. */
  get wakeTime(): number {
    return this.#wakeTime;
  }

  /** Gives the reactor a turn if it wants one by now. For the world. */
  wakeIfDue(): void {
    if (this.#wakeTime > this.now()) return;
    this.#wakeTime = Infinity;
    this.#turn?.();
  }
}
