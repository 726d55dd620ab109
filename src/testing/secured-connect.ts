import type { StreamConnectHandle, StreamConnectListener, StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSEngine, TLSHandle, TLSParameters } from '../interfaces/tls-engine.ts';

/** The TLS that a scripted peer is to speak. */
export interface PeerTLS {
  readonly engine: TLSEngine;
  readonly parameters: TLSParameters;
}

/** Puts a handshake between a connection and the peer that waits for one. */
export class SecuredConnect implements StreamConnectListener, StreamConnectHandle {
  readonly #tls: PeerTLS;
  readonly #listener: StreamConnectListener;
  readonly #attempt: StreamConnectHandle | undefined;
  #handle: TLSHandle | undefined;

  /** `connect` begins to connect, or says at once that it has. */
  constructor(
    tls: PeerTLS,
    listener: StreamConnectListener,
    connect: (listener: StreamConnectListener) => StreamConnectHandle | undefined,
  ) {
    this.#tls = tls;
    this.#listener = listener;
    this.#attempt = connect(this);
  }

  cancel(): void {
    this.#attempt?.cancel();
    this.#handle?.reset();
  }

  connected(stream: StreamHandle): void {
    const { engine, parameters } = this.#tls;
    const handle = engine.secure(stream, parameters, undefined);
    this.#handle = handle;
    handle.open({
      handshakeCompleted: () => {
        this.#handle = undefined;
        this.#listener.connected(handle);
      },
      failed: (error) => {
        this.#listener.connectFailed(error);
      },
      // Nothing is read, written or closed before the handshake is over.
      dataReceived: () => undefined,
      endReceived: () => undefined,
      written: () => undefined,
      shutDown: () => undefined,
    });
  }

  connectFailed(...[error]: Parameters<StreamConnectListener['connectFailed']>): void {
    this.#listener.connectFailed(error);
  }
}
