import { lookup, type LookupAddress } from 'node:dns';
import { IPv4Address, IPv6Address, type Address } from '../addresses.ts';
import type { HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from '../interfaces/resolver.ts';

/**
 * The system's resolver (`getaddrinfo`, by `dns.lookup`), so that /etc/hosts and the like are obeyed. Addresses come in
 * the system's order. A lookup under way keeps the process alive until it has ended, cancelled or not.
 */
export class NodeResolver implements HostnameResolver {
  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    const resolution = new Lookup(receiver, hostName, options);
    receiver.resolutionBegan(resolution);
    resolution.start();
    return resolution;
  }
}

class Lookup implements HostResolution {
  readonly name: string;
  readonly #options: ResolveOptions;
  /** Undefined once it has heard everything, or has cancelled. */
  #receiver: ResolutionReceiver | undefined;

  constructor(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions) {
    this.name = hostName;
    this.#receiver = receiver;
    this.#options = options;
  }

  start(): void {
    if (this.name === '') {
      // Node warns that it looks at this name; what it finds is nothing.
      setImmediate(() => this.#ended(null, []));
      return;
    }
    try {
      lookup(this.name, { all: true, verbatim: true, family: familyFor(this.#options) }, (error, found) => {
        // Node calls back at once for some names that cannot be looked up; the receiver is never called from inside.
        setImmediate(() => this.#ended(error, error === null ? found : []));
      });
    } catch (error) {
      // A name that Node will not look at, such as one with a character that no name can have.
      setImmediate(() => this.#ended(error instanceof Error ? error : new Error(String(error)), []));
    }
  }

  cancel(): void {
    this.#receiver = undefined;
  }

  #ended(cause: Error | null, found: readonly LookupAddress[]): void {
    for (const { address, family } of found) {
      const resolved = this.#toAddress(address, family);
      // Looked at each time, because the receiver may cancel at any address.
      if (resolved !== undefined) this.#receiver?.addressResolved(resolved);
    }
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.resolutionComplete(cause ?? undefined);
  }

  /** Undefined for a family that was not asked for: an address literal comes back whatever its family. */
  #toAddress(host: string, family: number): Address | undefined {
    const { transport = 'TCP', port = 0, families } = this.#options;
    const address = family === 6 ? new IPv6Address(transport, host, port) : new IPv4Address(transport, host, port);
    return families === undefined || families.includes(address.family) ? address : undefined;
  }
}

/** The number that `dns.lookup` has for the families asked for; 0 means both. */
function familyFor({ families = ['IPv4', 'IPv6'] }: ResolveOptions): 0 | 4 | 6 {
  if (families.includes('IPv4')) return families.includes('IPv6') ? 0 : 4;
  return families.includes('IPv6') ? 6 : 0;
}
