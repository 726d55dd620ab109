import type { Logger } from '../interfaces/logger.ts';
import { Reactor } from '../reactor/reactor.ts';
import { ConsoleLogger } from './console-logger.ts';
import { NodePlatform, type NodePlatformOptions } from './node-platform.ts';

/** The options of `createReactor`. */
export interface CreateReactorOptions extends NodePlatformOptions {
  /** Where errors go that nobody else can be told; by default to stderr, written for people. */
  readonly logger?: Logger;
}

/**
 * Makes a reactor on Node: real sockets, real time, the process's signals. Any number of reactors live side by side.
 * Throws `RangeError` for a `lingerSeconds` that is negative or not finite.
 */
export function createReactor(options: CreateReactorOptions = {}): Reactor {
  const { logger = new ConsoleLogger(), ...platformOptions } = options;
  return new Reactor(new NodePlatform(platformOptions), { logger });
}
