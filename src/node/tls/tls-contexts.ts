/**
 * What Node makes of a set of TLS options: contexts with parsed keys and certificates, and the sessions that clients may
 * resume. It costs much more than a connection, so it is kept with the options object for as long as that lives.
 */
import { Buffer } from 'node:buffer';
import { constants } from 'node:crypto';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
} from 'node:tls';
import type { TLSIdentity, TLSOptions } from '../../interfaces/tls-engine.ts';
import { chooseByCallback, chooseFromTable } from './server-names.ts';

/** As many hosts as Node's own agent for HTTPS remembers sessions of. */
const SESSIONS_MAX = 100;

/** What the clients with one set of options share. */
export interface ClientContext {
  readonly context: SecureContext;
  /** The latest session, by the name of the server. */
  readonly sessions: SessionCache;
}

/** What a client keeps of a connection to make the next one with less work. */
export interface ResumableSession {
  readonly ticket: Buffer;
  /** In DER: Node does not find the server's certificate in a session that has been resumed. */
  readonly certificate: Buffer | undefined;
}

/** The sessions that may be resumed, the least recently made forgotten first. */
export class SessionCache {
  readonly #sessions = new Map<string, ResumableSession>();

  get(servername: string): ResumableSession | undefined {
    return this.#sessions.get(servername);
  }

  set(servername: string, session: ResumableSession): void {
    this.#sessions.delete(servername);
    this.#sessions.set(servername, session);
    if (this.#sessions.size <= SESSIONS_MAX) return;
    for (const [oldest] of this.#sessions) {
      this.#sessions.delete(oldest);
      return;
    }
  }

  delete(servername: string): void {
    this.#sessions.delete(servername);
  }
}

export class TLSContexts {
  readonly #clients = new WeakMap<TLSOptions, ClientContext>();
  readonly #servers = new WeakMap<TLSOptions, Server>();

  /** Throws OpenSSL's error for what is no key or certificate. */
  client(options: TLSOptions): ClientContext {
    let client = this.#clients.get(options);
    if (client === undefined) {
      client = { context: createSecureContext(contextOptions(options, options)), sessions: new SessionCache() };
      this.#clients.set(options, client);
    }
    return client;
  }

  /** A server that never listens: it is given connections. Throws as `client` does. */
  server(options: TLSOptions): Server {
    let server = this.#servers.get(options);
    if (server === undefined) {
      server = makeServer(options);
      this.#servers.set(options, server);
    }
    return server;
  }
}

function makeServer(options: TLSOptions): Server {
  const { requestCert, rejectUnauthorized, ALPNProtocols, ticketKeys } = options;
  const SNICallback = nameChooser(options);
  const serverOptions: TlsOptions = {
    ...contextOptions(options, options),
    // The reactor has a clock of its own for that.
    handshakeTimeout: 0,
    allowHalfOpen: true,
    pauseOnConnect: true,
    ...(requestCert !== undefined && { requestCert }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    ...(ALPNProtocols !== undefined && { ALPNProtocols: [...ALPNProtocols] }),
    ...(ticketKeys !== undefined && { ticketKeys: Buffer.from(ticketKeys) }),
    ...(SNICallback !== undefined && { SNICallback }),
  };
  return createServer(serverOptions);
}

/** What finds an identity by its name, if there is more than one. */
function nameChooser(options: TLSOptions): TlsOptions['SNICallback'] {
  const { SNICallback, contexts } = options;
  if (SNICallback !== undefined) return chooseByCallback(SNICallback);
  if (contexts === undefined) return undefined;
  const table = Object.entries(contexts).map(
    ([name, identity]) => [name, createSecureContext(contextOptions(options, identity))] as const,
  );
  return chooseFromTable(table);
}

/** All but the identity are the same for every name of a server. */
function contextOptions(options: TLSOptions, identity: TLSIdentity): SecureContextOptions {
  const { ca, crl, ciphers, ecdhCurve, sigalgs, minVersion = 'TLSv1.2', maxVersion } = options;
  const { key, cert, pfx, passphrase } = identity;
  return {
    minVersion,
    // TLS 1.2 has no good use for it, and certificates would not be verified again.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(maxVersion !== undefined && { maxVersion }),
    ...(key !== undefined && { key: pem(key) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(pfx !== undefined && { pfx: pem(pfx) }),
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca: pems(ca) }),
    ...(crl !== undefined && { crl: pems(crl) }),
    ...(ciphers !== undefined && { ciphers }),
    ...(ecdhCurve !== undefined && { ecdhCurve }),
    ...(sigalgs !== undefined && { sigalgs }),
  };
}

/** Node wants Buffers. */
function pem(data: string | Uint8Array): string | Buffer {
  return typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function pems(data: string | Uint8Array | readonly (string | Uint8Array)[]): (string | Buffer)[] {
  return typeof data === 'string' || data instanceof Uint8Array ? [pem(data)] : data.map(pem);
}
