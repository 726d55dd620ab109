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
 * The halves besides: the writing half is a machine of its own (writing-half.ts); the reading half is `open` until the peer's
 * FIN, then `ended`. With both halves closed an open connection is lost by itself, cleanly.
 *
 * `startTLS` puts an encrypted handle in the place of the handle (tls-upgrade.ts); the connection itself goes on as it was.
 *
 * What the peer does is held back by the handle while reading is paused, so that it comes in order. What this side does
 * (`loseConnection`, `abortConnection`), and a write that fails, ends the connection even while it is paused.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import {
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  HandshakeInProgressError,
  WriteBufferLimitError,
} from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { StreamProtocol } from '../interfaces/protocol.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSHandle, TLSListener, TLSOptions } from '../interfaces/tls-engine.ts';
import type { StartTLSOptions, Transport } from '../interfaces/transport.ts';
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { ACCEPTED, type ConnectionOrigin } from './connection-origin.ts';
import type { Producer } from './producer-slot.ts';
import { type Hooks, ProtocolHooks } from './protocol-hooks.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { connectionLostFor } from './system-errors.ts';
import { peerNameOf, rejectionOf, tlsErrorFor } from './tls-errors.ts';
import { handshakeTimeout } from './tls-handshake.ts';
import { TLSUpgrade, upgradeRequest } from './tls-upgrade.ts';
import { WritingHalf } from './writing-half.ts';

type Life =
  | { readonly state: 'opening' | 'open' | 'lost' }
  | { readonly state: 'closing'; readonly reason: Failure; readonly waitsForProducer: boolean }
  | { readonly state: 'doomed'; readonly reason: Failure };

const OPENING: Life = { state: 'opening' };
const OPEN: Life = { state: 'open' };
const LOST: Life = { state: 'lost' };

export class Connection implements Transport, TLSListener {
  readonly #parts: ReactorParts;
  readonly #origin: ConnectionOrigin;
  #handle: StreamHandle;
  /** The handle as well, once it is an encrypted one. */
  #tls: TLSHandle | undefined;
  #upgrade: TLSUpgrade | undefined = undefined;
  /** Whom the last certificate was to be for. */
  #servername: string | undefined;
  readonly #hooks: Hooks;
  readonly #whenLost: (reason: Failure) => void;
  readonly #writing: WritingHalf;

  #life: Life = OPENING;
  #reading: 'open' | 'ended' = 'open';
  #paused = false;
  #noDelay = true;
  #keepAlive = false;

