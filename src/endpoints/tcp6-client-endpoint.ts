import { requireDelay, requireMethods, requirePort, requireString } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import { ConnectTimeoutError } from '../errors.ts';
import type { EndpointOptions, StreamClientEndpoint } from '../interfaces/endpoint.ts';
import type { ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';
import type { ConnectTCPOptions, ReactorTCP } from '../interfaces/reactor.ts';
import { addressOf } from '../ip-literal.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import { IPv6Lookup, type LookupDestination, type LookupReactor } from './ipv6-lookup.ts';
import { WrappingFactory } from './wrapping-factory.ts';

/** What `TCP6ClientEndpoint` needs of a reactor: connections, and for names a resolver and the time it may take. */
export interface TCP6ClientReactor extends ReactorTCP, LookupReactor {}

/** Seconds for a whole attempt, the same as `connectTCP` has. */
const DEFAULT_TIMEOUT_SECONDS = 30;

/**
 * Connects over TCP and IPv6 only. A name is resolved first, and the first IPv6 address found is the one tried; for an
 * attempt on every address of both families use `TCP4ClientEndpoint`. Source: Twisted's
 * `internet.endpoints.TCP6ClientEndpoint`.
 */
export class TCP6ClientEndpoint implements StreamClientEndpoint {
  readonly #reactor: TCP6ClientReactor;
  readonly #host: string;
  readonly #port: number;
  readonly #options: ConnectTCPOptions;
  readonly #timeoutSeconds: number;

  /** The arguments are those of `connectTCP`; they are checked when `connect` is called. */
  constructor(reactor: TCP6ClientReactor, host: string, port: number, options: ConnectTCPOptions = {}) {
    requireMethods('reactor', reactor, ['connectTCP', 'callLater']);
    this.#reactor = reactor;
    this.#host = host;
    this.#port = port;
    this.#options = options;
    this.#timeoutSeconds = options.timeout ?? DEFAULT_TIMEOUT_SECONDS;
  }

  /** As in the interface; the timeout covers the lookup of the name as well. */
  connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, options: EndpointOptions = {}): Deferred<P> {
    requireArguments(this.#host, this.#port, this.#timeoutSeconds);
    const attempt = new WrappingFactory(factory, options.signal);
    const destination = addressOf('TCP', this.#host, this.#port);
    const connected =
      destination.family === 'IPv6'
        ? this.#connectTo(this.#host, attempt, this.#options)
        : this.#resolveAndConnect(destination, attempt, options.signal);
    return cancelOnAbort(connected, options.signal);
  }

  #resolveAndConnect<P extends StreamProtocol>(
    destination: LookupDestination,
    attempt: WrappingFactory<P>,
    signal: AbortSignal | undefined,
  ): Deferred<P> {
    const lookup = new IPv6Lookup(this.#reactor, destination, this.#timeoutSeconds, signal);
    return lookup.whenFound.addCallback(({ address, secondsLeft }) => {
      if (secondsLeft <= 0) throw new ConnectTimeoutError(`No time is left to connect to ${String(address)}`);
      return this.#connectTo(address.host, attempt, { ...this.#options, timeout: secondsLeft });
    });
  }

  #connectTo<P extends StreamProtocol>(
    host: string,
    attempt: WrappingFactory<P>,
    options: ConnectTCPOptions,
  ): Deferred<P> {
    this.#reactor.connectTCP(host, this.#port, attempt, options);
    return attempt.whenConnected;
  }
}

/** `connectTCP` checks them too, but only once a name has been resolved, and misuse is to throw at the call. */
function requireArguments(host: string, port: number, timeoutSeconds: number): void {
  requireString('host', host);
  if (host === '') throw new RangeError('host must not be empty');
  requirePort('port', port, 1);
  requireDelay('timeout', timeoutSeconds);
}
