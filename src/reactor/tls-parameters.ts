import { UnsupportedError } from '../errors.ts';
import type { TLSSource } from '../interfaces/reactor.ts';
import type { TLSEngine, TLSOptions, TLSParameters } from '../interfaces/tls-engine.ts';
import { requireIdentity, requireTLSOptions } from '../tls-arguments.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** Seconds for a handshake, unless the caller says otherwise: as for a connection attempt. */
export const DEFAULT_HANDSHAKE_TIMEOUT_SECONDS = 30;

/** The TLS of a reactor, or `UnsupportedError`. */
export function tlsEngineOf(parts: ReactorParts): TLSEngine {
  const { platform } = parts;
  if (platform.tls !== undefined) return platform.tls;
  throw new UnsupportedError(`The platform ${platform.name} was given no TLS; see nodeTLS()`);
}

/** Checks what a client is to use. Throws as `connectTLS` does. */
export function clientParameters(parts: ReactorParts, options: TLSOptions, host: string | undefined): TLSParameters {
  const engine = tlsEngineOf(parts);
  requireTLSOptions(options);
  const servername = options.servername ?? host;
  if (servername === undefined && options.rejectUnauthorized !== false) {
    throw new TypeError(
      'tls needs a servername, which the certificate must be for: this connection was not made to a host',
    );
  }
  engine.prepare(options, 'client');
  return { role: 'client', options, servername };
}

/** Checks what a server is to use. Throws as `listenTLS` does. */
export function serverParameters(parts: ReactorParts, options: TLSOptions): TLSParameters {
  const engine = tlsEngineOf(parts);
  requireTLSOptions(options);
  requireIdentity(options);
  engine.prepare(options, 'server');
  return { role: 'server', options, servername: undefined };
}

/** What a listening port asks for each connection. Throws at once what is wrong from the beginning. */
export function serverParametersFrom(parts: ReactorParts, source: TLSSource): () => TLSParameters {
  const current = typeof source === 'function' ? source : (): TLSOptions => source;
  serverParameters(parts, current());
  return () => serverParameters(parts, current());
}
