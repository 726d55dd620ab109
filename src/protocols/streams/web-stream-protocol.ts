/**
 * A connection as a pair of Web Streams.
 *
 * Each direction has a life of its own, and the connection is over when both are:
 *
 *     reading   open ──the peer's end──▶ closed      open ──cancel──▶ discarding      open ──lost──▶ errored
 *     writing   open ──close──▶ closed               open ──abort, lost──▶ errored
 */
import { Buffer } from 'node:buffer';
import { requireIntegerFrom, requireOptions } from '../../arguments.ts';
import type { Failure } from '../../deferred/failure.ts';
import { writeAndDrain } from '../../deferred/when-drained.ts';
import { ConnectionDone } from '../../errors.ts';
import type { DrainableProtocol, HalfCloseableProtocol } from '../../interfaces/protocol.ts';
import type { Transport } from '../../interfaces/transport.ts';
import { DEFAULT_HIGH_WATER_MARK_BYTES } from '../../stream-defaults.ts';
import { WriteBacklog } from '../../write-backlog.ts';
import { Protocol } from '../protocol.ts';
import { limitWrites } from './limit-writes.ts';

/** As the standard has it; some types of it leave the signal out. */
interface AbortableController extends WritableStreamDefaultController {
  readonly signal?: AbortSignal;
}

/** The options of a `WebStreamProtocol`. */
export interface WebStreamOptions {
  /** How much is kept in each direction before the other side is slowed down, in bytes; 65,536 by default, at least 1. */
  readonly highWaterMark?: number;
  /**
   * How many bytes may wait in `writable`, in bytes, the largest single write not counted; by default as many as on the
   * connection, which are 128 MiB unless its port or connector was told otherwise. More, and `writable` fails with
   * `WriteBufferLimitError` and the connection is aborted. At least `highWaterMark`.
   */
  readonly writeBufferLimit?: number;
}

/**
 * A protocol that is a pair of Web Streams, `{ readable, writable }`, as `pipeThrough` takes them, and as the sockets of Deno and of Cloudflare's
 * workers are.
 *
 * `readable` ends when the peer has closed its half, `writable.close()` closes ours, and the connection is over when both have
 * happened; `cancel` on the one discards what still comes, `abort` on the other aborts the connection. A loss that was not in order is
 * the error of both streams. A chunk given to `writable` may be changed when its `write` has been fulfilled: it has left.
 */
export class WebStreamProtocol extends Protocol implements HalfCloseableProtocol, DrainableProtocol {
  /** What the peer sends. Backed by the transport, which is paused when `highWaterMark` is reached. */
  readonly readable: ReadableStream<Uint8Array>;
  /** To the peer: bytes, and strings as UTF-8. Writing waits for the connection, if there is none yet. */
  readonly writable: WritableStream<Uint8Array | string>;
  /** Fulfilled when the connection is over, rejected with the reason if that was not in order. Rejecting bothers nobody who did not ask. */
  readonly closed: Promise<void>;
  /** Aborts when the reactor is about to stop and gives its connections time to finish (`drainSeconds`). */
  readonly draining: AbortSignal;

  // Set by the constructors of the streams, which call `start` at once.
  #readController!: ReadableStreamDefaultController<Uint8Array>;
  #writeController!: WritableStreamDefaultController;
  #reading: 'open' | 'discarding' | 'over' = 'open';
  #writing: 'open' | 'closing' | 'over' = 'open';
  #connected: () => void = () => undefined;
  #halfClosed: () => void = () => undefined;
  #lost: (reason: Failure) => void = () => undefined;
  readonly #loss: Promise<Failure>;
  readonly #drain = new AbortController();

