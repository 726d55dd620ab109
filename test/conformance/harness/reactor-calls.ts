/** How reactors are asked for streams of one kind: the same calls on every platform. */
import {
  type Address,
  type ClientProtocolFactory,
  type Connector,
  IPv4Address,
  type ListeningPort,
  type ProtocolFactory,
  type Reactor,
  UNIXAddress,
} from 'ropewalk/core';
import type { ConnectOptions, ListenOptions } from '../harness.ts';

export interface ReactorCalls {
  /** Where a port or a server is to listen if nobody says where. `freePath` makes a path at which there is nothing. */
  freePlace(freePath: () => string): Address;
  listen(
    reactor: Reactor,
    factory: ProtocolFactory,
    place: Address,
    options: Omit<ListenOptions, 'destination'>,
  ): ListeningPort;
  connect(reactor: Reactor, destination: Address, factory: ClientProtocolFactory, options: ConnectOptions): Connector;
}

export const TCP_CALLS: ReactorCalls = {
  freePlace: () => new IPv4Address('TCP', '127.0.0.1', 0),
  listen: (reactor, factory, place, options) => {
    const { host, port } = hostAndPort(place);
    return reactor.listenTCP(port, factory, { ...options, interface: host });
  },
  connect: (reactor, destination, factory, options) => {
    const { host, port } = hostAndPort(destination);
    return reactor.connectTCP(host, port, factory, options);
  },
};

export const UNIX_CALLS: ReactorCalls = {
  freePlace: (freePath) => new UNIXAddress(freePath()),
  listen: (reactor, factory, place, options) => reactor.listenUNIX(pathOf(place), factory, options),
  connect: (reactor, destination, factory, options) => reactor.connectUNIX(pathOf(destination), factory, options),
};

export function hostAndPort(address: Address): { readonly host: string; readonly port: number } {
  if (address.family === 'UNIX') throw new Error(`${String(address)} has no port`);
  const { host, port } = address;
  return { host, port };
}

export function pathOf(address: Address): string {
  if (address.family !== 'UNIX' || address.name === undefined) throw new Error(`${String(address)} is no path`);
  return address.name;
}
