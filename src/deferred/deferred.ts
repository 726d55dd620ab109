/**
 * `Deferred`: a result that is not there yet, and the chain of callbacks it will pass through. Twisted:
 * `twisted.internet.defer.Deferred`. This file holds the machine; what is built from it stands beside it.
 *
 * ## Theory of operation
 *
 * A chain is a list of links, each with a callback and an errback. Once fired, the result passes through the links in
 * order: a value through callbacks, a `Failure` through errbacks, and what a link returns or throws is the result for
 * the next. A link is used once, then dropped; at the end the `Deferred` rests and keeps its result for later links.
 *
 * One `Deferred` is in one state:
 *
 * | state        | `#result` is           | what it means, and how it ends                                          |
 * |--------------|------------------------|-------------------------------------------------------------------------|
 * | `unfired`    | nothing                | until `callback`, `errback` or `cancel`                                 |
 * | `cancelling` | nothing                | its canceller is being called; until that fires it or returns           |
 * | `fired`      | the current result     | at rest, or held by a pause, or on the stack of a loop (see below)      |
 * | `running`    | stale: the loop has it | a link is being called; until the loop leaves this chain                |
 * | `waiting`    | the inner `Deferred`   | a link returned it; until it hands its result over                      |
 * | `unhandled`  | a `Failure`            | as `fired`, with an error nobody took; under watch in `unhandled.ts`    |
 * | `observed`   | a `Failure`            | as `fired`, with an error that a promise has taken                      |
 *
 * Pausing is a counter beside the state: it holds links back in whatever state they are.
 *
 * **Waiting.** When a link returns a `Deferred`, the outer one waits: it puts itself as a link at the end of the inner
 * chain. When that link is reached the inner result moves to the outer chain, and `undefined` stays behind (the result
 * is "stolen", so that one error is not reported twice). A promise is wrapped in a `Deferred` first, so there is only
 * one way of waiting, and one way of cancelling it.
 *
 * **No recursion.** `#drain` runs the links of one `Deferred` and returns the one its result moved to, if any;
 * `#run` goes on there. Any number of nested `Deferred`s unwinds in one loop, and a chain with links left after a hand-over is
 * put on a stack and resumed after the other has come to rest. A link added to a running chain is only appended: the
 * loop finds it.
 *
 * **Cost.** Success allocates the `Deferred` and one `Link` per callback, none for a callback added at rest: keep closures
 * off this path, and out of the functions that every chain passes through, whose scopes they may put on the heap. Measured on Node 20 with `npm run bench -- deferred`, promise / Deferred: 2.1 to 2.7 times faster to make one,
 * add three callbacks and fire, 1.4 to 1.6 for 1,000 callbacks in a chain, 2.8 to 3.1 for 1,000 functions that call one
 * another (`await` for promises), 1.0 to 1.4 for 1,000 Deferreds each returned by a callback of the next, where memory
 * traffic counts most, and 1.7 to 1.9 to gather 100; always with less memory. What else was seen: `#x in value` is as fast
 * as `instanceof` while it sees only one class, and costs some 15 ns more once it sees two; results that are no objects
 * are told first, being cheapest; and each object of a class with private methods is stamped with them when it is made
 * (about 50 ns more), so the parts of the machine are static.
 */
import { requireFunction } from '../arguments.ts';
import { AlreadyCalledError, CancelledError } from '../errors.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import { addTimeout, type TimeoutCancelHandler, toTimeoutError } from './add-timeout.ts';
import { DeferredTrace } from './deferred-trace.ts';
import { Failure } from './failure.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { type Callback, ChainedTarget, Link, PromiseObserver, type Step } from './link.ts';
import { getDebugging, reportUnhandledError, unwatchUnhandled, watchUnhandled } from './unhandled.ts';

/**
 * Asks the producer of a result to give up. It may fire the `Deferred` itself, with whatever fits; if it does not, the
 * `Deferred` fails with `CancelledError`.
 */
