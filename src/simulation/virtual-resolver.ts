import type { Address } from '../addresses.ts';
import type { HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from '../interfaces/resolver.ts';
import { addressOf, parseIPLiteral } from '../ip-literal.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';

/** Which addresses a name has. */
export type HostNames = Readonly<Record<string, string | readonly string[]>>;

const BOTH_FAMILIES: readonly ('IPv4' | 'IPv6')[] = ['IPv4', 'IPv6'];

/**
 * Looks names up in a table; `localhost` is 127.0.0.1 and ::1 unless the table says otherwise, an address literal is
 * itself, and any other name is unknown (ENOTFOUND). Names are compared without regard to case and a final dot. The
 * answer comes at the instant of the question, but not from inside the call.
 */
export class VirtualResolver implements HostnameResolver {
  readonly #scheduler: Scheduler;
  readonly #names = new Map<string, readonly string[]>([['localhost', ['127.0.0.1', '::1']]]);

  /** Throws `TypeError` for an entry that is not an address literal. */
  constructor(scheduler: Scheduler, names: HostNames) {
    this.#scheduler = scheduler;
    for (const [name, entry] of Object.entries(names)) {
      const addresses = typeof entry === 'string' ? [entry] : [...entry];
      for (const address of addresses) {
        if (parseIPLiteral(address) === undefined) {
          throw new TypeError(`names.${name} must be IP addresses; got '${address}'`);
        }
      }
      this.#names.set(normalize(name), addresses);
    }
  }

  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    const addresses = this.#lookUp(hostName, options);
    let cancelled = false;
    const resolution: HostResolution = {
      name: hostName,
      cancel: () => {
        cancelled = true;
        answer.cancel();
      },
    };
    const answer = this.#scheduler.schedule(this.#scheduler.now(), () => {
      for (const address of addresses) {
        receiver.addressResolved(address);
        if (cancelled) return;
      }
      receiver.resolutionComplete(
        addresses.length > 0 ? undefined : new VirtualSystemError('ENOTFOUND', 'getaddrinfo', hostName),
      );
    });
    receiver.resolutionBegan(resolution);
    return resolution;
  }

  #lookUp(hostName: string, options: ResolveOptions): readonly Address[] {
    const { families = BOTH_FAMILIES, port = 0, transport = 'TCP' } = options;
    const literals = parseIPLiteral(hostName) === undefined ? this.#names.get(normalize(hostName)) : [hostName];
    const addresses: Address[] = [];
    for (const literal of literals ?? []) {
      const family = parseIPLiteral(literal)?.family;
      if (family === undefined || !families.includes(family)) continue;
      addresses.push(addressOf(transport, literal, port));
    }
    return addresses;
  }
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
