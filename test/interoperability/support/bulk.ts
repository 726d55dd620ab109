import { Buffer } from 'node:buffer';
import { createCipheriv } from 'node:crypto';
import type { PushProducer, Transport } from 'ropewalk';
import { digestOf } from './witness.ts';

export const MEGABYTE = 1_000_000;

const PIECE_BYTES = 50_000;

/** Bytes of which no stretch is like another, so that a checksum tells what was lost, doubled or moved; always the same. */
export function bulk(bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** Sends bytes in pieces, as fast as the transport wants them, then unregisters and does what comes next. */
export class BulkProducer implements PushProducer {
  readonly digest: string;
  sentBytes: number = 0;
  readonly #data: Buffer;
  readonly #transport: Transport;
  readonly #then: () => void;
  #state: 'producing' | 'paused' | 'ended' = 'paused';

  constructor(data: Buffer, transport: Transport, then: () => void) {
    this.digest = digestOf([data]);
    this.#data = data;
    this.#transport = transport;
    this.#then = then;
  }

  start(): void {
    this.#transport.registerProducer(this, true);
    this.resumeProducing();
  }

  pauseProducing(): void {
    this.#state = 'paused';
  }

  resumeProducing(): void {
    this.#state = 'producing';
    while (this.#isProducing() && this.sentBytes < this.#data.length) {
      const piece = this.#data.subarray(this.sentBytes, this.sentBytes + PIECE_BYTES);
      this.sentBytes += piece.length;
      this.#transport.write(piece);
    }
    if (this.sentBytes < this.#data.length) return;
    this.stopProducing();
    this.#transport.unregisterProducer();
    this.#then();
  }

  stopProducing(): void {
    this.#state = 'ended';
  }

  /** `write` may have paused it in between. */
  #isProducing(): boolean {
    return this.#state === 'producing';
  }
}
