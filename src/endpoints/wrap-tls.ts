import type { Address } from '../addresses.ts';
import { describe, requireDelay, requireMethods, requireOptions } from '../arguments.ts';
import { cancelOnAbort, causeOfAbort } from '../deferred/abort-signal.ts';
import { Deferred } from '../deferred/deferred.ts';
import { ConnectingCancelledError, NoProtocol } from '../errors.ts';
import type { EndpointOptions, StreamClientEndpoint, StreamServerEndpoint } from '../interfaces/endpoint.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { HookResult, ProtocolFactory, ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';
import type { TLSSource } from '../interfaces/reactor.ts';
import type { TLSOptions } from '../interfaces/tls-engine.ts';
import { requireIdentity, requireTLSOptions } from '../tls-arguments.ts';
import { type GateOutcome, type GateTLS, TLSGate } from './tls-gate.ts';

/** The options of `wrapClientTLS`. */
export interface WrapClientTLSOptions {
  /** Seconds for the handshake, besides what the endpoint takes to connect; 30 by default. */
  readonly handshakeTimeout?: number;
}

/** The options of `wrapServerTLS`. */
export interface WrapServerTLSOptions extends WrapClientTLSOptions {
  /** Is told, by a warning, of handshakes that have failed; nobody is by default. */
  readonly logger?: Logger;
}

/**
 * TLS over any client endpoint. The certificate must be for `tls.servername`, by default the host to which the endpoint
 * connects if it knows one. `connect` fires when the handshake is over and the protocol has its connection; it fails with
 * `VerifyError`, `CertificateError`, `SSLError` or `TLSHandshakeTimeoutError`, with `ConnectionLost` if the peer closed
 * the connection instead, and with what is wrong with `tls`. Source: Twisted's `internet.endpoints.wrapClientTLS`.
 */
export function wrapClientTLS(
  tls: TLSOptions,
  endpoint: StreamClientEndpoint,
  wrapOptions: WrapClientTLSOptions = {},
): StreamClientEndpoint {
  requireTLSOptions(tls);
  requireMethods('endpoint', endpoint, ['connect']);
  requireOptions('options', wrapOptions, ['handshakeTimeout']);
  if (wrapOptions.handshakeTimeout !== undefined) requireDelay('handshakeTimeout', wrapOptions.handshakeTimeout);
  const how: GateTLS = { tls: () => tls, options: { isServer: false, ...wrapOptions } };
  return {
    connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, { signal }: EndpointOptions = {}): Deferred<P> {
      requireMethods('factory', factory, ['doStart', 'doStop', 'buildProtocol']);
      const attempt = new GateFactory(factory, (address) => new ClientGate(factory, address, how, signal));
      // The endpoint heeds the signal while it connects, and after that the gate does.
      const options = signal === undefined ? {} : { signal };
      const connected = endpoint.connect(attempt, options).addCallback((gate) => gate.whenPassed);
      return cancelOnAbort(connected, signal);
    },
  };
}

/**
 * TLS over any server endpoint. A protocol is built when the handshake of its connection has succeeded. A function for `tls`
 * is asked for each connection. What no options can be is thrown at the call; what the function returns, and a key or certificate
 * that is none, is looked at when a client has come, and reported. Source: Twisted's `internet.endpoints.wrapServerTLS`.
 */
export function wrapServerTLS(
  tls: TLSSource,
  endpoint: StreamServerEndpoint,
  options: WrapServerTLSOptions = {},
): StreamServerEndpoint {
  if (typeof tls !== 'function' && (typeof tls !== 'object' || (tls as unknown) === null)) {
    throw new TypeError(`tls must be an object, or a function that returns one; got ${describe(tls)}`);
  }
  if (typeof tls !== 'function') {
    requireTLSOptions(tls);
    requireIdentity(tls);
  }
  requireMethods('endpoint', endpoint, ['listen']);
  requireOptions('options', options, ['handshakeTimeout', 'logger']);
  if (options.handshakeTimeout !== undefined) requireDelay('handshakeTimeout', options.handshakeTimeout);
  const { logger, ...startOptions } = options;
  const how: GateTLS = {
    tls: typeof tls === 'function' ? tls : () => tls,
    options: { isServer: true, ...startOptions },
  };
  return {
    listen(factory: ProtocolFactory, listenOptions: EndpointOptions = {}): Deferred<ListeningPort> {
      requireMethods('factory', factory, ['doStart', 'doStop', 'buildProtocol']);
      const outcome = (address: Address): GateOutcome<StreamProtocol> => ({
        passed: () => undefined,
        failed: ({ value }) => {
          logger?.warn(
            { err: value, peer: String(address) },
            'A connection was lost before its TLS handshake was over',
          );
        },
        refused: ({ value }) => {
          // An error of the program's, to be reported; but to build no protocol is no error.
          if (!(value instanceof NoProtocol)) throw value;
        },
      });
      const gates = new GateFactory(factory, (address) => new TLSGate(factory, address, how, outcome(address)));
      return endpoint.listen(gates, listenOptions);
    },
  };
}

/** Builds a gate for each connection, and counts as a user of the factory behind it. */
class GateFactory<G extends StreamProtocol> implements ProtocolFactoryOf<G> {
  readonly #wrapped: ProtocolFactory;
  readonly #buildGate: (address: Address) => G;

  constructor(wrapped: ProtocolFactory, buildGate: (address: Address) => G) {
    this.#wrapped = wrapped;
    this.#buildGate = buildGate;
  }

  doStart(): HookResult {
    return this.#wrapped.doStart();
  }

  doStop(): HookResult {
    return this.#wrapped.doStop();
  }

  buildProtocol(address: Address): G {
    return this.#buildGate(address);
  }
}

/** A gate that somebody waits for. */
class ClientGate<P extends StreamProtocol> extends TLSGate<P> {
  /** Fires when the user's protocol has its connection. */
  readonly whenPassed: Deferred<P>;

  constructor(factory: ProtocolFactoryOf<P>, address: Address, how: GateTLS, signal: AbortSignal | undefined) {
    super(factory, address, how, {
      passed: (protocol) => {
        this.#settle(() => this.whenPassed.callback(protocol));
      },
      failed: (reason) => {
        this.#settle(() => this.whenPassed.errback(reason));
      },
      refused: (reason) => {
        this.#settle(() => this.whenPassed.errback(reason));
      },
    });
    this.whenPassed = new Deferred<P>(() => {
      this.cancel();
      this.whenPassed.errback(new ConnectingCancelledError(address, causeOfAbort(signal)));
    });
  }

  /** Cancelled, it has been told already. */
  #settle(tell: () => void): void {
    if (!this.whenPassed.called) tell();
  }
}