export type Canceller<T> = (deferred: Deferred<T>) => void;

/** What a callback for a result of type `U` may return: it now, it later, or that it failed. */
export type CallbackResult<U> = U | PromiseLike<U> | Failure;

type State = 'unfired' | 'cancelling' | 'fired' | 'running' | 'waiting' | 'unhandled' | 'observed';

/**
 * A result that will be there later, and the chain of callbacks it passes through.
 *
 * Callbacks run synchronously, inside `callback` or `errback`, in the order they were added; one added after the
 * result is there runs inside the call that adds it. A callback that throws, or returns a `Failure`, switches the chain
 * to the errback side; an errback that returns anything else switches it back. A callback that returns a `Deferred` or
 * any promise makes the chain wait for that result (for a `Deferred` synchronously, for a promise in a microtask).
 *
 * `addCallback` and its like change what the chain yields and so return the same object under another type: use what
 * they return. An error nobody handles is reported (see `setUnhandledErrorHandler`); awaiting counts as handling.
 */
export class Deferred<T> implements PromiseLike<T> {
  #state: State = 'unfired';
  #result: unknown = undefined;
  #head: Link | undefined = undefined;
  #tail: Link | undefined = undefined;
  #pauses = 0;
  #canceller: Canceller<never> | undefined;
  /** After a cancel that could not reach the producer: its result, which may still come, is dropped once. */
  #dropsNextFiring = false;
  readonly #trace: DeferredTrace | undefined;

  constructor(canceller?: Canceller<T>) {
    this.#canceller = canceller;
    this.#trace = getDebugging() ? new DeferredTrace() : undefined;
  }

  /**
   * A `Deferred` for the outcome of a promise; it fires in a microtask. Cancelling it calls `onCancel`, the place to
   * abort the work, and fails it with `CancelledError` at once; the promise's own outcome is then ignored.
   */
  static fromPromise<T>(promise: PromiseLike<T>, onCancel?: Canceller<T>): Deferred<T> {
    const deferred = new Deferred<T>(onCancel);
    // A thenable of unknown make goes through a native promise: it may call back twice, or before `then` returns.
    Promise.resolve(promise).then(
      (value) => {
        if (!deferred.called) deferred.callback(value);
      },
      (reason: unknown) => {
        if (!deferred.called) deferred.errback(new Failure(reason));
      },
    );
    return deferred;
  }

  /** Whether the result is or was there: true from the first `callback`, `errback` or `cancel`, for good. */
  get called(): boolean {
    return this.#state !== 'unfired' && this.#state !== 'cancelling';
  }

  /**
   * Runs `callback` with the value; an error passes it by. Called now if the result is there and nothing holds it,
   * but never while a callback of the same `Deferred` runs: then it is called after those before it.
   */
  addCallback<U = never>(callback: (value: T) => CallbackResult<U>): Deferred<Exclude<U, Failure>> {
    requireFunction('callback', callback);
    Deferred.#append(this, callback, undefined);
    return retyped<Exclude<U, Failure>>(this);
  }

  /** Runs `errback` with the `Failure`; a value passes it by. When it is called is as for `addCallback`. */
  addErrback(errback: (failure: Failure) => Failure): Deferred<T>;
  addErrback<U>(errback: (failure: Failure) => CallbackResult<U>): Deferred<T | U>;
  addErrback(errback: (failure: Failure) => unknown): Deferred<unknown> {
    requireFunction('errback', errback);
    Deferred.#append(this, undefined, errback);
    return retyped<unknown>(this);
  }

  /** Runs `callback` with the value or the `Failure`, whichever comes. */
  addBoth<U = never>(callback: (result: T | Failure) => CallbackResult<U>): Deferred<Exclude<U, Failure>> {
    requireFunction('callback', callback);
    Deferred.#append(this, callback, callback);
    return retyped<Exclude<U, Failure>>(this);
  }

