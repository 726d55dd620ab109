/**
 * What is asked of the pipes of one child: kept, in order, until the program runs, and done at once from then on. What is kept
 * counts as what a pipe has not sent yet, so that a child can be written to, and a producer be registered and paused, from the
 * moment `spawnProcess` has returned.
 */
import { Buffer } from 'node:buffer';
import { WriteBufferLimitError } from '../errors.ts';
import type { ChildPipes } from './child-pipes.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { type EarlyRequest, EarlyRequests } from './early-requests.ts';
import { timed } from './hook-watch.ts';
import type { Producer } from './producer-slot.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** The descriptor whose pipe may have a producer: the standard input. */
const PRODUCED_FD = 0;

/** Is told when more is written, before the program runs, than may wait. */
export type OverflowListener = (error: WriteBufferLimitError, childFD: number) => void;

export class ChildRequests {
  readonly #parts: ReactorParts;
  readonly #pipes: ChildPipes;
  readonly #limits: ConnectionLimits;
  readonly #overflowed: OverflowListener;
  readonly #early = new EarlyRequests();
  // Of what is kept.
  #bytes = 0;
  #hasProducer = false;
  readonly #closed = new Set<number>();

  constructor(parts: ReactorParts, pipes: ChildPipes, limits: ConnectionLimits, overflowed: OverflowListener) {
    this.#parts = parts;
    this.#pipes = pipes;
    this.#limits = limits;
    this.#overflowed = overflowed;
  }

  /** Does something else in its turn. */
  ask(run: () => void): void {
    this.#early.ask({ run });
  }

  /** False when a producer had better wait, or the pipe takes no more. */
  write(childFD: number, data: Uint8Array | string): boolean {
    if (!this.#early.isEarly) return this.#pipes.write(childFD, data);
    if (this.#isClosed(childFD)) return false;
    const { highWaterMark, writeBufferLimit } = this.#limits;
    const bytes = this.#bytes + (typeof data === 'string' ? Buffer.byteLength(data) : data.length);
    if (bytes > writeBufferLimit) {
      this.#overflowed(new WriteBufferLimitError(bytes, writeBufferLimit), childFD);
      return false;
    }
    this.#bytes = bytes;
    this.ask(() => this.#pipes.write(childFD, data));
    return bytes <= highWaterMark;
  }

  close(childFD: number): void {
    this.#closed.add(childFD);
    this.ask(() => {
      this.#pipes.close(childFD);
    });
  }

  /** Throws an `Error` if there is a producer. One that has nobody to produce for is stopped. */
  registerProducer(producer: Producer, streaming: boolean): void {
    const drop = (): void => {
      this.#parts.errors.guard('An error in stopProducing of a producer', () =>
        timed(this.#parts.hookWatch, 'stopProducing', producer, () => producer.stopProducing()),
      );
    };
    const run = (): void => {
      if (!this.#pipes.registerProducer(PRODUCED_FD, producer, streaming)) drop();
    };
    if (this.#pipes.directionOf(PRODUCED_FD) !== 'w' || (this.#early.isEarly && this.#isClosed(PRODUCED_FD))) {
      drop();
      return;
    }
    if (this.#early.isEarly) {
      if (this.#hasProducer) throw new Error('A producer is registered already; unregister it first');
      this.#hasProducer = true;
    }
    this.#early.ask({ run, drop });
  }

  unregisterProducer(): void {
    this.#hasProducer = false;
    this.ask(() => {
      this.#pipes.unregisterProducer(PRODUCED_FD);
    });
  }

  /** The program runs, or never will: gives back what was asked. */
  end(): readonly EarlyRequest[] {
    return this.#early.end();
  }

  /** Whether a pipe takes no more: it is to be closed, and no producer of its is waited for. */
  #isClosed(childFD: number): boolean {
    return this.#closed.has(childFD) && !(childFD === PRODUCED_FD && this.#hasProducer);
  }
}
