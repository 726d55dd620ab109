import type { Logger } from '../interfaces/logger.ts';
import type { ObservedConnection } from '../interfaces/observer.ts';
import { nameOf } from './contexts.ts';
import type { Observation } from './observation.ts';

/** From how long on observers are told, unless `slowHookSeconds` says otherwise: what people begin to notice. */
const OBSERVED_SECONDS = 0.1;

/** From how long on a warning is logged, unless it does: what nobody means to do. A start that loads much may take 0.1 s. */
const WARNED_SECONDS = 1;

/** What has a hook: a protocol, factory or producer; or the function that is called, or its name. */
export type HookOwner = object | string | undefined;

/** Whom `HookWatch` tells, and from when on. */
export interface HookWatchOptions {
  readonly observation: Observation | undefined;
  readonly logger: Logger | undefined;
  readonly slowHookSeconds: number | undefined;
}

/**
 * Measures how long the user's code keeps everything else waiting, wherever the reactor enters it. One hook may be inside another, such
 * as `pauseProducing` inside `dataReceived`; then both have taken the time of the inner one.
 *
 * Each hook costs two readings of the clock, which is 0.1 to 0.3 µs of the 14.5 µs that a request costs in `bench/ping`: hardly to be
 * told from noise, so it is done by default. To measure whole turns would be cheaper, but not say which hook it
 * was, and blame the reactor for what other code of the same process does in between.
 */
export class HookWatch {
  /** The time, in seconds, to be given to `ended`. */
  readonly now: () => number;
  readonly #observation: Observation | undefined;
  readonly #logger: Logger | undefined;
  readonly #observedSeconds: number;
  readonly #warnedSeconds: number;

  private constructor(now: () => number, { observation, logger, slowHookSeconds }: HookWatchOptions) {
    this.now = now;
    this.#observation = observation;
    this.#logger = logger;
    this.#observedSeconds = observation === undefined ? Infinity : (slowHookSeconds ?? OBSERVED_SECONDS);
    this.#warnedSeconds = logger === undefined ? Infinity : (slowHookSeconds ?? WARNED_SECONDS);
  }

  /** Undefined if nobody is to be told, so that nothing is measured. */
  static create(now: () => number, options: HookWatchOptions): HookWatch | undefined {
    const watch = new HookWatch(now, options);
    return Math.min(watch.#observedSeconds, watch.#warnedSeconds) === Infinity ? undefined : watch;
  }

  /** A hook that began at `startedAt` has ended. `owner` has it, or is the function that was called, or its name. */
  ended(startedAt: number, hook: string, owner: HookOwner, connection?: ObservedConnection): void {
    const seconds = this.now() - startedAt;
    if (seconds >= this.#observedSeconds || seconds >= this.#warnedSeconds)
      this.#tell(hook, seconds, owner, connection);
  }

  #tell(hook: string, seconds: number, owner: HookOwner, connection: ObservedConnection | undefined): void {
    const whose = typeof owner === 'object' ? unwrap(owner) : undefined;
    const called = typeof owner === 'function' ? nameOf(owner) : owner;
    const name = typeof called === 'string' ? `${hook} ${called === '' ? 'anonymous function' : called}` : hook;
    if (seconds >= this.#observedSeconds) this.#observation?.hookSlow(name, seconds, connection, whose);
    if (seconds < this.#warnedSeconds) return;
    const className = whose === undefined ? '' : classNameOf(whose);
    const peer = connection === undefined ? undefined : String(connection.peer);
    const fields = { hook: name, seconds, ...(className !== '' && { owner: className }), ...(peer && { peer }) };
    const subject = className === '' ? name : `${name} of ${className}`;
    this.#logger?.warn(fields, `${subject} has kept everything else waiting for ${seconds.toFixed(3)} s`);
  }
}

/** Calls `call` and has the time measured, if anybody wants to know. */
export function timed<T>(watch: HookWatch | undefined, hook: string, owner: HookOwner, call: () => T): T {
  if (watch === undefined) return call();
  const startedAt = watch.now();
  try {
    return call();
  } finally {
    watch.ended(startedAt, hook, owner);
  }
}

/** The protocol or factory that the user knows, behind those that stand before it. */
function unwrap(owner: object): object {
  let inner = owner;
  while ('wrappedProtocol' in inner && typeof inner.wrappedProtocol === 'object' && inner.wrappedProtocol !== null) {
    inner = inner.wrappedProtocol;
  }
  return inner;
}

/** By the prototype, since one that is bound to a context stands behind a proxy. Empty for what is of no class. */
function classNameOf(owner: object): string {
  const prototype: unknown = Object.getPrototypeOf(owner);
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) return '';
  const { constructor } = prototype;
  return typeof constructor === 'function' ? constructor.name : '';
}
