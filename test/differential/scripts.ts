/**
 * What scripts are made of. A script is a list of operations; an operation is its name and its arguments, plain JSON.
 * Things (Deferreds, delayed calls, loops…) have the names that scripts give them. The functions that operations add say
 * their label and what they were called with in the trace, and end as their `Ending` says.
 */

/** How a function ends: it hands on what it received, returns a value, raises, returns a Failure or a Deferred. */
export type Ending =
  | readonly ['pass']
  | readonly ['value', number | string | null]
  | readonly ['raise' | 'fail', string]
  | readonly ['deferred', string]
  /** Performs operations first. */
  | readonly ['do', Script, Ending];

export type Side = 'callback' | 'errback' | 'both';

/** A step of a coroutine: waits for what the ending returns, tries steps and swallows their error, or returns. */
export type CoroutineStep = Ending | readonly ['try', ...CoroutineStep[]] | readonly ['return', number | string];

type Deferreds =
  | readonly ['new', name: string, canceller?: 'idle' | 'callback' | 'errback' | 'raise']
  | readonly ['succeed', name: string, value: number | string | null]
  | readonly ['fail', name: string, message: string]
  | readonly ['maybe' | 'execute', name: string, label: string, ending: Ending]
  | readonly ['callback', name: string, value: number | string | null]
  | readonly ['errback', name: string, message: string]
  | readonly ['add', name: string, side: Side, label: string, ending: Ending]
  | readonly ['addPair', name: string, label: string, ending: Ending, otherLabel: string, otherEnding: Ending]
  /** An errback that takes one kind of error. */
  | readonly ['trap', name: string, label: string, kind: 'Boom' | 'Cancelled' | 'Timeout']
  | readonly ['pause' | 'unpause' | 'cancel' | 'called', name: string]
  | readonly ['chain', name: string, other: string]
  | readonly ['list', name: string, names: readonly string[], options: ListOptions]
  | readonly ['gather', name: string, names: readonly string[], options: { readonly consumeErrors?: boolean }]
  | readonly ['timeout', name: string, seconds: number, label?: string, ending?: Ending]
  | readonly ['coroutine', name: string, label: string, steps: readonly CoroutineStep[]];

interface ListOptions {
  readonly fireOnOneCallback?: boolean;
  readonly fireOnOneErrback?: boolean;
  readonly consumeErrors?: boolean;
}

type Locks =
  | readonly ['lock', name: string]
  | readonly ['semaphore', name: string, tokens: number]
  | readonly ['acquire', name: string, deferred: string]
  | readonly ['release' | 'locked' | 'tokens', name: string]
  | readonly ['runLocked', name: string, deferred: string, label: string, ending: Ending]
  | readonly ['queue', name: string, size: number | null, backlog: number | null]
  | readonly ['put', name: string, value: number | string]
  | readonly ['get', name: string, deferred: string];

type Tasks =
  /** Passes time so that each due time is met. All times are whole quarters of a second. */
  | readonly ['advance', seconds: number]
  /** As the clock of the library passes it by itself. */
  | readonly ['jump', seconds: number]
  | readonly ['callLater', name: string, seconds: number, label: string, ending: Ending]
  | readonly ['cancelCall' | 'active', name: string]
  | readonly ['delayCall' | 'resetCall', name: string, seconds: number]
  | readonly ['pending']
  | readonly ['deferLater', name: string, seconds: number, label?: string, ending?: Ending]
  /** The function of a loop ends otherwise at each call, over and over. */
  | readonly ['loop', name: string, endings: readonly Ending[], withCount?: boolean]
  | readonly ['start', name: string, deferred: string, intervalSeconds: number, now?: boolean]
  | readonly ['stop' | 'reset' | 'running', name: string]
  /** A slice of so many steps each second. */
  | readonly ['cooperator', name: string, steps: number, started?: boolean]
  | readonly ['begin', name: string]
  | readonly ['cooperate', name: string, task: string, endings: readonly Ending[]]
  | readonly ['coiterate', name: string, deferred: string, label: string, endings: readonly Ending[]]
  | readonly ['whenDone', task: string, deferred: string]
  | readonly ['pauseTask' | 'resume', task: string];

export type Operation = Deferreds | Locks | Tasks;

export type Script = readonly Operation[];

/** The scripts written by hand, by what they are about. */
export type NamedScripts = Readonly<Record<string, Script>>;

export const PASS: Ending = ['pass'];
export const NOTHING: Ending = ['value', null];

/** Adds a function that says what comes and hands it on. */
export function look(name: string, label: string = name): Operation {
  return ['add', name, 'both', label, PASS];
}
