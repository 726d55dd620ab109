import { requireMethods, requireOptions } from '../arguments.ts';
import type { Address } from '../addresses.ts';
import type { HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from '../interfaces/resolver.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { type HostNames, HostTable } from './host-table.ts';
import { ScheduledResolution } from './scheduled-resolution.ts';

/** The options of a static resolver. */
export interface StaticResolverOptions {
  /** Is asked for the names that the table does not have. Without one they have no address. */
  readonly fallback?: HostnameResolver;
}

/**
 * Resolves names from a table, as a hosts file does: for tests, and to point names elsewhere.
 *
 * Names are compared without regard to case and a final dot; an address literal is itself. The addresses come in the
 * order of the table, in a call of the clock with no delay, so never from inside `resolveHostName`. A name with an
 * entry is never looked up elsewhere, even if the entry has no address of the family asked for.
 */
export class StaticResolver implements HostnameResolver {
  readonly #table: HostTable;
  readonly #clock: ReactorTime;
  readonly #fallback: HostnameResolver | undefined;

  /** Throws `TypeError` for an entry that is not an address literal. The table is copied. */
  constructor(names: HostNames, clock: ReactorTime, options: StaticResolverOptions = {}) {
    requireOptions('options', options, ['fallback']);
    requireMethods('clock', clock, ['callLater']);
    const { fallback } = options;
    if (fallback !== undefined) requireMethods('fallback', fallback, ['resolveHostName']);
    this.#table = new HostTable(names);
    this.#clock = clock;
    this.#fallback = fallback;
  }

  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    if (this.#fallback !== undefined && !this.#table.has(hostName)) {
      return this.#fallback.resolveHostName(receiver, hostName, options);
    }
    const addresses: readonly Address[] = this.#table.lookUp(hostName, options);
    return new ScheduledResolution(this.#clock, receiver, hostName, {
      addresses,
      cause: addresses.length > 0 ? undefined : this.#whyNothing(hostName),
    });
  }

  /** With the code that Node has for it. */
  #whyNothing(hostName: string): Error {
    const what = this.#table.has(hostName)
      ? `no address of the family asked for under '${hostName}'`
      : `no '${hostName}'`;
    return Object.assign(new Error(`the table of names has ${what}`), { code: 'ENOTFOUND' });
  }
}
