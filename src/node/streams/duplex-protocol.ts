/**
 * A connection of a reactor as a Node `Duplex`: the hooks of a protocol on one side, those of a stream on the other, and between
 * them the life of the connection (duplex-life.ts). What makes it look like a socket is in socket-face.ts.
 */
import type { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { Failure } from '../../deferred/failure.ts';
import type { DrainableProtocol, HalfCloseableProtocol, HandshakeListener } from '../../interfaces/protocol.ts';
import type { ReactorTime } from '../../interfaces/time.ts';
import type { Transport } from '../../interfaces/transport.ts';
import type { WriteBacklog } from '../../write-backlog.ts';
import { type Callback, DuplexLife } from './duplex-life.ts';
import { type DuplexOptions, duplexSettings } from './duplex-options.ts';
import { IdleTimer } from './idle-timer.ts';
import { SocketFace } from './socket-face.ts';

/**
 * A protocol that is a Node `Duplex`, so that whatever takes a `net.Socket` runs over any transport of a reactor: TCP, TLS,
 * UNIX sockets, the virtual network of a test. It has the methods and properties of a `net.Socket` that such libraries use, among
 * them `setTimeout`, which runs on the clock it is given.
 *
 * It is 'connecting' until it is given a transport, and then emits 'connect'; over TLS, 'secureConnect' follows. It ends as a socket
 * does: 'end' when the peer has closed its half, 'close' when the connection is over, 'error' before that if it was not in order: the error is the
 * reason given to `connectionLost`. `destroy()` closes in order if all that was written has left, and otherwise, or with an error, aborts the
 * connection. 'draining' says that the reactor is about to stop and gives its connections time to finish (`drainSeconds`): a
 * server closes the idle ones then. Listeners are called from hooks of the protocol, where what they throw costs the connection (law 8), or by Node.
 */
export class DuplexProtocol extends Duplex implements HalfCloseableProtocol, HandshakeListener, DrainableProtocol {
  /** Bytes received so far. */
  bytesRead: number = 0;
  readonly #idle: IdleTimer;
  readonly #life: DuplexLife;
  readonly #face: SocketFace;
  readonly #backlog: WriteBacklog;

  /**
   * `clock` is the reactor, or whatever else is to measure the time of `setTimeout`. Throws `TypeError` and `RangeError` for
   * options that cannot be.
   */
  constructor(clock: ReactorTime, options: DuplexOptions = {}) {
    const { backlog, ...settings } = duplexSettings(options);
    super(settings);
    this.#backlog = backlog;
    this.#idle = new IdleTimer(clock, () => this.emit('timeout'));
    this.#life = new DuplexLife(this, () => this.#idle.active());
    this.#face = new SocketFace(() => this.#life.transport);
  }

  // ------------------------------------------------------------------------------------------------ as a protocol

  /** The connection, from `connectionMade` on; undefined before. */
  get transport(): Transport | undefined {
    return this.#life.transport;
  }

  /** For the reactor. Emits 'connect' and 'ready'. */
  makeConnection(transport: Transport): void {
    this.#life.connected(transport, () => {
      this.#face.connected(transport);
      this.emit('connect');
      this.emit('ready');
    });
  }

  /** For the reactor. Emits 'secureConnect'. */
  handshakeCompleted(): void {
    this.#face.secured();
    this.emit('secureConnect');
  }

  /** For the reactor. */
  dataReceived(data: Buffer): void {
    this.bytesRead += data.length;
    this.#idle.active();
    this.#life.received(data);
  }

  /** For the reactor. */
  readConnectionLost(): void {
    this.#life.endReceived();
  }

  /** For the reactor. */
  writeConnectionLost(): void {
    this.#life.ended();
  }

  /** For the reactor. Emits 'draining'. */
  connectionDraining(): void {
    this.emit('draining');
  }

  /** For the reactor. */
  connectionLost(reason: Failure): void {
    this.#idle.stop();
    this.#life.lost(reason);
  }

  // -------------------------------------------------------------------------------------------------- as a Duplex

  /** As of any `Writable`; beyond `writeBufferLimit` it is destroyed, and the result is false. */
  override write(chunk: unknown, callback?: Callback): boolean;
  /** The same, of a string in this encoding. */
  override write(chunk: unknown, encoding: BufferEncoding, callback?: Callback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    const waiting = this.writableLength;
    const hasRoom = super.write(chunk, encoding as BufferEncoding, callback); // it sorts the arguments itself
    this.#limitBacklog(waiting);
    return hasRoom && !this.destroyed;
  }

  /** As of any `Writable`; what it is given counts as in `write`. */
  override end(callback?: () => void): this;
  /** The same, with a last write. */
  override end(chunk: unknown, callback?: () => void): this;
  /** The same, of a string in this encoding. */
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    const waiting = this.writableLength;
    super.end(chunk, encoding as BufferEncoding, callback); // it sorts the arguments itself
    this.#limitBacklog(waiting);
    return this;
  }

  override _read(): void {
    this.#life.resumeReading();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    this.#life.write([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], callback: Callback): void {
    this.#life.write(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    this.#life.end(callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#idle.stop();
    this.#life.destroy(error, callback);
  }

  /** What a `Writable` keeps is known to nobody else; `before` is how much it was. */
  #limitBacklog(before: number): void {
    const { writableLength } = this;
    const error = this.#backlog.overflow(writableLength, writableLength - before, this.transport?.writeBufferLimit);
    if (error !== undefined) this.destroy(error);
  }

  // -------------------------------------------------------------------------------------------------- as a socket

  /** True until there is a connection. */
  get connecting(): boolean {
    return this.#life.isConnecting;
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
    return this.#life.bytesLeft + this.writableLength;
  }

  /** The peer's address, where it has one; it stays after the loss. */
  get remoteAddress(): string | undefined {
    return this.#face.remote.address;
  }

  get remotePort(): number | undefined {
    return this.#face.remote.port;
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.#face.remote.family;
  }

  get localAddress(): string | undefined {
    return this.#face.local.address;
  }

  get localPort(): number | undefined {
    return this.#face.local.port;
  }

  get localFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.#face.local.family;
  }

  /** The local end, as of a `net.Socket`: nothing if it has no address. */
  address(): { readonly address?: string; readonly family?: string; readonly port?: number } {
    const { local } = this.#face;
    return local.family === undefined ? {} : local;
  }

  /** Whether a TLS handshake has been completed on it: from 'secureConnect' on. */
  get encrypted(): boolean {
    return this.#face.encrypted;
  }

  /** What both sides agreed to speak over TLS, false if nothing; undefined without TLS, and until 'secureConnect' where nothing was agreed on. */
  get alpnProtocol(): string | false | undefined {
    return this.#face.alpnProtocol;
  }

  /** The peer's certificate; undefined if it has sent none. */
  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#face.getPeerX509Certificate();
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
    this.#face.setNoDelay(enabled);
    return this;
  }

  /** Whether the system probes an idle connection. When it begins to is the system's, whatever else is given. */
  setKeepAlive(enabled: boolean = false): this {
    this.#face.setKeepAlive(enabled);
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
    this.#life.abort();
    return this.destroy();
  }

  /** For libraries that connect the socket they were given, `pg` for one: 'connect' is emitted again if it was already. */
  connect(): this {
    if (this.#life.isConnected) process.nextTick(() => this.emit('connect'));
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
}
