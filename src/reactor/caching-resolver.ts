import { requireDelay, requireIntegerFrom, requireMethods, requireOptions } from '../arguments.ts';
import { type Address, IPv4Address, IPv6Address } from '../addresses.ts';
import type { HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from '../interfaces/resolver.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { parseIPLiteral } from '../ip-literal.ts';
import { normalizeHostName } from './host-table.ts';
import { type ResolutionAnswer, ScheduledResolution } from './scheduled-resolution.ts';
import { SharedLookup } from './shared-lookup.ts';

const DEFAULT_TIME_TO_LIVE_SECONDS = 60;
const DEFAULT_NEGATIVE_TIME_TO_LIVE_SECONDS = 5;
const DEFAULT_ENTRIES_MAX = 1000;

/**
 * What says that a name has no address, rather than that nobody could be asked: Node's word for both of `getaddrinfo`'s, these
 * themselves, and that of resolvers which ask servers directly (`node:dns`).
 */
const NO_ADDRESS_CODES: ReadonlySet<unknown> = new Set([
  'ENOTFOUND',
  'EAI_NONAME',
  'EAI_NODATA',
  'EAI_ADDRFAMILY',
  'ENODATA',
]);

/** The options of a caching resolver. */
export interface CachingResolverOptions {
  /** For how many seconds addresses are used again, counted from when they were complete; 60 by default, 0 for never. */
  readonly timeToLiveSeconds?: number;
  /** For how many seconds a name that has no address is not looked up again; 5 by default, 0 for never. */
  readonly negativeTimeToLiveSeconds?: number;
  /** How many answers are kept, 1000 by default; of more than that, the one that has not been used for longest goes. */
  readonly entriesMax?: number;
}

interface Entry {
  readonly answer: ResolutionAnswer;
  readonly expiresAt: number;
}

/**
 * Remembers what another resolver found, for a time on the clock that it is given, and has that resolver asked once for
 * what several ask at the same time. `getaddrinfo`, behind the resolver of Node, tells no times to live, so the
 * times are the user's to set.
 *
 * A lookup is the name and the families; ports and transports share one. Each who asks may cancel by itself; when the
 * last one has, the lookup is cancelled and nothing is remembered. Answers from memory come in a call of the clock
 * with no delay, never from inside `resolveHostName`. Address literals are not remembered, nor is a lookup that has failed
 * for another reason than that the name has no address: a server that did not answer may answer the next time. What counts
 * is the `code` of the cause (`ENOTFOUND`, `ENODATA`, `EAI_NONAME`, …), or that there is none. No delayed call waits for an
 * answer to expire. The lookups under way are not counted in `entriesMax`: each has somebody who waits for it.
 */
export class CachingResolver implements HostnameResolver {
  readonly #resolver: HostnameResolver;
  readonly #clock: ReactorTime;
  readonly #timeToLiveSeconds: number;
  readonly #negativeTimeToLiveSeconds: number;
  readonly #entriesMax: number;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #lookups = new Map<string, SharedLookup>();

  /** Throws `TypeError` or `RangeError` for options that cannot be meant. */
  constructor(resolver: HostnameResolver, clock: ReactorTime, options: CachingResolverOptions = {}) {
    requireMethods('resolver', resolver, ['resolveHostName']);
    requireMethods('clock', clock, ['callLater', 'seconds']);
    requireOptions('options', options, ['timeToLiveSeconds', 'negativeTimeToLiveSeconds', 'entriesMax']);
    const {
      timeToLiveSeconds = DEFAULT_TIME_TO_LIVE_SECONDS,
      negativeTimeToLiveSeconds = DEFAULT_NEGATIVE_TIME_TO_LIVE_SECONDS,
      entriesMax = DEFAULT_ENTRIES_MAX,
    } = options;
    requireDelay('timeToLiveSeconds', timeToLiveSeconds);
    requireDelay('negativeTimeToLiveSeconds', negativeTimeToLiveSeconds);
    requireIntegerFrom('entriesMax', entriesMax, 1);
    this.#resolver = resolver;
    this.#clock = clock;
    this.#timeToLiveSeconds = timeToLiveSeconds;
    this.#negativeTimeToLiveSeconds = negativeTimeToLiveSeconds;
    this.#entriesMax = entriesMax;
  }

  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    if (parseIPLiteral(hostName) !== undefined) return this.#resolver.resolveHostName(receiver, hostName, options);
    const key = keyOf(hostName, options);
    const known = this.#recall(key);
    if (known === undefined) return this.#ask(key, receiver, hostName, options);
    const addresses = known.addresses.map(adapterFor(options));
    return new ScheduledResolution(this.#clock, receiver, hostName, { addresses, cause: known.cause });
  }

  /** Forgets all answers, and does not keep those of the lookups under way: whoever asks from now on is told anew. */
  clear(): void {
    this.#entries.clear();
    this.#lookups.clear();
  }

  /** The answer, if there is one that has not expired; it counts as used. */
  #recall(key: string): ResolutionAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expiresAt <= this.#clock.seconds()) return undefined;
    this.#entries.set(key, entry);
    return entry.answer;
  }

  #ask(key: string, receiver: ResolutionReceiver, hostName: string, options: ResolveOptions): HostResolution {
    const resolution = new SharedResolution(hostName);
    receiver.resolutionBegan(resolution);
    if (resolution.state === 'cancelled') return resolution;
    const running = this.#lookups.get(key);
    const lookup = running ?? this.#newLookup(key);
    resolution.joined(lookup.join(receiver, adapterFor(options)));
    if (running === undefined) {
      const { families } = options;
      lookup.start(this.#resolver, hostName, families === undefined ? {} : { families });
    }
    return resolution;
  }

  #newLookup(key: string): SharedLookup {
    const lookup = new SharedLookup(this.#clock, (answer) => {
      // Another may have taken its place after `clear`.
      if (this.#lookups.get(key) !== lookup) return;
      this.#lookups.delete(key);
      if (answer !== undefined) this.#remember(key, answer);
    });
    this.#lookups.set(key, lookup);
    return lookup;
  }

  #remember(key: string, answer: ResolutionAnswer): void {
    if (!isKnown(answer)) return;
    const seconds = answer.addresses.length > 0 ? this.#timeToLiveSeconds : this.#negativeTimeToLiveSeconds;
    if (seconds === 0) return;
    this.#entries.set(key, { answer, expiresAt: this.#clock.seconds() + seconds });
    if (this.#entries.size <= this.#entriesMax) return;
    const [unusedForLongest] = this.#entries.keys();
    if (unusedForLongest !== undefined) this.#entries.delete(unusedForLongest);
  }
}

