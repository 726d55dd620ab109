import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * The address of a local interface as the multicast calls of Node take it. For IPv6 they look at the scope alone
 * (`::%eth0`) and take an address without one for the system's choice, so the interface that has the address is looked up. Throws
 * `EADDRNOTAVAIL` if none has.
 */
export function interfaceAddress(host: string): string {
  if (!isIPv6(host) || host.includes('%') || host === '::') return host;
  const wanted = normalized(host);
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (!addresses.some(({ address }) => normalized(address) === wanted)) continue;
    // Windows has numbers for scopes, and tells them with addresses of the link.
    const scope = addresses.find((address) => address.family === 'IPv6' && address.scopeid > 0);
    const numbered = process.platform === 'win32' && scope?.family === 'IPv6' ? scope.scopeid : undefined;
    return `::%${numbered ?? name}`;
  }
  const message = `EADDRNOTAVAIL: no interface of this host has the address ${host}`;
  throw Object.assign(new Error(message), { code: 'EADDRNOTAVAIL' });
}

/** One spelling for all of an address; that of `URL`. */
function normalized(host: string): string {
  return isIPv6(host) && !host.includes('%') ? new URL(`http://[${host}]`).hostname : host;
}
