/**
 * What a platform supplies to be put to the conformance suite: reactors on it, and peers that are not reactors, so
 * that each case sees one reactor and the world it talks to. Everything is async, since real worlds are.
 *
 * A suite is a function `(harness: () => Harness) => void` that declares mocha cases; the harness is made anew for
 * each case and closed after it, which fails if anything is left open. A case that needs a feature the harness
 * lacks is skipped, with the reason printed.
 */
import type { Address, Failure, Reactor, ReactorOptions } from 'ropewalk/core';
import type { ProgramCall, ProgramName } from './support/programs.ts';

/** What a platform may lack. */
export type Feature =
  /** The host's own clock runs: time passes by itself, and `advance` waits for it. */
  | 'real-time'
  /** Time moves only by `advance`, so due times are exact. */
  | 'virtual-time'
  /** Signals can be sent to this process. */
  | 'signals'
  /** There is an IPv6 loopback. */
  | 'ipv6'
  /** There are UNIX sockets. */
  | 'unix-sockets'
  /** Programs can be started. */
  | 'processes'
  /** They are those of the host. */
  | 'real-programs'
  /** Packets to some address are never answered, so that attempts hang. */
  | 'unanswered-connects';

export interface Harness {
  /** For the titles: 'node (onread)', 'simulation'. */
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** A reactor on the platform, not yet running. Errors it reports are kept in `errors` unless `options` say otherwise. */
  createReactor(options?: ReactorOptions): Reactor;
  /** The errors that reactors of this harness have reported, in order; a case that expects some takes them out, and `close` fails if any is left. */
  readonly errors: Failure[];
  /** How many sockets, listeners and timers of reactors and peers there are at the moment, whether or not they keep the process alive. */
  readonly openHandleCount: number;
  /** Connects to a port of a reactor; resolves when the peer's system has the connection. */
  dial(port: number, options?: DialOptions): Promise<Peer>;
  /** Listens for connections from a reactor, on a free port of 127.0.0.1. */
  serve(options?: ServeOptions): Promise<PeerServer>;
  /** A path for a UNIX socket at which there is nothing, the same for the same name; needs 'unix-sockets'. */
  socketPath(name: string): string;
  /** How to start a program of the suites, with arguments; needs 'processes'. */
  program(name: ProgramName, ...args: string[]): ProgramCall;
  /** Sends a signal to the process the reactors are in; needs 'signals'. */
  sendSignal(signal: 'SIGINT' | 'SIGTERM'): void;
  /** Lets at least so many seconds pass on the clock of the reactors, and everything happen that is due. */
  advance(seconds: number): Promise<void>;
  /** Lets the world go on until the condition holds; fails, naming `what`, if it does not within a few seconds of real time. */
  until(condition: () => boolean, what?: string): Promise<void>;
  /** Ends all reactors and peers, and fails if a reactor has reported an error that was not taken out. */
  close(): Promise<void>;
}

export interface DialOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Whether the peer keeps its writing half open when the reactor closes its own; false by default. */
  readonly allowHalfOpen?: boolean;
  /** Whether the peer reads; true by default. */
  readonly reading?: boolean;
}

export interface ServeOptions {
  /** `refuse`: nobody listens on the port. `ignore`: attempts get no answer (needs 'unanswered-connects'). */
  readonly answer?: 'accept' | 'refuse' | 'ignore';
  /** For the connections it accepts. */
  readonly allowHalfOpen?: boolean;
  readonly reading?: boolean;
}

/** The far end of a connection. */
export interface Peer {
  /** All that has been received since the start or `clear`. */
  readonly received: Buffer;
  /** `received` as UTF-8. */
  text(): string;
  clear(): void;
  /** Sends; dropped once the peer's writing half has closed. */
  send(data: Uint8Array | string): void;
  /** Closes the writing half, after what was sent. */
  end(): void;
  /** Resets the connection. */
  abort(): void;
  /** Stops reading, so that the reactor cannot send more than buffers hold. */
  pause(): void;
  resume(): void;
  /** The reactor has closed its writing half. */
  readonly ended: boolean;
  /** Both halves have closed, or the connection was reset. */
  readonly closed: boolean;
  /** The connection was reset by the reactor's side. */
  readonly reset: boolean;
  getHost(): Address;
  getPeer(): Address;
}

export interface PeerServer {
  readonly host: string;
  readonly port: number;
  /** The connections accepted, in order. */
  readonly peers: readonly Peer[];
  /** The next connection not returned yet, as soon as there is one. */
  accept(): Promise<Peer>;
  stop(): Promise<void>;
}
