/**
 * A connection for code that waits: `for await` in place of `dataReceived`.
 *
 *     connecting ──makeConnection──▶ connected ──connectionLost──▶ lost
 *          ╰──close──▶ abandoned
 *
 * What arrives is kept until it is read, and above the high-water mark the transport is paused, so that a slow reader slows
 * the peer down. The end of reading stands behind all that was received before:
 *
 *     open ──readConnectionLost, connectionLost(ConnectionDone), close──▶ ended
 *     open ──connectionLost──▶ failed
 */
import type { Buffer } from 'node:buffer';
import { requireIntegerFrom, requireOptions } from '../../arguments.ts';
import { whenDrained } from '../../deferred/when-drained.ts';
import type { Failure } from '../../deferred/failure.ts';
import { ConnectionDone } from '../../errors.ts';
import type { DrainableProtocol, HalfCloseableProtocol, HookResult } from '../../interfaces/protocol.ts';
import type { Transport } from '../../interfaces/transport.ts';
import { DEFAULT_HIGH_WATER_MARK_BYTES } from '../../stream-defaults.ts';
import { Protocol } from '../protocol.ts';

/** The options of an `AsyncConnection`. */
export interface AsyncConnectionOptions {
  /**
   * Whether the connection lives on when the peer has closed its half; false by default. Then it is closed, with what was
   * written by then sent, when the end has been read: when the loop is over, that is.
   */
  readonly allowHalfOpen?: boolean;
  /** Above how many bytes that nobody has read the transport is paused, in bytes; 65,536 by default, at least 1. */
  readonly highWaterMark?: number;
}

type Life =
  | { readonly state: 'connecting' | 'connected' }
  /** It was closed before there was a connection. */
  | { readonly state: 'abandoned' }
  | { readonly state: 'lost'; readonly reason: Failure };

type Reading =
  | { readonly state: 'open' }
  /** `told` is whether the reader knows. */
  | { readonly state: 'ended'; readonly told: boolean }
  | { readonly state: 'failed'; readonly error: Error };

const CONNECTED: Life = { state: 'connected' };
const ABANDONED: Life = { state: 'abandoned' };

