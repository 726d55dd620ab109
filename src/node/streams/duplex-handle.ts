/**
 * Any `Duplex` behind the seam.
 *
 * Theory of operation. Three small machines, as of a socket:
 *
 *   life     new ──open──▶ open ──failed, close, reset──▶ over        nothing is reported before open or after over
 *   reading  paused ◀──▶ flowing ──endReceived──▶ ended
 *   writing  idle ◀──▶ sending;  idle ──shutdown──▶ shutting ──▶ shut
 *
 * A `Duplex` calls its listeners whenever its author likes: from inside `write` too, if it is an echo. So its events only take
 * a note, and a pass of the event loop later `#deliver` reads what there is and reports it, in order. What is not read
 * stays in the stream, which slows its source down.
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { Address } from '../../addresses.ts';
import type { SystemError } from '../../interfaces/platform.ts';
import type { Lingering, StreamHandle, StreamListener } from '../../interfaces/stream-platform.ts';
import { linger } from '../linger.ts';
import { toSystemError } from '../../system-error.ts';

/** The most that is delivered at a time, as from a socket, in bytes. */
const CHUNK_BYTES = 65_536;

/** How much is delivered in one pass of the event loop, in bytes: a stream may have more as fast as it is read, without end. */
const BYTES_PER_PASS = 4 * CHUNK_BYTES;

/** What a handle is made of. */
export interface DuplexParts {
  readonly duplex: Duplex;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly linger: Lingering;
}

export class DuplexHandle implements StreamHandle {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #duplex: Duplex;
  readonly #linger: Lingering;

  #life: 'new' | 'open' | 'over' = 'new';
  #reading: 'paused' | 'flowing' | 'ended' = 'paused';
  #writing: 'idle' | 'sending' | 'shutting' | 'shut' = 'idle';
  #listener: StreamListener | undefined;
  /** How reading will end, once all before it has been delivered; an error also ends writing. */
  #last: 'end' | SystemError | undefined;
  #isDeliveryDue = false;

