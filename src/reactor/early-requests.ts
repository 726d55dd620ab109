import type { ConnectionLimits } from './connection-limits.ts';

/** The descriptor whose pipe may have a producer: the standard input. */
const PRODUCED_FD = 0;

/** Something that was asked for: it is done later or, if it never can be, dropped. */
export interface EarlyRequest {
  readonly run: () => void;
  readonly drop?: () => void;
}

/** What was asked of a child before it ran, in order, and how much of it is data. */
export class EarlyRequests {
  readonly #limits: ConnectionLimits;
  #requests: EarlyRequest[] = [];
  #bytes = 0;
  #hasProducer = false;
  readonly #closed = new Set<number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** How many bytes wait to be written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether as much waits as a producer is paused for. */
  get isFull(): boolean {
    return this.#bytes > this.#limits.highWaterMark;
  }

  /** Whether a pipe takes no more: it is to be closed, and no producer of its is waited for. */
  isClosed(childFD: number): boolean {
    return this.#closed.has(childFD) && !(childFD === PRODUCED_FD && this.#hasProducer);
  }

  addClose(childFD: number, run: () => void): void {
    this.#closed.add(childFD);
    this.add(run);
  }

  add(run: () => void): void {
    this.#requests.push({ run });
  }

  /** False, and not kept, if that were more than may wait. */
  addWrite(bytes: number, run: () => void): boolean {
    if (this.#bytes + bytes > this.#limits.writeBufferLimit) return false;
    this.#bytes += bytes;
    this.add(run);
    return true;
  }

  /** Throws an `Error` if there is a producer. */
  addProducer(request: EarlyRequest): void {
    if (this.#hasProducer) throw new Error('A producer is registered already; unregister it first');
    this.#hasProducer = true;
    this.#requests.push(request);
  }

  removeProducer(run: () => void): void {
    this.#hasProducer = false;
    this.add(run);
  }

  take(): readonly EarlyRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    this.#bytes = 0;
    this.#hasProducer = false;
    return requests;
  }
}
