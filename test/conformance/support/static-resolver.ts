import {
  HostnameAddress,
  type HostnameResolver,
  type HostResolution,
  IPv4Address,
  IPv6Address,
  type Reactor,
  type ResolutionReceiver,
  type ResolveOptions,
} from 'ropewalk/core';

/** Looks names up in a table, in the next turn of a reactor. Names without an entry fail; `undefined` never answers. */
export class StaticResolver implements HostnameResolver {
  /** The names asked for, and `cancelled NAME`. */
  readonly calls: string[] = [];
  readonly #reactor: Reactor;
  readonly #names: Readonly<Record<string, readonly string[] | undefined>>;

  constructor(reactor: Reactor, names: Readonly<Record<string, readonly string[] | undefined>>) {
    this.#reactor = reactor;
    this.#names = names;
  }

  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    this.calls.push(hostName);
    let isCancelled = false;
    const resolution: HostResolution = {
      name: hostName,
      cancel: () => {
        isCancelled = true;
        this.calls.push(`cancelled ${hostName}`);
      },
    };
    receiver.resolutionBegan(resolution);
    const isSilent = hostName in this.#names && this.#names[hostName] === undefined;
    if (isSilent) return resolution;
    this.#reactor.callSoon(() => {
      if (isCancelled) return;
      const literals = this.#names[hostName];
      for (const literal of literals ?? []) {
        const AddressClass = literal.includes(':') ? IPv6Address : IPv4Address;
        receiver.addressResolved(new AddressClass('TCP', literal, options.port ?? 0));
      }
      receiver.resolutionComplete(literals === undefined ? new Error('the table does not have it') : undefined);
    });
    return resolution;
  }
}

/** Where a connector to a name goes to. */
export function hostname(host: string, port: number): HostnameAddress {
  return new HostnameAddress('TCP', host, port);
}
