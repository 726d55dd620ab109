import { domainToASCII } from 'node:url';
import { normalizeHostName } from '../../reactor/host-table.ts';

/**
 * The name of a host as it stands in certificates and in SNI (RFC 6066, section 3; RFC 9525): labels beyond ASCII as A-labels,
 * in lower case, without the dot of the root. Undefined for what can be no name.
 */
export function asciiHostName(name: string): string | undefined {
  // It reads an ASCII name as a URL would, where `1.2` is an address.
  const ascii = isASCII(name) ? name : domainToASCII(name);
  return normalizeHostName(ascii) || undefined;
}

function isASCII(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
