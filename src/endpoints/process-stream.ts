/**
 * A child as a stream: what it prints is what is received, and what is written is its standard input.
 *
 *     starting ──connectionMade──▶ open ──▶ closing ──▶ lost
 *        │                          ╰───────────────────▲
 *        ╰──────────────────────────────────────────────╯   could not be started, given up
 *
 * - open: bytes flow. The end of the child's output is that of the peer's half; the end of its input, unless this side has asked for
 *   it, is nothing: a program need not read.
 * - closing: no more is delivered. What was written goes out, then the child's input ends, and what it still prints is
 *   discarded, up to a limit, so that it is not stopped in the middle of it. It is killed instead when the stream is aborted, and when more
 *   waited to be written than may.
 * - lost: the child has ended and its pipes have closed. That is when `connectionLost` comes, with how it ended.
 *
 * Source: Twisted's `internet.endpoints._ProcessEndpointTransport`, `_WrapIProtocol`.
 */
import type { Buffer } from 'node:buffer';
import { type Address, UNIXAddress } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { ConnectionAborted, UnsupportedError, WriteBufferLimitError } from '../errors.ts';
import type { ChildProcessProtocol, ProcessTransport } from '../interfaces/process.ts';
import type { PullProducer, PushProducer } from '../interfaces/producer.ts';
import type { HalfCloseableProtocol, HookResult, StreamProtocol } from '../interfaces/protocol.ts';
import type { Transport } from '../interfaces/transport.ts';
import { DEFAULT_WRITE_BUFFER_LIMIT_BYTES } from '../stream-defaults.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/** The two ends of a stream have no names. */
const UNNAMED = new UNIXAddress(undefined);

/** Who is behind a stream. */
export interface ProcessStreamOwner {
  /** The program runs: a protocol for it, or null, with which it is given up. */
  buildProtocol(): StreamProtocol | null;
  /** What the child prints to its standard error, if that is a pipe. */
  errorReceived(data: Buffer): void;
  /** It could not be started. */
  failed(reason: Failure): void;
  /** It is over, and the protocol, if there was one, has been told. */
  lost(reason: Failure): void;
}

type Life = 'starting' | 'open' | 'closing' | 'lost';

export class ProcessStream implements Transport, ChildProcessProtocol {
  readonly #owner: ProcessStreamOwner;
  readonly #lingerBytes: number;
  #child: ProcessTransport | undefined;
  #protocol: (StreamProtocol & Partial<HalfCloseableProtocol>) | undefined;
  #life: Life = 'starting';
  #writing: 'open' | 'ending' | 'ended' = 'open';
  /** What the protocol is told in the end, in place of how the child has ended. */
  #reason: Failure | undefined;
  #discardedBytes = 0;
  #noDelay = true;
  #keepAlive = false;

  /** `lingerBytes` is how much the child may still print after the stream has been closed. */
  constructor(owner: ProcessStreamOwner, lingerBytes: number) {
    this.#owner = owner;
    this.#lingerBytes = lingerBytes;
  }

  // ------------------------------------------------------------------------------------------ the transport's face

  get connected(): boolean {
    return this.#life === 'open' || this.#life === 'closing';
  }

  get disconnecting(): boolean {
    return this.#life === 'closing';
  }

  get writeBufferLimit(): number {
    return this.#child?.writeBufferLimit ?? DEFAULT_WRITE_BUFFER_LIMIT_BYTES;
  }

  /** Always undefined: pipes are not encrypted. */
  readonly negotiatedProtocol: string | undefined = undefined;

  /** Throws `UnsupportedError`: nobody listens to the pipes of a child. */
  startTLS(): void {
    throw new UnsupportedError('startTLS: the pipes of a program are not encrypted');
  }

  /** Always undefined. */
  getPeerCertificate(): Uint8Array | undefined {
    return undefined;
  }

  getHost(): Address {
    return UNNAMED;
  }

  getPeer(): Address {
    return UNNAMED;
  }

