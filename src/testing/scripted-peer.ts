/**
 * The far end of a connection, played by a test: it says what it is told to say and keeps what it hears.
 *
 * Its life, which only goes forward:
 *
 *     connecting ──▶ connected ──▶ closed
 *          └────────────────────────▲   refused, aborted
 *
 * It stands on the virtual network itself, not on a reactor, so it needs no turn of its own: what it is told to send
 * leaves at once, and everything arrives during the next advance, as far as the window of the receiver allows.
 */
import { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import { describe, requireIntegerFrom } from '../arguments.ts';
import { Failure } from '../deferred/failure.ts';
import { ConnectionAborted, ConnectionDone } from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type {
  StreamConnectHandle,
  StreamConnectListener,
  StreamHandle,
  StreamListener,
} from '../interfaces/stream-platform.ts';
import { connectErrorClass, connectionLostFor } from '../reactor/system-errors.ts';
import { tlsErrorFor } from '../reactor/tls-errors.ts';
import { type PeerTLS, SecuredConnect } from './secured-connect.ts';

/** How a peer behaves without being told. */
export interface ScriptedPeerOptions {
  /** Whether it goes on after the other side has closed its half; by default it then closes its own. */
  readonly allowHalfOpen?: boolean;
  /**
   * How many bytes it takes in at one instant at most, and how many may wait for it unread; 65,536 by default. Each
   * `advance(0)` is an instant, and each step of the clock in a longer advance. When a window has been taken in, the peer
   * goes on 0.1 s later if that much time passes: so bulk data needs a larger window, an advance that is long enough, or
   * several. There is a limit so that a server which never stops writing fills the window and is told to wait, where
   * otherwise the instant, and the test, would never end.
   */
  readonly window?: number;
  /** Whether it reads from the first; `resume` begins it later. True by default. */
  readonly reading?: boolean;
}

/** What a peer needs of the world it is in. */
export interface PeerWorld {
  /** The number of the present instant. */
  readonly instant: number;
  /**
   * Calls `action` once when the next instant begins, for which the clock steps after `withinSeconds` at the latest. Returns
   * what takes it back.
   */
  atNextInstant(action: () => void, withinSeconds: number): () => void;
}

export const DEFAULT_PEER_WINDOW_BYTES = 65_536;

/**
 * How long after an instant with a whole window the next comes by itself. Short, since a test of bulk data should not need
 * to know of windows; not shorter, since all that a server which never stops can send in an advance is kept in memory.
 */
export const NEXT_WINDOW_SECONDS = 0.1;

const NOTHING: Buffer = Buffer.alloc(0);

type Life =
  | { readonly state: 'connecting'; readonly attempt: StreamConnectHandle | undefined }
  | { readonly state: 'connected'; readonly handle: StreamHandle }
  | { readonly state: 'closed'; readonly reason: Failure };

/** The far end of a connection, played by a test. Made by `TestReactor.dial`, and by a `ScriptedServer` for each connection. */
export class ScriptedPeer {
  readonly #world: PeerWorld;
  readonly #allowHalfOpen: boolean;
  readonly #windowBytes: number;

  #life: Life = { state: 'connecting', attempt: undefined };
  #addresses: { readonly host: Address; readonly peer: Address } | undefined;

  #received: Buffer[] = [];
  /** What it has read and may not take in at this instant. While there is any it does not read. */
  #untaken: Buffer = NOTHING;
  #ended = false;
  #isPaused: boolean;
  /** How much it may still take in at the instant of that number. */
  #budgetBytes = 0;
  #budgetInstant: number | undefined;
  /** Stops waiting for the next instant, while it waits for one. */
  #cancelNextWindow: (() => void) | undefined;

  #unsent: Uint8Array[] = [];
  #sending: 'idle' | 'busy' = 'idle';
  /** `wanted`: a FIN follows what is unsent; `given`: the handle has it; `taken`: it has left. */
  #fin: 'none' | 'wanted' | 'given' | 'taken' = 'none';

  /** @internal `connect` makes the connection, now or later; with `tls` it is encrypted before the peer has it. */
  constructor(
    world: PeerWorld,
    options: ScriptedPeerOptions,
    connect: (listener: StreamConnectListener) => StreamConnectHandle | undefined,
    tls?: PeerTLS,
  ) {
    const { allowHalfOpen = false, window = DEFAULT_PEER_WINDOW_BYTES, reading = true } = options;
    requireIntegerFrom('window', window, 1);
    this.#world = world;
    this.#allowHalfOpen = allowHalfOpen;
    this.#windowBytes = window;
    this.#isPaused = !reading;
    const listener: StreamConnectListener = {
      connected: (handle) => {
        this.#connected(handle);
      },
      connectFailed: (error) => {
        this.#connectFailed(error);
      },
    };
    const attempt = tls === undefined ? connect(listener) : new SecuredConnect(tls, listener, connect);
    if (this.#life.state === 'connecting') this.#life = { state: 'connecting', attempt };
  }

  /** Is called with what has been taken in, for a peer that is to answer by itself. What it throws comes out of the advance. */
  onReceived: ((data: Buffer) => void) | undefined = undefined;
  /** Is called once the other side's FIN has been read. What it throws comes out of the advance. */
  onEnded: (() => void) | undefined = undefined;

  // ------------------------------------------------------------------------------------------------ what a test says

  /** Sends bytes, or a string as UTF-8, now or once it is connected. They are copied. Throws an `Error` after `end`. */
  send(data: Uint8Array | string): void {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError(`data must be a string or a Uint8Array; got ${describe(data)}`);
    }
    if (this.#fin !== 'none') throw new Error('send was called after the peer had ended its half');
    if (this.#life.state === 'closed') return;
    const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data);
    if (bytes.length > 0) this.#unsent.push(bytes);
    this.#flush();
  }

  /** Closes its writing half, after all that it was told to send. */
  end(): void {
    if (this.#fin === 'none') this.#fin = 'wanted';
    this.#flush();
  }

  /** Resets the connection, or gives up connecting. */
  abort(): void {
    switch (this.#life.state) {
      case 'connecting':
        this.#life.attempt?.cancel();
        break;
      case 'connected':
        this.#life.handle.reset();
        break;
      case 'closed':
        return;
    }
    this.#close(new Failure(new ConnectionAborted()));
  }

  /** Reads nothing more until `resume`; what arrives fills the window, and then the other side has to wait. */
  pause(): void {
    this.#isPaused = true;
    this.#updateReading();
  }

  /** Reads on. What has waited comes in at once as far as it has arrived, the rest in the next advance. */
  resume(): void {
    this.#isPaused = false;
    this.#updateReading();
  }

  /** Forgets what has been received. */
  clear(): void {
    this.#received = [];
  }

  // ----------------------------------------------------------------------------------------------- what a test looks at

  /** Everything received since the last `clear`. */
  get received(): Buffer {
    const all = Buffer.concat(this.#received);
    this.#received = all.length > 0 ? [all] : [];
    return all;
  }

  /** `received` as UTF-8. */
  text(): string {
    return this.received.toString('utf8');
  }

  /** True while there is a connection. */
  get connected(): boolean {
    return this.#life.state === 'connected';
  }

  /** True once the other side's FIN has been read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True once it is over: both halves closed, reset by either side, or never connected. */
  get closed(): boolean {
    return this.#life.state === 'closed';
  }

  /**
   * Why it is over; undefined until then. `ConnectionDone` after both halves have closed, `ConnectionLost` after a reset
   * by the other side, `ConnectionAborted` after `abort`, `ConnectionRefusedError` and its like if it never connected, and
   * `VerifyError`, `CertificateError` or `SSLError` if its handshake failed.
   */
  get reason(): Failure | undefined {
    return this.#life.state === 'closed' ? this.#life.reason : undefined;
  }

  /** Its own address; throws an `Error` until it is connected, which happens during an advance, and remembers it afterwards. */
  getHost(): Address {
    return this.#requireAddresses().host;
  }

  /** The address of the other side; as `getHost`. */
  getPeer(): Address {
    return this.#requireAddresses().peer;
  }

  // ------------------------------------------------------------------------------------------ what the network reports

  #connected(handle: StreamHandle): void {
    this.#life = { state: 'connected', handle };
    this.#addresses = { host: handle.localAddress, peer: handle.remoteAddress };
    handle.open(this.#listener);
    this.#updateReading();
    this.#flush();
  }

  #connectFailed(error: SystemError): void {
    const errorClass = connectErrorClass(error);
    const tlsError = tlsErrorFor(error, 'the other side');
    this.#close(new Failure(tlsError ?? new errorClass(error.message, { cause: error })));
  }

  readonly #listener: StreamListener = {
    dataReceived: (data) => {
      this.#untaken = data;
      this.#updateReading();
    },
    endReceived: () => {
      this.#ended = true;
      if (!this.#allowHalfOpen && this.#fin === 'none') this.#fin = 'wanted';
      this.#flush();
      this.#closeIfDone();
      this.onEnded?.();
    },
    written: () => {
      this.#sending = 'idle';
      this.#flush();
    },
    shutDown: () => {
      this.#fin = 'taken';
      this.#closeIfDone();
    },
    failed: (error) => {
      this.#close(new Failure(connectionLostFor(error)));
    },
  };

  // -------------------------------------------------------------------------------------------------------- inside

  #flush(): void {
    if (this.#life.state !== 'connected' || this.#sending === 'busy') return;
    const { handle } = this.#life;
    if (this.#unsent.length > 0 && !handle.write(this.#unsent.splice(0))) {
      this.#sending = 'busy';
    } else if (this.#fin === 'wanted') {
      this.#fin = 'given';
      handle.shutdown();
    }
  }

  /** Takes in what it may, and reads on if it may take more. */
  #updateReading(): void {
    if (this.#life.state !== 'connected') return;
    this.#renewBudget();
    const taken = this.#isPaused ? NOTHING : this.#take(this.#budgetBytes);
    if (!this.#isPaused && this.#budgetBytes > 0) {
      this.#life.handle.resumeReading();
    } else {
      this.#life.handle.pauseReading();
      if (this.#budgetBytes === 0) this.#waitForNextWindow();
    }
    // Last, since there is no telling what it does.
    if (taken.length > 0) this.onReceived?.(taken);
  }

  #waitForNextWindow(): void {
    this.#cancelNextWindow ??= this.#world.atNextInstant(() => {
      this.#cancelNextWindow = undefined;
      this.#updateReading();
    }, NEXT_WINDOW_SECONDS);
  }

  /** Each instant has a whole window, whatever was taken in before. */
  #renewBudget(): void {
    if (this.#budgetInstant === this.#world.instant) return;
    this.#budgetInstant = this.#world.instant;
    this.#budgetBytes = this.#windowBytes;
  }

  #take(bytesMax: number): Buffer {
    const taken = this.#untaken.subarray(0, bytesMax);
    if (taken.length === 0) return taken;
    this.#received.push(taken);
    this.#budgetBytes -= taken.length;
    this.#untaken = this.#untaken.subarray(taken.length);
    return taken;
  }

  #closeIfDone(): void {
    if (this.#life.state !== 'connected' || !this.#ended || this.#fin !== 'taken') return;
    this.#life.handle.close();
    this.#close(new Failure(new ConnectionDone()));
  }

  #close(reason: Failure): void {
    const taken = this.#take(this.#untaken.length);
    this.#life = { state: 'closed', reason };
    this.#cancelNextWindow?.();
    this.#unsent = [];
    if (taken.length > 0) this.onReceived?.(taken);
  }

  #requireAddresses(): { readonly host: Address; readonly peer: Address } {
    if (this.#addresses !== undefined) return this.#addresses;
    throw this.#life.state === 'closed'
      ? new Error(`the peer was never connected: ${this.#life.reason.getErrorMessage()}`, {
          cause: this.#life.reason.value,
        })
      : new Error('the peer is not connected yet; connections are made during advance()');
  }
}
