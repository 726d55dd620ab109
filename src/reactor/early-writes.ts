import { OutgoingSlab } from './outgoing-slab.ts';
import { WriteBuffer } from './write-buffer.ts';

/**
 * What is written to one pipe before it is there. However many the writes are, they are kept in batches, each of which is one
 * request: a new one begins only where something else has been asked for in between.
 */
export class EarlyWrites {
  readonly #ask: (run: () => void) => void;
  readonly #send: (data: Uint8Array) => void;
  readonly #slab = new OutgoingSlab();
  readonly #batches: WriteBuffer[] = [];
  #openBatch: WriteBuffer | undefined;
  #bytes = 0;

  /** `ask` has a batch sent in its turn, and may throw. */
  constructor(ask: (run: () => void) => void, send: (data: Uint8Array) => void) {
    this.#ask = ask;
    this.#send = send;
  }

  /** How many are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws what `ask` throws, and then keeps nothing. */
  add(data: Uint8Array | string): void {
    if (data.length === 0) return;
    const batch = (this.#openBatch ??= this.#begin());
    const before = batch.bytes;
    batch.add(data);
    this.#bytes += batch.bytes - before;
  }

  /** What is written from now on comes after what is asked for next. */
  endBatch(): void {
    this.#openBatch = undefined;
  }

  /** Nothing is sent. */
  drop(): void {
    for (const batch of this.#batches) batch.clear();
  }

  #begin(): WriteBuffer {
    const batch = new WriteBuffer(this.#slab);
    this.#ask(() => {
      for (const chunk of batch.take()) this.#send(chunk);
    });
    this.#batches.push(batch);
    return batch;
  }
}