  /**
   * Runs one of the two. They stand side by side: an error thrown by `callback` does not reach this `errback` but the
   * next. Without an `errback` an error passes by.
   */
  addCallbacks<U = never, V = never>(
    callback: (value: T) => CallbackResult<U>,
    errback?: (failure: Failure) => CallbackResult<V>,
  ): Deferred<U | V> {
    requireFunction('callback', callback);
    if (errback !== undefined) requireFunction('errback', errback);
    Deferred.#append(this, callback, errback);
    return retyped<U | V>(this);
  }

  /**
   * Fires `other` with the result when it comes here; what stays here is `undefined`. Cancelling `other` does not
   * cancel this one. If `other` has been fired by then, `AlreadyCalledError` is the result here.
   */
  chainDeferred(other: Deferred<T>): Deferred<undefined> {
    if (!(other instanceof Deferred)) throw new TypeError('other must be a Deferred');
    if (other === retyped<T>(this)) throw new TypeError('a Deferred cannot be chained to itself');
    const target = new ChainedTarget(other);
    Deferred.#append(this, target, target);
    return retyped<undefined>(this);
  }

  /**
   * Cancels this `Deferred` if no result has come to this point of the chain `timeoutSeconds` from now; callbacks added
   * before are covered, those after are not. The `CancelledError` that comes of it becomes a `TimeoutError`, or
   * what `onTimeoutCancel` makes of it; a value or another error that a canceller or callback gives instead stands. The
   * delayed call is taken back as soon as a result passes. Throws `RangeError` for a time that is negative or not finite.
   */
  addTimeout(timeoutSeconds: number, clock: Pick<ReactorTime, 'callLater'>): Deferred<T>;
  addTimeout<U>(
    timeoutSeconds: number,
    clock: Pick<ReactorTime, 'callLater'>,
    onTimeoutCancel: TimeoutCancelHandler<T, U>,
  ): Deferred<T | U>;
  addTimeout(
    timeoutSeconds: number,
    clock: Pick<ReactorTime, 'callLater'>,
    onTimeoutCancel: TimeoutCancelHandler<T, unknown> = toTimeoutError,
  ): Deferred<unknown> {
    requireFunction('onTimeoutCancel', onTimeoutCancel);
    return addTimeout(this, timeoutSeconds, clock, onTimeoutCancel);
  }