  constructor(options: WebStreamOptions = {}) {
    super();
    requireOptions('options', options, ['highWaterMark', 'writeBufferLimit']);
    const { highWaterMark = DEFAULT_HIGH_WATER_MARK_BYTES } = options;
    requireIntegerFrom('highWaterMark', highWaterMark, 1);
    const backlog = new WriteBacklog(options.writeBufferLimit, highWaterMark);
    this.draining = this.#drain.signal;
    this.#loss = new Promise((resolve) => {
      this.#lost = resolve;
    });
    this.closed = this.#loss.then(throwUnlessDone);
    this.closed.catch(() => undefined);
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#readController = controller;
        },
        pull: () => this.#resume(),
        cancel: () => this.#discard(),
      },
      { highWaterMark, size: byteLength },
    );
    this.writable = new WritableStream<Uint8Array | string>(
      {
        start: (controller: AbortableController) => {
          this.#writeController = controller;
          // The sink itself would be told only when the write that is under way has ended, which it may never do.
          controller.signal?.addEventListener('abort', () => this.#abort());
          return new Promise<void>((resolve) => {
            this.#connected = resolve;
          });
        },
        write: (chunk) => this.#write(chunk),
        close: () => this.#close(),
        abort: () => this.#abort(),
      },
      { highWaterMark, size: byteLength },
    );
    limitWrites(this.writable, {
      backlog,
      highWaterMark,
      defaultLimit: () => (this.#hasTransport() ? this.transport.writeBufferLimit : undefined),
      exceeded: (error) => this.#exceeded(error),
    });
  }

  override makeConnection(transport: Transport): void {
    this.transport = transport;
    this.#connected();
    if (this.#writing === 'over') transport.abortConnection();
  }

  override dataReceived(data: Buffer): void {
    if (this.#reading !== 'open') return;
    this.#readController.enqueue(data);
    if ((this.#readController.desiredSize ?? 0) <= 0) this.transport.pauseProducing();
  }

  readConnectionLost(): void {
    this.#endReading();
  }

  writeConnectionLost(): void {
    this.#writing = 'over';
    this.#halfClosed();
  }

  connectionDraining(): void {
    this.#drain.abort();
  }

  override connectionLost(reason: Failure): void {
    const isInOrder = reason.value instanceof ConnectionDone;
    if (isInOrder) this.#endReading();
    else if (this.#reading === 'open') this.#readController.error(reason.value);
    this.#reading = 'over';
    // Closing is what the connection was lost by.
    if (this.#writing === 'closing' && isInOrder) this.#halfClosed();
    else if (this.#writing !== 'over') this.#writeController.error(reason.value);
    this.#writing = 'over';
    this.#lost(reason);
  }

  // ---------------------------------------------------------------------------------------------------------- inside

  /** The stream asks for more; before the connection is there, too. */
  #resume(): void {
    if (this.#hasTransport()) this.transport.resumeProducing();
  }

  /** Nobody reads any more: what comes is dropped, up to the end. */
  #discard(): void {
    this.#reading = 'discarding';
    this.#resume();
    if (this.#writing === 'over') this.transport.loseConnection();
  }

  #endReading(): void {
    if (this.#reading === 'open') this.#readController.close();
    this.#reading = 'over';
  }

  /** More waits in `writable` than may. */
  #exceeded(error: Error): void {
    this.#writeController.error(error);
    this.#abort();
  }

  async #write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('A chunk must be a Uint8Array or a string');
    const hasLeft = await writeAndDrain(this.transport, [bytes]);
    if (!hasLeft) throw (await this.#loss).value;
  }

  async #close(): Promise<void> {
    const halfClosed = new Promise<void>((resolve) => {
      this.#halfClosed = resolve;
    });
    this.#writing = 'closing';
    // With nobody to read what comes, there is nothing to wait for.
    if (this.#reading === 'discarding') this.transport.loseConnection();
    else this.transport.loseWriteConnection();
    await Promise.race([halfClosed, this.#loss.then(throwUnlessDone)]);
  }

  #abort(): void {
    this.#writing = 'over';
    this.#connected(); // who waits for a connection to write to need not wait any more to be told
    if (this.#hasTransport()) this.transport.abortConnection();
  }

  #hasTransport(): boolean {
    return 'transport' in this;
  }
}

/** 0 for what is no chunk, and fails when its turn comes. */
function byteLength(chunk: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk);
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}

function throwUnlessDone({ value }: Failure): void {
  if (!(value instanceof ConnectionDone)) throw value;
}
