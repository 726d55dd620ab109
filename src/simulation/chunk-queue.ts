import { Buffer } from 'node:buffer';

/** Bytes that wait to leave, kept as the chunks they came in and copied once, when they leave. */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** How much of the first chunk has left. */
  #offset = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Takes out the first bytes, at most `bytesMax`, as memory of their own. */
  take(bytesMax: number): Buffer {
    const taken = Buffer.allocUnsafe(Math.min(bytesMax, this.#bytes));
    let filled = 0;
    let consumed = 0;
    for (const chunk of this.#chunks) {
      if (filled === taken.length) break;
      const part = chunk.subarray(this.#offset, this.#offset + taken.length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset < chunk.length) break;
      this.#offset = 0;
      consumed += 1;
    }
    this.#chunks.splice(0, consumed);
    this.#bytes -= filled;
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#offset = 0;
  }
}
