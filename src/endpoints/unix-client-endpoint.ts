import { requireMethods } from '../arguments.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamClientEndpoint } from '../interfaces/endpoint.ts';
import type { ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';
import type { ConnectUNIXOptions, ReactorUNIX } from '../interfaces/reactor.ts';
import { WrappingFactory } from './wrapping-factory.ts';

/** Connects to a UNIX socket. Source: Twisted's `internet.endpoints.UNIXClientEndpoint`. */
export class UNIXClientEndpoint implements StreamClientEndpoint {
  readonly #reactor: ReactorUNIX;
  readonly #path: string;
  readonly #options: ConnectUNIXOptions;

  /** The arguments are those of `connectUNIX`, which checks them when `connect` is called. */
  constructor(reactor: ReactorUNIX, path: string, options: ConnectUNIXOptions = {}) {
    requireMethods('reactor', reactor, ['connectUNIX']);
    this.#reactor = reactor;
    this.#path = path;
    this.#options = options;
  }

  connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, options: EndpointOptions = {}): Deferred<P> {
    const attempt = new WrappingFactory(factory, options.signal);
    this.#reactor.connectUNIX(this.#path, attempt, this.#options);
    return cancelOnAbort(attempt.whenConnected, options.signal);
  }
}
