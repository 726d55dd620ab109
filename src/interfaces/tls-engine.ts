import type { StreamHandle, StreamListener } from './stream-platform.ts';

/** What TLS is configured with: one object with Node's names (`tls.createSecureContext`, `tls.connect`). */
export interface TLSOptions {
  readonly key?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  readonly requestCert?: boolean;
  readonly ALPNProtocols?: readonly string[];
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
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

export interface TLSHandle extends StreamHandle {
  open(listener: TLSListener): void;
  /** The ALPN protocol both sides agreed on; undefined if none, or before the handshake. */
  readonly negotiatedProtocol: string | undefined;
  /** The peer's certificate in DER; undefined if it sent none, or before the handshake. */
  getPeerCertificate(): Uint8Array | undefined;
}

export interface TLSListener extends StreamListener {
  handshakeCompleted(): void;
}
