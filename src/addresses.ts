/**
 * What `getHost`, `getPeer` and `getDestination` return: frozen values, compared with `equals`, usable as map keys by
 * `toString` (Twisted's `internet.address`).
 */

/** Which transport an address belongs to. */
export type AddressType = 'TCP' | 'UDP';

/** Any address; `family` tells them apart, as does `instanceof`. */
export type Address = IPv4Address | IPv6Address | UNIXAddress | HostnameAddress;

/** What the three addresses made of a host and a port share. */
abstract class HostAndPort {
  /** Which class it is, for a `switch`. */
  abstract readonly family: string;
  /** Which transport it belongs to; part of what makes two addresses equal. */
  readonly type: AddressType;
  /** An address literal without brackets, or a name in `HostnameAddress`. */
  readonly host: string;
  /** From 0 to 65,535. */
  readonly port: number;

  constructor(type: AddressType, host: string, port: number) {
    this.type = type;
    this.host = host;
    this.port = port;
  }

  /** True for an address of the same class with the same type, host and port. */
  equals(other: unknown): boolean {
    return (
      other instanceof HostAndPort &&
      other.family === this.family &&
      other.type === this.type &&
      other.host === this.host &&
      other.port === this.port
    );
  }

  /** Equal for equal addresses, so it serves as the key of a map. */
  toString(): string {
    return `${this.family}Address(type='${this.type}', host='${this.host}', port=${String(this.port)})`;
  }
}

/** An IPv4 socket address; `host` is dotted decimal. */
export class IPv4Address extends HostAndPort {
  /** Always this; tells the classes of `Address` apart. */
  readonly family = 'IPv4' as const;

  constructor(type: AddressType, host: string, port: number) {
    super(type, host, port);
    Object.freeze(this);
  }
}

/** An IPv6 socket address; `host` has no brackets, and a scope stands in it (`fe80::1%eth0`). */
export class IPv6Address extends HostAndPort {
  /** Always this; tells the classes of `Address` apart. */
  readonly family = 'IPv6' as const;

  constructor(type: AddressType, host: string, port: number) {
    super(type, host, port);
    Object.freeze(this);
  }
}

/** A host by name, not resolved yet: where a connection is going. */
export class HostnameAddress extends HostAndPort {
  /** Always this; tells the classes of `Address` apart. */
  readonly family = 'Hostname' as const;

  constructor(type: AddressType, host: string, port: number) {
    super(type, host, port);
    Object.freeze(this);
  }
}

/** How the name of a UNIX socket begins that has no file (Linux, unix(7)). */
const ABSTRACT_PREFIX = '\0';

/** Whether the path of a UNIX socket is a name without a file. */
export function isAbstractPath(path: string): boolean {
  return path.startsWith(ABSTRACT_PREFIX);
}

/**
 * The path of a UNIX socket for people to read: `@name` for an abstract name, whose NUL no message and no log can bear. A
 * file whose own name begins so is told apart by `./`.
 */
export function printablePath(path: string): string {
  if (isAbstractPath(path)) return `@${path.slice(ABSTRACT_PREFIX.length)}`;
  return path.startsWith('@') ? `./${path}` : path;
}

/** The path of a UNIX socket; undefined for a client's end, which has no name. */
export class UNIXAddress {
  /** Always this; tells the classes of `Address` apart. */
  readonly family = 'UNIX' as const;
  /** The path, or a NUL and an abstract name; undefined where there is neither. */
  readonly name: string | undefined;

  constructor(name: string | undefined) {
    this.name = name;
    Object.freeze(this);
  }

  /** True for a UNIX address with the same path. */
  equals(other: unknown): boolean {
    return other instanceof UNIXAddress && other.name === this.name;
  }

  /** Equal for equal addresses, so it serves as the key of a map. An abstract name stands behind an `@`. */
  toString(): string {
    return `UNIXAddress(${this.name === undefined ? '' : `'${printablePath(this.name)}'`})`;
  }
}
