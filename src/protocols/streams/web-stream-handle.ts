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
import type { StreamHandle, StreamListener } from '../../interfaces/stream-platform.ts';

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
  #isReadUnderWay = false;
  #held: Held | undefined;

  /** Throws `TypeError` if one of the streams has a reader or a writer already. */
  constructor({ readable, writable }: WebStreamPair, addresses: WebStreamAddresses) {
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
    this.#writer.close().then(
      () => this.#listener?.shutDown(),
      (error: unknown) => this.#fail(error),
    );
  }

  /** What still comes is cancelled once our end has left: to discard it is up to whoever made the streams. */
  close(): void {
    if (this.#life === 'over') return;
    this.#leave();
    const cancel = (): void => void this.#reader.cancel().catch(() => undefined);
    // Closing again what is closed is refused, and that is as well.
    this.#writer.close().then(cancel, cancel);
  }

  reset(): void {
    if (this.#life === 'over') return;
    this.#leave();
    const reason = new Error('The connection was aborted');
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
      this.#leave()?.failed(held);
    } else {
      if (held.length > CHUNK_BYTES) this.#held = held.subarray(CHUNK_BYTES);
      const length = Math.min(held.length, CHUNK_BYTES);
      if (length > 0) this.#listener?.dataReceived(Buffer.from(held.buffer, held.byteOffset, length));
    }
  }

  #fail(error: unknown): void {
    this.#leave()?.failed(toSystemError(error));
  }

  /** Asked again after a wait, in which it may have changed. */
  #isFlowing(): boolean {
    return this.#reading === 'flowing';
  }
}

/** The code is the error's own if it has one. */
function toSystemError(error: unknown): SystemError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  return Object.assign(new Error(message, { cause: error }), { code });
}
