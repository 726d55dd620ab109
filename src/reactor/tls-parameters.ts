import { Buffer } from 'node:buffer';
import { describe, requireFunction, requireOptions, requireString } from '../arguments.ts';
import { UnsupportedError } from '../errors.ts';
import { parseIPLiteral } from '../ip-literal.ts';
import type { TLSSource } from '../interfaces/reactor.ts';
import type { TLSEngine, TLSOptions, TLSParameters } from '../interfaces/tls-engine.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** Seconds for a handshake, unless the caller says otherwise: as for a connection attempt. */
export const DEFAULT_HANDSHAKE_TIMEOUT_SECONDS = 30;

const VERSIONS: readonly unknown[] = ['TLSv1.2', 'TLSv1.3', undefined];

const OPTIONS: readonly (keyof TLSOptions)[] = [
  'key',
  'cert',
  'pfx',
  'passphrase',
  'ca',
  'crl',
  'servername',
  'rejectUnauthorized',
  'requestCert',
  'ALPNProtocols',
  'detectTruncation',
  'minVersion',
  'maxVersion',
  'ciphers',
  'ecdhCurve',
  'sigalgs',
  'ticketKeys',
  'contexts',
  'SNICallback',
];

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

function requireTLSOptions(options: TLSOptions): void {
  requireOptions('tls', options, OPTIONS);
  const { servername, ALPNProtocols, SNICallback, minVersion, maxVersion, contexts } = options;
  requireBoolean('tls.rejectUnauthorized', options.rejectUnauthorized);
  requireBoolean('tls.requestCert', options.requestCert);
  requireBoolean('tls.detectTruncation', options.detectTruncation);
  if (servername !== undefined) requireString('tls.servername', servername);
  if (servername === '') throw new RangeError('tls.servername must not be empty');
  if (SNICallback !== undefined) requireFunction('tls.SNICallback', SNICallback);
  if (contexts !== undefined) requireContexts(contexts);
  if (contexts !== undefined && SNICallback !== undefined) {
    throw new TypeError('tls takes contexts or SNICallback, not both');
  }
  if (ALPNProtocols !== undefined) requireProtocolNames(ALPNProtocols);
  for (const version of [minVersion, maxVersion]) {
    if (!VERSIONS.includes(version)) {
      throw new RangeError(`tls speaks TLSv1.2 and TLSv1.3; got ${describe(version)} for minVersion or maxVersion`);
    }
  }
}

/** What is only like a yes or a no must not decide what to trust. */
function requireBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new TypeError(`${name} must be true or false; got ${describe(value)}`);
}

/** A server that has no certificate at all would only find out when the first client has come. */
function requireIdentity({ key, cert, pfx, SNICallback, contexts }: TLSOptions): void {
  const isComplete = pfx !== undefined || (key !== undefined && cert !== undefined);
  if (isComplete || SNICallback !== undefined || contexts !== undefined) return;
  throw new TypeError('tls of a server needs key and cert, or pfx, or contexts or SNICallback which have them');
}

function requireContexts(contexts: NonNullable<TLSOptions['contexts']>): void {
  for (const [name, identity] of Object.entries(contexts)) {
    requireOptions(`tls.contexts['${name}']`, identity, ['key', 'cert', 'pfx', 'passphrase']);
    if (parseIPLiteral(name) !== undefined) {
      throw new RangeError(`tls.contexts: clients ask for names, never for an address like ${name} (RFC 6066)`);
    }
  }
}

/** RFC 7301: from 1 to 255 bytes each. */
function requireProtocolNames(names: readonly string[]): void {
  const isValid = (name: unknown): boolean =>
    typeof name === 'string' && name.length > 0 && Buffer.byteLength(name) < 256;
  if (!Array.isArray(names) || !names.every(isValid)) {
    throw new TypeError(`tls.ALPNProtocols must be names of 1 to 255 bytes; got ${describe(names)}`);
  }
}
