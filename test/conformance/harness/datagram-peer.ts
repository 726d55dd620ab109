import type { IPv4Address, IPv6Address } from 'ropewalk/core';

/** A datagram that has arrived. */
export interface ReceivedDatagram {
  readonly data: Buffer;
  readonly address: IPv4Address | IPv6Address;
}

/** A socket for datagrams that is no reactor's. */
export interface DatagramPeer {
  /** What has arrived, in order. */
  readonly received: readonly ReceivedDatagram[];
  /** The same as UTF-8. */
  texts(): readonly string[];
  /** Sends to an address, or to a port of its own host. */
  send(data: Uint8Array | string, to: number | { readonly host: string; readonly port: number }): void;
  getHost(): IPv4Address | IPv6Address;
  /** Frees the port. */
  close(): void;
}

/** The addresses of interfaces that know groups, and on which the options for groups take effect. */
export interface MulticastInterfaces {
  readonly IPv4?: string | undefined;
  readonly IPv6?: string | undefined;
}
