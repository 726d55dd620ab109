import type { Lingering, StreamHandle, StreamListener } from './stream-platform.ts';

/** A key and certificates, with Node's names. */
export interface TLSIdentity {
  /** The private key, in PEM. */
  readonly key?: string | Uint8Array;
  /** Our certificate, and those between it and a trusted one, in PEM. */
  readonly cert?: string | Uint8Array;
  /** Key and certificates in one, as PKCS #12. */
  readonly pfx?: string | Uint8Array;
  /** What `key` or `pfx` is encrypted with. */
  readonly passphrase?: string;
}

/**
 * What TLS is configured with: one object with Node's names (`tls.createSecureContext`, `tls.connect`). Give the same
 * object again for connections that are to resume each other's sessions, as an object is looked into once.
 */
export interface TLSOptions extends TLSIdentity {
  /** Whom to trust, in place of the authorities known to the host. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Certificates that have been revoked, in PEM. */
  readonly crl?: string | Uint8Array | readonly (string | Uint8Array)[];
  /**
   * Client: the name asked for (SNI), and the one that the certificate must be for. By default the host connected to. Neither
   * its case nor a final dot matters, and one beyond ASCII may be written in Unicode or in A-labels (RFC 5890); SNI has A-labels.
   */
  readonly servername?: string;
  /** Whether a certificate that cannot be verified fails the handshake; true by default. */
  readonly rejectUnauthorized?: boolean;
  /** Server: whether to ask the client for a certificate; false by default. */
  readonly requestCert?: boolean;
  /** The protocols offered or accepted, the preferred first. Where both sides have some and none in common, the handshake fails. */
  readonly ALPNProtocols?: readonly string[];
  /**
   * Whether a connection that its peer closes without TLS's own farewell (close_notify) ends with `ConnectionLost`, so that
   * nobody can cut a message short unnoticed; by default as the engine was made, which `nodeTLS` documents. For protocols
   * whose messages end with the connection. Where an engine tells such ends at no cost, it always does.
   */
  readonly detectTruncation?: boolean;
  /** The oldest version of TLS that is spoken; 1.2 by default, and never older. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** The newest version of TLS that is spoken; the host's newest by default. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** The cipher suites, as OpenSSL writes them. */
  readonly ciphers?: string;
  /** The curves for the exchange of keys, as OpenSSL writes them. */
  readonly ecdhCurve?: string;
  /** The algorithms of signatures, as OpenSSL writes them. */
  readonly sigalgs?: string;
  /** Server: 48 bytes that encrypt session tickets, the same for all processes that are to resume each other's sessions. */
  readonly ticketKeys?: Uint8Array;
  /** Server: further identities by the name that a client asks for, spelt as `servername`; `*.example.org` stands for one label. */
  readonly contexts?: Readonly<Record<string, TLSIdentity>>;
  /**
   * Server: chooses an identity by the name that a client asks for, in place of `contexts`: calls back with what the
   * host's `tls.createSecureContext` gave, or with nothing for the default identity. An error fails the handshake.
   */
  readonly SNICallback?: (servername: string, callback: (error: Error | null, context?: unknown) => void) => void;
}

/** Which side of the handshake one is; a connection's accepting end usually, but not necessarily, is the server. */
export type TLSRole = 'client' | 'server';

/** One handshake to be made. */
export interface TLSParameters {
  readonly role: TLSRole;
  readonly options: TLSOptions;
  /** Client: what the certificate must be for. Undefined only if it need not be verified. */
  readonly servername: string | undefined;
}

/** Speaks TLS over any stream. */
export interface TLSEngine {
  /**
   * Throws the host's error for options that it cannot work with: a certificate that is none, a key that does not fit.
   * What it finds out it may keep for `secure`.
   */
  prepare(options: TLSOptions, role: TLSRole): void;

  /**
   * Begins the handshake over a stream, which it takes over, opened or not: its reading is paused, and nothing given to
   * its `write` is on the way. `received` is what the peer has sent of the handshake and somebody has read already. The result
   * is opened like any other handle. Throws as `prepare` does. `lingering` bounds how long what was written may still leave
   * after `close`, where the engine sees to that itself; by the engine's own clock when absent.
   */
  secure(
    stream: StreamHandle,
    parameters: TLSParameters,
    received: Uint8Array | undefined,
    lingering?: Lingering,
  ): TLSHandle;

  /**
   * Resolves when the host's event loop has gone round once, so that the engine could go on with what it has begun. Virtual
   * worlds wait for it, whose time stands still meanwhile.
   */
  nextTurn(): Promise<void>;
}

/**
 * A stream that is encrypted. The handshake goes on whether reading is paused or not; `write` and `shutdown` wait for it.
 * `shutdown` closes the writing half of the encrypted stream (close_notify) and of the one below.
 */
export interface TLSHandle extends StreamHandle {
  /** As of any stream; the listener also learns of the handshake. */
  open(listener: TLSListener): void;
  /** The ALPN protocol both sides agreed on; undefined if none, or before the handshake. */
  readonly negotiatedProtocol: string | undefined;
  /** The peer's certificate in DER; undefined if it sent none, or before the handshake. */
  getPeerCertificate(): Uint8Array | undefined;
}

/** Is told what happens on an encrypted stream; of a handshake that fails by `failed`. */
export interface TLSListener extends StreamListener {
  /** Both sides have agreed on keys, and the peer has been verified if that was asked for. Comes once, before any data. */
  handshakeCompleted(): void;
}
