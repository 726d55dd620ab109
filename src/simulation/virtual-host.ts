import type { Platform, RandomSource } from '../interfaces/platform.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type HostNames, VirtualResolver } from './virtual-resolver.ts';
import { VirtualStreams, type VirtualStreamsParts } from './virtual-streams.ts';

export interface HostOptions {
  /** The names this host can resolve beside `localhost`. */
  readonly names?: HostNames;
}

/** What a world gives to each of its hosts. */
export interface HostParts extends VirtualStreamsParts {
  readonly scheduler: Scheduler;
  readonly random: RandomSource;
}

/** One computer of a virtual world, and the platform for the one reactor that runs on it. */
export class VirtualHost implements Platform {
  /** What kind of platform this is, for messages; the host's own name is `hostName`. */
  readonly name = 'simulation';
  readonly hostName: string;
  readonly clock: VirtualClock;
  readonly streams: VirtualStreams;
  readonly resolver: VirtualResolver;
  readonly random: RandomSource;
  /** Names what keeps the host's reactor busy, for the error about an instant that does not end. */
  describePending: (() => readonly string[]) | undefined = undefined;

  constructor(name: string, options: HostOptions, parts: HostParts) {
    this.hostName = name;
    this.clock = new VirtualClock(parts.scheduler);
    this.streams = new VirtualStreams(parts);
    this.resolver = new VirtualResolver(parts.scheduler, options.names ?? {});
    this.random = parts.random;
  }
}
