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
 * **Cost.** Success allocates the `Deferred` and one `Link` per callback, nothing else: keep closures off this path.
 */
import { AlreadyCalledError, CancelledError } from '../errors.ts';
import { Failure } from './failure.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { reportUnhandledError, unwatchUnhandled, watchUnhandled } from './unhandled.ts';

/**
 * Asks the producer of a result to give up. It may fire the `Deferred` itself, with whatever fits; if it does not, the
 * `Deferred` fails with `CancelledError`.
 */
export type Canceller<T> = (deferred: Deferred<T>) => void;

/** What a callback for a result of type `U` may return: it now, it later, or that it failed. */
export type CallbackResult<U> = U | PromiseLike<U> | Failure;

type State = 'unfired' | 'cancelling' | 'fired' | 'running' | 'waiting' | 'unhandled' | 'observed';

/** A callback whose argument's type was checked where it was added. */
type Callback = (result: never) => unknown;

/** What a link does with a result: call a function, hand it to the `Deferred` that waits for it, or one of the others. */
type Step = Callback | Deferred<unknown> | ChainedTarget | PromiseObserver;

class Link {
  readonly callback: Step | undefined;
  readonly errback: Step | undefined;
  next: Link | undefined = undefined;

  constructor(callback: Step | undefined, errback: Step | undefined) {
    this.callback = callback;
    this.errback = errback;
  }
}

/** The argument of `chainDeferred`: fired with the result, where a waiting `Deferred` is resumed with it. */
class ChainedTarget {
  readonly deferred: Deferred<unknown>;

  constructor(deferred: Deferred<unknown>) {
    this.deferred = deferred;
  }
}

/** Settles a promise with the result and leaves the result where it is, so that a `Deferred` can be awaited twice. */
class PromiseObserver {
  readonly #resolve: (value: never) => void;
  readonly #reject: (error: Error) => void;

  constructor(resolve: (value: never) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  observe(result: unknown): void {
    if (result instanceof Failure) this.#reject(result.value);
    // The promise was made for the type that the chain has at this link.
    else this.#resolve(result as never);
  }
}

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

