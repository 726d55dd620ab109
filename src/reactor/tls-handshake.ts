/**
 * The handshake of a connection that has no protocol yet.
 *
 *     shaking ──▶ over        completed, failed, timed out or given up
 *
 * The protocol is built when it has succeeded, and then the connection opens the handle anew. Until then the handle's
 * reading stays paused, so there is nothing to be told but how the handshake goes.
 */
import { TLSHandshakeTimeoutError } from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSHandle, TLSListener, TLSParameters } from '../interfaces/tls-engine.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { peerNameOf } from './tls-errors.ts';
import { tlsEngineOf } from './tls-parameters.ts';

/** Who is told, once, how a handshake has ended; called while the loop dispatches. */
export interface HandshakeOutcome {
  /** The handle is silent until it is opened anew. */
  succeeded(handle: TLSHandle): void;
  /** The connection is gone. */
  failed(error: SystemError | TLSHandshakeTimeoutError): void;
}

export class TLSHandshake implements TLSListener {
  readonly #parts: ReactorParts;
  readonly #handle: TLSHandle;
  readonly #outcome: HandshakeOutcome;
  readonly #timeout: DelayedCall | undefined;
  #state: 'shaking' | 'over' = 'shaking';

  /** Begins at once. Without `timeoutSeconds` somebody else sees to it that it ends. */
  constructor(
    parts: ReactorParts,
    stream: StreamHandle,
    parameters: TLSParameters,
    timeoutSeconds: number | undefined,
    outcome: HandshakeOutcome,
  ) {
    this.#parts = parts;
    this.#outcome = outcome;
    this.#handle = tlsEngineOf(parts).secure(stream, parameters, undefined, parts.platform.lingering);
    this.#handle.open(this);
    if (timeoutSeconds === undefined) return;
    this.#timeout = parts.loop.timers.callLater(timeoutSeconds, () => {
      this.#timedOut(timeoutSeconds);
    });
  }

  /** Gives it up without a word. */
  cancel(): void {
    if (this.#state === 'over') return;
    this.#end();
    this.#handle.reset();
  }

  toString(): string {
    return `TLS handshake of ${String(this.#handle.localAddress)} with ${String(this.#handle.remoteAddress)}`;
  }

  handshakeCompleted(): void {
    this.#parts.loop.deliver(() => {
      if (this.#state === 'over') return;
      this.#end();
      this.#outcome.succeeded(this.#handle);
    });
  }

  failed(error: SystemError): void {
    this.#parts.loop.deliver(() => {
      if (this.#state === 'over') return;
      this.#end();
      this.#outcome.failed(error);
    });
  }

  // Nothing is read, written or closed while it lasts.
  dataReceived(): void {}
  endReceived(): void {}
  written(): void {}
  shutDown(): void {}

  #timedOut(seconds: number): void {
    this.cancel();
    this.#outcome.failed(handshakeTimeout(peerNameOf(this.#handle.remoteAddress), seconds));
  }

  #end(): void {
    this.#state = 'over';
    if (this.#timeout?.active() === true) this.#timeout.cancel();
  }
}

export function handshakeTimeout(peer: string, seconds: number): TLSHandshakeTimeoutError {
  return new TLSHandshakeTimeoutError(`The TLS handshake with ${peer} took more than ${String(seconds)} s`);
}
