import type { Logger } from '../interfaces/logger.ts';
import { Reactor } from '../reactor/reactor.ts';
import { ConsoleLogger } from './console-logger.ts';
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
}

/**
 * Makes a reactor on Node: real sockets, real time, the process's signals. Any number of reactors live side by side.
 * Throws `RangeError` for a `lingerSeconds` that is negative or not finite.
 */
export function createReactor(options: CreateReactorOptions = {}): Reactor {
  const { logger = new ConsoleLogger(), captureContext = false, ...platformOptions } = options;
  return new Reactor(new NodePlatform(platformOptions), { logger, captureContext });
}
