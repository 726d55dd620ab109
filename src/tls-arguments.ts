/** Checks of TLS options, as far as no engine is needed for them. */
import { Buffer } from 'node:buffer';
import { describe, requireFunction, requireOptions, requireString } from './arguments.ts';
import { parseIPLiteral } from './ip-literal.ts';
import type { TLSOptions } from './interfaces/tls-engine.ts';

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

/** Throws `TypeError` or `RangeError` for what cannot be the TLS options of either side. Keys and certificates are the engine's to read. */
export function requireTLSOptions(options: TLSOptions): void {
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
export function requireIdentity({ key, cert, pfx, SNICallback, contexts }: TLSOptions): void {
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
