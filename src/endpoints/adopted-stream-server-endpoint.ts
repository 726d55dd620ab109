import { requireMethods } from '../arguments.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import type { Deferred } from '../deferred/deferred.ts';
import { fail } from '../deferred/succeed-fail.ts';
import { AdoptionError, AlreadyListened, CannotListenError } from '../errors.ts';
import type { EndpointOptions, StreamServerEndpoint } from '../interfaces/endpoint.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { AdoptStreamPortOptions, ReactorSocket } from '../interfaces/reactor-socket.ts';
import { whenListening } from './when-listening.ts';

/**
 * Listens on a socket that somebody else has opened, once: the descriptor is closed with the port, so a later `listen`
 * fails with `AlreadyListened`. A descriptor that cannot be adopted fails it with `CannotListenError`, whose cause is
 * the `AdoptionError`, and may be tried again. Source: Twisted's `internet.endpoints.AdoptedStreamServerEndpoint`.
 */
export class AdoptedStreamServerEndpoint implements StreamServerEndpoint {
  readonly #reactor: ReactorSocket;
  readonly #descriptor: number;
  readonly #options: AdoptStreamPortOptions;
  #state: 'unused' | 'used' = 'unused';

  /** The arguments are those of `adoptStreamPort`, which checks them when `listen` is called. */
  constructor(reactor: ReactorSocket, descriptor: number, options: AdoptStreamPortOptions = {}) {
    requireMethods('reactor', reactor, ['adoptStreamPort']);
    this.#reactor = reactor;
    this.#descriptor = descriptor;
    this.#options = options;
  }

  listen(factory: ProtocolFactory, options: EndpointOptions = {}): Deferred<ListeningPort> {
    const description = `descriptor ${String(this.#descriptor)}`;
    if (this.#state === 'used') return fail(new AlreadyListened(`The endpoint of ${description} has listened already`));
    let port;
    try {
      port = this.#reactor.adoptStreamPort(this.#descriptor, factory, this.#options);
    } catch (error) {
      if (!(error instanceof AdoptionError)) throw error;
      return fail(new CannotListenError('', description, error));
    }
    this.#state = 'used';
    return cancelOnAbort(whenListening(port, description, options.signal), options.signal);
  }
}
