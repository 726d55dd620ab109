import { requireMethods } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamServerEndpoint } from '../interfaces/endpoint.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { ListenTCPOptions, ReactorTCP } from '../interfaces/reactor.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import { whenListening } from './when-listening.ts';

/**
 * Listens on a TCP port, on IPv4 unless `interface` is an IPv6 address. `port` 0 lets the system choose: the port that
 * `listen` delivers knows the number. Source: Twisted's `internet.endpoints.TCP4ServerEndpoint`.
 */
export class TCP4ServerEndpoint implements StreamServerEndpoint {
  readonly #reactor: ReactorTCP;
  readonly #port: number;
  readonly #options: ListenTCPOptions;

  /** The arguments are those of `listenTCP`, which checks them when `listen` is called. */
  constructor(reactor: ReactorTCP, port: number, options: ListenTCPOptions = {}) {
    requireMethods('reactor', reactor, ['listenTCP']);
    this.#reactor = reactor;
    this.#port = port;
    this.#options = options;
  }

  listen(factory: ProtocolFactory, options: EndpointOptions = {}): Deferred<ListeningPort> {
    const port = this.#reactor.listenTCP(this.#port, factory, this.#options);
    return cancelOnAbort(whenListening(port, this.#describe(), options.signal), options.signal);
  }

  #describe(): string {
    const { interface: interfaceName = '' } = this.#options;
    return `port ${String(this.#port)} of ${interfaceName === '' ? 'any interface' : interfaceName}`;
  }
}

/**
 * Listens on a TCP port, on IPv6. The default interface `'::'` takes IPv4 connections too, where the system does.
 * Source: Twisted's `internet.endpoints.TCP6ServerEndpoint`.
 */
export class TCP6ServerEndpoint implements StreamServerEndpoint {
  readonly #endpoint: TCP4ServerEndpoint;

  /** As for `TCP4ServerEndpoint`, but for the default of `interface`. */
  constructor(reactor: ReactorTCP, port: number, options: ListenTCPOptions = {}) {
    this.#endpoint = new TCP4ServerEndpoint(reactor, port, { ...options, interface: options.interface ?? '::' });
  }

  listen(factory: ProtocolFactory, options: EndpointOptions = {}): Deferred<ListeningPort> {
    return this.#endpoint.listen(factory, options);
  }
}
