import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextPass, setTimeout as pass } from 'node:timers/promises';
import type { Reactor, ReactorOptions } from 'ropewalk/core';
import { NodePlatform } from '../../../src/node/node-platform.ts';
import type { ReadingMode } from '../../../src/node/node-streams.ts';
import type { DialOptions, Feature, Harness, Peer, PeerServer, ServeOptions } from '../harness.ts';
import { dialNode, type NodePeer, NodePeerServer } from './node-peers.ts';
import { type ProgramCall, type ProgramName, PROGRAMS } from '../support/programs.ts';
import { OpenHandles } from './open-handles.ts';
import { Reactors } from './reactors.ts';
import { UnansweringServer } from './unanswering-server.ts';

/** How long `until` waits: far more than anything takes here, even on a busy machine. */
const PATIENCE_SECONDS = 4;

/** Passes of the event loop after which a turn that was due has run, whichever way it was asked for. */
const PASSES_TO_SETTLE = 4;

/** Reactors on real sockets of this machine, with raw sockets as their peers. */
export class NodeHarness implements Harness {
  readonly name: string;
  readonly features: ReadonlySet<Feature> = detectFeatures();
  readonly #reading: ReadingMode;
  readonly #handles = new OpenHandles();
  readonly #reactors = new Reactors();
  readonly #peers: NodePeer[] = [];
  #socketFolder: string | undefined;
  readonly #servers: (NodePeerServer | UnansweringServer)[] = [];

  constructor(reading: ReadingMode) {
    this.name = `node (${reading})`;
    this.#reading = reading;
  }

  get errors(): Reactors['errors'] {
    return this.#reactors.errors;
  }

  get openHandleCount(): number {
    return this.#handles.count;
  }

  createReactor(options: ReactorOptions = {}): Reactor {
    return this.#reactors.create(new NodePlatform({ reading: this.#reading }), options);
  }

  async dial(port: number, options: DialOptions = {}): Promise<Peer> {
    const peer = await dialNode(port, options);
    this.#peers.push(peer);
    return peer;
  }

  async serve(options: ServeOptions = {}): Promise<PeerServer> {
    const server =
      options.answer === 'ignore'
        ? await UnansweringServer.listen()
        : await NodePeerServer.listen(options, (condition, what) => this.until(condition, what));
    this.#servers.push(server);
    return server;
  }

  socketPath(name: string): string {
    this.#socketFolder ??= mkdtempSync(join(tmpdir(), 'ropewalk-'));
    return join(this.#socketFolder, name);
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
        if (server instanceof NodePeerServer) for (const peer of server.peers) peer.destroy();
      }
      for (const peer of this.#peers) peer.destroy();
      // What is left after that is told below.
      await this.until(() => this.#handles.count === 0).catch(() => undefined);
      this.#handles.stopWatching();
      if (this.#socketFolder !== undefined) rmSync(this.#socketFolder, { recursive: true });
    }
    const problems = [...this.#reactors.problems(), ...this.#handles.problems()];
    if (problems.length > 0) throw new Error(`The case left something behind:\n  ${problems.join('\n  ')}`);
  }
}

function now(): number {
  return performance.now() / 1000;
}

function detectFeatures(): Set<Feature> {
  const features = new Set<Feature>(['real-time']);
  if (process.platform !== 'win32') features.add('signals').add('unix-sockets').add('processes').add('real-programs');
  // The way in which the harness makes a port that does not answer is Linux's.
  if (process.platform === 'linux') features.add('unanswered-connects');
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  if (addresses.some(({ address }) => address === '::1')) features.add('ipv6');
  return features;
}