/** Somebody who waits for bytes. */
interface Reader {
  readonly resolve: (chunk: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A protocol that is read and written by code with `await`:
 *
 *     for await (const chunk of connection) await connection.write(chunk);
 *
 * The loop ends when the peer has closed its half and when the connection was closed in order; any other loss is thrown in it, after the bytes
 * that came before. Leaving the loop, by `break` or by an error, closes the connection. Iterating again goes on where the last
 * loop stopped. One at a time may read.
 *
 * It can be read and written once it is connected: when `connectProtocol` has fired, or a listener has given it. Before that both throw, for
 * there may never be a connection, and nobody would tell. It can be closed at any time.
 */
export class AsyncConnection
  extends Protocol
  implements HalfCloseableProtocol, DrainableProtocol, AsyncIterable<Buffer>, AsyncDisposable
{
  /**
   * Aborts when the reactor is about to stop and gives its connections time to finish (`drainSeconds`). A loop that is between two messages
   * then does well to end, and one that waits for the next to be closed:
   * `draining.addEventListener('abort', () => void connection.close())`.
   */
  readonly draining: AbortSignal;
  readonly #drain = new AbortController();
  readonly #allowHalfOpen: boolean;
  readonly #highWaterMark: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #reading: Reading = { state: 'open' };
  #reader: Reader | undefined;
  #whenDrained: Promise<void> | undefined;
  #life: Life = { state: 'connecting' };
  readonly #closed: Promise<void>;
  #tellClosed: () => void = () => undefined;

  constructor(options: AsyncConnectionOptions = {}) {
    super();
    requireOptions('options', options, ['allowHalfOpen', 'highWaterMark']);
    const { allowHalfOpen = false, highWaterMark = DEFAULT_HIGH_WATER_MARK_BYTES } = options;
    requireIntegerFrom('highWaterMark', highWaterMark, 1);
    this.#allowHalfOpen = allowHalfOpen;
    this.#highWaterMark = highWaterMark;
    this.draining = this.#drain.signal;
    this.#closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  // -------------------------------------------------------------------------------------------- for whoever uses it

  /**
   * The next bytes, as many as came together, or undefined when there will be no more. Rejects with the reason of a
   * connection that was not closed in order. Throws an `Error` if somebody is reading already, and while there is no
   * connection yet.
   */
  read(): Promise<Buffer | undefined> {
    this.#requireConnection();
    if (this.#reader !== undefined) throw new Error('The connection is being read already: wait for that first');
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#serveReader();
    });
  }

  /**
   * Sends bytes, or a string as UTF-8. Resolves at once while there is room, and over the high-water mark of the transport
   * (64 KiB) when everything has left; without waiting for that it is the transport's `write`. Rejects with the reason of
   * the loss if the connection was lost or is being closed, so that the bytes were not sent, or perhaps not: a rejection that nobody
   * waits for is nobody's error, as a `write` to a lost connection is none. Throws an `Error` while there is no connection yet.
   */
  write(data: Uint8Array | string): Promise<void> {
    this.#requireConnection();
    const hasRoom = this.#life.state !== 'abandoned' && this.transport.write(data);
    const written = hasRoom ? Promise.resolve() : this.#drained();
    written.catch(() => undefined);
    return written;
  }

  /**
   * Closes the connection when all that was written has left; resolves, and never rejects, when it is lost. What was
   * received and not read is dropped: who is reading is told of the end. Without a connection it resolves at once, and a
   * connection that is made after all is aborted.
   */
  close(): Promise<void> {
    switch (this.#life.state) {
      case 'connecting':
        this.#life = ABANDONED;
        this.#tellClosed();
        break;
      case 'connected':
        this.transport.loseConnection();
        break;
      case 'abandoned':
      case 'lost':
    }
    this.#chunks = [];
    this.#bytes = 0;
    this.#endReading({ state: 'ended', told: true });
    return this.#closed;
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer, undefined> {
    return new Chunks(this);
  }

  // ------------------------------------------------------------------------------------------------- for the reactor

  override makeConnection(transport: Transport): HookResult {
    if (this.#life.state !== 'connecting') {
      transport.abortConnection();
      return;
    }
    this.#life = CONNECTED;
    return super.makeConnection(transport);
  }

  override dataReceived(data: Buffer): void {
    if (this.#reading.state !== 'open') return;
    this.#chunks.push(data);
    this.#bytes += data.length;
    this.#serveReader();
    if (this.#bytes > this.#highWaterMark) this.transport.pauseProducing();
  }

  readConnectionLost(): void {
    this.#endReading({ state: 'ended', told: false });
  }

  writeConnectionLost(): void {}

  connectionDraining(): void {
    this.#drain.abort();
  }

  override connectionLost(reason: Failure): void {
    if (this.#life.state === 'connected') this.#life = { state: 'lost', reason };
    const isInOrder = reason.value instanceof ConnectionDone;
    this.#endReading(isInOrder ? { state: 'ended', told: true } : { state: 'failed', error: reason.value });
    this.#tellClosed();
  }

  // ---------------------------------------------------------------------------------------------------------- inside

  #requireConnection(): void {
    if (this.#life.state !== 'connecting') return;
    throw new Error('There is no connection yet: wait for connectProtocol, or for whoever makes it');
  }

  /** What has ended stays as it ended. */
  #endReading(reading: Reading): void {
    if (this.#reading.state === 'open') this.#reading = reading;
    this.#serveReader();
  }

  #serveReader(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#reader = undefined;
      this.#bytes -= chunk.length;
      if (this.#bytes <= this.#highWaterMark) this.transport.resumeProducing();
      reader.resolve(chunk);
      return;
    }
    if (this.#reading.state === 'open') return;
    this.#reader = undefined;
    if (this.#reading.state === 'failed') {
      reader.reject(this.#reading.error);
      return;
    }
    if (!this.#reading.told && !this.#allowHalfOpen) this.transport.loseConnection();
    this.#reading = { state: 'ended', told: true };
    reader.resolve(undefined);
  }

  /** Several may wait at a time, but the transport has room for one producer. */
  async #drained(): Promise<void> {
    this.#whenDrained ??= this.#drainOnce();
    await this.#whenDrained;
  }

  async #drainOnce(): Promise<void> {
    const hasDrained = this.#life.state !== 'abandoned' && (await whenDrained(this.transport));
    this.#whenDrained = undefined;
    if (hasDrained) return;
    await this.#closed;
    throw this.#life.state === 'lost' ? this.#life.reason.value : new ConnectionDone();
  }
}

/** One loop over the chunks of a connection. */
class Chunks implements AsyncIterableIterator<Buffer, undefined> {
  readonly #connection: AsyncConnection;

  constructor(connection: AsyncConnection) {
    this.#connection = connection;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    const value = await this.#connection.read();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the protocol of async iterators wants promises
  async return(): Promise<IteratorResult<Buffer, undefined>> {
    void this.#connection.close();
    return { done: true, value: undefined };
  }
}
