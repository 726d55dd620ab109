/**
 * A stream connection: the only implementation of what a transport does, for every platform.
 *
 * Its life, which only goes forward:
 *
 *     opening ──▶ open ──▶ closing ──▶ lost
 *                  │          │          ▲
 *                  └──────────┴─▶ doomed ┘
 *
 * - opening: the handle has been opened, the protocol is being given its transport.
 * - open: hooks are called, bytes flow.
 * - closing: no more data is delivered. What is buffered is sent (and what a registered producer still writes, if the
 *   closing waits for it), then a FIN; when the system has taken the FIN, the connection is lost for `reason`.
 * - doomed: the handle has been destroyed by us; `connectionLost(reason)` is queued for the next turn.
 * - lost: `connectionLost` has been called. Every method is harmless.
 *
 * The halves besides: the writing half is `open`, then `ending` (a FIN is wanted once everything has left), `finishing` (the
 * FIN has been given to the handle) and `finished`. The reading half is `open` until the peer's FIN, then `ended`. With both
 * halves closed an open connection is lost by itself, cleanly.
 *
 * What the peer does is held back by the handle while reading is paused, so that it comes in order. What this side does
 * (`loseConnection`, `abortConnection`), and a write that fails, ends the connection even while it is paused.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { ConnectionAborted, ConnectionDone, ConnectionLost, WriteBufferLimitError } from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { HalfCloseableProtocol, StreamProtocol } from '../interfaces/protocol.ts';
import type { StreamHandle, StreamListener } from '../interfaces/stream-platform.ts';
import type { Transport } from '../interfaces/transport.ts';
import { describe } from '../arguments.ts';
import { whenRejected } from './error-reporter.ts';
import { type Producer, ProducerSlot, requireProducer } from './producer-slot.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { connectionLostFor } from './system-errors.ts';
import type { Flushable } from './turn-loop.ts';
import { WriteBuffer } from './write-buffer.ts';

/**
 * More bytes than this waiting to be sent pause a push producer and make `write` return false. As in Twisted: enough to
 * keep a fast link busy for a turn, small beside the system's own buffers.
 */
export const HIGH_WATER_MARK_BYTES = 65_536;

/** The most that may wait to be sent: a protocol without flow control must not eat the memory of the process. */
export const WRITE_BUFFER_LIMIT_BYTES = 134_217_728;

type Life =
  | { readonly state: 'opening' | 'open' | 'lost' }
  | { readonly state: 'closing'; readonly reason: Failure; readonly waitsForProducer: boolean }
  | { readonly state: 'doomed'; readonly reason: Failure };

const OPENING: Life = { state: 'opening' };
const OPEN: Life = { state: 'open' };
const LOST: Life = { state: 'lost' };

export class Connection implements Transport, StreamListener, Flushable {
  readonly #parts: ReactorParts;
  readonly #handle: StreamHandle;
  readonly #protocol: StreamProtocol;
  readonly #whenLost: (reason: Failure) => void;
  readonly #buffer: WriteBuffer;
  readonly #producer: ProducerSlot;

  #life: Life = OPENING;
  #writing: 'open' | 'ending' | 'finishing' | 'finished' = 'open';
  #reading: 'open' | 'ended' = 'open';
  #paused = false;
  #flushQueued = false;
  #noDelay = true;
  #keepAlive = false;

