/**
 * The writing half of a connection: what waits to be sent, who produces it, and how it ends.
 *
 *     opening ──▶ open ──▶ ending ──▶ finishing ──▶ finished
 *        ╰─────────┴─────────┴────────────┴───────────┴──▶ abandoned
 *
 * - opening: takes what is written, for the handle has not been opened yet.
 * - open: takes what is written, and has it sent at the end of the turn.
 * - ending: a FIN is wanted once everything has left and no producer is registered; until then a producer may go on writing.
 * - finishing: the handle has been given the FIN.
 * - finished: the system has taken it.
 * - abandoned: the connection is lost, or about to be; what is written is dropped.
 *
 * Besides there may be a barrier (`drainThen`): what was written before it leaves first, then whoever put it up is called, and
 * only then does the rest follow, perhaps through another handle.
 */
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import { dataError } from '../arguments.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { type Producer, ProducerSlot, requireProducer } from './producer-slot.ts';
import type { ReactorParts } from './reactor-parts.ts';
import type { Flushable } from './turn-loop.ts';
import { WriteBuffer } from './write-buffer.ts';

/** Whom the half belongs to. */
export interface WritingHalfOwner {
  /** More bytes wait than may. Called from inside `write`. */
  bufferOverflowed(bytes: number): void;
  /** A method of the producer has thrown. */
  producerFailed(error: unknown, message: string): void;
  /** So many bytes have been given to the handle; absent unless somebody wants to know. */
  sent?(bytes: number): void;
}

interface Barrier {
  /** To be written before it. */
  chunks: readonly Uint8Array[];
  /** Whether what the handle was given has not left yet. */
  isWriting: boolean;
  readonly passed: () => void;
}

export class WritingHalf implements Flushable {
  readonly #parts: ReactorParts;
  readonly #limits: ConnectionLimits;
  readonly #owner: WritingHalfOwner;
  readonly #buffer: WriteBuffer;
  readonly #producer: ProducerSlot;
  #handle: StreamHandle;
  #state: 'opening' | 'open' | 'ending' | 'finishing' | 'finished' | 'abandoned' = 'opening';
  #flushQueued = false;
  #barrier: Barrier | undefined = undefined;

