/** Address literals: telling them from names, and from each other however they are spelled. */

export type IPFamily = 'IPv4' | 'IPv6';

/** The one spelling under which an address is looked up, and its family. Undefined if `text` is no address literal. */
export interface IPLiteral {
  readonly family: IPFamily;
  readonly canonical: string;
}

const GROUPS = 8;

export function parseIPLiteral(text: string): IPLiteral | undefined {
  if (isDottedDecimal(text)) return { family: 'IPv4', canonical: text };
  const [address = '', scope] = text.split('%', 2);
  const groups = parseGroups(address);
  if (groups === undefined || scope === '') return undefined;
  const canonical = groups.map((group) => group.toString(16)).join(':');
  return { family: 'IPv6', canonical: scope === undefined ? canonical : `${canonical}%${scope}` };
}

/** The address that binds every IPv4 address. */
export const ANY_IPV4 = '0.0.0.0';
/** `::`, the address that binds every address of both families, in its canonical spelling. */
export const ANY_IPV6 = '0:0:0:0:0:0:0:0';

function isDottedDecimal(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** The eight groups of an IPv6 address, its `::` filled up with zeros. */
function parseGroups(address: string): readonly number[] | undefined {
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (head === undefined) return undefined;
  const first = parseHalf(head, tail === undefined);
  const last = tail === undefined ? [] : parseHalf(tail, true);
  if (first === undefined || last === undefined) return undefined;
  const missing = GROUPS - first.length - last.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...first, ...new Array<number>(missing).fill(0), ...last];
}

/** The groups of one side of `::`; the last of an address may be dotted decimal and stands for two. */
function parseHalf(parts: readonly string[], isLast: boolean): number[] | undefined {
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (isLast && index === parts.length - 1 && isDottedDecimal(part)) {
      const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
