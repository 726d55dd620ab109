/**
 * Where errors go that no `Deferred` handled. This is the one file of the package with module state (law 1): a
 * `Deferred` that is thrown away with an error in it has nobody else left to tell.
 *
 * Twisted reports such an error when the `Deferred` is garbage collected, which in CPython is at once. JavaScript
 * collects late or never, so there are three ways:
 *
 * - **In a turn.** While a reactor runs a turn it is the sink. It collects every `Deferred` that comes to rest with an
 *   error, and at the end of the turn reports those whose error is still unhandled. An errback added before then
 *   silences the report; one added in a later turn is too late for it, though it still gets the error.
 * - **Between turns**, while promise continuations run, whoever drives the reactor may collect in the same way and
 *   report when they have all run (`collectBetweenTurns`): `advanceAsync` of a test reactor does.
 * - **Otherwise** there is no moment to wait for. The error is reported when the `Deferred` has been garbage
 *   collected without an errback, and goes to the handler set with `setUnhandledErrorHandler`. This is a last resort:
 *   a program that ends first prints nothing.
 *
 * A reactor drives it like this; `collector` is made once:
 * ```ts
 * const previous = setTurnSink(collector);
 * try { runTurn(); } finally { setTurnSink(previous); }
 * for (const { failure } of collector.takeUnhandled()) logger.error({ failure }, 'Unhandled error in Deferred');
 * ```
 * A `Deferred` that succeeds never comes here, so the common case costs nothing.
 */
import type { Failure } from './failure.ts';

export type UnhandledErrorHandler = (failure: Failure) => void;

/** The errors of one turn. Holds on to failed `Deferred`s until `takeUnhandled`, so call that once per turn. */
export class UnhandledErrorCollector {
  #collected = new Map<object, UnhandledError>();

  /** Notes that `owner` came to rest with `failure`; `isUnhandled` tells later whether that is still so. Never throws. */
  collect(owner: object, failure: Failure, isUnhandled: () => boolean): void {
    this.#collected.set(owner, { failure, isUnhandled });
  }

  /** Whether nothing has been collected since the last `takeUnhandled`. */
  get isEmpty(): boolean {
    return this.#collected.size === 0;
  }

  /** Forgets all that was collected and returns the errors still unhandled, in the order they came to rest. */
  takeUnhandled(): readonly UnhandledError[] {
    if (this.#collected.size === 0) return NOTHING;
    const collected = this.#collected;
    this.#collected = new Map();
    return [...collected.values()].filter(({ isUnhandled }) => isUnhandled());
  }
}

/** An error that no `Deferred` had handled when it was asked. */
export interface UnhandledError {
  readonly failure: Failure;
  /** Whether that is still so: an errback that comes late may handle it yet. */
  readonly isUnhandled: () => boolean;
}

const NOTHING: readonly UnhandledError[] = [];

// The portable part of the package is compiled without the types of any host; this is the one use of its console.
declare const console: { error(message: string): void };

let handler: UnhandledErrorHandler = (failure) => {
  console.error(`Unhandled error in Deferred: ${failure.getTraceback()}`);
};
let turnSink: UnhandledErrorCollector | undefined;
/** Those who collect between turns, the last to ask at the end. */
let betweenTurns: readonly UnhandledErrorCollector[] = [];
let isDebugging = false;
const collectedWithError = new FinalizationRegistry<Failure>((failure) => {
  handler(failure);
});

/**
 * Sets who is told of errors that no `Deferred` handled outside of any turn, and returns who was told until now. The
 * default writes to `console.error`. What the handler throws becomes an uncaught exception of the host.
 */
export function setUnhandledErrorHandler(newHandler: UnhandledErrorHandler): UnhandledErrorHandler {
  if (typeof newHandler !== 'function') throw new TypeError('handler must be a function');
  const previous = handler;
  handler = newHandler;
  return previous;
}

/** Makes `sink` collect from now on, undefined for none, and returns the sink until now, to be put back afterwards. */
export function setTurnSink(sink: UnhandledErrorCollector | undefined): UnhandledErrorCollector | undefined {
  const previous = turnSink;
  turnSink = sink;
  return previous;
}

/**
 * Makes `collector` collect what no turn does, until the function returned is called: the errors of promise continuations,
 * which run between turns. For one that drives a reactor and lets microtasks run, and knows when they have. Where several
 * do so at once, the one that asked last collects; they may stop in any order.
 */
export function collectBetweenTurns(collector: UnhandledErrorCollector): () => void {
  betweenTurns = [...betweenTurns, collector];
  return () => {
    betweenTurns = betweenTurns.filter((other) => other !== collector);
  };
}

/**
 * Makes every `Deferred` made from now on keep the stacks of where it was made and fired, for the message of
 * `AlreadyCalledError` and the reports of errors nobody handled. Off at first, for it costs several times what a
 * `Deferred` does. Returns whether it was on. Twisted: `defer.setDebugging`.
 */
export function setDebugging(on: boolean): boolean {
  const previous = isDebugging;
  isDebugging = on;
  return previous;
}

/** Whether debugging is on. */
export function getDebugging(): boolean {
  return isDebugging;
}

/** `owner` came to rest with `failure`. Told to the turn's sink, or remembered until `owner` is garbage collected. */
export function watchUnhandled(owner: object, failure: Failure, isUnhandled: () => boolean): void {
  const sink = turnSink ?? betweenTurns.at(-1);
  if (sink !== undefined) sink.collect(owner, failure, isUnhandled);
  else collectedWithError.register(owner, failure, owner);
}

/** Somebody took the error `owner` had. A sink finds out by itself, with `isUnhandled`. */
export function unwatchUnhandled(owner: object): void {
  collectedWithError.unregister(owner);
}

/** Reports an error that never had a `Deferred` to wait in: to the turn's sink, or to the handler at once. */
export function reportUnhandledError(failure: Failure): void {
  const sink = turnSink ?? betweenTurns.at(-1);
  if (sink !== undefined) sink.collect(failure, failure, () => true);
  else handler(failure);
}
