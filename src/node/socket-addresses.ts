import { isIPv4, type Socket } from 'node:net';
import { IPv4Address, IPv6Address, UNIXAddress, type Address, type AddressType } from '../addresses.ts';

/** How an IPv6 socket writes an IPv4 address (RFC 4291, section 2.5.5.2). */
const IPV4_MAPPED_PREFIX = '::ffff:';

/**
 * An address as Node's sockets and servers give it. A client that reached a listener on `::` by IPv4 has an IPv4
 * address, and so has the end it reached: that is what they are to everyone else.
 */
export function tcpAddress(family: string | undefined, host: string, port: number): Address {
  return ipAddress('TCP', family, host, port);
}

/** The same for datagrams. */
export function udpAddress(family: string | undefined, host: string, port: number): IPv4Address | IPv6Address {
  return ipAddress('UDP', family, host, port);
}

/** What an IPv6 socket calls an IPv4 host. */
export function toMappedAddress(host: string): string {
  return IPV4_MAPPED_PREFIX + host;
}

function ipAddress(
  type: AddressType,
  family: string | undefined,
  host: string,
  port: number,
): IPv4Address | IPv6Address {
  if (family !== 'IPv6') return new IPv4Address(type, host, port);
  const mapped = host.startsWith(IPV4_MAPPED_PREFIX) ? host.slice(IPV4_MAPPED_PREFIX.length) : '';
  return isIPv4(mapped) ? new IPv4Address(type, mapped, port) : new IPv6Address(type, host, port);
}

/**
 * The two ends of a TCP connection. The system no longer knows the addresses of one that was reset before it could be
 * asked; then they are `0.0.0.0` and port 0.
 */
export function tcpAddresses(socket: Socket): { readonly localAddress: Address; readonly remoteAddress: Address } {
  const { localFamily, localAddress, localPort, remoteFamily, remoteAddress, remotePort } = socket;
  return {
    localAddress: tcpAddress(localFamily, localAddress ?? '0.0.0.0', localPort ?? 0),
    remoteAddress: tcpAddress(remoteFamily, remoteAddress ?? '0.0.0.0', remotePort ?? 0),
  };
}

/** The two ends of a connection to a UNIX socket; the end that connected has no name. The path may be unknown. */
export function unixAddresses(
  side: 'client' | 'server',
  path: string | undefined,
): { readonly localAddress: Address; readonly remoteAddress: Address } {
  const named = new UNIXAddress(path);
  const unnamed = new UNIXAddress(undefined);
  return side === 'client'
    ? { localAddress: unnamed, remoteAddress: named }
    : { localAddress: named, remoteAddress: unnamed };
}
