import type { Address } from '../addresses.ts';

/** Turns names into addresses, streaming what it finds. Source: Twisted's `IHostnameResolver`. */
export interface HostnameResolver {
  /**
   * Begins to look a name up. The receiver is told in order: `resolutionBegan` once, `addressResolved` for each address, then
   * `resolutionComplete` once; never from inside this call, except for `resolutionBegan`. Throws nothing.
   */
  resolveHostName(receiver: ResolutionReceiver, hostName: string, options?: ResolveOptions): HostResolution;
}

/** A family of addresses. */
export type IPFamily = 'IPv4' | 'IPv6';

/** What to look up; all fields are optional. */
export interface ResolveOptions {
  /** The port to put into the addresses; 0 by default. */
  readonly port?: number;
  /** Only addresses of these families; by default both. */
  readonly families?: readonly IPFamily[];
  /** What the addresses are for; TCP by default. */
  readonly transport?: 'TCP' | 'UDP';
}

/** Receives the results of one lookup. */
export interface ResolutionReceiver {
  /** The lookup has begun, and can be given up by its handle. Comes first, once. */
  resolutionBegan(resolution: HostResolution): void;
  /** The next address, with the port that was asked for. */
  addressResolved(address: Address): void;
  /** No more will come. `cause` says why nothing was found, where the resolver knows. */
  resolutionComplete(cause?: Error): void;
}

/** The handle on one lookup. */
export interface HostResolution {
  /** The name that is looked up. */
  readonly name: string;
  /** Stops it: the receiver hears nothing more. Harmless when it has completed. */
  cancel(): void;
}
