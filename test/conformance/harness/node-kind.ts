import type { Address } from 'ropewalk/core';
import type { NodePlatformOptions } from '../../../src/node/node-platform.ts';
import type { DialOptions, Feature, PeerServer, ServeOptions } from '../harness.ts';
import type { NodePeer } from './node-peers.ts';
import type { ReactorCalls } from './reactor-calls.ts';

/** One kind of streams on Node: how reactors are asked for them, and how raw peers come by them. */
export interface NodeKind extends ReactorCalls {
  /** For the titles: 'TCP'. */
  readonly name: string;
  readonly features: readonly Feature[];
  /** See `Harness.manyCount`. */
  readonly manyCount: number;
  /** What the platforms of the reactors are made with. */
  readonly platformOptions: NodePlatformOptions;
  dial(destination: Address, options: DialOptions): Promise<NodePeer>;
  serve(place: Address, options: ServeOptions, until: Until): Promise<RawServer>;
}

/** `Harness.until`. */
export type Until = (condition: () => boolean, what: string) => Promise<void>;

/** A server of raw peers. */
export interface RawServer extends PeerServer {
  readonly peers: readonly NodePeer[];
}
