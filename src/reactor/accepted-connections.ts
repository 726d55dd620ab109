/**
 * What becomes of the connections that one port accepts:
 *
 *     accepted ──▶ held ──▶ served ──▶ securing ──▶ connected ──▶ gone
 *        │           │        ╰────────────────────────▲
 *        ╰───────────┴──▶ closed unread
 *
 * - held: the reactor does not run, or what was held meanwhile has not been dealt with yet. As many as the backlog; the
 *   others are closed.
 * - served: it counts from now on, until it is gone. One more than `maxConnections` is closed unread.
 * - securing: the TLS handshake of a port that wants one. One that fails is nobody's but the log's.
 * - connected: it has a protocol; the rest is the `Connection`'s affair.
 *
 * The log is told of the first of a row: a flood of connections must not become a flood of the log. The others are logged
 * for those who want details (`debug`).
 */
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { TLSHandshakeTimeoutError } from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSHandle, TLSParameters } from '../interfaces/tls-engine.ts';
import { RowLog } from '../row-log.ts';
import { buildProtocol } from './build-protocol.ts';
import { Connection } from './connection.ts';
import type { PortLimits } from './connection-limits.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { connectionLostFor } from './system-errors.ts';
import { peerNameOf, tlsErrorFor } from './tls-errors.ts';
import { TLSHandshake } from './tls-handshake.ts';

/** What makes a port one for TLS. */
export interface PortSecurity {
  /** Asked for each connection. */
  readonly parameters: () => TLSParameters;
  readonly handshakeTimeoutSeconds: number;
}

/** The port that accepts them. */
export interface AcceptingPort {
  /** How many may wait for the reactor to run. */
  readonly backlog: number;
  readonly factory: ProtocolFactory;
  readonly limits: PortLimits;
  readonly security: PortSecurity | undefined;
  /** Its name, for the log. */
  toString(): string;
}

export class AcceptedConnections {
  readonly #parts: ReactorParts;
  readonly #port: AcceptingPort;
  /** Connections that wait for the reactor to run. */
  readonly #held = new Set<StreamHandle>();
  /** Connections that have no protocol yet. */
  readonly #handshakes = new Set<TLSHandshake>();
  /** Those that have been served and are not gone, handshakes included. */
  #count = 0;
  /** Those refused since the last that was not. */
  readonly #refusals: RowLog;
  /** The handshakes that have failed since the last that has not, by the names of their errors. */
  readonly #handshakeFailures: RowLog;

  constructor(parts: ReactorParts, port: AcceptingPort) {
    this.#parts = parts;
    this.#port = port;
    this.#refusals = new RowLog(parts.logger);
    this.#handshakeFailures = new RowLog(parts.logger);
  }

  add(handle: StreamHandle): void {
    const { loop } = this.#parts;
    if (this.#count + this.#held.size >= this.#port.limits.maxConnections) {
      this.#refuse(handle);
      return;
    }
    this.#refusals.end();
    if (!loop.holdsReports) {
      loop.deliver(() => {
        this.#serve(handle);
      });
      return;
    }
    if (this.#held.size >= this.#port.backlog) {
      handle.close();
      return;
    }
    this.#held.add(handle);
    loop.hold(() => {
      if (this.#held.delete(handle)) this.#serve(handle);
    });
  }

  /** The port closes: ends those that have no protocol. Nobody has been told of them, and nobody will be. */
  dropUnconnected(): void {
    for (const handle of this.#held) handle.close();
    this.#held.clear();
    for (const handshake of this.#handshakes) {
      handshake.cancel();
      this.#parts.handshakes.delete(handshake);
      this.#endedUnconnected();
    }
    this.#handshakes.clear();
  }

  // --------------------------------------------------------------------------------------------------------- inside

  #refuse(handle: StreamHandle): void {
    handle.close();
    const { maxConnections } = this.#port.limits;
    const peer = String(handle.remoteAddress);
    const message = `The ${String(this.#port)} has as many connections as it may; more are closed`;
    this.#refusals.note('refused', { maxConnections, peer }, message);
  }

  #serve(handle: StreamHandle): void {
    this.#count += 1;
    const { security } = this.#port;
    if (security === undefined) this.#connect(handle, undefined);
    else this.#secure(handle, security);
  }

  #secure(stream: StreamHandle, { parameters, handshakeTimeoutSeconds }: PortSecurity): void {
    // Asked for now, since a socket that is gone has no address.
    const address = stream.remoteAddress;
    const over = (handshake: TLSHandshake): void => {
      this.#handshakes.delete(handshake);
      this.#parts.handshakes.delete(handshake);
    };
    try {
      const handshake = new TLSHandshake(this.#parts, stream, parameters(), handshakeTimeoutSeconds, {
        succeeded: (handle) => {
          over(handshake);
          this.#handshakeFailures.end();
          this.#connect(handle, handle);
        },
        failed: (error) => {
          over(handshake);
          this.#endedUnconnected();
          this.#handshakeFailed(error, address);
        },
      });
      this.#handshakes.add(handshake);
      this.#parts.handshakes.add(handshake);
    } catch (error) {
      // What the port was given for this connection was not checked when it began to listen.
      stream.reset();
      this.#endedUnconnected();
      this.#parts.errors.report(error, `The ${String(this.#port)} has no usable TLS options for a connection`);
    }
  }

  #handshakeFailed(error: SystemError | TLSHandshakeTimeoutError, address: Address): void {
    const err = error instanceof TLSHandshakeTimeoutError ? error : errorFor(error, address);
    const fields = { err, peer: String(address) };
    this.#handshakeFailures.note(err.name, fields, `A TLS handshake failed on the ${String(this.#port)}`);
  }

  #connect(handle: StreamHandle, tls: TLSHandle | undefined): void {
    const { factory, limits } = this.#port;
    const protocol = buildProtocol(this.#parts, factory, handle.remoteAddress);
    if (protocol === null || protocol instanceof Failure) {
      handle.close();
      this.#endedUnconnected();
      return;
    }
    const origin = { role: 'server', host: undefined, tls, limits: limits.connections } as const;
    new Connection(this.#parts, handle, protocol, this.#lost, origin).start();
  }

  /** The connection itself tells those who wait for the last one. */
  readonly #lost = (): void => {
    this.#count -= 1;
  };

  #endedUnconnected(): void {
    this.#count -= 1;
    this.#parts.drain?.connectionEnded();
  }
}

function errorFor(error: SystemError, address: Address): Error {
  const tlsError = tlsErrorFor(error, peerNameOf(address));
  // What is neither TLS's nor the system's was thrown by a function among the options, such as `SNICallback`.
  return tlsError ?? (error.code === 'UNKNOWN' ? error : connectionLostFor(error));
}
