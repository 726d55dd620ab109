import type {
  Address,
  ListenTarget,
  StreamConnectHandle,
  StreamConnectListener,
  StreamHandle,
  StreamListenHandle,
  StreamListenListener,
  StreamPlatform,
  StreamTarget,
  SystemError,
  TLSEngine,
  TLSHandle,
  TLSParameters,
} from 'ropewalk';
import type { TestCertificates } from '../../support/certificates.ts';
import type { ClosableStreams } from './node-kind.ts';

/** Speaks TLS below the reactor: every stream is handed up when its handshake is over, and the reactor knows nothing of it. */
export class SecuredStreams implements ClosableStreams {
  readonly #below: StreamPlatform;
  readonly #engine: TLSEngine;
  readonly #client: TLSParameters;
  readonly #server: TLSParameters;

  constructor(below: StreamPlatform, engine: TLSEngine, { ca, server }: Pick<TestCertificates, 'ca' | 'server'>) {
    this.#below = below;
    this.#engine = engine;
    this.#client = { role: 'client', options: { ca }, servername: 'localhost' };
    this.#server = { role: 'server', options: server, servername: undefined };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  connect(target: StreamTarget, listener: StreamConnectListener): StreamConnectHandle {
    let handle: TLSHandle | undefined;
    const attempt = this.#below.connect(target, {
      connected: (stream) => {
        handle = this.#secure(stream, this.#client, {
          succeeded: (secured) => {
            handle = undefined;
            listener.connected(secured);
          },
          failed: (error) => listener.connectFailed(error),
        });
      },
      connectFailed: (error) => listener.connectFailed(error),
    });
    return {
      cancel: () => {
        attempt.cancel();
        handle?.reset();
      },
    };
  }

  listen(target: ListenTarget, listener: StreamListenListener): StreamListenHandle {
    const shaking = new Set<TLSHandle>();
    const accepted = (stream: StreamHandle): void => {
      const handle = this.#secure(stream, this.#server, {
        succeeded: (secured) => {
          shaking.delete(secured);
          listener.accepted(secured);
        },
        failed: () => shaking.delete(handle),
      });
      shaking.add(handle);
    };
    const listening = this.#below.listen(target, {
      accepted,
      listening: (address: Address) => listener.listening(address),
      listenFailed: (error) => listener.listenFailed(error),
      acceptFailed: (error) => listener.acceptFailed(error),
      closed: () => listener.closed(),
    });
    return {
      close: () => {
        for (const handle of shaking) handle.reset();
        shaking.clear();
        listening.close();
      },
    };
  }

  #secure(
    stream: StreamHandle,
    parameters: TLSParameters,
    outcome: { readonly succeeded: (handle: TLSHandle) => void; readonly failed: (error: SystemError) => void },
  ): TLSHandle {
    const handle = this.#engine.secure(stream, parameters, undefined);
    handle.open({
      handshakeCompleted: () => {
        outcome.succeeded(handle);
      },
      failed: (error) => {
        outcome.failed(error);
      },
      // Nothing is read, written or closed before the handshake is over.
      dataReceived: () => undefined,
      endReceived: () => undefined,
      written: () => undefined,
      shutDown: () => undefined,
    });
    return handle;
  }
}
