/**
 * A link is what lies between two hosts in one direction. It alone decides when a segment arrives: at once, after a
 * delay, or when somebody lets it go on. It may change the order of segments; `Channel` puts it right.
 */
import type { Scheduler } from './scheduler.ts';

export interface Link {
  /**
   * Takes a segment of so many bytes of payload and calls `arrive` once, when it arrives; never from inside this call.
   * A segment that is lost is one that arrives late, since the sender sends it again.
   */
  carry(bytes: number, arrive: () => void): void;
}

/** The same for datagrams, which nobody sends again. */
export interface DatagramLink {
  /**
   * Takes a datagram of so many bytes and calls `arrive` whenever it arrives, never from inside this call: not at all if it is
   * lost, more than once if it is doubled, and in any order with others.
   */
  carryDatagram(bytes: number, arrive: () => void): void;
}

/** Carries without loss or limit, and in no time: what is sent in one phase of an instant arrives in the next. */
export class PerfectLink implements Link, DatagramLink {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  carry(_bytes: number, arrive: () => void): void {
    this.#scheduler.schedule(this.#scheduler.now(), arrive);
  }

  carryDatagram(bytes: number, arrive: () => void): void {
    this.carry(bytes, arrive);
  }
}

interface Passage {
  readonly deliver: () => void;
  hasArrived: boolean;
}

/**
 * One direction of one connection, over a link: whatever the link does to single segments, they are delivered in the
 * order in which they were sent, each waiting for those before it.
 */
export class Channel {
  readonly #link: Link;
  #underway: Passage[] = [];

  constructor(link: Link) {
    this.#link = link;
  }

  send(bytes: number, deliver: () => void): void {
    const passage: Passage = { deliver, hasArrived: false };
    this.#underway.push(passage);
    this.#link.carry(bytes, () => {
      passage.hasArrived = true;
      this.#deliverArrived();
    });
  }

  #deliverArrived(): void {
    for (let first = this.#underway[0]; first?.hasArrived === true; first = this.#underway[0]) {
      this.#underway.shift();
      first.deliver();
    }
  }
}
