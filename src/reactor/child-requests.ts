/**
 * What is asked of the pipes of one child: kept, in order, until the program runs, and done at once from then on. What is kept
 * counts as what a pipe has not sent yet, so that a child can be written to, and a producer be registered and paused, from the
 * moment `spawnProcess` has returned. A pipe to which too much is written takes no more, as when the program runs: nothing of what
 * was kept for it goes out, and it is closed as soon as it is there.
 */
import { WriteBufferLimitError } from '../errors.ts';
import type { ChildPipes } from './child-pipes.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { type EarlyRequest, EarlyRequests } from './early-requests.ts';
import { EarlyWrites } from './early-writes.ts';
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
  readonly #writes = new Map<number, EarlyWrites>();
  #hasProducer = false;
  readonly #closed = new Set<number>();
  readonly #overflows = new Map<number, WriteBufferLimitError>();

  constructor(parts: ReactorParts, pipes: ChildPipes, limits: ConnectionLimits, overflowed: OverflowListener) {
    this.#parts = parts;
    this.#pipes = pipes;
    this.#limits = limits;
    this.#overflowed = overflowed;
  }

  /** How much may wait to be sent at one pipe. */
  get writeBufferLimit(): number {
    return this.#limits.writeBufferLimit;
  }

  /** Sends a signal in its turn; the same, of which several wait, once, as the system does. */
  signal(signal: string | number, send: () => void): void {
    this.#early.askOnce(`signal ${String(signal)}`, send);
  }

  /** False when a producer had better wait, or the pipe takes no more. */
  write(childFD: number, data: Uint8Array | string): boolean {
    if (!this.#early.isEarly) return this.#pipes.write(childFD, data);
    if (this.#isClosed(childFD)) return false;
    const writes = this.#writesTo(childFD);
    writes.add(data);
    const { highWaterMark, writeBufferLimit } = this.#limits;
    if (writes.bytes > writeBufferLimit) {
      this.#overflow(childFD, writes);
      return false;
    }
    return writes.bytes <= highWaterMark;
  }

  close(childFD: number): void {
    if (this.#early.isEarly) this.#closed.add(childFD);
    this.#early.askOnce(`close ${String(childFD)}`, () => {
      this.#pipes.close(childFD);
    });
  }

  /** Closes all pipes, and drops what they hold. */
  abortPipes(): void {
    this.#early.askOnce('abort all', () => {
      this.#pipes.abort();
    });
  }

  /** Why a pipe takes no more, if too much was written to it before the program ran. */
  overflowOf(childFD: number): WriteBufferLimitError | undefined {
    return this.#overflows.get(childFD);
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
    const isEarly = this.#early.isEarly;
    if (isEarly && this.#hasProducer) throw new Error('A producer is registered already; unregister it first');
    this.#early.ask({ run, drop });
    this.#hasProducer = isEarly;
    this.#writes.get(PRODUCED_FD)?.endBatch();
  }

  unregisterProducer(): void {
    if (this.#early.isEarly && !this.#hasProducer) return;
    this.#early.ask({
      run: () => {
        this.#pipes.unregisterProducer(PRODUCED_FD);
      },
    });
    this.#hasProducer = false;
    this.#writes.get(PRODUCED_FD)?.endBatch();
  }

  /** The program runs, or never will: gives back what was asked. */
  end(): readonly EarlyRequest[] {
    return this.#early.end();
  }

  #writesTo(childFD: number): EarlyWrites {
    const existing = this.#writes.get(childFD);
    if (existing !== undefined) return existing;
    const ask = (run: () => void): void => {
      this.#early.ask({ run });
    };
    const writes = new EarlyWrites(ask, (data) => this.#pipes.write(childFD, data));
    this.#writes.set(childFD, writes);
    return writes;
  }

  #overflow(childFD: number, writes: EarlyWrites): void {
    const error = new WriteBufferLimitError(writes.bytes, this.#limits.writeBufferLimit);
    writes.drop();
    this.#overflows.set(childFD, error);
    this.#early.askOnce(`abort ${String(childFD)}`, () => {
      this.#pipes.abortPipe(childFD);
    });
    this.#overflowed(error, childFD);
  }

  /** Whether a pipe takes no more: too much was written to it, or it is to be closed, and no producer of its is waited for. */
  #isClosed(childFD: number): boolean {
    if (this.#overflows.has(childFD)) return true;
    return this.#closed.has(childFD) && !(childFD === PRODUCED_FD && this.#hasProducer);
  }
}