  /**
   * Fires with `value` and runs the callbacks before it returns. A `Failure` fires the errback side. Throws
   * `AlreadyCalledError` if it was fired, and `TypeError` for a `Deferred` or promise, which leaves it unfired: use
   * `chainDeferred` or `Deferred.fromPromise`. Never throws what a callback throws.
   */
  callback(value: T | Failure): void {
    if (isPromiseLike(value)) {
      throw new TypeError(
        'callback() takes a plain value; for a Deferred use chainDeferred, for a promise Deferred.fromPromise',
      );
    }
    if (Deferred.#accept(this, value) && (this.#head !== undefined || isFailure(value))) Deferred.#run(this);
  }

  /**
   * Fires with an error: an `Error`, a `Failure`, or anything else, which `Failure` wraps. Throws `AlreadyCalledError` if
   * it was fired, and `TypeError` without a reason.
   */
  errback(reason: unknown): void {
    if (reason === undefined) throw new TypeError('errback() needs an Error or a Failure');
    if (Deferred.#accept(this, reason instanceof Failure ? reason : new Failure(reason))) Deferred.#run(this);
  }

  /**
   * Gives up on the result. Unfired, it calls the canceller, if there is one, and then fails with `CancelledError`
   * unless the canceller fired it. Without a canceller the producer does not know, so the next `callback` or `errback`
   * is ignored; with one, a producer that fires after all gets `AlreadyCalledError`. Waiting for an inner `Deferred` or
   * promise, it cancels that one. Otherwise fired, or called by its own canceller, it does nothing.
   *
   * Never throws (departs from Twisted, where an exception in the canceller left the `Deferred` unfired for ever): the
   * error of a canceller is the result, or if the canceller fired before it threw, reported as unhandled.
   */
  cancel(): void {
    if (this.#state === 'waiting') {
      const innermost = Deferred.#innermostOf(this);
      if (innermost !== undefined) innermost.cancel();
      else Deferred.#stopWaiting(this);
    } else if (this.#state === 'unfired') {
      if (this.#canceller === undefined) this.#dropsNextFiring = true;
      else Deferred.#callCanceller(this, this.#canceller);
      if (!this.called) this.errback(new CancelledError());
    }
  }

  /** Holds back the callbacks until `unpause` has been called as often. A callback that is running is the last. */
  pause(): void {
    this.#pauses += 1;
    if (this.#state === 'unhandled') {
      // Who pauses a chain means to add to it. It comes under watch again when it is released.
      unwatchUnhandled(this);
      this.#state = 'fired';
    }
  }

  /** Undoes one `pause`; the last one runs what waits before it returns. Throws `RangeError` if there is none to undo. */
  unpause(): void {
    if (this.#pauses === 0) throw new RangeError('unpause() was called more often than pause()');
    this.#pauses -= 1;
    Deferred.#run(this);
  }

  /**
   * A native promise for the result at this point of the chain; an error rejects it with the error itself, not the
   * `Failure`. The result stays here for later callbacks and later promises, but its error counts as handled.
   */
  toPromise(): Promise<T> {
    return new Promise((resolve, reject) => {
      const observer = new PromiseObserver(resolve, reject);
      Deferred.#append(this, observer, observer);
    });
  }

  /** As `toPromise().then`: this is what `await` calls. The functions are called in a microtask. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.toPromise().then(onFulfilled, onRejected);
  }

  /** In a coroutine, `yield* deferred` waits for the value; see `inlineCallbacks`. It is `yield`, with the right type. */
  *[Symbol.iterator](): Generator<Deferred<T>, T, unknown> {
    // The coroutine resumes with the value of what was yielded, or throws the error in here.
    return (yield this) as T;
  }

  static #append(deferred: Deferred<unknown>, callback: Step | undefined, errback: Step | undefined): void {
    if (deferred.#state !== 'unfired' && Deferred.#isAtRest(deferred)) {
      // Nothing is before it, so it needs no link. If the result passes it by, all stays as it is.
      const step = isFailure(deferred.#result) ? errback : callback;
      if (step !== undefined) Deferred.#run(deferred, step);
    } else {
      Deferred.#enqueue(deferred, new Link(callback, errback));
      if (deferred.#state !== 'unfired') Deferred.#run(deferred);
    }
  }

  static #enqueue(deferred: Deferred<unknown>, link: Link): void {
    if (deferred.#head === undefined || deferred.#tail === undefined) deferred.#head = link;
    else deferred.#tail.next = link;
    deferred.#tail = link;
  }

  /** Takes the first result; false if it is to be dropped. The caller runs the links. */
  static #accept(deferred: Deferred<unknown>, result: unknown): boolean {
    if (deferred.called) {
      if (!deferred.#dropsNextFiring) throw alreadyCalled(deferred.#trace);
      deferred.#dropsNextFiring = false;
      return false;
    }
    deferred.#trace?.noteFiring();
    deferred.#state = 'fired';
    deferred.#result = result;
    return true;
  }

  /** Runs `step`, if there is one, the links of `first`, and those of every `Deferred` that a result moves to on the way. */
  static #run(first: Deferred<unknown>, step?: Step): void {
    let current = first;
    let next = Deferred.#drain(current, step);
    let unfinished: Deferred<unknown>[] | undefined;
    for (;;) {
      if (next !== undefined) {
        if (current.#head !== undefined) (unfinished ??= []).push(current);
        current = next;
      } else {
        const resumed = unfinished?.pop();
        if (resumed === undefined) return;
        current = resumed;
      }
      next = Deferred.#drain(current, undefined);
    }
  }

  /**
   * Runs `first`, if there is one, and then links until none is left, a pause or an inner `Deferred` holds the chain, or
   * the result moves to another `Deferred`, which is returned: its links are to run next. Does nothing in a state
   * without a result to pass on.
   */
  static #drain(self: Deferred<unknown>, first: Step | undefined): Deferred<unknown> | undefined {
    const before = self.#state;
    if (self.#pauses > 0 || !hasResult(before)) return undefined;
    const watched = before === 'unhandled' ? self.#result : undefined;
    let observed = before === 'observed';
    let result = self.#result;
    let heir: Deferred<unknown> | undefined;
    self.#state = 'running';
    let step = first ?? Deferred.#takeStep(self, result);
    while (step !== undefined) {
      if (typeof step === 'function') {
        observed = false;
        result = Deferred.#invoke(step, result);
        if (isObject(result) && result instanceof Deferred) {
          const inner: Deferred<unknown> = result;
          if (inner !== self && !Deferred.#isAtRest(inner)) {
            Deferred.#waitFor(self, inner, watched !== undefined);
            return undefined;
          }
          result = inner === self ? ownDeferredReturned() : Deferred.#takeResult(inner);
        }
      } else if (step instanceof Deferred) {
        observed = false;
        if (Deferred.#resume(step, self, result)) {
          heir = step;
          result = undefined;
          break;
        }
      } else {
        observed = step instanceof PromiseObserver;
        result = Deferred.#give(result, step);
        if (result instanceof Deferred) {
          heir = result;
          result = undefined;
          break;
        }
      }
      step = Deferred.#takeStep(self, result);
    }
    Deferred.#rest(self, result, observed, watched);
    return heir;
  }

  /** Drops links until one has something to do with `result`. Called for each step, as any may add links and pauses. */
  static #takeStep(self: Deferred<unknown>, result: unknown): Step | undefined {
    while (self.#head !== undefined && self.#pauses === 0) {
      const link: Link = self.#head;
      self.#head = link.next;
      const step = isFailure(result) ? link.errback : link.callback;
      if (step !== undefined) return step;
    }
    return undefined;
  }

  /** Calls one callback. Returns what it returned, a promise as a `Deferred`, and what it threw as a `Failure`. */
  static #invoke(callback: Callback, result: unknown): unknown {
    try {
      // A link's callback accepts what the link before it yields: checked where it was added.
      const returned = callback(result as never);
      if (!isObject(returned) || returned instanceof Deferred || !isPromiseLike(returned)) return returned;
      return Deferred.fromPromise(returned);
    } catch (error) {
      return new Failure(error);
    }
  }

  /** Leaves the loop with the result the last link left, and puts an error nobody took under watch. */
  static #rest(self: Deferred<unknown>, result: unknown, observed: boolean, watched: unknown): void {
    self.#result = result;
    if (self.#head === undefined) self.#tail = undefined;
    if (!isFailure(result)) self.#state = 'fired';
    else if (observed) self.#state = 'observed';
    else self.#state = self.#pauses === 0 ? 'unhandled' : 'fired';
    // An error that only passed through links without an errback is still under the same watch, and reported once.
    const watch = self.#state === 'unhandled' ? result : undefined;
    if (watch === watched) return;
    if (watched !== undefined) unwatchUnhandled(self);
    if (watch instanceof Failure) Deferred.#watch(self, watch);
  }

  /** Apart, for a function that makes a closure may pay for its scope whenever it is called, and every chain comes to rest. */
  static #watch(self: Deferred<unknown>, failure: Failure): void {
    const reported = self.#trace === undefined ? failure : new Failure(failure, { history: self.#trace.toString() });
    watchUnhandled(self, reported, () => self.#state === 'unhandled' && self.#result === failure);
  }

  /** Leaves the loop until `inner` hands its result over. */
  static #waitFor(outer: Deferred<unknown>, inner: Deferred<unknown>, isWatched: boolean): void {
    if (isWatched) unwatchUnhandled(outer);
    outer.#state = 'waiting';
    outer.#result = inner;
    // Only enqueued: were `inner` fired with links left, the loop that left them comes back to it.
    Deferred.#enqueue(inner, new Link(outer, outer));
  }

  /** Moves the result to a `Deferred` that waits for it; false if that has stopped waiting. Its links are to run next. */
  static #resume(outer: Deferred<unknown>, inner: Deferred<unknown>, result: unknown): boolean {
    if (outer.#state !== 'waiting' || outer.#result !== inner) return false;
    outer.#state = 'fired';
    outer.#result = result;
    return true;
  }

  /**
   * Shows a promise the result, or moves it to a `Deferred` that is to be fired with it. Returns the `Deferred` that has it
   * now, or else the result that is here after it.
   */
  static #give(result: unknown, to: ChainedTarget | PromiseObserver): unknown {
    if (to instanceof PromiseObserver) {
      to.observe(result);
      return result;
    }
    try {
      return Deferred.#accept(to.deferred, result) ? to.deferred : undefined;
    } catch (error) {
      return new Failure(error);
    }
  }

  /** Whether the result is there to be taken, with no link or pause before it. */
  static #isAtRest(deferred: Deferred<unknown>): boolean {
    return hasResult(deferred.#state) && deferred.#head === undefined && deferred.#pauses === 0;
  }

  static #takeResult(deferred: Deferred<unknown>): unknown {
    const result = deferred.#result;
    if (deferred.#state === 'unhandled') unwatchUnhandled(deferred);
    deferred.#state = 'fired';
    deferred.#result = undefined;
    return result;
  }

  /** The `Deferred` at the end of a row of those waiting for one another, or undefined if the row is a ring. */
  static #innermostOf(deferred: Deferred<unknown>): Deferred<unknown> | undefined {
    const seen = new Set<Deferred<unknown>>();
    let innermost = deferred;
    while (innermost.#state === 'waiting') {
      if (seen.has(innermost)) return undefined;
      seen.add(innermost);
      // While waiting, the result is the inner Deferred.
      innermost = innermost.#result as Deferred<unknown>;
    }
    return innermost;
  }

