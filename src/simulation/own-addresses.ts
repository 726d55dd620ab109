/** Which addresses a host of a virtual world uses, where every literal address is its own. */
import { IPv4Address, IPv6Address } from '../addresses.ts';
import { type IPLiteral, parseIPLiteral } from '../ip-literal.ts';
import { ANY_IPV4, ANY_IPV6 } from './port-table.ts';

/** Connecting or sending to the address of all interfaces means the host itself. */
export function destinationFor(host: string): string {
  switch (parseIPLiteral(host)?.canonical) {
    case ANY_IPV4:
      return '127.0.0.1';
    case ANY_IPV6:
      return '::1';
    default:
      return host;
  }
}

/** The address from which a host reaches another: its own, which on one host is the one it reaches. */
export function sourceFor(host: string, literal: IPLiteral): string {
  return literal.family === 'IPv4' && host.startsWith('127.') ? '127.0.0.1' : host;
}

/** Whether it is the address of a group (RFC 5771, RFC 4291). */
export function isMulticast({ family, canonical }: IPLiteral): boolean {
  if (family === 'IPv6') return /^ff[0-9a-f]{2}:/.test(canonical);
  const first = Number.parseInt(canonical, 10);
  return first >= 224 && first <= 239;
}

/** Whether it is an address of all hosts: of the local network (RFC 919), or of the loopback as Linux has it. */
export function isBroadcast({ canonical }: IPLiteral): boolean {
  return canonical === '255.255.255.255' || canonical === '127.255.255.255';
}

/** The address object for a literal and a port. */
export function udpAddress(literal: string, port: number): IPv4Address | IPv6Address {
  return literal.includes(':') ? new IPv6Address('UDP', literal, port) : new IPv4Address('UDP', literal, port);
}
