import type { StreamPlatform } from 'ropewalk/core';
import type { VirtualHost, World, WorldOptions } from 'ropewalk/simulation';
import type { StreamConnectHandle, StreamConnectListener } from '../../../src/interfaces/stream-platform.ts';
import type { DialOptions, Feature, Peer } from '../harness.ts';
import type { ReactorCalls } from './reactor-calls.ts';
import { VirtualPeer } from './virtual-peers.ts';
import { TCP_CALLS, UNIX_CALLS } from './reactor-calls.ts';

/** One kind of streams on the virtual network: how reactors are asked for them, and what a raw peer does with one. */
export interface VirtualKind extends ReactorCalls {
  /** For the titles: 'TCP in simulation'. */
  readonly name: string;
  readonly features: readonly Feature[];
  /** See `Harness.manyCount`. */
  readonly manyCount: number;
  readonly worldOptions: WorldOptions;
  /** Makes the streams of the reactors of those of their machine. */
  readonly adaptStreams?: (machine: VirtualHost) => StreamPlatform;
  /** Makes the peer at one end of a stream of the network, which `connect` gives now or later. */
  createPeer(end: PeerEnd, options: DialOptions, connect: ConnectStream): WorldPeer;
}

/** Where a peer is, and which end of the stream it has. */
export interface PeerEnd {
  readonly world: World;
  readonly machine: VirtualHost;
  readonly role: 'client' | 'server';
}

export type ConnectStream = (listener: StreamConnectListener) => StreamConnectHandle | undefined;

/** A raw peer in a virtual world. */
export interface WorldPeer extends Peer {
  /** Has been connected, or never will be. */
  readonly answered: boolean;
  /** Why it was never connected. */
  readonly refusal: Error | undefined;
}

const PLAIN = {
  manyCount: 2000,
  worldOptions: {},
  createPeer: ({ world }: PeerEnd, options: DialOptions, connect: ConnectStream): VirtualPeer =>
    new VirtualPeer(world, options, connect),
};

export const VIRTUAL_TCP: VirtualKind = {
  ...TCP_CALLS,
  ...PLAIN,
  name: 'TCP in simulation',
  features: ['unanswered-connects', 'resets'],
};

/** Without resets: the virtual network has none on UNIX sockets, as systems have none. */
export const VIRTUAL_UNIX: VirtualKind = {
  ...UNIX_CALLS,
  ...PLAIN,
  name: 'UNIX sockets in simulation',
  features: ['unanswered-connects'],
};
