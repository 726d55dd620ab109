import type { StreamHandle, StreamListener } from './stream-platform.ts';

/** What TLS is configured with: one object with Node's names (`tls.createSecureContext`, `tls.connect`). */
export interface TLSOptions {
  /** The private key, in PEM or DER. */
  readonly key?: string | Uint8Array;
  /** Our certificate and those between it and a trusted one, in PEM. A server needs one, unless `SNICallback` gives it. */
  readonly cert?: string | Uint8Array;
  /** Whom to trust, in place of the authorities known to the host. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** What `key` is encrypted with. */
  readonly passphrase?: string;
  /** Client: the name asked for (SNI), and the one that the certificate must be for. */
  readonly servername?: string;
  /** Whether a certificate that cannot be verified fails the handshake; true by default. */
  readonly rejectUnauthorized?: boolean;
  /** Server: whether to ask the client for a certificate; false by default. */
  readonly requestCert?: boolean;
  /** The protocols offered or accepted, the preferred first. */
  readonly ALPNProtocols?: readonly string[];
  /** The oldest version of TLS that is spoken; the host's default when absent. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** The newest version of TLS that is spoken; the host's default when absent. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Chooses a certificate by the name that the client asked for; calls back with what `createSecureContext` gave. */
  readonly SNICallback?: (servername: string, callback: (error: Error | null, context?: unknown) => void) => void;
}

/** Speaks TLS over any stream. */
export interface TLSEngine {
  /**
   * Wraps a stream that has been opened and whose reading is paused; the engine takes it over, listener included.
   * `received` is what the peer has already sent of the handshake. The result is opened like any other handle;
   * `handshakeCompleted` comes before its first data, a failed handshake as `failed`.
   */
  secure(
    stream: StreamHandle,
    options: TLSOptions,
    role: 'client' | 'server',
    received: readonly Uint8Array[],
  ): TLSHandle;
}

/** A stream that is encrypted. */
export interface TLSHandle extends StreamHandle {
  /** As of any stream; the listener also learns of the handshake. */
  open(listener: TLSListener): void;
  /** The ALPN protocol both sides agreed on; undefined if none, or before the handshake. */
  readonly negotiatedProtocol: string | undefined;
  /** The peer's certificate in DER; undefined if it sent none, or before the handshake. */
  getPeerCertificate(): Uint8Array | undefined;
}

/** Is told what happens on an encrypted stream. */
export interface TLSListener extends StreamListener {
  /** Both sides have agreed on keys, and the peer has been verified if that was asked for. Comes once, before any data. */
  handshakeCompleted(): void;
}
