/** Checks of where a datagram is to go, and of how long it may be. */
import { Buffer } from 'node:buffer';
import { IPv4Address, IPv6Address } from '../addresses.ts';
import { describe, requireData, requirePort, requireString } from '../arguments.ts';
import { InvalidAddressError, MessageLengthError } from '../errors.ts';
import type { DatagramDestination } from '../interfaces/datagram-transport.ts';
import type { IPFamily } from '../interfaces/resolver.ts';
import { isSameEndpoint, parseIPLiteral } from '../ip-literal.ts';

/** What fits into a datagram: 16 bits of length in all, less the headers that are counted in it (RFC 768, 791, 8200). */
export const DATAGRAM_BYTES_MAX: Readonly<Record<IPFamily, number>> = {
  /** Less 20 bytes of IP and 8 of UDP. */
  IPv4: 65_507,
  /** Less 8 bytes of UDP. */
  IPv6: 65_527,
};

/** The families that a socket can send to: its own first, and both at `::`. */
export function familiesAt(host: string): readonly [IPFamily, ...IPFamily[]] {
  const literal = parseIPLiteral(host);
  if (literal?.family !== 'IPv6') return ['IPv4'];
  return literal.canonical === '0:0:0:0:0:0:0:0' ? ['IPv6', 'IPv4'] : ['IPv6'];
}

/** The address of a host and a port. Throws `InvalidAddressError` for a name, or an address of a family that is not among these. */
export function requireDestination(
  host: string,
  port: number,
  families: readonly IPFamily[],
): IPv4Address | IPv6Address {
  requireString('host', host);
  const literal = parseIPLiteral(host);
  if (literal === undefined) throw new InvalidAddressError(host, 'A datagram needs an IP address, not a name');
  if (!families.includes(literal.family)) {
    throw new InvalidAddressError(host, `The port sends to ${families.join(' and ')} addresses only`);
  }
  requirePort('port', port, 1);
  return literal.family === 'IPv4' ? new IPv4Address('UDP', host, port) : new IPv6Address('UDP', host, port);
}

/** Where `write` sends to: the address it was given, which must be the peer's if there is one, or else the peer. */
export function chooseDestination(
  address: DatagramDestination | undefined,
  peer: IPv4Address | IPv6Address | undefined,
  families: readonly IPFamily[],
): IPv4Address | IPv6Address {
  if (address === undefined && peer !== undefined) return peer;
  const given: unknown = address;
  if (typeof given !== 'object' || given === null || address === undefined) {
    throw new TypeError(
      `address must be an object with host and port, unless the port is connected; got ${describe(given)}`,
    );
  }
  const destination = requireDestination(address.host, address.port, families);
  if (peer !== undefined && !isSameEndpoint(destination, peer)) {
    throw new InvalidAddressError(address.host, `The port is connected to ${String(peer)}, and sends to nobody else`);
  }
  return destination;
}

/** The bytes of one datagram. */
export function toBytes(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  requireData(data);
  return data;
}

/** Throws `MessageLengthError` for what no datagram to that address can carry. */
export function requireLength(data: Uint8Array, to: IPv4Address | IPv6Address): void {
  const bytesMax = DATAGRAM_BYTES_MAX[to.family];
  if (data.length <= bytesMax) return;
  const family = to.family === 'IPv4' ? 'an IPv4' : 'an IPv6';
  throw new MessageLengthError(
    `A datagram to ${family} address has at most ${String(bytesMax)} bytes; this one has ${String(data.length)}`,
  );
}
