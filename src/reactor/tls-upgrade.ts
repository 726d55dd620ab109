/**
 * What a connection goes through from `startTLS` to `handshakeCompleted`.
 *
 *     draining ──▶ shaking ──▶ over
 *
 * - draining: what was written before `startTLS` leaves as it is. Nothing is read: what comes next may be encrypted.
 * - shaking: the engine has taken the stream over. What was written after `startTLS` waits in its handle.
 *
 * The connection moves it on, and ends it when it is lost.
 */
import { describe, requireDelay, requireOptions } from '../arguments.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSHandle, TLSOptions, TLSParameters, TLSRole } from '../interfaces/tls-engine.ts';
import type { StartTLSOptions } from '../interfaces/transport.ts';
import type { ReactorParts } from './reactor-parts.ts';
import {
  clientParameters,
  DEFAULT_HANDSHAKE_TIMEOUT_SECONDS,
  serverParameters,
  tlsEngineOf,
} from './tls-parameters.ts';

/** What `startTLS` was asked for, checked. */
export interface UpgradeRequest {
  readonly parameters: TLSParameters;
  readonly received: Uint8Array | undefined;
  readonly timeoutSeconds: number;
}

/** Checks the arguments of `startTLS`, on the side `role` of a connection to `host`. Throws what that throws for them. */
export function upgradeRequest(
  parts: ReactorParts,
  tls: TLSOptions,
  options: StartTLSOptions,
  { role, host }: { readonly role: TLSRole; readonly host: string | undefined },
): UpgradeRequest {
  requireOptions('options', options, ['isServer', 'received', 'handshakeTimeout']);
  const { isServer = role === 'server', received, handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT_SECONDS } = options;
  if (received !== undefined && !(received instanceof Uint8Array)) {
    throw new TypeError(`received must be a Uint8Array; got ${describe(received)}`);
  }
  if (typeof isServer !== 'boolean') throw new TypeError(`isServer must be true or false; got ${describe(isServer)}`);
  requireDelay('handshakeTimeout', handshakeTimeout);
  const parameters = isServer ? serverParameters(parts, tls) : clientParameters(parts, tls, host);
  return { parameters, received, timeoutSeconds: handshakeTimeout };
}

export class TLSUpgrade {
  readonly #parts: ReactorParts;
  readonly #request: UpgradeRequest;
  #state: 'draining' | 'shaking' | 'over' = 'draining';
  #timeout: DelayedCall | undefined;

  constructor(parts: ReactorParts, request: UpgradeRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  get isDraining(): boolean {
    return this.#state === 'draining';
  }

  /** Has the engine take the stream over; `timedOut` is called if the handshake takes too long. */
  secure(handle: StreamHandle, timedOut: (seconds: number) => void): TLSHandle {
    const { parameters, received, timeoutSeconds } = this.#request;
    const { lingering } = this.#parts.platform;
    const secured = tlsEngineOf(this.#parts).secure(handle, parameters, received, lingering);
    this.#state = 'shaking';
    this.#timeout = this.#parts.loop.timers.callLater(timeoutSeconds, () => {
      timedOut(timeoutSeconds);
    });
    return secured;
  }

  /** The handshake has ended, or the connection has. */
  end(): void {
    this.#state = 'over';
    if (this.#timeout?.active() === true) this.#timeout.cancel();
  }
}