/** One who asks, as the handle that it is given. */
class SharedResolution implements HostResolution {
  readonly name: string;
  #state: 'waiting' | 'cancelled' = 'waiting';
  #leave: (() => void) | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get state(): 'waiting' | 'cancelled' {
    return this.#state;
  }

  /** It waits for a lookup, which `leave` makes it leave. */
  joined(leave: () => void): void {
    this.#leave = leave;
  }

  cancel(): void {
    this.#state = 'cancelled';
    this.#leave?.();
  }
}

function keyOf(hostName: string, { families = ['IPv4', 'IPv6'] }: ResolveOptions): string {
  const sorted = [...new Set(families)].sort();
  return `${sorted.join('+')} ${normalizeHostName(hostName)}`;
}

/** Whether the resolver knows that there is no other address, and not only could not find out. */
function isKnown({ cause }: ResolutionAnswer): boolean {
  return cause === undefined || ('code' in cause && NO_ADDRESS_CODES.has(cause.code));
}

/** Gives an address the port and the transport that were asked for. */
function adapterFor({ port = 0, transport = 'TCP' }: ResolveOptions): (address: Address) => Address {
  return (address) => {
    switch (address.family) {
      case 'IPv4':
        return new IPv4Address(transport, address.host, port);
      case 'IPv6':
        return new IPv6Address(transport, address.host, port);
      case 'Hostname':
      case 'UNIX':
        return address;
    }
  };
}