  constructor(parts: ReactorParts, handle: StreamHandle, limits: ConnectionLimits, owner: WritingHalfOwner) {
    this.#parts = parts;
    this.#handle = handle;
    this.#limits = limits;
    this.#owner = owner;
    this.#buffer = new WriteBuffer(parts.outgoingSlab);
    this.#producer = new ProducerSlot((error, message) => {
      owner.producerFailed(error, message);
    }, parts.hookWatch);
  }

  /** Whether nobody has asked for an end yet. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Whether the FIN has been taken. */
  get isFinished(): boolean {
    return this.#state === 'finished';
  }

  /** The handle has been opened. */
  begin(): void {
    this.#state = 'open';
    if (this.#buffer.hasChunks) this.#flushLater();
  }

  write(data: Uint8Array | string): boolean {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) throw dataError(data);
    if (!this.#takesWrites()) return false;
    this.#buffer.add(data);
    const { bytes } = this.#buffer;
    if (bytes <= this.#limits.highWaterMark) {
      if (bytes > 0) this.#flushLater();
      return true;
    }
    if (bytes > this.#limits.writeBufferLimit) {
      this.#owner.bufferOverflowed(bytes);
      return false;
    }
    this.#flushLater();
    this.#producer.pause();
    return false;
  }

  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    let room = this.#takesWrites() && this.#buffer.bytes <= this.#limits.highWaterMark;
    for (const piece of pieces) room = this.write(piece);
    return room;
  }

  registerProducer(producer: Producer, streaming: boolean): void {
    requireProducer(producer, streaming);
    if (this.#takesWrites()) {
      this.#producer.register(this.#parts.contexts?.bindObject(producer) ?? producer, streaming);
    } else {
      this.#producer.refuse(producer);
    }
  }

  unregisterProducer(): void {
    this.#producer.unregister();
    this.#advanceEnding();
  }

  /** Takes the producer's place away and tells it so. */
  stopProducer(): void {
    this.#producer.stop();
  }

  /**
   * Has a FIN sent when everything has left: what a producer writes until it unregisters too, unless it is not waited for and
   * stopped.
   */
  end(waitsForProducer = true): void {
    if (this.#state === 'open') this.#state = 'ending';
    // Only now, for what it writes or registers when it is told is dropped.
    if (!waitsForProducer) this.#producer.stop();
    this.#advanceEnding();
  }

  /** Calls `passed` when everything written so far has left, and sends nothing else before. One at a time. */
  drainThen(passed: () => void): void {
    const isWriting = this.#buffer.isTaken;
    this.#barrier = { chunks: [...this.#buffer.take()], isWriting, passed };
    this.#flushLater();
  }

  /** From now on another handle sends. To be called while nothing is being written. */
  useHandle(handle: StreamHandle): void {
    this.#handle = handle;
  }

  /** The connection is gone: drops what has not been sent. The producer is told when `stopProducer` is called. */
  abandon(): void {
    this.#state = 'abandoned';
    this.#barrier = undefined;
    this.#buffer.clear();
  }

  // ------------------------------------------------------------------------------------------- what the handle reports

  /** What the handle was given has left. */
  written(): void {
    if (this.#state === 'abandoned') return;
    if (this.#barrier !== undefined) {
      this.#barrier.isWriting = false;
      this.#advanceBarrier(this.#barrier);
    } else if (this.#buffer.hasChunks) {
      this.#buffer.left();
      this.flush();
    } else {
      this.#drained();
    }
  }

  /** The FIN has been taken. */
  shutDown(): void {
    if (this.#state !== 'abandoned') this.#state = 'finished';
  }

  // --------------------------------------------------------------------------------------------------------- inside

  /** Sends what is buffered, unless earlier bytes have not left yet. Called at the end of the turn. */
  flush(): void {
    this.#flushQueued = false;
    if (this.#state === 'abandoned' || this.#state === 'opening') return;
    if (this.#barrier !== undefined) {
      this.#advanceBarrier(this.#barrier);
      return;
    }
    if (this.#buffer.isTaken || !this.#buffer.hasChunks) return;
    this.#owner.sent?.(this.#buffer.bytes);
    if (this.#handle.write(this.#buffer.take())) this.#drained();
  }

  /** While a connection that closes waits for its producer, it goes on taking what that writes. */
  #takesWrites(): boolean {
    return this.#isTaking || (this.#state === 'ending' && this.#producer.occupied);
  }

  get #isTaking(): boolean {
    return this.#state === 'open' || this.#state === 'opening';
  }

  /** Everything written has left. */
  #drained(): void {
    this.#buffer.left();
    this.#producer.drained();
    this.#advanceEnding();
  }

  #flushLater(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.#parts.loop.flushLater(this);
  }

  #advanceBarrier(barrier: Barrier): void {
    if (barrier.isWriting) return;
    const { chunks } = barrier;
    barrier.chunks = [];
    this.#owner.sent?.(chunks.reduce((sum, { length }) => sum + length, 0));
    if (chunks.length > 0 && !this.#handle.write(chunks)) {
      barrier.isWriting = true;
      return;
    }
    this.#buffer.left();
    this.#barrier = undefined;
    barrier.passed();
    if (this.#buffer.hasChunks) this.flush();
    else this.#drained();
  }

  /** Gives the handle the FIN once nothing stands before it any more. */
  #advanceEnding(): void {
    if (this.#state !== 'ending' || this.#barrier !== undefined) return;
    if (this.#producer.occupied || this.#buffer.bytes > 0) return;
    this.#state = 'finishing';
    this.#handle.shutdown();
  }
}
