import type { HostNames } from '../reactor/host-table.ts';
import type { Platform, PlatformClock, RandomSource, StdioPlatform } from '../interfaces/platform.ts';
import type { ProcessPlatform } from '../interfaces/process-platform.ts';
import type { HostnameResolver } from '../interfaces/resolver.ts';
import type { DatagramPlatform } from '../interfaces/datagram-platform.ts';
import type { Lingering, StreamPlatform } from '../interfaces/stream-platform.ts';
import type { TLSEngine } from '../interfaces/tls-engine.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualLingering } from './virtual-lingering.ts';
import { VirtualDatagrams, type VirtualDatagramsParts } from './virtual-datagrams.ts';
import { VirtualProcesses } from './virtual-processes.ts';
import { VirtualResolver } from './virtual-resolver.ts';
import { VirtualStdio } from './virtual-stdio.ts';
import { VirtualStreams, type VirtualStreamsParts } from './virtual-streams.ts';

/** The options of a host. */
export interface HostOptions {
  /** The names this host can resolve beside `localhost`. */
  readonly names?: HostNames;
}

/** What a world gives to each of its hosts. */
export interface HostParts extends VirtualStreamsParts, VirtualDatagramsParts {
  readonly scheduler: Scheduler;
  readonly random: RandomSource;
  readonly tls: TLSEngine | undefined;
}

/** One computer of a virtual world, and the platform for the one reactor that runs on it. Made by `World.addHost`. */
export class VirtualHost implements Platform {
  /** What kind of platform this is, for messages; the host's own name is `hostName`. */
  readonly name = 'simulation';
  /** The name it was given in its world. */
  readonly hostName: string;
  /** Shows the time of the world. */
  readonly clock: PlatformClock;
  /** Connections and listeners in memory. */
  readonly streams: StreamPlatform;
  /** Datagrams and groups in memory. */
  readonly datagrams: DatagramPlatform;
  /** Knows the names of `HostOptions`, and `localhost`. */
  readonly resolver: HostnameResolver;
  /** Chance, as the seed of the world chooses it. */
  readonly random: RandomSource;
  /** TLS, if the world was given any. */
  declare readonly tls?: TLSEngine;
  /** By the time of the world, with the limits of its streams. */
  readonly lingering: Lingering;
  /** Programs that are objects. */
  readonly processes: ProcessPlatform;
  /** A pipe to whoever plays the terminal. */
  readonly stdio: StdioPlatform;
  /** @internal The clock, as the world winds it. */
  readonly virtualClock: VirtualClock;
  /** @internal The streams, with what they can do beyond the platform's seam. */
  readonly virtualStreams: VirtualStreams;
  /** @internal The datagrams, with what they can do beyond the platform's seam. */
  readonly virtualDatagrams: VirtualDatagrams;
  /** @internal The programs, and how they come to be there. */
  readonly virtualProcesses: VirtualProcesses;
  /** @internal The standard input and output, with their other end. */
  readonly virtualStdio: VirtualStdio;
  /** Names what keeps the host's reactor busy, for the error about an instant that does not end. */
  describePending: (() => readonly string[]) | undefined = undefined;

  /** @internal */
  constructor(name: string, options: HostOptions, parts: HostParts) {
    this.hostName = name;
    this.virtualClock = new VirtualClock(parts.scheduler);
    this.clock = this.virtualClock;
    this.virtualStreams = new VirtualStreams(parts);
    this.streams = this.virtualStreams;
    this.virtualDatagrams = new VirtualDatagrams(parts);
    this.datagrams = this.virtualDatagrams;
    this.resolver = new VirtualResolver(parts.scheduler, options.names ?? {});
    this.random = parts.random;
    if (parts.tls !== undefined) this.tls = parts.tls;
    this.lingering = new VirtualLingering(parts);
    this.virtualProcesses = new VirtualProcesses(parts);
    this.processes = this.virtualProcesses;
    this.virtualStdio = new VirtualStdio(parts);
    this.stdio = this.virtualStdio;
  }
}
