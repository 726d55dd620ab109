import { requireMethods } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamClientEndpoint } from '../interfaces/endpoint.ts';
import type { ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';
import type { ConnectTCPOptions, ReactorTCP } from '../interfaces/reactor.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import { WrappingFactory } from './wrapping-factory.ts';

/**
 * Connects over TCP to an address or a name, as `connectTCP` does: all addresses of a name are tried one after another,
 * those of IPv4 first. Source: Twisted's `internet.endpoints.TCP4ClientEndpoint`.
 */
export class TCP4ClientEndpoint implements StreamClientEndpoint {
  readonly #reactor: ReactorTCP;
  readonly #host: string;
  readonly #port: number;
  readonly #options: ConnectTCPOptions;

  /** The arguments are those of `connectTCP`, which checks them when `connect` is called. */
  constructor(reactor: ReactorTCP, host: string, port: number, options: ConnectTCPOptions = {}) {
    requireMethods('reactor', reactor, ['connectTCP']);
    this.#reactor = reactor;
    this.#host = host;
    this.#port = port;
    this.#options = options;
  }

  connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, options: EndpointOptions = {}): Deferred<P> {
    const attempt = new WrappingFactory(factory, options.signal);
    this.#reactor.connectTCP(this.#host, this.#port, attempt, this.#options);
    return cancelOnAbort(attempt.whenConnected, options.signal);
  }
}