  /** `whenLost` is called after the protocol's `connectionLost`, with the same reason. */
  constructor(
    parts: ReactorParts,
    handle: StreamHandle,
    protocol: StreamProtocol,
    whenLost: (reason: Failure) => void,
  ) {
    this.#parts = parts;
    this.#handle = handle;
    this.#protocol = protocol;
    this.#whenLost = whenLost;
    this.#buffer = new WriteBuffer(parts.outgoingSlab);
    this.#producer = new ProducerSlot((error, message) => {
      this.#hookFailed(error, message);
    });
  }

  /** Gives the protocol its transport and begins to read. To be called while the loop dispatches. */
  start(): void {
    this.#parts.connections.add(this);
    this.#handle.open(this);
    this.#life = OPEN;
    try {
      this.#watch(this.#protocol.makeConnection(this), 'connectionMade');
    } catch (error) {
      this.#hookFailed(error, 'An error in connectionMade');
    }
    this.#updateReading();
  }

  // ------------------------------------------------------------------------------------------ the transport's face

  get connected(): boolean {
    return this.#hasHandle || this.#life.state === 'doomed';
  }

  get disconnecting(): boolean {
    return this.#life.state === 'closing' || this.#life.state === 'doomed';
  }

  getHost(): Address {
    return this.#handle.localAddress;
  }

  getPeer(): Address {
    return this.#handle.remoteAddress;
  }

  write(data: Uint8Array | string): boolean {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError(`data must be a Uint8Array or a string; got ${describe(data)}`);
    }
    if (!this.#takesWrites()) return false;
    this.#buffer.add(data);
    const { bytes } = this.#buffer;
    if (bytes <= HIGH_WATER_MARK_BYTES) {
      if (bytes > 0) this.#flushLater();
      return true;
    }
    if (bytes > WRITE_BUFFER_LIMIT_BYTES) {
      this.#destroy(new Failure(new WriteBufferLimitError(bytes, WRITE_BUFFER_LIMIT_BYTES)));
      return false;
    }
    this.#flushLater();
    this.#producer.pause();
    return false;
  }

  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    let room = this.#takesWrites() && this.#buffer.bytes <= HIGH_WATER_MARK_BYTES;
    for (const piece of pieces) room = this.write(piece);
    return room;
  }

  loseConnection(): void {
    if (this.#life.state === 'open') this.#close(new Failure(new ConnectionDone()), true);
  }

  abortConnection(): void {
    if (this.#hasHandle) this.#destroy(new Failure(new ConnectionAborted()));
  }

  loseWriteConnection(): void {
    if (this.#life.state !== 'open' || this.#writing !== 'open') return;
    this.#writing = 'ending';
    this.#advanceEnding();
  }

  registerProducer(producer: Producer, streaming: boolean): void {
    if (this.#takesWrites()) {
      requireProducer(producer, streaming);
      this.#producer.register(this.#parts.contexts?.bindObject(producer) ?? producer, streaming);
      return;
    }
    requireProducer(producer, streaming);
    this.#parts.errors.watch(producer.stopProducing(), 'An error in stopProducing of a producer');
  }

  unregisterProducer(): void {
    this.#producer.unregister();
    this.#advanceEnding();
  }

  pauseProducing(): void {
    this.#paused = true;
    this.#updateReading();
  }

  resumeProducing(): void {
    this.#paused = false;
    this.#updateReading();
  }

  stopProducing(): void {
    this.loseConnection();
  }

  getTcpNoDelay(): boolean {
    return this.#noDelay;
  }

  setTcpNoDelay(enabled: boolean): void {
    this.#noDelay = enabled;
    if (this.#hasHandle) this.#handle.setNoDelay?.(enabled);
  }

  getTcpKeepAlive(): boolean {
    return this.#keepAlive;
  }

  setTcpKeepAlive(enabled: boolean): void {
    this.#keepAlive = enabled;
    if (this.#hasHandle) this.#handle.setKeepAlive?.(enabled);
  }

  toString(): string {
    return `connection from ${String(this.getHost())} to ${String(this.getPeer())}`;
  }

  // ------------------------------------------------------------------------------------------- what the handle reports

  dataReceived(data: Buffer): void {
    const { loop } = this.#parts;
    if (loop.enter()) {
      this.#deliverData(data);
      loop.leave();
    } else {
      loop.hold(() => {
        this.#deliverData(data);
      });
    }
  }

  endReceived(): void {
    this.#parts.loop.deliver(() => {
      this.#reading = 'ended';
      if (this.#life.state !== 'open') return;
      if (this.#callHalfCloseHook('readConnectionLost')) this.#loseIfBothHalvesClosed();
      else this.#close(new Failure(new ConnectionDone()), false);
    });
  }

  written(): void {
    this.#parts.loop.deliver(() => {
      if (!this.#hasHandle) return;
      if (!this.#buffer.hasChunks) {
        this.#drained();
        return;
      }
      this.#buffer.left();
      this.flush();
    });
  }

  shutDown(): void {
    this.#parts.loop.deliver(() => {
      this.#writing = 'finished';
      switch (this.#life.state) {
        case 'closing':
          this.#lose(this.#life.reason);
          return;
        case 'open':
          this.#callHalfCloseHook('writeConnectionLost');
          this.#loseIfBothHalvesClosed();
          return;
        case 'opening':
        case 'doomed':
        case 'lost':
          return;
      }
    });
  }

  failed(error: SystemError): void {
    this.#parts.loop.deliver(() => {
      if (!this.#hasHandle) return;
      const reason = new Failure(connectionLostFor(error));
      this.#life = { state: 'doomed', reason }; // the handle is gone already
      this.#lose(reason);
    });
  }

  // ---------------------------------------------------------------------------------------------- what the reactor asks

  /** Sends what is buffered, unless earlier bytes have not left yet. Called at the end of the turn. */
  flush(): void {
    this.#flushQueued = false;
    if (!this.#hasHandle || this.#buffer.isTaken || !this.#buffer.hasChunks) return;
    if (this.#handle.write(this.#buffer.take())) this.#drained();
  }

  /** The reactor has begun to run, or has ended: reads, or leaves what arrives where it is. */
  dispatchingChanged(): void {
    if (this.#hasHandle) this.#updateReading();
  }

  /** Ends it as the error of a hook does, which has been reported: in order, but waiting for no producer. */
  closeFor(failure: Failure): void {
    const isBroken = this.#life.state === 'open' || (this.#life.state === 'closing' && this.#life.waitsForProducer);
    if (isBroken) this.#close(failure, false);
  }

  /** The reactor stops: the connection is lost at once, unsent bytes included. */
  reactorStopped(): void {
    switch (this.#life.state) {
      case 'doomed':
        this.#lose(this.#life.reason);
        return;
      case 'open':
      case 'closing':
        this.#lose(new Failure(new ConnectionLost('the reactor stopped')));
        return;
      case 'opening':
      case 'lost':
        return;
    }
  }

  // --------------------------------------------------------------------------------------------------------- inside

  /** Whether the handle is open, and may be used. */
  get #hasHandle(): boolean {
    return this.#life.state === 'open' || this.#life.state === 'closing';
  }

  /** While a closing connection waits for its producer, it goes on taking what that writes. */
  #takesWrites(): boolean {
    switch (this.#life.state) {
      case 'opening':
      case 'open':
        return this.#writing === 'open' || (this.#writing === 'ending' && this.#producer.occupied);
      case 'closing':
        return this.#life.waitsForProducer && this.#producer.occupied && this.#writing === 'ending';
      case 'doomed':
      case 'lost':
        return false;
    }
  }

  /** A closing connection discards what still arrives, so that the peer can always finish what it is sending. */
  #deliverData(data: Buffer): void {
    if (this.#life.state !== 'open') return;
    try {
      const result = this.#protocol.dataReceived(data);
      if (result !== undefined) this.#watch(result, 'dataReceived');
    } catch (error) {
      this.#hookFailed(error, 'An error in dataReceived');
    }
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

  /** Reads while anybody is there to be told, and while closing, to discard. */
  #updateReading(): void {
    const wanted = this.#life.state === 'closing' || (this.#life.state === 'open' && !this.#paused);
    if (!this.#hasHandle) return;
    if (wanted && this.#parts.loop.running) this.#handle.resumeReading();
    else this.#handle.pauseReading();
  }

  /** Sends what is to be sent, then a FIN, then loses the connection for `reason`. */
  #close(reason: Failure, waitsForProducer: boolean): void {
    this.#life = { state: 'closing', reason, waitsForProducer };
    if (!waitsForProducer) this.#producer.stop();
    this.#updateReading();
    switch (this.#writing) {
      case 'open':
        this.#writing = 'ending';
        this.#advanceEnding();
        return;
      case 'ending':
        this.#advanceEnding();
        return;
      case 'finishing':
        return; // `shutDown` will find the connection closing
      case 'finished':
        this.#handle.close();
        this.#loseLater(reason);
    }
  }

  /** Gives the handle the FIN once nothing stands before it any more. */
  #advanceEnding(): void {
    if (this.#writing !== 'ending' || !this.#hasHandle) return;
    if (this.#producer.occupied || this.#buffer.bytes > 0) return;
    this.#writing = 'finishing';
    this.#handle.shutdown();
  }

  #loseIfBothHalvesClosed(): void {
    if (this.#life.state === 'open' && this.#reading === 'ended' && this.#writing === 'finished') {
      this.#lose(new Failure(new ConnectionDone()));
    }
  }

  /** Resets the connection now and loses it in the next turn. */
  #destroy(reason: Failure): void {
    this.#handle.reset();
    this.#loseLater(reason);
  }

  #loseLater(reason: Failure): void {
    this.#life = { state: 'doomed', reason };
    this.#buffer.clear();
    this.#parts.loop.callSoon(() => {
      if (this.#life.state === 'doomed') this.#lose(reason);
    });
  }

  /** The end. To be called while the loop dispatches. */
  #lose(reason: Failure): void {
    const wasDoomed = this.#life.state === 'doomed';
    this.#life = LOST;
    if (!wasDoomed) this.#handle.close();
    this.#buffer.clear();
    this.#parts.connections.delete(this);
    this.#producer.stop();
    this.#parts.errors.guard('An error in connectionLost', () => this.#protocol.connectionLost(reason));
    this.#whenLost(reason);
  }

  /** Calls the hook if the protocol has it, and returns whether it does. It may have one without the other. */
  #callHalfCloseHook(hook: 'readConnectionLost' | 'writeConnectionLost'): boolean {
    const protocol: Partial<HalfCloseableProtocol> = this.#protocol;
    if (typeof protocol[hook] !== 'function') return false;
    try {
      this.#watch(protocol[hook](), hook);
    } catch (error) {
      this.#hookFailed(error, `An error in ${hook}`);
    }
    return true;
  }

  /** A hook may be async: its promise, if rejected, is an error of the hook. */
  #watch(result: unknown, hook: string): void {
    whenRejected(result, (error) => {
      this.#hookFailed(error, `An error in ${hook}`);
    });
  }

  /** Law 8: an error of a hook is reported, and costs this connection. */
  #hookFailed(error: unknown, message: string): void {
    this.closeFor(this.#parts.errors.report(error, message));
  }
}
