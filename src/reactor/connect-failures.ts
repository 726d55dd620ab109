import { type Address, printablePath } from '../addresses.ts';
import { type ConnectError, ConnectTimeoutError, DNSLookupError } from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { IPFamily } from '../interfaces/resolver.ts';
import { connectErrorClass } from './system-errors.ts';
import { tlsErrorFor } from './tls-errors.ts';

/** What has gone wrong so far with each address of an attempt to connect, and the words for the error that ends it. */
export class ConnectFailures {
  readonly #destination: Address;
  /** One line for each address. */
  readonly #lines: string[] = [];

  constructor(destination: Address) {
    this.#destination = destination;
  }

  /** An address did not answer as it should. */
  add(address: Address, why: string): void {
    this.#lines.push(`${nameOf(address)}: ${why}`);
  }

  /** The name has no address that is wanted. */
  unresolved(name: string, families: readonly IPFamily[], cause: Error | undefined): DNSLookupError {
    const why = cause === undefined ? `it has no address of ${families.join(' or ')}` : cause.message;
    return new DNSLookupError(`Cannot resolve ${name}: ${why}`, { cause });
  }

  /** The last address has failed so. */
  cannotConnect(error: SystemError): ConnectError {
    const errorClass = connectErrorClass(error);
    return new errorClass(this.#withAll(`Cannot connect to ${nameOf(this.#destination)}`), { cause: error });
  }

  /** The handshake over a connection that had been made has failed so, with a peer that is to be `servername`. */
  cannotSecure(error: SystemError, servername: string | undefined): Error {
    return tlsErrorFor(error, servername ?? nameOf(this.#destination)) ?? this.cannotConnect(error);
  }

  /** Time is up; `address` is where something was missing, unless it was the name that had not been resolved. */
  timedOut(seconds: number, address: Address | undefined, missing: string): ConnectTimeoutError {
    if (address === undefined) this.#lines.push(missing);
    else this.add(address, missing);
    const sentence = `Connecting to ${nameOf(this.#destination)} took more than ${String(seconds)} s`;
    return new ConnectTimeoutError(this.#withAll(sentence));
  }

  /** A sentence, and every attempt made. */
  #withAll(sentence: string): string {
    return `${sentence} (${this.#lines.join('; ')})`;
  }
}

function nameOf(address: Address): string {
  return address.family === 'UNIX' ? printablePath(address.name ?? '') : `${address.host} port ${String(address.port)}`;
}
