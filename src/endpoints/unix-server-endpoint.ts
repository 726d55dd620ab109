import { printablePath } from '../addresses.ts';
import { requireMethods } from '../arguments.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamServerEndpoint } from '../interfaces/endpoint.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { ListenUNIXOptions, ReactorUNIX } from '../interfaces/reactor.ts';
import { whenListening } from './when-listening.ts';

/** Listens on a UNIX socket. Source: Twisted's `internet.endpoints.UNIXServerEndpoint`. */
export class UNIXServerEndpoint implements StreamServerEndpoint {
  readonly #reactor: ReactorUNIX;
  readonly #path: string;
  readonly #options: ListenUNIXOptions;

  /** The arguments are those of `listenUNIX`, which checks them when `listen` is called. */
  constructor(reactor: ReactorUNIX, path: string, options: ListenUNIXOptions = {}) {
    requireMethods('reactor', reactor, ['listenUNIX']);
    this.#reactor = reactor;
    this.#path = path;
    this.#options = options;
  }

  listen(factory: ProtocolFactory, options: EndpointOptions = {}): Deferred<ListeningPort> {
    const port = this.#reactor.listenUNIX(this.#path, factory, this.#options);
    return cancelOnAbort(whenListening(port, printablePath(this.#path), options.signal), options.signal);
  }
}
