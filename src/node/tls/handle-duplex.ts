import { Duplex } from 'node:stream';
import type { Buffer } from 'node:buffer';
import type { SystemError } from '../../interfaces/platform.ts';
import type { StreamHandle, StreamListener } from '../../interfaces/stream-platform.ts';

/** How much is read ahead of TLS before the stream below is paused: a few records. */
const READABLE_HIGH_WATER_MARK_BYTES = 65_536;

type Callback = (error?: Error | null) => void;

/**
 * Any stream of a platform as a Node `Duplex`, for `node:tls` to speak through. It takes the stream over; destroying it
 * closes the stream.
 */
export class HandleDuplex extends Duplex implements StreamListener {
  readonly #handle: StreamHandle;
  /** What comes before anything that the handle reads. */
  #received: Uint8Array | undefined;
  /** What waits for bytes, or the FIN, to leave. */
  #written: Callback | undefined;
  #shutDown: Callback | undefined;
  #sent: (() => void) | undefined;
  #endsBy: 'shutdown' | 'close' = 'shutdown';
  #hasEnded = false;

  /** `received` has been read from the stream already. */
  constructor(handle: StreamHandle, received: Uint8Array | undefined) {
    // Closing by itself, when both halves have ended, would take away from TLS what it has decrypted and nobody has read yet.
    super({ allowHalfOpen: true, readableHighWaterMark: READABLE_HIGH_WATER_MARK_BYTES, autoDestroy: false });
    this.#handle = handle;
    // Before whoever speaks TLS listens.
    this.once('end', () => {
      this.#hasEnded = true;
    });
    this.#received = received;
    handle.open(this);
  }

  /** Whether everything that came through the stream has been taken, and its end. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Calls back, possibly from inside, when the next bytes that are written have left. */
  whenSent(callback: () => void): void {
    this.#sent = callback;
  }

  /** From now on the end of writing closes the stream, which then discards what arrives by itself. */
  closeAtEnd(): void {
    this.#endsBy = 'close';
    if (this.writableFinished) this.#handle.close();
  }

  override _read(): void {
    const received = this.#received;
    if (received === undefined) {
      this.#handle.resumeReading();
      return;
    }
    this.#received = undefined;
    // Node reads a stream twice that has something in its buffer when a socket for TLS is made over it.
    setImmediate(() => {
      if (!this.destroyed) this.push(received);
    });
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    this.#write([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], callback: Callback): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    if (this.#endsBy === 'close') {
      this.#handle.close();
      callback();
      return;
    }
    this.#shutDown = callback;
    this.#handle.shutdown();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#handle.close();
    callback(error);
  }

  dataReceived(data: Buffer): void {
    if (!this.push(data)) this.#handle.pauseReading();
  }

  endReceived(): void {
    this.push(null);
  }

  written(): void {
    const callback = this.#written;
    this.#written = undefined;
    if (callback !== undefined) this.#hasSent(callback);
  }

  shutDown(): void {
    const callback = this.#shutDown;
    this.#shutDown = undefined;
    callback?.();
  }

  failed(error: SystemError): void {
    const isOfWriting = this.#written !== undefined || this.#shutDown !== undefined;
    this.destroy(isOfWriting ? error : asReadError(error));
  }

  #write(chunks: readonly Uint8Array[], callback: Callback): void {
    if (this.#handle.write(chunks)) this.#hasSent(callback);
    else this.#written = callback;
  }

  #hasSent(callback: Callback): void {
    const sent = this.#sent;
    this.#sent = undefined;
    callback();
    sent?.();
  }
}

/** While nothing is written it is reading that has failed, whatever told so; whoever has paused hears of it in its turn. */
function asReadError(error: SystemError): SystemError {
  return Object.assign(new Error(error.message, { cause: error }), { code: error.code, syscall: 'read' });
}
