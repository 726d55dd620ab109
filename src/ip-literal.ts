/** Address literals: telling them from names, and from each other however they are spelled. */
import ipaddr from 'ipaddr.js';
import { type AddressType, HostnameAddress, IPv4Address, IPv6Address } from './addresses.ts';

/** The family of an address literal, and the one spelling under which it can be compared. */
export interface IPLiteral {
  readonly family: 'IPv4' | 'IPv6';
  readonly canonical: string;
}

/** Reads an IPv4 address in dotted decimal or an IPv6 address (a scope allowed, brackets not); undefined for anything else. */
export function parseIPLiteral(text: string): IPLiteral | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 'IPv4', canonical: text };
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  return { family: 'IPv6', canonical: ipaddr.IPv6.parse(text).toNormalizedString() };
}

/**
 * Whether a text is an address literal of this family, IPv4 in dotted decimal unless told otherwise. Throws nothing, whatever the
 * text. Source: Twisted's `internet.abstract.isIPAddress`.
 */
export function isIPAddress(text: string, family: 'IPv4' | 'IPv6' = 'IPv4'): boolean {
  return parseIPLiteral(text)?.family === family;
}

/** Whether a text is an IPv6 literal, with a scope or without; brackets are none of it. Source: `isIPv6Address` there. */
export function isIPv6Address(text: string): boolean {
  return isIPAddress(text, 'IPv6');
}

/** Whether two addresses are the same host and port, however the host is spelled; `equals` of an address takes it as it stands. */
export function isSameEndpoint(one: IPv4Address | IPv6Address, other: IPv4Address | IPv6Address): boolean {
  return one.port === other.port && parseIPLiteral(one.host)?.canonical === parseIPLiteral(other.host)?.canonical;
}

/** The address object for a host, which may be a literal of either family or a name. */
export function addressOf(type: AddressType, host: string, port: number): IPv4Address | IPv6Address | HostnameAddress {
  switch (parseIPLiteral(host)?.family) {
    case 'IPv4':
      return new IPv4Address(type, host, port);
    case 'IPv6':
      return new IPv6Address(type, host, port);
    case undefined:
      return new HostnameAddress(type, host, port);
  }
}