  constructor({ duplex, localAddress, remoteAddress, linger: lingering }: DuplexParts) {
    this.#duplex = duplex;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#linger = lingering;
    duplex.on('error', this.#failed);
    duplex.on('close', this.#closed);
    callIfPresent(duplex, 'unref');
    if (duplex.readableEnded) this.#last = 'end';
    if (duplex.errored !== null) this.#last = toSystemError(duplex.errored);
    else if (duplex.destroyed) this.#last = prematureClose();
  }

  open(listener: StreamListener): void {
    if (this.#life === 'over') return;
    this.#listener = listener;
    if (this.#life === 'open') return;
    this.#life = 'open';
    this.#duplex.on('end', this.#ended);
    this.#duplex.on('readable', this.#deliverSoon);
  }

  resumeReading(): void {
    if (this.#life !== 'open' || this.#reading !== 'paused') return;
    this.#reading = 'flowing';
    this.#deliverSoon();
  }

  pauseReading(): void {
    if (this.#reading === 'flowing') this.#reading = 'paused';
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#life !== 'open') return false;
    const last = chunks.at(-1);
    if (last === undefined) return true;
    this.#writing = 'sending';
    // The error of a stream that has failed is told to whoever writes, without regard to pausing.
    if (this.#last instanceof Error) {
      this.#deliverSoon();
      return false;
    }
    const duplex = this.#duplex;
    duplex.cork();
    for (const chunk of chunks.slice(0, -1)) duplex.write(chunk);
    duplex.write(last, (error) => {
      if (!(error instanceof Error)) process.nextTick(() => this.#sent());
    });
    duplex.uncork();
    return false;
  }

  shutdown(): void {
    if (this.#life !== 'open') return;
    this.#writing = 'shutting';
    if (this.#last instanceof Error) this.#deliverSoon();
    else if (this.#duplex.writableFinished) process.nextTick(() => this.#finished());
    else this.#duplex.once('finish', () => process.nextTick(() => this.#finished())).end();
  }

  close(): void {
    if (this.#life === 'over') return;
    this.#leave();
    const duplex = this.#duplex;
    if (duplex.destroyed) return;
    const discard = (count: (bytes: number) => void): void => {
      duplex.on('data', (chunk: Uint8Array) => count(chunk.length));
    };
    linger(duplex, { discard }, this.#linger);
    if (duplex.readableEnded && duplex.writableFinished) duplex.destroy();
  }

  reset(): void {
    if (this.#life === 'over') return;
    this.#leave();
    this.#duplex.destroy();
  }

  setNoDelay(enabled: boolean): void {
    callIfPresent(this.#duplex, 'setNoDelay', enabled);
  }

  setKeepAlive(enabled: boolean): void {
    callIfPresent(this.#duplex, 'setKeepAlive', enabled);
  }

  /** The listener for errors stays: one may be on its way. */
  #leave(): StreamListener | undefined {
    const listener = this.#listener;
    this.#life = 'over';
    this.#reading = 'paused';
    this.#listener = undefined;
    this.#duplex.off('end', this.#ended);
    this.#duplex.off('readable', this.#deliverSoon);
    return listener;
  }

  readonly #deliverSoon = (): void => {
    if (this.#isDeliveryDue || this.#life !== 'open') return;
    this.#isDeliveryDue = true;
    setImmediate(() => this.#deliver());
  };

  readonly #ended = (): void => {
    this.#last ??= 'end';
    this.#deliverSoon();
  };

  readonly #failed = (error: Error): void => {
    if (this.#last instanceof Error) return;
    this.#last = toSystemError(error);
    this.#deliverSoon();
  };

  /** A stream that is destroyed without an error may have been so in the middle. */
  readonly #closed = (): void => {
    const { readableEnded, writableFinished } = this.#duplex;
    if (!readableEnded || !writableFinished) this.#failed(prematureClose());
  };

  #deliver(): void {
    this.#isDeliveryDue = false;
    for (let bytes = 0; this.#reading === 'flowing';) {
      const chunk = this.#read();
      if (chunk === null) break;
      bytes += chunk.length;
      this.#listener?.dataReceived(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
      if (bytes >= BYTES_PER_PASS) {
        this.#deliverSoon();
        return;
      }
    }
    this.#deliverLast();
  }

  #read(): Uint8Array | null {
    const { readableLength } = this.#duplex;
    // In no other form: whoever adopts a stream has looked. Without a length it also asks for more, and finds the end.
    return (readableLength > CHUNK_BYTES ? this.#duplex.read(CHUNK_BYTES) : this.#duplex.read()) as Uint8Array | null;
  }

  #deliverLast(): void {
    const last = this.#last;
    if (last instanceof Error) {
      const isAwaited = this.#writing === 'sending' || this.#writing === 'shutting';
      if (this.#life === 'open' && (isAwaited || this.#reading !== 'paused')) this.#fail(last);
    } else if (last === 'end' && this.#reading === 'flowing') {
      this.#reading = 'ended';
      this.#listener?.endReceived();
    }
  }

  #fail(error: SystemError): void {
    const listener = this.#leave();
    // One that was made without `autoDestroy` is not destroyed by its error.
    this.#duplex.destroy();
    listener?.failed(error);
  }

  #sent(): void {
    if (this.#writing !== 'sending') return;
    this.#writing = 'idle';
    this.#listener?.written();
  }

  #finished(): void {
    this.#writing = 'shut';
    this.#listener?.shutDown();
  }
}

function prematureClose(): SystemError {
  const code = 'ERR_STREAM_PREMATURE_CLOSE';
  return Object.assign(new Error('the stream was destroyed before it had ended'), { code });
}

/** Sockets have these, and those who take after them. */
function callIfPresent(duplex: Duplex, name: 'setNoDelay' | 'setKeepAlive' | 'unref', ...args: unknown[]): void {
  const method: unknown = Reflect.get(duplex, name);
  if (typeof method === 'function') Reflect.apply(method, duplex, args);
}
