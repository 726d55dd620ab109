/** `ropewalk/simulation`: a virtual clock and an in-memory network, as a platform for reactors. */
export { World } from './world.ts';
export type { WorldCensus, WorldOptions } from './world.ts';
export type { VirtualHost, HostOptions } from './virtual-host.ts';
export type { HostNames } from '../reactor/host-table.ts';
export type { Seed } from './keyed-random.ts';
export type { Scheduler } from './scheduler.ts';
export type { ScheduledEvent } from './event-queue.ts';
export type { StreamLimits } from './virtual-stream.ts';
