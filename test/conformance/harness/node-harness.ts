import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextPass, setTimeout as pass } from 'node:timers/promises';
import type {
  Address,
  ClientProtocolFactory,
  Connector,
  ListeningPort,
  ProtocolFactory,
  Reactor,
  ReactorOptions,
} from 'ropewalk/core';
import { NodePlatform } from '../../../src/node/node-platform.ts';
import type {
  ConnectOptions,
  DialOptions,
  Feature,
  Harness,
  ListenOptions,
  Peer,
  PeerServer,
  ServeOptions,
} from '../harness.ts';
import type { DatagramPeer } from './datagram-peer.ts';
import { multicastInterfaces, NodeDatagramPeer } from './node-datagram-peer.ts';
import type { ClosableStreams, NodeKind, RawServer } from './node-kind.ts';
import type { NodePeer } from './node-peers.ts';
import { type ProgramCall, type ProgramName, PROGRAMS } from '../support/programs.ts';
import { OpenHandles } from './open-handles.ts';
import { Reactors } from './reactors.ts';

/** How long `until` waits: far more than anything takes here, even on a busy machine. */
const PATIENCE_SECONDS = 4;

/** Passes of the event loop after which a turn that was due has run, whichever way it was asked for. */
const PASSES_TO_SETTLE = 4;

/** Systems stop at a few megabytes for a connection whose reader has never read. */
const BULK_BYTES = 8_388_608;

const PLATFORM_FEATURES: readonly Feature[] = detectFeatures();

/** Reactors on real sockets of this machine, with raw sockets as their peers. */
export class NodeHarness implements Harness {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  readonly manyCount: number;
  readonly bulkBytes: number = BULK_BYTES;
  readonly multicastInterfaces = multicastInterfaces();
  readonly #kind: NodeKind;
  readonly #handles = new OpenHandles();
  readonly #reactors = new Reactors();
  readonly #streams: ClosableStreams[] = [];
  readonly #peers: NodePeer[] = [];
  readonly #datagramPeers: NodeDatagramPeer[] = [];
  readonly #servers: RawServer[] = [];
  #socketFolder: string | undefined;
  #pathCount = 0;

  constructor(kind: NodeKind) {
    this.name = kind.name;
    this.features = new Set([...PLATFORM_FEATURES, ...kind.features]);
    this.manyCount = kind.manyCount;
    this.#kind = kind;
  }

  get errors(): Reactors['errors'] {
    return this.#reactors.errors;
  }

  get openHandleCount(): number {
    return this.#handles.count;
  }

  createReactor(options: ReactorOptions = {}): Reactor {
    const platform = new NodePlatform(this.#kind.platformOptions);
    const streams = this.#kind.makeStreams?.();
    if (streams === undefined) return this.#reactors.create(platform, options);
    this.#streams.push(streams);
    return this.#reactors.create(Object.assign(platform, { streams }), options);
  }

  listen(reactor: Reactor, factory: ProtocolFactory, options: ListenOptions = {}): ListeningPort {
    const { destination = this.#freePlace(), ...rest } = options;
    return this.#kind.listen(reactor, factory, destination, rest);
  }

  connect(
    reactor: Reactor,
    destination: Address,
    factory: ClientProtocolFactory,
    options: ConnectOptions = {},
  ): Connector {
    return this.#kind.connect(reactor, destination, factory, options);
  }

  async dial(destination: Address, options: DialOptions = {}): Promise<Peer> {
    const peer = await this.#kind.dial(destination, options);
    this.#peers.push(peer);
    return peer;
  }

  async serve(options: ServeOptions = {}): Promise<PeerServer> {
    const until = (condition: () => boolean, what: string): Promise<void> => this.until(condition, what);
    const server = await this.#kind.serve(this.#freePlace(), options, until);
    this.#servers.push(server);
    return server;
  }

  async openDatagrams(host?: string): Promise<DatagramPeer> {
    const peer = await NodeDatagramPeer.open(host);
    this.#datagramPeers.push(peer);
    return peer;
  }

  program(name: ProgramName, ...args: string[]): ProgramCall {
    return { executable: 'sh', args: ['-c', PROGRAMS[name].script, name, ...args] };
  }

  sendSignal(signal: 'SIGINT' | 'SIGTERM'): void {
    process.kill(process.pid, signal);
  }

  async advance(seconds: number): Promise<void> {
    const end = now() + seconds;
    while (now() < end) await pass((end - now()) * 1000);
    for (let passes = 0; passes < PASSES_TO_SETTLE; passes += 1) await nextPass();
  }

  async until(condition: () => boolean, what = 'what the case waits for'): Promise<void> {
    const end = now() + PATIENCE_SECONDS;
    while (!condition()) {
      if (now() > end) throw new Error(`It never came to pass that ${what}`);
      await nextPass();
    }
  }

  async close(): Promise<void> {
    try {
      await this.#reactors.end((condition, what) => this.until(condition, what));
    } finally {
      for (const server of this.#servers) {
        await server.stop();
        for (const peer of server.peers) peer.destroy();
      }
      for (const peer of this.#peers) peer.destroy();
      for (const peer of this.#datagramPeers) peer.close();
      for (const streams of this.#streams) await streams.close();
      // What is left after that is told below.
      await this.until(() => this.#handles.count === 0).catch(() => undefined);
      this.#handles.stopWatching();
      if (this.#socketFolder !== undefined) rmSync(this.#socketFolder, { recursive: true });
    }
    const problems = [...this.#reactors.problems(), ...this.#handles.problems()];
    if (problems.length > 0) throw new Error(`The case left something behind:\n  ${problems.join('\n  ')}`);
  }

  #freePlace(): Address {
    return this.#kind.freePlace(() => {
      this.#socketFolder ??= mkdtempSync(join(tmpdir(), 'ropewalk-'));
      this.#pathCount += 1;
      return join(this.#socketFolder, `socket-${this.#pathCount}`);
    });
  }
}

function now(): number {
  return performance.now() / 1000;
}

function detectFeatures(): Feature[] {
  const features: Feature[] = ['real-time'];
  if (process.platform !== 'win32') features.push('signals', 'processes', 'real-programs');
  // Elsewhere the loopback has no address for everyone.
  if (process.platform === 'linux') features.push('broadcast');
  const { IPv4, IPv6 } = multicastInterfaces();
  if (IPv4 !== undefined) features.push('multicast');
  if (IPv6 !== undefined) features.push('ipv6-multicast');
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  if (addresses.some(({ address }) => address === '::1')) features.push('ipv6');
  return features;
}
