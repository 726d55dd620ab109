import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Lingering, StreamHandle } from '../../interfaces/stream-platform.ts';
import type { TLSEngine, TLSHandle, TLSOptions, TLSParameters, TLSRole } from '../../interfaces/tls-engine.ts';
import { requireOptions } from '../../arguments.ts';
import { NodeLingering } from '../linger.ts';
import { NodeStreamHandle } from '../node-stream-handle.ts';
import { NodeTLSHandle } from './node-tls-handle.ts';
import { type HandshakeListener, shakeHandsAsClient, shakeHandsAsServer } from './shake-hands.ts';
import { TLSContexts } from './tls-contexts.ts';
import { DuplexUnderlay, SocketUnderlay, type Underlay } from './underlay.ts';

/** The options of `nodeTLS`. */
export interface NodeTLSOptions {
  /**
   * Whether a connection that its peer closes without TLS's own farewell (close_notify) ends with `ConnectionLost`, so that
   * an attacker cannot cut a message short unnoticed, where the TLS options of a connection do not say so themselves.
   * False by default: over a TCP or UNIX socket Node does not tell such an end from a proper one, and TLS that detects it
   * takes a quarter to a third more time (docs/performance.md). Protocols whose messages say how long they are do not need it. Over
   * every other stream it is always detected.
   */
  readonly detectTruncation?: boolean;
}

/** TLS by `node:tls`. What it makes of an options object it keeps for as long as that lives. */
export function nodeTLS(options: NodeTLSOptions = {}): TLSEngine {
  requireOptions('options', options, ['detectTruncation']);
  return new NodeTLS(options.detectTruncation ?? false);
}

class NodeTLS implements TLSEngine {
  readonly #detectTruncation: boolean;
  readonly #contexts = new TLSContexts();

  constructor(detectTruncation: boolean) {
    this.#detectTruncation = detectTruncation;
  }

  prepare(options: TLSOptions, role: TLSRole): void {
    if (role === 'client') this.#contexts.client(options);
    else this.#contexts.server(options);
  }

  secure(
    stream: StreamHandle,
    parameters: TLSParameters,
    received: Uint8Array | undefined,
    lingering: Lingering = new NodeLingering(),
  ): TLSHandle {
    const shakeHands = this.#handshake(parameters);
    const { detectTruncation = this.#detectTruncation } = parameters.options;
    // The fast path is for streams that are sockets of Node. There, the end of the socket is all that Node tells of an end.
    const isSocket = stream instanceof NodeStreamHandle && !detectTruncation;
    const underlay = isSocket
      ? new SocketUnderlay(stream.surrender(), received)
      : new DuplexUnderlay(stream, received, lingering);
    return new NodeTLSHandle(stream, underlay, (listener) => shakeHands(underlay, listener));
  }

  nextTurn(): Promise<void> {
    return nextTurn();
  }

  /** Throws what is wrong with the options before the stream is touched. */
  #handshake(parameters: TLSParameters): (underlay: Underlay, listener: HandshakeListener) => void {
    if (parameters.role === 'server') {
      const server = this.#contexts.server(parameters.options);
      return ({ stream }, listener) => shakeHandsAsServer(stream, server, listener);
    }
    const client = this.#contexts.client(parameters.options);
    return ({ stream }, listener) => shakeHandsAsClient(stream, parameters, client, listener);
  }
}