  /** `whenLost` is called after the protocol's `connectionLost`, with the same reason. */
  constructor(
    parts: ReactorParts,
    handle: StreamHandle,
    protocol: StreamProtocol,
    whenLost: (reason: Failure) => void,
    origin: ConnectionOrigin = ACCEPTED,
  ) {
    this.#parts = parts;
    this.#origin = origin;
    this.#handle = handle;
    this.#tls = origin.tls;
    this.#servername = origin.servername;
    const isInternal = origin.isInternal === true;
    const observation = isInternal ? undefined : parts.observation?.ofConnection(origin.role, this);
    const hooks = new ProtocolHooks(protocol, {
      errors: parts.errors,
      hookWatch: isInternal ? undefined : parts.hookWatch,
      connection: observation?.connection,
      hookFailed: (failure) => {
        this.closeFor(failure);
      },
    });
    this.#hooks = observation?.watch(hooks) ?? hooks;
    this.#whenLost = whenLost;
    this.#writing = new WritingHalf(parts, handle, this.#limits, {
      bufferOverflowed: (bytes) => {
        this.#overflowed(bytes);
      },
      producerFailed: (error, message) => {
        this.#hooks.failed(error, message);
      },
      ...(observation && { sent: (bytes: number) => observation.sent(bytes) }),
    });
  }

  /** Gives the protocol its transport and begins to read. To be called while the loop dispatches. */
  start(): void {
    this.#parts.connections.add(this);
    this.#handle.open(this);
    this.#writing.begin();
    this.#life = OPEN;
    this.#hooks.makeConnection(this);
    if (this.#tls !== undefined && this.#upgrade === undefined) this.#tellHandshakeCompleted();
    if (this.#parts.drain !== undefined) this.drainingBegan();
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

  get writeBufferLimit(): number {
    return this.#limits.writeBufferLimit;
  }

  write(data: Uint8Array | string): boolean {
    return this.#writing.write(data);
  }

  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    return this.#writing.writeSequence(pieces);
  }

  loseConnection(): void {
    if (this.#life.state === 'open') this.#close(new Failure(new ConnectionDone()), true);
  }

  abortConnection(): void {
    if (this.#hasHandle) this.#destroy(new Failure(new ConnectionAborted()));
  }

  loseWriteConnection(): void {
    if (this.#life.state === 'open' && this.#writing.isOpen) this.#writing.end();
  }

  registerProducer(producer: Producer, streaming: boolean): void {
    this.#writing.registerProducer(producer, streaming);
  }

  unregisterProducer(): void {
    this.#writing.unregisterProducer();
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

  startTLS(tls: TLSOptions, options: StartTLSOptions = {}): void {
    const request = upgradeRequest(this.#parts, tls, options, this.#origin);
    if (this.#upgrade !== undefined) {
      throw new HandshakeInProgressError(`A TLS handshake is under way on the ${this.toString()}`);
    }
    if (this.#life.state !== 'open' || !this.#writing.isOpen) return;
    if (this.#reading === 'ended') {
      this.#destroy(new Failure(new ConnectionLost('no TLS handshake is possible once the peer has closed its half')));
      return;
    }
    this.#servername = request.parameters.servername;
    const upgrade = new TLSUpgrade(this.#parts, request);
    this.#upgrade = upgrade;
    this.#updateReading();
    this.#writing.drainThen(() => {
      this.#secure(upgrade);
    });
  }

  getPeerCertificate(): Uint8Array | undefined {
    return this.#tls?.getPeerCertificate();
  }

  get negotiatedProtocol(): string | undefined {
    return this.#tls?.negotiatedProtocol;
  }

  toString(): string {
    return `connection from ${String(this.getHost())} to ${String(this.getPeer())}`;
  }

  // ------------------------------------------------------------------------------------------- what the handle reports

  dataReceived(data: Buffer): void {
    const { loop } = this.#parts;
    if (loop.enter()) {
      if (this.#life.state === 'open') this.#hooks.dataReceived(data);
      loop.leave();
    } else {
      loop.hold(() => {
        if (this.#life.state === 'open') this.#hooks.dataReceived(data);
      });
    }
  }

  endReceived(): void {
    this.#parts.loop.deliver(() => {
      this.#reading = 'ended';
      if (this.#life.state !== 'open') return;
      if (this.#hooks.callIfPresent('readConnectionLost')) this.#loseIfBothHalvesClosed();
      else this.#close(new Failure(new ConnectionDone()), false);
    });
  }

  written(): void {
    this.#parts.loop.deliver(() => {
      this.#writing.written();
    });
  }

  shutDown(): void {
    this.#parts.loop.deliver(() => {
      this.#writing.shutDown();
      switch (this.#life.state) {
        case 'closing':
          this.#lose(this.#life.reason);
          return;
        case 'open':
          this.#hooks.callIfPresent('writeConnectionLost');
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
      const reason = new Failure(this.#errorFor(error));
      this.#life = { state: 'doomed', reason }; // the handle is gone already
      this.#lose(reason);
    });
  }

  handshakeCompleted(): void {
    this.#parts.loop.deliver(() => {
      if (!this.#hasHandle) return;
      this.#endUpgrade();
      this.#tellHandshakeCompleted();
    });
  }

  // ---------------------------------------------------------------------------------------------- what the reactor asks

  /** The reactor has begun to run, or has ended: reads, or leaves what arrives where it is. */
  dispatchingChanged(): void {
    if (this.#hasHandle) this.#updateReading();
  }

  /** The reactor is about to stop, and gives its connections time to finish. */
  drainingBegan(): void {
    if (this.#life.state === 'open') this.#hooks.callIfPresent('connectionDraining');
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

  get #limits(): ConnectionLimits {
    return this.#origin.limits ?? DEFAULT_CONNECTION_LIMITS;
  }

  /** Whether the handle is open, and may be used. */
  get #hasHandle(): boolean {
    return this.#life.state === 'open' || this.#life.state === 'closing';
  }

  /** Reads while anybody is there to be told, and while closing, to discard. */
  #updateReading(): void {
    const wanted = this.#life.state === 'closing' || (this.#life.state === 'open' && !this.#paused);
    if (!this.#hasHandle) return;
    const isReadable = this.#parts.loop.running && this.#upgrade?.isDraining !== true;
    if (wanted && isReadable) this.#handle.resumeReading();
    else this.#handle.pauseReading();
  }

  /** Sends what is to be sent, then a FIN, then loses the connection for `reason`. */
  #close(reason: Failure, waitsForProducer: boolean): void {
    this.#life = { state: 'closing', reason, waitsForProducer };
    this.#updateReading();
    if (this.#writing.isFinished) {
      this.#handle.close();
      this.#loseLater(reason);
    } else {
      this.#writing.end(waitsForProducer);
    }
  }

  /** Has TLS begin. Everything that was to leave unencrypted has left. */
  #secure(upgrade: TLSUpgrade): void {
    if (!this.#hasHandle) return;
    try {
      this.#tls = upgrade.secure(this.#handle, (seconds) => {
        this.#destroy(new Failure(handshakeTimeout(this.#peerName, seconds)));
      });
    } catch (error) {
      this.#destroy(new Failure(error));
      return;
    }
    this.#handle = this.#tls;
    this.#writing.useHandle(this.#tls);
    this.#tls.open(this);
    this.#updateReading();
  }

  #endUpgrade(): void {
    this.#upgrade?.end();
    this.#upgrade = undefined;
  }

  #loseIfBothHalvesClosed(): void {
    if (this.#life.state === 'open' && this.#reading === 'ended' && this.#writing.isFinished) {
      this.#lose(new Failure(new ConnectionDone()));
    }
  }

  /** Called from inside `write`. */
  #overflowed(bytes: number): void {
    this.#destroy(new Failure(new WriteBufferLimitError(bytes, this.writeBufferLimit)));
  }

  /** Resets the connection now and loses it in the next turn. */
  #destroy(reason: Failure): void {
    this.#handle.reset();
    this.#loseLater(reason);
  }

  #loseLater(reason: Failure): void {
    this.#life = { state: 'doomed', reason };
    this.#endUpgrade();
    this.#writing.abandon();
    this.#parts.loop.callSoon(() => {
      if (this.#life.state === 'doomed') this.#lose(reason);
    });
  }

  /** The end. To be called while the loop dispatches. */
  #lose(reason: Failure): void {
    const wasDoomed = this.#life.state === 'doomed';
    this.#life = LOST;
    if (!wasDoomed) this.#handle.close();
    this.#endUpgrade();
    this.#writing.abandon();
    this.#parts.connections.delete(this);
    this.#writing.stopProducer();
    this.#hooks.connectionLost(reason);
    this.#whenLost(reason);
    this.#parts.drain?.connectionEnded();
  }

  #tellHandshakeCompleted(): void {
    if (this.#life.state === 'open') this.#hooks.callIfPresent('handshakeCompleted');
  }

  /** Whom we speak to, for messages. */
  get #peerName(): string {
    return this.#servername ?? this.#origin.host ?? peerNameOf(this.getPeer());
  }

  /** What a broken handle means: a failed handshake, a rejected certificate, or a lost connection. */
  #errorFor(error: SystemError): Error {
    const isShaking = this.#upgrade?.isDraining === false;
    const tlsError = isShaking ? tlsErrorFor(error, this.#peerName) : this.#tls && rejectionOf(error, this.#peerName);
    return tlsError ?? connectionLostFor(error);
  }
}
