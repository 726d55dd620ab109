import { setImmediate as nextPass } from 'node:timers/promises';
import type {
  Address,
  ClientProtocolFactory,
  Connector,
  ListeningPort,
  ProtocolFactory,
  Reactor,
  ReactorOptions,
} from 'ropewalk/core';
import { type VirtualHost, World } from 'ropewalk/simulation';
import type { Platform } from '../../../src/interfaces/platform.ts';
import type { StreamTarget } from '../../../src/interfaces/stream-platform.ts';
import { DEFAULT_PEER_WINDOW_BYTES } from '../../../src/testing/scripted-peer.ts';
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
import { ScriptedDatagramPeer } from '../../../src/testing/scripted-datagram-peer.ts';
import type { DatagramPeer } from './datagram-peer.ts';
import { hostAndPort, pathOf } from './reactor-calls.ts';
import { ScriptedProgram } from '../../../src/testing/scripted-program.ts';
import { type ProgramCall, type ProgramName, PROGRAMS } from '../support/programs.ts';
import { Reactors } from './reactors.ts';
import type { ConnectStream, PeerEnd, VirtualKind, WorldPeer } from './virtual-kind.ts';
import { VirtualPeerServer } from './virtual-peer-server.ts';

const PLATFORM_FEATURES: readonly Feature[] = [
  'virtual-time',
  'ipv6',
  'multicast',
  'ipv6-multicast',
  'broadcast',
  'processes',
];

/** In a world where nothing takes time, what has not happened after so many rounds never will. */
const ROUNDS_MAX = 500;

/** Longer than a stream that was given up goes on discarding. */
const LINGER_SECONDS = 3;

/** Many windows of 65,536 bytes, which is what the virtual network and its peers have. */
const BULK_BYTES = 1_048_576;

const WINDOW = { windowBytes: DEFAULT_PEER_WINDOW_BYTES };

/** Reactors on one machine of a virtual world, with raw peers on the same machine. */
export class VirtualHarness implements Harness {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  readonly manyCount: number;
  readonly bulkBytes: number = BULK_BYTES;
  readonly #kind: VirtualKind;
  readonly #world: World;
  readonly #machine: VirtualHost;
  readonly #reactors = new Reactors();
  readonly #peers: WorldPeer[] = [];
  readonly #servers: VirtualPeerServer[] = [];
  readonly multicastInterfaces = { IPv4: '10.0.0.1', IPv6: 'fd00::1' };
  readonly #datagramPeers: ScriptedDatagramPeer[] = [];
  #reactorCount = 0;
  #pathCount = 0;
  #lastAdvance: Promise<void> = Promise.resolve();

  constructor(kind: VirtualKind) {
    this.name = kind.name;
    this.features = new Set([...PLATFORM_FEATURES, ...kind.features]);
    this.manyCount = kind.manyCount;
    this.#kind = kind;
    this.#world = new World(kind.worldOptions);
    this.#machine = this.#world.addHost('machine');
  }

  get errors(): Reactors['errors'] {
    return this.#reactors.errors;
  }

  get openHandleCount(): number {
    const { streams, listeners, attempts, datagramSockets, processes, events } = this.#world.census();
    return streams + listeners + attempts + datagramSockets + processes + events;
  }

  createReactor(options: ReactorOptions = {}): Reactor {
    this.#reactorCount += 1;
    // Each reactor has a clock of its own to be woken by, and all share the network of the machine.
    const { name, clock, resolver, random, tls } = this.#world.addHost(`reactor ${this.#reactorCount}`);
    const network = networkOf(this.#machine);
    const streams = this.#kind.adaptStreams?.(this.#machine) ?? network.streams;
    const platform: Platform = { name, clock, resolver, random, ...network, streams, ...(tls && { tls }) };
    return this.#reactors.create(platform, options);
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
    const peer = this.#createPeer('client', options, (listener) =>
      this.#machine.virtualStreams.connect(targetAt(destination), listener, WINDOW),
    );
    this.#peers.push(peer);
    await this.until(() => peer.answered, 'the peer has been answered');
    if (peer.refusal !== undefined) throw peer.refusal;
    return peer;
  }

  serve(options: ServeOptions = {}): Promise<PeerServer> {
    const { answer = 'accept', ...peerOptions } = options;
    const server = new VirtualPeerServer(
      this.#machine.virtualStreams,
      { ...targetAt(this.#freePlace()), backlog: 1 },
      { ...WINDOW, answer },
      (handle) =>
        this.#createPeer('server', peerOptions, (listener) => {
          listener.connected(handle);
          return undefined;
        }),
      (condition, what) => this.until(condition, what),
    );
    this.#servers.push(server);
    return Promise.resolve(server);
  }

  openDatagrams(host?: string): Promise<DatagramPeer> {
    const peer = new ScriptedDatagramPeer(this.#machine.virtualDatagrams, host === undefined ? {} : { host });
    this.#datagramPeers.push(peer);
    return Promise.resolve(peer);
  }

  program(name: ProgramName, ...args: string[]): ProgramCall {
    const { executable } = new ScriptedProgram(this.#world, this.#machine.virtualProcesses, name, {
      main: PROGRAMS[name].main,
    });
    return { executable, args };
  }

  sendSignal(): void {
    throw new Error('There are no signals in a virtual world');
  }

  /** One after another: several callers may wait for something at once, and time passes for one at a time. */
  advance(seconds: number): Promise<void> {
    const advanced = this.#lastAdvance.then(() => this.#advance(seconds));
    this.#lastAdvance = advanced.catch(() => undefined);
    return advanced;
  }

  async until(condition: () => boolean, what = 'what the case waits for'): Promise<void> {
    for (let round = 0; !condition(); round += 1) {
      if (round === ROUNDS_MAX) throw new Error(`It never came to pass that ${what}`);
      await this.advance(0);
    }
  }

  async close(): Promise<void> {
    await this.#reactors.end((condition, what) => this.until(condition, what));
    for (const peer of [...this.#peers, ...this.#servers.flatMap((server) => server.peers)]) peer.abort();
    for (const server of this.#servers) await server.stop();
    for (const peer of this.#datagramPeers) peer.close();
    await this.advance(LINGER_SECONDS);
    const left = Object.entries(this.#world.census()).filter(([, count]) => count > 0);
    const problems = [
      ...this.#reactors.problems(),
      ...left.map(([what, count]) => `left in the world: ${what}: ${String(count)}`),
    ];
    if (problems.length > 0) throw new Error(`The case left something behind:\n  ${problems.join('\n  ')}`);
  }

  #createPeer(role: PeerEnd['role'], options: DialOptions, connect: ConnectStream): WorldPeer {
    return this.#kind.createPeer({ world: this.#world, machine: this.#machine, role }, options, connect);
  }

  #freePlace(): Address {
    return this.#kind.freePlace(() => {
      this.#pathCount += 1;
      return `/run/socket-${this.#pathCount}`;
    });
  }

  async #advance(seconds: number): Promise<void> {
    const steps = this.#world.advanceInSteps(seconds);
    do await nextPass();
    while (steps.next().done !== true);
    await nextPass();
  }
}

/** What the reactors of a machine share. */
function networkOf({
  streams,
  datagrams,
  processes,
}: VirtualHost): Pick<Platform, 'streams' | 'datagrams' | 'processes'> {
  return { streams, datagrams, processes };
}

function targetAt(address: Address): StreamTarget {
  return address.family === 'UNIX' ? { kind: 'unix', path: pathOf(address) } : { kind: 'tcp', ...hostAndPort(address) };
}
