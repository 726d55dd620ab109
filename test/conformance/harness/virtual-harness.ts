import { setImmediate as nextPass } from 'node:timers/promises';
import { type Address, ConnectionAborted, ConnectionLost, type Reactor, type ReactorOptions } from 'ropewalk/core';
import { World } from 'ropewalk/simulation';
import type { Platform } from '../../../src/interfaces/platform.ts';
import { DEFAULT_PEER_WINDOW_BYTES, ScriptedPeer } from '../../../src/testing/scripted-peer.ts';
import { ScriptedProgram } from '../../../src/testing/scripted-program.ts';
import { ScriptedServer } from '../../../src/testing/scripted-server.ts';
import type { DialOptions, Feature, Harness, Peer, PeerServer, ServeOptions } from '../harness.ts';
import { type ProgramCall, type ProgramName, PROGRAMS } from '../support/programs.ts';
import { Reactors } from './reactors.ts';

/** In a world where nothing takes time, what has not happened after so many rounds never will. */
const ROUNDS_MAX = 500;

/** Longer than a stream that was given up goes on discarding. */
const LINGER_SECONDS = 3;

/** Reactors on one machine of a virtual world, with the scripted peers of `ropewalk/testing` on the same machine. */
export class VirtualHarness implements Harness {
  readonly name = 'simulation';
  readonly features: ReadonlySet<Feature> = new Set<Feature>([
    'virtual-time',
    'ipv6',
    'unanswered-connects',
    'unix-sockets',
    'processes',
  ]);
  readonly #world = new World();
  readonly #machine = this.#world.addHost('machine');
  readonly #reactors = new Reactors();
  readonly #peers: ScriptedPeer[] = [];
  readonly #servers: ScriptedServer[] = [];
  #reactorCount = 0;
  #lastAdvance: Promise<void> = Promise.resolve();

  get errors(): Reactors['errors'] {
    return this.#reactors.errors;
  }

  get openHandleCount(): number {
    const { streams, listeners, attempts, processes, events } = this.#world.census();
    return streams + listeners + attempts + processes + events;
  }

  createReactor(options: ReactorOptions = {}): Reactor {
    this.#reactorCount += 1;
    // Each reactor has a clock of its own to be woken by, and all share the network of the machine.
    const { name, clock, resolver, random } = this.#world.addHost(`reactor ${this.#reactorCount}`);
    const { streams, processes } = this.#machine;
    const platform: Platform = { name, clock, resolver, random, streams, processes };
    return this.#reactors.create(platform, options);
  }

  async dial(port: number, options: DialOptions = {}): Promise<Peer> {
    const { host = '127.0.0.1', ...peerOptions } = options;
    const peer = new ScriptedPeer(this.#world, peerOptions, (listener) =>
      this.#machine.virtualStreams.connect({ kind: 'tcp', host, port }, listener, {
        windowBytes: DEFAULT_PEER_WINDOW_BYTES,
      }),
    );
    this.#peers.push(peer);
    await this.until(() => peer.connected || peer.closed, 'the peer has been answered');
    if (peer.reason !== undefined && !hadConnection(peer)) throw peer.reason.value;
    return new VirtualPeer(peer, options);
  }

  serve(options: ServeOptions = {}): Promise<PeerServer> {
    const server = new ScriptedServer(this.#world, this.#machine.virtualStreams, 0, { host: '127.0.0.1', ...options });
    this.#servers.push(server);
    return Promise.resolve(new VirtualPeerServer(server, options, (condition, what) => this.until(condition, what)));
  }

  socketPath(name: string): string {
    return `/run/${name}`;
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
    for (const server of this.#servers) server.stop();
    await this.advance(LINGER_SECONDS);
    const left = Object.entries(this.#world.census()).filter(([, count]) => count > 0);
    const problems = [
      ...this.#reactors.problems(),
      ...left.map(([what, count]) => `left in the world: ${what}: ${String(count)}`),
    ];
    if (problems.length > 0) throw new Error(`The case left something behind:\n  ${problems.join('\n  ')}`);
  }

  async #advance(seconds: number): Promise<void> {
    const steps = this.#world.advanceInSteps(seconds);
    do await nextPass();
    while (steps.next().done !== true);
    await nextPass();
  }
}

/** Whether the peer was connected before it was closed. */
function hadConnection(peer: ScriptedPeer): boolean {
  try {
    peer.getHost();
    return true;
  } catch {
    return false;
  }
}

class VirtualPeer implements Peer {
  readonly #peer: ScriptedPeer;
  readonly #allowHalfOpen: boolean;
  #isEnded = false;

  constructor(peer: ScriptedPeer, options: { readonly allowHalfOpen?: boolean }) {
    this.#peer = peer;
    this.#allowHalfOpen = options.allowHalfOpen ?? false;
  }

  get received(): Buffer {
    return this.#peer.received;
  }

  text(): string {
    return this.#peer.text();
  }

  clear(): void {
    this.#peer.clear();
  }

  send(data: Uint8Array | string): void {
    const hasEnded = this.#isEnded || (this.ended && !this.#allowHalfOpen);
    if (!hasEnded) this.#peer.send(data);
  }

  end(): void {
    this.#isEnded = true;
    this.#peer.end();
  }

  abort(): void {
    this.#peer.abort();
  }

  pause(): void {
    this.#peer.pause();
  }

  resume(): void {
    this.#peer.resume();
  }

  get ended(): boolean {
    return this.#peer.ended;
  }

  get closed(): boolean {
    return this.#peer.closed;
  }

  get reset(): boolean {
    const { reason } = this.#peer;
    return reason?.check(ConnectionLost) !== undefined && reason.check(ConnectionAborted) === undefined;
  }

  getHost(): Address {
    return this.#peer.getHost();
  }

  getPeer(): Address {
    return this.#peer.getPeer();
  }
}

class VirtualPeerServer implements PeerServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #server: ScriptedServer;
  readonly #options: ServeOptions;
  readonly #until: (condition: () => boolean, what: string) => Promise<void>;
  readonly #peers: VirtualPeer[] = [];
  #acceptedCount = 0;

  constructor(
    server: ScriptedServer,
    options: ServeOptions,
    until: (condition: () => boolean, what: string) => Promise<void>,
  ) {
    this.#server = server;
    this.#options = options;
    this.#until = until;
    const address = server.getHost();
    if (address.family !== 'IPv4') throw new Error(`The server listens on ${String(address)}, not on an IPv4 address`);
    this.port = address.port;
  }

  get peers(): readonly Peer[] {
    for (const peer of this.#server.peers.slice(this.#peers.length))
      this.#peers.push(new VirtualPeer(peer, this.#options));
    return this.#peers;
  }

  async accept(): Promise<Peer> {
    const index = this.#acceptedCount;
    this.#acceptedCount += 1;
    await this.#until(() => this.peers.length > index, 'somebody has connected to the server');
    return this.peers[index]!;
  }

  stop(): Promise<void> {
    this.#server.stop();
    return Promise.resolve();
  }
}
