import type { IPLiteral } from '../ip-literal.ts';

/** The address of all IPv4 interfaces. */
export const ANY_IPV4 = '0.0.0.0';
/** `::`, the address of all interfaces of both families, in its canonical spelling. */
export const ANY_IPV6 = '0:0:0:0:0:0:0:0';

/** Where the ports begin that a host gives out by itself; the range that IANA keeps for this (RFC 6335). */
export const EPHEMERAL_PORT_FIRST = 49_152;
const PORT_MAX = 65_535;

interface Binding<T> {
  readonly literal: IPLiteral;
  readonly owner: T;
  /** Whether others who say so too may bind the same. */
  readonly shared: boolean;
}

/**
 * Which of its ports a host uses: bound by listeners, each at one address or at all, and held by the local ends of
 * connections. Ports that the host chooses are handed out in order, from 49,152 upwards and round again.
 */
export class PortTable<T> {
  readonly #bindings = new Map<number, Binding<T>[]>();
  readonly #held = new Set<number>();
  #nextEphemeral = EPHEMERAL_PORT_FIRST;

  /**
   * Binds a port, 0 for any that is free. Returns its number, or undefined if it is taken; by others who are `shared`, it is
   * not for one who is.
   */
  bind(literal: IPLiteral, port: number, owner: T, shared = false): number | undefined {
    const number = port === 0 ? this.#chooseEphemeral() : port;
    if (number === undefined || this.#conflicts(literal, number, shared)) return undefined;
    const bindings = this.#bindings.get(number) ?? [];
    bindings.push({ literal, owner, shared });
    this.#bindings.set(number, bindings);
    return number;
  }

  unbind(port: number, owner: T): void {
    const left = (this.#bindings.get(port) ?? []).filter((binding) => binding.owner !== owner);
    if (left.length > 0) this.#bindings.set(port, left);
    else this.#bindings.delete(port);
  }

  /** Whether a listener has the address. */
  isBound(literal: IPLiteral, port: number): boolean {
    return this.#conflicts(literal, port, false);
  }

  /** All who are bound where the address is: first those at just that address, then those at all; in the order in which they bound. */
  findAll(literal: IPLiteral, port: number): readonly T[] {
    const bindings = (this.#bindings.get(port) ?? []).filter((binding) => overlap(binding.literal, literal));
    const isExact = (binding: Binding<T>): boolean => binding.literal.canonical === literal.canonical;
    return [...bindings.filter(isExact), ...bindings.filter((binding) => !isExact(binding))].map(({ owner }) => owner);
  }

  /**
   * Who listens for connections to an address: the owner of just that address before the owner of all of its family, and that
   * one before the owner of all of both. Among those who share it, the port that a connection comes from decides, as its hash does
   * in a real system: connections from ports in a row go to one after the other.
   */
  find(literal: IPLiteral, port: number, fromPort: number): T | undefined {
    const bindings = (this.#bindings.get(port) ?? []).filter((binding) => overlap(binding.literal, literal));
    const closest = Math.max(...bindings.map((binding) => closeness(binding.literal, literal)));
    const candidates = bindings.filter((binding) => closeness(binding.literal, literal) === closest);
    return candidates[fromPort % candidates.length]?.owner;
  }

  /** Takes a port for the local end of a connection, 0 for any that is free. Undefined if there is none. */
  hold(literal: IPLiteral, port: number): number | undefined {
    const number = port === 0 ? this.#chooseEphemeral() : port;
    if (number === undefined || this.#held.has(number) || this.isBound(literal, number)) return undefined;
    this.#held.add(number);
    return number;
  }

  release(port: number): void {
    this.#held.delete(port);
  }

  /** Whether a listener stands in the way of binding the address. */
  #conflicts(literal: IPLiteral, port: number, shared: boolean): boolean {
    const bindings = this.#bindings.get(port) ?? [];
    return bindings.some((binding) => !(binding.shared && shared) && overlap(binding.literal, literal));
  }

  #chooseEphemeral(): number | undefined {
    for (let tried = EPHEMERAL_PORT_FIRST; tried <= PORT_MAX; tried += 1) {
      const port = this.#nextEphemeral;
      this.#nextEphemeral = port === PORT_MAX ? EPHEMERAL_PORT_FIRST : port + 1;
      if (!this.#bindings.has(port) && !this.#held.has(port)) return port;
    }
    return undefined;
  }
}

/** How closely a listener's address names the address of a connection that it may have. */
function closeness(listener: IPLiteral, address: IPLiteral): number {
  if (listener.canonical === address.canonical) return 2;
  return listener.family === address.family ? 1 : 0;
}

/** Whether a listener at `one` gets connections to `other`. `::` takes both families, as systems do by default. */
function overlap(one: IPLiteral, other: IPLiteral): boolean {
  if (one.canonical === ANY_IPV6 || other.canonical === ANY_IPV6) return true;
  if (one.family !== other.family) return false;
  return one.canonical === other.canonical || one.canonical === ANY_IPV4 || other.canonical === ANY_IPV4;
}
