import type { Logger } from '../interfaces/logger.ts';
import { Reactor } from '../reactor/reactor.ts';
import type { ReactorObserver } from '../interfaces/observer.ts';
import { ConsoleLogger } from './console-logger.ts';
import { DiagnosticsObserver } from './diagnostics.ts';
import { NodePlatform, type NodePlatformOptions } from './node-platform.ts';

/** The options of `createReactor`. */
export interface CreateReactorOptions extends NodePlatformOptions {
  /** Where errors go that nobody else can be told; by default to stderr, written for people. */
  readonly logger?: Logger;
  /**
   * Whether what the reactor calls later runs in the `AsyncLocalStorage` context in which it was made: delayed calls,
   * `callSoon`, triggers, connections, producers, and what is bound with `bindContext`. The callbacks of a Deferred run in
   * the context in which it fires, as ever. False by default: a capture costs time at each call.
   */
  readonly captureContext?: boolean;
  /**
   * Watches the reactor. What it is told is also published on `node:diagnostics_channel`, while somebody subscribes:
   * `ropewalk:connection:made`, `ropewalk:connection:lost`, `ropewalk:data:received`, `ropewalk:data:sent`,
   * `ropewalk:delayed-call:run`, `ropewalk:hook:slow`, `ropewalk:error`; the arguments by name, in one object. Of a connection
   * only what was subscribed to when it was made is published.
   */
  readonly observer?: ReactorObserver;
  /**
   * From how many seconds on a hook, a call or a trigger counts as slow: the observer's `hookSlow` is told, and a warning is logged. By
   * default the observer is told from 0.1 on, and the warning is logged from 1 on. `Infinity`: never, and nothing is measured.
   */
  readonly slowHookSeconds?: number;
  /** How many calls may wait for the next turn before `callSoon` throws `QueueOverflow`; 1,000,000 by default. */
  readonly maxQueuedCalls?: number;
  /** How many delayed calls may be pending before `callLater` throws `QueueOverflow`; 1,000,000 by default. */
  readonly maxDelayedCalls?: number;
}

/**
 * Makes a reactor on Node: real sockets, real time, the process's signals. Any number of reactors live side by side.
 * Throws `RangeError` for a `lingerSeconds` that is negative or not finite.
 */
export function createReactor(options: CreateReactorOptions = {}): Reactor {
  const {
    logger = new ConsoleLogger(),
    captureContext,
    observer,
    slowHookSeconds,
    maxQueuedCalls,
    maxDelayedCalls,
    ...platformOptions
  } = options;
  return new Reactor(new NodePlatform(platformOptions), {
    logger,
    observer: new DiagnosticsObserver(observer),
    ...(captureContext !== undefined && { captureContext }),
    ...(slowHookSeconds !== undefined && { slowHookSeconds }),
    ...(maxQueuedCalls !== undefined && { maxQueuedCalls }),
    ...(maxDelayedCalls !== undefined && { maxDelayedCalls }),
  });
}
