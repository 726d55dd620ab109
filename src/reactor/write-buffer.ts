import { Buffer } from 'node:buffer';
import { OutgoingSlab } from './outgoing-slab.ts';

const NO_MEMORY: Buffer = Buffer.alloc(0);

/**
 * What a connection has still to send: the chunks not given to the handle yet, and the count of all that has not left.
 *
 * The last small writes stand together in a slab as an open run, which becomes a chunk when something else is written
 * behind it or when the chunks are taken. The slab is the one that all connections share, but only as long as everything
 * leaves at once: a connection whose bytes pile up copies into a slab of its own, or each of its small writes might keep
 * another shared slab alive, and its memory would be a thousand times what is counted.
 */
export class WriteBuffer {
  readonly #sharedSlab: OutgoingSlab;
  /** Taken in place of the shared one while earlier bytes have not left. */
  #ownSlab: OutgoingSlab | undefined = undefined;
  #chunks: Uint8Array[] = [];
  #takenChunks: Uint8Array[] = [];
  /** The open run; empty when start and end are equal. */
  #runMemory = NO_MEMORY;
  #runStart = 0;
  #runEnd = 0;
  #waitingBytes = 0;
  #takenBytes = 0;

  constructor(slab: OutgoingSlab) {
    this.#sharedSlab = slab;
  }

  /** All that has not left, taken or not. */
  get bytes(): number {
    return this.#waitingBytes + this.#takenBytes;
  }

  /** Whether there is anything to take. */
  get hasChunks(): boolean {
    return this.#waitingBytes > 0;
  }

  /** Whether chunks have been taken that have not left. */
  get isTaken(): boolean {
    return this.#takenBytes > 0;
  }

  add(data: Uint8Array | string): void {
    const slab = this.isTaken ? (this.#ownSlab ??= new OutgoingSlab()) : this.#sharedSlab;
    const length = slab.place(data);
    if (length < 0) {
      this.#closeRun();
      const chunk = typeof data === 'string' ? Buffer.from(data) : data;
      this.#chunks.push(chunk);
      this.#waitingBytes += chunk.length;
      return;
    }
    if (length === 0) return;
    const placedAt = slab.used - length;
    if (placedAt !== this.#runEnd || slab.memory !== this.#runMemory) {
      this.#closeRun();
      this.#runMemory = slab.memory;
      this.#runStart = placedAt;
    }
    this.#runEnd = placedAt + length;
    this.#waitingBytes += length;
  }

  /** Hands over the chunks that wait, in order. The array is good until the next call. */
  take(): readonly Uint8Array[] {
    this.#closeRun();
    const chunks = this.#chunks;
    this.#takenChunks.length = 0;
    this.#chunks = this.#takenChunks;
    this.#takenChunks = chunks;
    this.#takenBytes += this.#waitingBytes;
    this.#waitingBytes = 0;
    return chunks;
  }

  /** What was taken has left. */
  left(): void {
    this.#takenBytes = 0;
    this.#takenChunks.length = 0;
    this.#ownSlab = undefined;
  }

  /** Drops everything. */
  clear(): void {
    this.#closeRun();
    this.#chunks.length = 0;
    this.#takenChunks.length = 0;
    this.#waitingBytes = 0;
    this.#takenBytes = 0;
    this.#ownSlab = undefined;
  }

  #closeRun(): void {
    if (this.#runStart === this.#runEnd) return;
    this.#chunks.push(this.#runMemory.subarray(this.#runStart, this.#runEnd));
    // A connection that has nothing to send must not keep a slab alive.
    this.#runMemory = NO_MEMORY;
    this.#runStart = 0;
    this.#runEnd = 0;
  }
}
