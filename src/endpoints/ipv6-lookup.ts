/**
 * Finds the IPv6 address to connect to, within the time of the whole attempt.
 *
 *     waiting ──first turn──▶ resolving ──address, none, timeout──▶ ended
 *        ╰────────────────────────┴──────────── cancel ──────────────▲
 *
 * As with `connectTCP`, nothing begins and nobody is told before the reactor runs: both ends of the lookup pass through
 * a turn of the reactor, since a resolver answers whenever it likes.
 */
import { type Address, type HostnameAddress, type IPv4Address, IPv6Address } from '../addresses.ts';
import { Deferred } from '../deferred/deferred.ts';
import { ConnectingCancelledError, ConnectTimeoutError, DNSLookupError } from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { HostnameResolver, HostResolution, ResolutionReceiver } from '../interfaces/resolver.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { causeOfAbort } from '../deferred/abort-signal.ts';

/** The part of a reactor that a lookup needs. */
export interface LookupReactor extends ReactorTime {
  readonly nameResolver: HostnameResolver;
}

/** Where the attempt goes: a name, or an IPv4 address, which resolves to no IPv6 address. */
export type LookupDestination = HostnameAddress | IPv4Address;

/** What was found, and how much of the time it has left. */
export interface FoundAddress {
  readonly address: IPv6Address;
  readonly secondsLeft: number;
}

type State =
  | { readonly name: 'waiting'; readonly begin: DelayedCall }
  | { readonly name: 'resolving'; readonly timer: DelayedCall }
  | { readonly name: 'ended' };

export class IPv6Lookup implements ResolutionReceiver {
  /**
   * Fires with the first IPv6 address of the name; fails with `DNSLookupError`, `ConnectTimeoutError`, or when
   * cancelled with `ConnectingCancelledError`.
   */
  readonly whenFound: Deferred<FoundAddress>;

  readonly #reactor: LookupReactor;
  readonly #destination: LookupDestination;
  readonly #timeoutSeconds: number;
  #state: State;
  #resolution: HostResolution | undefined;
  #found: IPv6Address | undefined;

  /** The lookup begins in the next turn. */
  constructor(
    reactor: LookupReactor,
    destination: LookupDestination,
    timeoutSeconds: number,
    signal: AbortSignal | undefined,
  ) {
    this.#reactor = reactor;
    this.#destination = destination;
    this.#timeoutSeconds = timeoutSeconds;
    this.#state = { name: 'waiting', begin: reactor.callLater(0, () => this.#begin()) };
    this.whenFound = new Deferred<FoundAddress>(() => {
      this.#fail(new ConnectingCancelledError(destination, causeOfAbort(signal)));
    });
  }

  #begin(): void {
    const timer = this.#reactor.callLater(this.#timeoutSeconds, () => {
      const seconds = String(this.#timeoutSeconds);
      this.#fail(new ConnectTimeoutError(`The name ${this.#destination.host} was not resolved within ${seconds} s`));
    });
    this.#state = { name: 'resolving', timer };
    const { host, port } = this.#destination;
    this.#reactor.nameResolver.resolveHostName(this, host, { port, families: ['IPv6'], transport: 'TCP' });
  }

  resolutionBegan(resolution: HostResolution): void {
    this.#resolution = resolution;
  }

  addressResolved(address: Address): void {
    // A resolver of the user's own may pay no heed to the families asked for.
    if (this.#found !== undefined || !(address instanceof IPv6Address)) return;
    this.#found = address;
    this.#reactor.callLater(0, () => this.#succeed(address));
  }

  resolutionComplete(cause?: Error): void {
    if (this.#found !== undefined) return;
    const why = cause === undefined ? 'it has no IPv6 address' : cause.message;
    const error = new DNSLookupError(`Cannot resolve ${this.#destination.host}: ${why}`, { cause });
    this.#reactor.callLater(0, () => this.#fail(error));
  }

  #succeed(address: IPv6Address): void {
    if (this.#state.name !== 'resolving') return;
    const secondsLeft = this.#state.timer.getTime() - this.#reactor.seconds();
    this.#end();
    this.whenFound.callback({ address, secondsLeft });
  }

  #fail(error: Error): void {
    if (this.#state.name === 'ended') return;
    this.#end();
    this.whenFound.errback(error);
  }

  #end(): void {
    if (this.#state.name === 'waiting') this.#state.begin[Symbol.dispose]();
    if (this.#state.name === 'resolving') this.#state.timer[Symbol.dispose]();
    this.#state = { name: 'ended' };
    this.#resolution?.cancel();
  }
}