  constructor(canceller?: Canceller<T>) {
    this.#canceller = canceller;
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
  addCallback<U = never>(callback: (value: T) => CallbackResult<U>): Deferred<U> {
    requireFunction(callback, 'callback');
    this.#append(callback, undefined);
    return this.#retyped<U>();
  }

  /** Runs `errback` with the `Failure`; a value passes it by. When it is called is as for `addCallback`. */
  addErrback(errback: (failure: Failure) => Failure): Deferred<T>;
  addErrback<U>(errback: (failure: Failure) => CallbackResult<U>): Deferred<T | U>;
  addErrback(errback: (failure: Failure) => unknown): Deferred<unknown> {
    requireFunction(errback, 'errback');
    this.#append(undefined, errback);
    return this.#retyped<unknown>();
  }

  /** Runs `callback` with the value or the `Failure`, whichever comes. */
  addBoth<U = never>(callback: (result: T | Failure) => CallbackResult<U>): Deferred<U> {
    requireFunction(callback, 'callback');
    this.#append(callback, callback);
    return this.#retyped<U>();
  }

  /**
   * Runs one of the two. They stand side by side: an error thrown by `callback` does not reach this `errback` but the
   * next. Without an `errback` an error passes by.
   */
  addCallbacks<U = never, V = never>(
    callback: (value: T) => CallbackResult<U>,
    errback?: (failure: Failure) => CallbackResult<V>,
  ): Deferred<U | V> {
    requireFunction(callback, 'callback');
    if (errback !== undefined) requireFunction(errback, 'errback');
    this.#append(callback, errback);
    return this.#retyped<U | V>();
  }

  /**
   * Fires `other` with the result when it comes here; what stays here is `undefined`. Cancelling `other` does not
   * cancel this one. If `other` has been fired by then, `AlreadyCalledError` is the result here.
   */
  chainDeferred(other: Deferred<T>): Deferred<undefined> {
    if (!(other instanceof Deferred)) throw new TypeError('other must be a Deferred');
    if (other === this.#retyped<T>()) throw new TypeError('a Deferred cannot be chained to itself');
    const target = new ChainedTarget(other);
    this.#append(target, target);
    return this.#retyped<undefined>();
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
    if (this.#accept(value)) Deferred.#run(this);
  }

  /**
   * Fires with an error: an `Error`, a `Failure`, or anything else, which `Failure` wraps. Throws `AlreadyCalledError` if
   * it was fired, and `TypeError` without a reason.
   */
  errback(reason: unknown): void {
    if (reason === undefined) throw new TypeError('errback() needs an Error or a Failure');
    if (this.#accept(reason instanceof Failure ? reason : new Failure(reason))) Deferred.#run(this);
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
      const innermost = this.#innermost();
      if (innermost !== undefined) innermost.cancel();
      else this.#stopWaiting();
    } else if (this.#state === 'unfired') {
      if (this.#canceller === undefined) this.#dropsNextFiring = true;
      else this.#callCanceller(this.#canceller);
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
      this.#append(observer, observer);
    });
  }

  /** As `toPromise().then`: this is what `await` calls. The functions are called in a microtask. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.toPromise().then(onFulfilled, onRejected);
  }

  /** The same object, under the type its chain yields now that a link was added. */
  #retyped<U>(): Deferred<U> {
    // No value of type T can be seen through this name any more: all links are typed where they are added.
    return this as Deferred<unknown> as Deferred<U>;
  }

  #append(callback: Step | undefined, errback: Step | undefined): void {
    this.#enqueue(new Link(callback, errback));
    if (this.#state !== 'unfired') Deferred.#run(this);
  }

  #enqueue(link: Link): void {
    if (this.#head === undefined || this.#tail === undefined) this.#head = link;
    else this.#tail.next = link;
    this.#tail = link;
  }

  /** Takes the first result; false if it is to be dropped. The caller runs the links. */
  #accept(result: unknown): boolean {
    if (this.called) {
      if (!this.#dropsNextFiring) throw new AlreadyCalledError();
      this.#dropsNextFiring = false;
      return false;
    }
    this.#state = 'fired';
    this.#result = result;
    return true;
  }

  /** Runs the links of `first`, and those of every `Deferred` that a result moves to on the way. */
  static #run(first: Deferred<unknown>): void {
    let current = first;
    let unfinished: Deferred<unknown>[] | undefined;
    for (;;) {
      const next = current.#drain();
      if (next !== undefined) {
        if (current.#head !== undefined) (unfinished ??= []).push(current);
        current = next;
      } else {
        const resumed = unfinished?.pop();
        if (resumed === undefined) return;
        current = resumed;
      }
    }
  }

  /**
   * Runs links until none is left, a pause or an inner `Deferred` holds the chain, or the result moves to another
   * `Deferred`, which is returned: its links are to run next. Does nothing in a state without a result to pass on.
   */
  #drain(): Deferred<unknown> | undefined {
    const before = this.#state;
    if (this.#pauses > 0 || !hasResult(before)) return undefined;
    const watched = before === 'unhandled' ? this.#result : undefined;
    let observed = before === 'observed';
    let result = this.#result;
    let heir: Deferred<unknown> | undefined;
    this.#state = 'running';
    // Each call may add links and pauses, so both are looked at afresh every time round.
    while (this.#head !== undefined && this.#pauses === 0 && heir === undefined) {
      const link: Link = this.#head;
      this.#head = link.next;
      const step = result instanceof Failure ? link.errback : link.callback;
      if (step === undefined) continue;
      if (typeof step === 'function') {
        observed = false;
        result = invoke(step, result);
        if (!(result instanceof Deferred)) continue;
        const inner: Deferred<unknown> = result;
        if (inner !== this && !inner.#isAtRest()) {
          this.#waitFor(inner, watched !== undefined);
          return undefined;
        }
        result =
          inner === this ? new Failure(new TypeError('a callback returned its own Deferred')) : inner.#takeResult();
      } else {
        observed = step instanceof PromiseObserver;
        result = this.#give(result, step);
        if (result instanceof Deferred) {
          heir = result;
          result = undefined;
        }
      }
    }
    this.#rest(result, observed, watched);
    return heir;
  }

  /** Leaves the loop with the result the last link left, and puts an error nobody took under watch. */
  #rest(result: unknown, observed: boolean, watched: unknown): void {
    this.#result = result;
    if (this.#head === undefined) this.#tail = undefined;
    if (!(result instanceof Failure)) this.#state = 'fired';
    else if (observed) this.#state = 'observed';
    else this.#state = this.#pauses === 0 ? 'unhandled' : 'fired';
    // An error that only passed through links without an errback is still under the same watch, and reported once.
    const watch = this.#state === 'unhandled' ? result : undefined;
    if (watch === watched) return;
    if (watched !== undefined) unwatchUnhandled(this);
    if (watch instanceof Failure) {
      watchUnhandled(this, watch, () => this.#state === 'unhandled' && this.#result === watch);
    }
  }

  /** Leaves the loop until `inner` hands its result over. */
  #waitFor(inner: Deferred<unknown>, isWatched: boolean): void {
    if (isWatched) unwatchUnhandled(this);
    this.#state = 'waiting';
    this.#result = inner;
    // Only enqueued: were `inner` fired with links left, the loop that left them comes back to it.
    inner.#enqueue(new Link(this, this));
  }

  /**
   * Does what a link does that calls no function: shows a promise the result, or moves it to a `Deferred` that waits for
   * it or is to be fired with it. Returns the `Deferred` that has it now, or else the result that is here after it.
   */
  #give(result: unknown, to: Exclude<Step, Callback>): unknown {
    if (to instanceof PromiseObserver) {
      to.observe(result);
      return result;
    }
    if (to instanceof Deferred) {
      // It may have stopped waiting.
      if (to.#state !== 'waiting' || to.#result !== this) return result;
      to.#state = 'fired';
      to.#result = result;
      return to;
    }
    try {
      return to.deferred.#accept(result) ? to.deferred : undefined;
    } catch (error) {
      return new Failure(error);
    }
  }

  /** Whether the result is there to be taken, with no link or pause before it. */
  #isAtRest(): boolean {
    return this.#pauses === 0 && this.#head === undefined && hasResult(this.#state);
  }

  #takeResult(): unknown {
    const result = this.#result;
    if (this.#state === 'unhandled') unwatchUnhandled(this);
    this.#state = 'fired';
    this.#result = undefined;
    return result;
  }

  /** The `Deferred` at the end of a row of those waiting for one another, or undefined if the row is a ring. */
  #innermost(): Deferred<unknown> | undefined {
    const seen = new Set<Deferred<unknown>>();
    let innermost: Deferred<unknown> = this.#retyped<unknown>();
    while (innermost.#state === 'waiting') {
      if (seen.has(innermost)) return undefined;
      seen.add(innermost);
      // While waiting, the result is the inner Deferred.
      innermost = innermost.#result as Deferred<unknown>;
    }
    return innermost;
  }

  /** Leaves a ring of `Deferred`s that wait for one another, which no firing can reach. */
  #stopWaiting(): void {
    this.#state = 'fired';
    this.#result = new Failure(
      new CancelledError('The Deferred waited for itself by way of others, and was cancelled'),
    );
    Deferred.#run(this);
  }

  #callCanceller(canceller: Canceller<never>): void {
    this.#state = 'cancelling';
    try {
      // The constructor took a canceller for just this type.
      canceller(this as Deferred<unknown> as Deferred<never>);
    } catch (error) {
      if (this.called) reportUnhandledError(new Failure(error));
      else this.errback(new Failure(error));
    }
  }
}

function hasResult(state: State): boolean {
  return state === 'fired' || state === 'unhandled' || state === 'observed';
}

/** Calls one callback. Returns what it returned, a promise as a `Deferred`, and what it threw as a `Failure`. */
function invoke(callback: Callback, result: unknown): unknown {
  try {
    // A link's callback accepts what the link before it yields: checked where it was added.
    const returned = callback(result as never);
    return isPromiseLike(returned) && !(returned instanceof Deferred) ? Deferred.fromPromise(returned) : returned;
  } catch (error) {
    return new Failure(error);
  }
}

function requireFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function`);
}