  write(data: Uint8Array | string): boolean {
    // What comes after the end the child drops by itself, unless a producer is still to be waited for.
    return this.#child?.write(data) ?? false;
  }

  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    return this.#child?.writeSequence(pieces) ?? false;
  }

  loseConnection(): void {
    if (this.#life !== 'open') return;
    this.#life = 'closing';
    this.#endInput();
    this.#child?.resumeProducing();
  }

  abortConnection(): void {
    this.#abort(new Failure(new ConnectionAborted()));
  }

  loseWriteConnection(): void {
    if (this.#life === 'open') this.#endInput();
  }

  registerProducer(producer: PushProducer, streaming: true): void;
  registerProducer(producer: PullProducer, streaming: false): void;
  registerProducer(producer: PushProducer | PullProducer, streaming: boolean): void {
    // The two declarations above are those of the child's method; either holds for what they let through.
    this.#child?.registerProducer(producer as PushProducer, streaming as true);
  }

  unregisterProducer(): void {
    this.#child?.unregisterProducer();
  }

  pauseProducing(): void {
    if (this.#life === 'open') this.#child?.pauseProducing();
  }

  resumeProducing(): void {
    if (this.#life === 'open') this.#child?.resumeProducing();
  }

  stopProducing(): void {
    this.loseConnection();
  }

  getTcpNoDelay(): boolean {
    return this.#noDelay;
  }

  setTcpNoDelay(enabled: boolean): void {
    this.#noDelay = enabled;
  }

  getTcpKeepAlive(): boolean {
    return this.#keepAlive;
  }

  setTcpKeepAlive(enabled: boolean): void {
    this.#keepAlive = enabled;
  }

  // --------------------------------------------------------------------------------------------- what the child reports

  makeConnection(child: ProcessTransport): HookResult {
    this.#child = child;
    const protocol = this.#owner.buildProtocol();
    if (protocol === null) {
      this.giveUp(child);
      return undefined;
    }
    this.#protocol = protocol;
    this.#life = 'open';
    return this.#guard(() => protocol.makeConnection(this));
  }

  childDataReceived(childFD: number, data: Buffer): HookResult {
    if (childFD === STDERR) this.#owner.errorReceived(data);
    if (childFD !== STDOUT) return undefined;
    if (this.#life === 'open') return this.#guard(() => this.#protocol?.dataReceived(data));
    this.#discardedBytes += data.length;
    if (this.#discardedBytes > this.#lingerBytes) this.#child?.closeStdout();
    return undefined;
  }

  childConnectionLost(childFD: number, reason: Failure): HookResult {
    // A peer that has missed something cannot make sense of the rest.
    if (reason.value instanceof WriteBufferLimitError) this.#abort(reason);
    if (this.#life !== 'open') return undefined;
    const protocol = this.#protocol;
    switch (childFD) {
      case STDIN: {
        const wasAsked = this.#writing === 'ending';
        this.#writing = 'ended';
        return wasAsked ? this.#guard(() => protocol?.writeConnectionLost?.()) : undefined;
      }
      case STDOUT:
        if (protocol?.readConnectionLost !== undefined) return this.#guard(() => protocol.readConnectionLost?.());
        this.loseConnection();
        return undefined;
      default:
        return undefined;
    }
  }

  processExited(): void {}

  processEnded(exitReason: Failure): HookResult {
    const wasStarted = this.#life !== 'starting';
    this.#life = 'lost';
    const reason = this.#reason ?? exitReason;
    if (!wasStarted) {
      this.#owner.failed(reason);
      return undefined;
    }
    try {
      return this.#protocol?.connectionLost(reason);
    } finally {
      this.#owner.lost(reason);
    }
  }

  /** Ends a child that is not wanted, started or not. Nothing is delivered any more. */
  giveUp(child: ProcessTransport): void {
    if (this.#life !== 'starting') this.#life = 'closing';
    void child.terminate({ signal: 'KILL', killAfter: 0 });
  }

  // --------------------------------------------------------------------------------------------------------- inside

  #abort(reason: Failure): void {
    if (!this.connected) return;
    this.#life = 'closing';
    this.#reason ??= reason;
    void this.#child?.terminate({ signal: 'KILL', killAfter: 0 });
  }

  #endInput(): void {
    if (this.#writing !== 'open') return;
    this.#writing = 'ending';
    this.#child?.closeStdin();
  }

  /** An error of a hook is what the protocol is told in the end; reporting it and closing the pipes is the child's affair. */
  #guard(hook: () => HookResult): HookResult {
    const failed = (error: unknown): void => {
      this.#reason ??= new Failure(error);
      if (this.#life === 'open') this.#life = 'closing';
    };
    try {
      const result = hook();
      if (typeof result === 'object') result.then(undefined, failed);
      return result;
    } catch (error) {
      failed(error);
      throw error;
    }
  }
}