  /** Leaves a ring of `Deferred`s that wait for one another, which no firing can reach. */
  static #stopWaiting(deferred: Deferred<unknown>): void {
    deferred.#state = 'fired';
    deferred.#result = new Failure(
      new CancelledError('The Deferred waited for itself by way of others, and was cancelled'),
    );
    Deferred.#run(deferred);
  }

  static #callCanceller(deferred: Deferred<unknown>, canceller: Canceller<never>): void {
    deferred.#state = 'cancelling';
    try {
      // The constructor took a canceller for just this type.
      canceller(deferred as Deferred<never>);
    } catch (error) {
      if (deferred.called) reportUnhandledError(new Failure(error));
      else deferred.errback(new Failure(error));
    }
  }
}

/** The same object, under the type its chain yields now that a link was added. */
function retyped<U>(deferred: Deferred<unknown>): Deferred<U> {
  // No value of the old type can be seen through this name any more: all links are typed where they are added.
  return deferred as Deferred<U>;
}

function alreadyCalled(trace: DeferredTrace | undefined): AlreadyCalledError {
  if (trace === undefined) return new AlreadyCalledError();
  return new AlreadyCalledError(`The Deferred has already been fired. ${trace.toString()}\nand is now fired again`);
}

function ownDeferredReturned(): Failure {
  return new Failure(new TypeError('a callback returned its own Deferred'));
}

function hasResult(state: State): boolean {
  return state === 'fired' || state === 'unhandled' || state === 'observed';
}

/** Or null. */
function isObject(value: unknown): boolean {
  return typeof value === 'object' || typeof value === 'function';
}

function isFailure(result: unknown): boolean {
  return typeof result === 'object' && result instanceof Failure;
}
