/**
 * A connection of a reactor as a Node `Duplex`.
 *
 *     connecting ──makeConnection──▶ connected ──connectionLost──▶ lost
 *
 * - connecting: what is written, and the end, waits. Destroying it has nobody to tell yet; a connection that comes after all
 *   is aborted.
 * - connected: each write waits until its bytes have left, so that they may be changed then, as Node promises; what is
 *   written meanwhile is kept by `Duplex`, and leaves in one piece. `push` returning false pauses the transport.
 * - lost: nothing can be written. What was received in order can still be read.
 *
 * Destroying a connected one ends the connection, and 'close' waits for `connectionLost`.
 */
import { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { Address } from '../../addresses.ts';
import type { Failure } from '../../deferred/failure.ts';
import { writeAndDrain } from '../../deferred/when-drained.ts';
import { ConnectionDone, ConnectionLost } from '../../errors.ts';
import type { HalfCloseableProtocol, HandshakeListener } from '../../interfaces/protocol.ts';
import type { ReactorTime } from '../../interfaces/time.ts';
import type { Transport } from '../../interfaces/transport.ts';
import { IdleTimer } from './idle-timer.ts';

/**
 * How much is kept in each direction before the other side is slowed down: as much as a connection keeps. Node's own default is
 * not the same in all its versions.
 */
const HIGH_WATER_MARK_BYTES = 65_536;

/** The options of a `DuplexProtocol`. */
export interface DuplexOptions {
  /**
   * Whether it can still be written to when the peer has closed its half; false by default, as of a `net.Socket`: then it
   * is ended once the peer's end has been read. A server of `node:http` wants true.
   */
  readonly allowHalfOpen?: boolean;
  /** How many bytes are received before somebody reads them, in bytes; 65,536 by default. */
  readonly readableHighWaterMark?: number;
  /** How many bytes may wait before `write` returns false, in bytes; 65,536 by default. */
  readonly writableHighWaterMark?: number;
  /** Destroys it with an `AbortError` when it aborts. */
  readonly signal?: AbortSignal;
}

type Callback = (error?: Error | null) => void;

type Life =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected'; readonly transport: Transport }
  | { readonly state: 'lost'; readonly reason: Failure };

const CONNECTING: Life = { state: 'connecting' };

/**
 * A protocol that is a Node `Duplex`, so that whatever takes a `net.Socket` runs over any transport of a reactor: TCP, TLS,
 * UNIX sockets, the virtual network of a test. It has the methods and properties of a `net.Socket` that such libraries use, among
 * them `setTimeout`, which runs on the clock it is given.
 *
 * It is 'connecting' until it is given a transport, and then emits 'connect'. It ends as a socket does: 'end' when the peer has closed
 * its half, 'close' when the connection is over, 'error' before that if it was not in order: the error is the reason given
 * to `connectionLost`. `destroy()` closes in order if all that was written has left, and otherwise, or with an error, aborts the
 * connection. Listeners are called from hooks of the protocol, where what they throw costs the connection (law 8), or by Node.
 */
export class DuplexProtocol extends Duplex implements HalfCloseableProtocol, HandshakeListener {
  /** Bytes received so far. */
  bytesRead: number = 0;
  readonly #idle: IdleTimer;
  #life: Life = CONNECTING;
  /** Stays after the loss, whose addresses can still be read. */
  #transport: Transport | undefined;
  #bytesLeft = 0;
  #encrypted = false;
  #noDelay = true;
  #keepAlive = false;
  #closing: 'in order' | 'by reset' = 'in order';
  /** What waits for a connection: a write, or the end. */
  #whenConnected: (() => void) | undefined;
  /** What waits for bytes, or the FIN, to leave; and for the connection to be lost. */
  #written: Callback | undefined;
  #ended: Callback | undefined;
  #destroyed: (() => void) | undefined;

  /** `clock` is the reactor, or whatever else is to measure the time of `setTimeout`. */
  constructor(clock: ReactorTime, options: DuplexOptions = {}) {
    const { allowHalfOpen = false, signal } = options;
    super({
      allowHalfOpen,
      readableHighWaterMark: options.readableHighWaterMark ?? HIGH_WATER_MARK_BYTES,
      writableHighWaterMark: options.writableHighWaterMark ?? HIGH_WATER_MARK_BYTES,
      ...(signal && { signal }),
    });
    this.#idle = new IdleTimer(clock, () => this.emit('timeout'));
  }

  // ------------------------------------------------------------------------------------------------ as a protocol

  /** The connection, from `connectionMade` on; undefined before. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** For the reactor. Emits 'connect' and 'ready'. */
  makeConnection(transport: Transport): void {
    this.#transport = transport;
    this.#life = { state: 'connected', transport };
    if (this.destroyed) {
      transport.abortConnection();
      return;
    }
    if (!this.#noDelay) transport.setTcpNoDelay(false);
    if (this.#keepAlive) transport.setTcpKeepAlive(true);
    this.emit('connect');
    this.emit('ready');
    this.#sendWhatWaits();
  }

  /** For the reactor. Emits 'secureConnect'. */
  handshakeCompleted(): void {
    this.#encrypted = true;
    this.emit('secureConnect');
  }

  /** For the reactor. */
  dataReceived(data: Buffer): void {
    this.bytesRead += data.length;
    this.#idle.active();
    if (!this.push(data)) this.#transport?.pauseProducing();
  }

  /** For the reactor. */
  readConnectionLost(): void {
    this.#endReading();
  }

  /** For the reactor. */
  writeConnectionLost(): void {
    const callback = this.#ended;
    this.#ended = undefined;
    callback?.();
  }

  /** For the reactor. */
  connectionLost(reason: Failure): void {
    this.#life = { state: 'lost', reason };
    this.#idle.stop();
    const written = this.#written;
    this.#written = undefined;
    written?.(reason.value);
    if (this.#destroyed !== undefined) this.#destroyed();
    else if (!(reason.value instanceof ConnectionDone)) this.destroy(reason.value);
    else this.#endInOrder();
  }

  // -------------------------------------------------------------------------------------------------- as a Duplex

  override _read(): void {
    if (this.#life.state === 'connected') this.#life.transport.resumeProducing();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    switch (this.#life.state) {
      case 'connecting':
        this.#whenConnected = () => this._final(callback);
        return;
      case 'connected':
        this.#ended = callback;
        this.#life.transport.loseWriteConnection();
        return;
      case 'lost':
        callback();
    }
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#idle.stop();
    if (this.#life.state !== 'connected') {
      this.#written?.(error ?? new ConnectionLost('it was destroyed while it was connecting'));
      this.#written = undefined;
      callback(error);
      return;
    }
    this.#destroyed = () => callback(error);
    const { transport } = this.#life;
    const isInOrder = error === null && this.#closing === 'in order' && this.writableLength === 0;
    if (isInOrder) transport.loseConnection();
    else transport.abortConnection();
  }

  // -------------------------------------------------------------------------------------------------- as a socket

  /** True until there is a connection. */
  get connecting(): boolean {
    return this.#life.state === 'connecting' && !this.destroyed;
  }

  /** The same as `connecting`. */
  get pending(): boolean {
    return this.connecting;
  }

  /** As of a `net.Socket`. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes written so far, those that wait included. */
  get bytesWritten(): number {
    return this.#bytesLeft + this.writableLength;
  }

  /** The peer's address, where it has one; it stays after the loss. */
  get remoteAddress(): string | undefined {
    return hostOf(this.#transport?.getPeer());
  }

  get remotePort(): number | undefined {
    return portOf(this.#transport?.getPeer());
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    return familyOf(this.#transport?.getPeer());
  }

  get localAddress(): string | undefined {
    return hostOf(this.#transport?.getHost());
  }

  get localPort(): number | undefined {
    return portOf(this.#transport?.getHost());
  }

  get localFamily(): 'IPv4' | 'IPv6' | undefined {
    return familyOf(this.#transport?.getHost());
  }

  /** The local end, as of a `net.Socket`. */
  address(): { readonly address?: string; readonly family?: string; readonly port?: number } {
    const { localAddress, localFamily, localPort } = this;
    if (localAddress === undefined || localFamily === undefined || localPort === undefined) return {};
    return { address: localAddress, family: localFamily, port: localPort };
  }

  /** Whether a TLS handshake has been completed on it. */
  get encrypted(): boolean {
    return this.#encrypted;
  }

  /** What both sides agreed to speak over TLS, or false. */
  get alpnProtocol(): string | false {
    return this.#transport?.negotiatedProtocol ?? false;
  }

  /** The peer's certificate; undefined if it has sent none. */
  getPeerX509Certificate(): X509Certificate | undefined {
    const certificate = this.#transport?.getPeerCertificate();
    return certificate && new X509Certificate(certificate);
  }

  /** The milliseconds of `setTimeout`; undefined for none. */
  get timeout(): number | undefined {
    return this.#idle.seconds === 0 ? undefined : this.#idle.seconds * 1000;
  }

  /** Has 'timeout' emitted after so many milliseconds without a byte in either direction; 0 is never. Nothing else happens then. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    this.#idle.set(milliseconds / 1000);
    if (callback === undefined) return this;
    if (milliseconds === 0) this.off('timeout', callback);
    else this.once('timeout', callback);
    return this;
  }

  /** Whether small writes leave at once; on from the first. */
  setNoDelay(enabled: boolean = true): this {
    this.#noDelay = enabled;
    this.#transport?.setTcpNoDelay(enabled);
    return this;
  }

  /** Whether the system probes an idle connection. When it begins to is the system's, whatever else is given. */
  setKeepAlive(enabled: boolean = false): this {
    this.#keepAlive = enabled;
    this.#transport?.setTcpKeepAlive(enabled);
    return this;
  }

  /** Ends it, and destroys it when all has left, without waiting for the peer. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Destroys it with a reset, in place of an end. */
  resetAndDestroy(): this {
    this.#closing = 'by reset';
    return this.destroy();
  }

  /** For libraries that connect the socket they were given, `pg` for one: 'connect' is emitted again if it was already. */
  connect(): this {
    if (this.#life.state === 'connected') process.nextTick(() => this.emit('connect'));
    return this;
  }

  /** Does nothing: the reactor keeps the process alive. */
  ref(): this {
    return this;
  }

  /** Does nothing, as `ref`. */
  unref(): this {
    return this;
  }

  // ------------------------------------------------------------------------------------------------------- inside

  #send(chunks: readonly Uint8Array[], callback: Callback): void {
    switch (this.#life.state) {
      case 'connecting':
        this.#written = callback;
        this.#whenConnected = () => this.#send(chunks, callback);
        return;
      case 'lost':
        callback(this.#life.reason.value);
        return;
      case 'connected':
        break;
    }
    this.#written = callback;
    this.#idle.active();
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    writeAndDrain(this.#life.transport, chunks).addCallback((haveLeft) => {
      // If they have not, the loss of the connection says so.
      if (!haveLeft || this.#written !== callback) return;
      this.#written = undefined;
      this.#bytesLeft += bytes;
      this.#idle.active();
      callback();
    });
  }

  /** A listener for the connection may have destroyed it by now. */
  #sendWhatWaits(): void {
    const send = this.#whenConnected;
    this.#whenConnected = undefined;
    if (!this.destroyed) send?.();
  }

  /** 'end' comes when all that was received has been read; if that is so already, also if nobody reads. */
  #endReading(): void {
    this.push(null);
    this.read(0);
  }

  /** The connection is over, and all that this side has written has arrived, or it was not this stream that closed it. */
  #endInOrder(): void {
    const ended = this.#ended;
    this.#ended = undefined;
    ended?.();
    if (this.writableEnded) return; // by itself: it is destroyed when both halves have ended
    if (this.readableEnded) {
      this.destroy();
      return;
    }
    this.once('end', () => this.destroy());
    this.#endReading();
  }
}

function hostOf(address: Address | undefined): string | undefined {
  return address === undefined || address.family === 'UNIX' ? undefined : address.host;
}

function portOf(address: Address | undefined): number | undefined {
  return address === undefined || address.family === 'UNIX' ? undefined : address.port;
}

function familyOf(address: Address | undefined): 'IPv4' | 'IPv6' | undefined {
  return address?.family === 'IPv4' || address?.family === 'IPv6' ? address.family : undefined;
}
