/**
 * The platform seam: all that a reactor needs from the world it runs in, real or virtual.
 *
 * Laws that every platform keeps (the conformance suite asserts them):
 * - A handle moves bytes and reports what happened; it decides nothing. Half-close, buffering, time-outs, retries and
 *   the choice of error classes belong to the reactor.
 * - Nothing is reported from inside a call made on the platform: a report comes later, from the host's event loop
 *   (or the virtual world's), so a caller is never re-entered.
 * - Reports of one handle come one at a time and in order. After `close`, `reset` or `cancel` no more come, except
 *   where a method's contract says so.
 * - What went wrong is reported as a `SystemError` with the system's code (`ECONNRESET`, `EADDRINUSE`, …).
 * - Handles alone do not keep the process alive; `liveness.keepAlive` does.
 *
 * Optional members are what a platform may lack; the reactor throws `UnsupportedError` when it is asked for what needs one.
 */
import type { AdoptionPlatform } from './adoption-platform.ts';
import type { ContextPlatform } from './context.ts';
import type { DatagramPlatform } from './datagram-platform.ts';
import type { ProcessPlatform } from './process-platform.ts';
import type { HostnameResolver } from './resolver.ts';
import type { Lingering, StreamHandle, StreamPlatform } from './stream-platform.ts';
import type { TLSEngine } from './tls-engine.ts';

/** Everything a reactor asks of its world. One platform object serves one reactor. */
export interface Platform {
  /** For messages: 'node', 'simulation'. */
  readonly name: string;
  /** What time it is, and when the reactor gets its turn. */
  readonly clock: PlatformClock;
  /** Connections: TCP, and UNIX sockets where there are any. */
  readonly streams: StreamPlatform;
  /** The addresses of names, until `installNameResolver` puts another in its place. */
  readonly resolver: HostnameResolver;
  /** Chance: seeded in a virtual world. */
  readonly random: RandomSource;

  /** TLS over its streams. */
  readonly tls?: TLSEngine;
  /** UDP. */
  readonly datagrams?: DatagramPlatform;
  /** Other programs, where they can be started. */
  readonly processes?: ProcessPlatform;
  /** The program's own input and output. */
  readonly stdio?: StdioPlatform;
  /**
   * The end of streams that others have made; those of the platform itself have it within. Without it they linger for the
   * defaults, by a delayed call of the reactor, which does not come once the reactor has stopped.
   */
  readonly lingering?: Lingering;
  /** Sockets that somebody else has opened. */
  readonly adoption?: AdoptionPlatform;
  /** Requests to end. Without it a reactor hears of none, whatever `run` was told. */
  readonly signals?: SignalPlatform;
  /** Whether the program goes on. Without it a run keeps nothing alive by itself. */
  readonly liveness?: LivenessPlatform;
  /** Contexts, which `captureContext` needs. */
  readonly context?: ContextPlatform;
}

/** Time, and the promise to come back. */
export interface PlatformClock {
  /** Seconds, monotonic, with an arbitrary origin. */
  now(): number;
  /** Sets the one function that `wakeAt` calls back. Called once, before `wakeAt`. */
  attach(turn: () => void): void;
  /**
   * Calls the attached function once, at `time` or as soon after it as the world allows, and never from inside this
   * call. A later call replaces the earlier one; `Infinity` takes it back. With a time that has passed, the function is called
   * after the world has been asked once for what it has to deliver (on Node: from the next `setImmediate`), so that
   * deliveries and turns alternate and neither starves the other.
   */
  wakeAt(time: number): void;
}

/** The only randomness anything may use. */
export interface RandomSource {
  /** The next number in [0, 1). */
  next(): number;
}

/** The standard input and output of the program, as one stream: reading is the input, writing is the output. */
export interface StdioPlatform {
  /** The stream, silent until it is opened. May be called once, for there is one input and one output. */
  open(): StreamHandle;
}

/** The signals that ask a program to end. */
export type TerminationSignal = 'SIGINT' | 'SIGTERM' | 'SIGBREAK';

/** How a program is asked to end, and ends. */
export interface SignalPlatform {
  /** Reports each signal until the result is disposed of. While anyone watches, the default action is off. */
  watch(listener: (signal: TerminationSignal) => void): Disposable;
  /** Ends the program at once, with status 128 + the signal's number. */
  exit(signal: TerminationSignal): void;
}

/** The life of the program around the reactor. */
export interface LivenessPlatform {
  /** While true, the program does not end by itself. False at first. */
  keepAlive(enabled: boolean): void;
  /**
   * Calls `describe` when the program is about to end by itself, and prints what it returns as a warning, if anything.
   * A later call replaces the earlier one; undefined takes it back.
   */
  warnBeforeExit(describe: (() => string | undefined) | undefined): void;
}

/** What the system said went wrong. */
export interface SystemError extends Error {
  /** As the system names it: `ECONNREFUSED`, `ENOTFOUND`, … */
  readonly code: string;
  /** Which call failed, where known: `connect`, `bind`, `read`, … */
  readonly syscall?: string;
}
