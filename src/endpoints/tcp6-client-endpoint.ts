import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamClientEndpoint } from '../interfaces/endpoint.ts';
import type { ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';
import type { ConnectTCPOptions, ReactorTCP } from '../interfaces/reactor.ts';
import { TCP4ClientEndpoint } from './tcp4-client-endpoint.ts';

/**
 * Connects over TCP to an IPv6 address, or to the IPv6 addresses of a name, one after another. For an attempt on every
 * address of both families use `TCP4ClientEndpoint`. Source: Twisted's `internet.endpoints.TCP6ClientEndpoint`, which tries
 * the first address only.
 */
export class TCP6ClientEndpoint implements StreamClientEndpoint {
  readonly #endpoint: TCP4ClientEndpoint;

  /** The arguments are those of `connectTCP`, which checks them when `connect` is called. */
  constructor(reactor: ReactorTCP, host: string, port: number, options: Omit<ConnectTCPOptions, 'families'> = {}) {
    this.#endpoint = new TCP4ClientEndpoint(reactor, host, port, { ...options, families: ['IPv6'] });
  }

  connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, options: EndpointOptions = {}): Deferred<P> {
    return this.#endpoint.connect(factory, options);
  }
}
