/**
 * A pair of Web Streams behind the seam. Life and the two directions are as of any handle:
 *
 *   life     new ──open──▶ open ──failed, close, reset──▶ over
 *   reading  paused ◀──▶ flowing ──endReceived──▶ ended          one chunk at most is asked for and not delivered yet
 *
 * Everything is reported from the continuation of a promise, and so never from inside a call.
 */
import { Buffer } from 'node:buffer';
import { type Address, UNIXAddress } from '../../addresses.ts';
import type { SystemError } from '../../interfaces/platform.ts';
import type { Lingering, StreamHandle, StreamListener } from '../../interfaces/stream-platform.ts';
import { toSystemError } from '../../system-error.ts';

/** The most that is delivered at a time, as from a socket, in bytes. */
const CHUNK_BYTES = 65_536;

/** Both directions of a stream of bytes. */
export interface WebStreamPair {
  /** What comes from the peer. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes to the peer. */
  readonly writable: WritableStream<Uint8Array>;
}

/** The two ends, where they have addresses. */
export interface WebStreamAddresses {
  readonly hostAddress?: Address;
  readonly peerAddress?: Address;
}

/** What a read gave that could not be delivered yet. */
type Held = Uint8Array | 'end' | SystemError;

export class WebStreamHandle implements StreamHandle {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #listener: StreamListener | undefined;
  #life: 'new' | 'open' | 'over' = 'new';
  #reading: 'paused' | 'flowing' | 'ended' = 'paused';
  readonly #lingering: Lingering;
  #isReadUnderWay = false;
  /** The end of writing, once it has been asked for; it can be asked for once. */
  #ending: Promise<void> | undefined;
  #held: Held | undefined;

  /** `lingering` is for how long a pair that is closed may still take what was written. Throws `TypeError` if one of the streams has a reader or a writer already. */
  constructor({ readable, writable }: WebStreamPair, addresses: WebStreamAddresses, lingering: Lingering) {
    this.#lingering = lingering;
    this.localAddress = addresses.hostAddress ?? new UNIXAddress(undefined);
    this.remoteAddress = addresses.peerAddress ?? new UNIXAddress(undefined);
    if (readable.locked || writable.locked) throw new TypeError('The streams are used by somebody else: one is locked');
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // As of a socket that has broken, whoever writes is told, and whoever reads, in its turn.
    this.#writer.closed.catch(() => undefined);
  }

  open(listener: StreamListener): void {
    if (this.#life === 'over') return;
    this.#life = 'open';
    this.#listener = listener;
  }

  resumeReading(): void {
    if (this.#life !== 'open' || this.#reading !== 'paused') return;
    this.#reading = 'flowing';
    if (!this.#isReadUnderWay) void this.#read();
  }

  pauseReading(): void {
    if (this.#reading === 'flowing') this.#reading = 'paused';
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#life !== 'open' || chunks.length === 0) return true;
    // The array is the caller's again once this returns.
    const writes = chunks.map((chunk) => this.#writer.write(chunk));
    Promise.all(writes).then(
      () => this.#listener?.written(),
      (error: unknown) => this.#fail(error),
    );
    return false;
  }

  shutdown(): void {
    if (this.#life !== 'open') return;
    this.#end().then(
      () => this.#listener?.shutDown(),
      (error: unknown) => this.#fail(error),
    );
  }

  /**
   * What still comes is cancelled once our end has left: to discard it is up to whoever made the streams. One whose sink has
   * stalled would never leave: it is aborted when it has lingered long enough.
   */
  close(): void {
    if (this.#life === 'over') return;
    this.#leave();
    const deadline = this.#lingering.begin(() =>
      this.#destroy(new Error('The stream did not take in time what was written to it')),
    );
    const hasLeft = (): void => {
      deadline[Symbol.dispose]();
      void this.#reader.cancel().catch(() => undefined);
    };
    this.#end().then(hasLeft, hasLeft);
  }

  reset(): void {
    if (this.#life === 'over') return;
    this.#leave();
    this.#destroy(new Error('The connection was aborted'));
  }

  #end(): Promise<void> {
    this.#ending ??= this.#writer.close();
    return this.#ending;
  }

  #destroy(reason: unknown): void {
    void this.#writer.abort(reason).catch(() => undefined);
    void this.#reader.cancel(reason).catch(() => undefined);
  }

  #leave(): StreamListener | undefined {
    const listener = this.#listener;
    this.#life = 'over';
    this.#reading = 'paused';
    this.#listener = undefined;
    this.#held = undefined;
    return listener;
  }

  /** Reads and delivers for as long as it is wanted. */
  async #read(): Promise<void> {
    this.#isReadUnderWay = true;
    // Nothing is reported from inside the call that has begun this.
    await Promise.resolve();
    while (this.#reading === 'flowing') {
      this.#held ??= await this.#next();
      if (this.#isFlowing()) this.#deliver(this.#held);
    }
    this.#isReadUnderWay = false;
  }

  async #next(): Promise<Held> {
    try {
      const result = await this.#reader.read();
      if (result.done) return 'end';
      const chunk: unknown = result.value;
      if (chunk instanceof Uint8Array) return chunk;
      throw new TypeError('The readable stream gave something else than a Uint8Array');
    } catch (error) {
      return toSystemError(error);
    }
  }

  #deliver(held: Held): void {
    this.#held = undefined;
    if (held === 'end') {
      this.#reading = 'ended';
      this.#listener?.endReceived();
    } else if (held instanceof Error) {
      this.#fail(held);
    } else {
      if (held.length > CHUNK_BYTES) this.#held = held.subarray(CHUNK_BYTES);
      const length = Math.min(held.length, CHUNK_BYTES);
      if (length > 0) this.#listener?.dataReceived(Buffer.from(held.buffer, held.byteOffset, length));
    }
  }

  /** One of the streams has failed, and with it the connection; the other is let go as well. */
  #fail(error: unknown): void {
    const listener = this.#leave();
    if (listener === undefined) return;
    this.#destroy(error);
    listener.failed(toSystemError(error));
  }

  /** Asked again after a wait, in which it may have changed. */
  #isFlowing(): boolean {
    return this.#reading === 'flowing';
  }
}
