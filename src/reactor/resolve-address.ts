import { requireString } from '../arguments.ts';
import { Deferred } from '../deferred/deferred.ts';
import { succeed } from '../deferred/succeed-fail.ts';
import { DNSLookupError, InvalidAddressError } from '../errors.ts';
import type { HostResolution, IPFamily } from '../interfaces/resolver.ts';
import { parseIPLiteral } from '../ip-literal.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** Throws `InvalidAddressError` for an address of the other family and `TypeError` for what is no string; a name may have one of either. */
export function requireHostOf(family: IPFamily, name: string, host: string): void {
  requireString(name, host);
  const literal = parseIPLiteral(host);
  if (literal !== undefined && literal.family !== family) {
    throw new InvalidAddressError(host, `${name} must be an ${family} address`);
  }
}

/**
 * The address of a host in one family: an address is its own and fires at once; a name is looked up, and the answer comes while
 * the reactor runs. Fails with `DNSLookupError`. Cancelling it gives the lookup up.
 */
export function resolveAddress(parts: ReactorParts, host: string, family: IPFamily): Deferred<string> {
  if (parseIPLiteral(host) !== undefined) return succeed(host);
  const found: string[] = [];
  const answer = new Deferred<string>(() => {
    resolution.cancel();
  });
  const complete = (cause: Error | undefined): void => {
    if (answer.called) return;
    const first = found[0];
    const why = cause?.message ?? `it has no ${family} address`;
    if (first !== undefined) answer.callback(first);
    else answer.errback(new DNSLookupError(`Cannot resolve ${host}: ${why}`, { cause }));
  };
  const resolution: HostResolution = parts.nameResolver.resolveHostName(
    {
      resolutionBegan: () => undefined,
      addressResolved: (address) => {
        if (address.family === family) found.push(address.host);
      },
      resolutionComplete: (cause) => {
        parts.loop.deliver(() => {
          complete(cause);
        });
      },
    },
    host,
    { families: [family], transport: 'UDP' },
  );
  return answer;
}
