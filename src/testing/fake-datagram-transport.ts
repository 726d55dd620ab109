import { Buffer } from 'node:buffer';
import { IPv4Address, type IPv6Address } from '../addresses.ts';
import { requireData } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import { succeed } from '../deferred/succeed-fail.ts';
import type { DatagramDestination, DatagramTransport } from '../interfaces/datagram-transport.ts';

/** The options of a `FakeDatagramTransport`. */
export interface FakeDatagramTransportOptions {
  /** What `getHost` returns; 10.0.0.1, port 12345, by default. */
  readonly hostAddress?: IPv4Address | IPv6Address;
}

/** A group that was joined, and the interface that was named. */
export interface FakeMembership {
  readonly group: string;
  readonly interface: string;
}

/**
 * A transport for datagrams that goes nowhere: it keeps what is written to it and what is asked of it, and calls nothing by
 * itself. For tests of one protocol that want no network at all; give it to `protocol.makeConnection`. Addresses are not checked;
 * a `TestReactor` tells more. Twisted: `internet.testing.FakeDatagramTransport`.
 */
export class FakeDatagramTransport implements DatagramTransport {
  /** What `getHost` returns. */
  hostAddress: IPv4Address | IPv6Address;
  /** Every datagram, with the address that it was given; undefined where it was left out. */
  readonly written: [data: Buffer, address: DatagramDestination | undefined][] = [];
  /** What `connect` was given. */
  connectedTo: DatagramDestination | undefined = undefined;
  /** The groups it is in. */
  readonly groups: FakeMembership[] = [];
  /** True once `stopListening` has been called. */
  stopped = false;
  #broadcastAllowed = false;
  #outgoingInterface = '0.0.0.0';
  #loopbackMode = true;
  #ttl = 1;

  constructor(options: FakeDatagramTransportOptions = {}) {
    this.hostAddress = options.hostAddress ?? new IPv4Address('UDP', '10.0.0.1', 12345);
  }

  /** Keeps it in `written`, also after `stopListening`, so that a test sees it. The bytes are copied. */
  write(data: Uint8Array | string, address?: DatagramDestination): void {
    this.written.push([toBuffer(data), address]);
  }

  /** Keeps the pieces as one datagram. */
  writeSequence(pieces: Iterable<Uint8Array | string>, address?: DatagramDestination): void {
    this.write(Buffer.concat(Array.from(pieces, toBuffer)), address);
  }

  /** Notes it in `connectedTo`. */
  connect(host: string, port: number): void {
    this.connectedTo = { host, port };
  }

  /** `hostAddress`. */
  getHost(): IPv4Address | IPv6Address {
    return this.hostAddress;
  }

  /** Notes it in `stopped`, and has fired. */
  stopListening(): Deferred<void> {
    this.stopped = true;
    return succeed(undefined);
  }

  /** What was set; false by default, as on a port. */
  getBroadcastAllowed(): boolean {
    return this.#broadcastAllowed;
  }

  /** Remembers it. */
  setBroadcastAllowed(enabled: boolean): void {
    this.#broadcastAllowed = enabled;
  }

  /** Adds to `groups`, and has fired. */
  joinGroup(group: string, interfaceHost = ''): Deferred<void> {
    this.groups.push({ group, interface: interfaceHost });
    return succeed(undefined);
  }

  /** Takes out of `groups`, and has fired; harmless if it was not there. */
  leaveGroup(group: string, interfaceHost = ''): Deferred<void> {
    const index = this.groups.findIndex((joined) => joined.group === group && joined.interface === interfaceHost);
    if (index >= 0) this.groups.splice(index, 1);
    return succeed(undefined);
  }

  /** What was set; `0.0.0.0` by default. */
  getOutgoingInterface(): string {
    return this.#outgoingInterface;
  }

  /** Remembers it, and has fired. */
  setOutgoingInterface(interfaceHost: string): Deferred<void> {
    this.#outgoingInterface = interfaceHost;
    return succeed(undefined);
  }

  /** What was set; true by default, as on a port. */
  getLoopbackMode(): boolean {
    return this.#loopbackMode;
  }

  /** Remembers it. */
  setLoopbackMode(enabled: boolean): void {
    this.#loopbackMode = enabled;
  }

  /** What was set; 1 by default, as on a port. */
  getTTL(): number {
    return this.#ttl;
  }

  /** Remembers it. */
  setTTL(hops: number): void {
    this.#ttl = hops;
  }
}

function toBuffer(data: Uint8Array | string): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  requireData(data);
  return Buffer.from(data);
}
