import { requireString } from '../arguments.ts';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { IPFamily, ResolveOptions } from '../interfaces/resolver.ts';
import { addressOf, parseIPLiteral } from '../ip-literal.ts';

/** Which addresses names have: IP address literals, in the order in which they are to be tried. */
export type HostNames = Readonly<Record<string, string | readonly string[]>>;

const BOTH_FAMILIES: readonly IPFamily[] = ['IPv4', 'IPv6'];

/** A table as that of a hosts file. Names are compared without regard to case and a final dot. */
export class HostTable {
  readonly #names = new Map<string, readonly string[]>();

  /** Throws `TypeError` for an entry that is not an address literal. */
  constructor(names: HostNames) {
    for (const [name, entry] of Object.entries(names)) {
      const addresses = typeof entry === 'string' ? [entry] : [...entry];
      for (const address of addresses) {
        requireString(`names.${name}`, address);
        if (parseIPLiteral(address) === undefined) {
          throw new TypeError(`names.${name} must be IP addresses; got '${address}'`);
        }
      }
      this.#names.set(normalizeHostName(name), addresses);
    }
  }

  /** Whether it has an answer: the name has an entry, be it an empty one, or is an address literal. */
  has(hostName: string): boolean {
    return parseIPLiteral(hostName) !== undefined || this.#names.has(normalizeHostName(hostName));
  }

  /** The addresses of a name that are of the families asked for; an address literal is its own. */
  lookUp(hostName: string, options: ResolveOptions): readonly (IPv4Address | IPv6Address)[] {
    const { families = BOTH_FAMILIES, port = 0, transport = 'TCP' } = options;
    const literals = parseIPLiteral(hostName) === undefined ? this.#names.get(normalizeHostName(hostName)) : [hostName];
    return (literals ?? []).flatMap((literal) => {
      const address = addressOf(transport, literal, port);
      return address.family !== 'Hostname' && families.includes(address.family) ? [address] : [];
    });
  }
}

/** The one spelling under which names are compared (RFC 4343): lower case, without the dot of the root. */
export function normalizeHostName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
