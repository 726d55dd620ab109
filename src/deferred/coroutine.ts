/**
 * Coroutines: generators that wait for `Deferred`s. Twisted: `inlineCallbacks` and `ensureDeferred` of
 * `twisted.internet.defer`. What `async` functions lack: the steps are synchronous, so a result that is there is used at
 * once, and a coroutine can be cancelled where it waits.
 *
 * ## Theory of operation
 *
 * `#run` is a loop that resumes the generator with a result and looks at what it yields. What is no `Deferred` or promise
 * goes straight back in. A `Deferred` is chained to one of the coroutine's own, the carrier, whose callback is `#receive`:
 * if that is called before `chainDeferred` returns, the loop goes on, so any number of fired `Deferred`s takes no stack;
 * otherwise the loop ends and `#receive` starts it again. The result of a `Deferred` that was waited for is taken out of
 * it, as when a callback returns one. At the end the carrier is chained to the `Deferred` of the caller: the result moves
 * from chain to chain in the loop that every `Deferred` runs in, and any number of coroutines that wait for one another
 * takes no stack either. Cancelling does take stack: a cancel goes down from one coroutine to the one it waits for by a call
 * each, which some thousands of them in a row can stand.
 *
 * | state       | means                                                    | a cancel                                |
 * |-------------|----------------------------------------------------------|-----------------------------------------|
 * | `running`   | the generator is on the stack                            | makes it `cancelled`                    |
 * | `cancelled` | the same; whatever it waits for next is to be cancelled  | nothing                                 |
 * | `waiting`   | `#awaited` has no result yet                             | cancels `#awaited`                      |
 * | `finished`  | there is an outcome                                      | nothing                                 |
 *
 * A cancelled coroutine may catch the `CancelledError` and go on. If it then waits once more, its `Deferred` cannot fail
 * yet; but a canceller has to leave it fired. So it is fired with `GOES_ON`, and the link it was made with has it wait for
 * another `Deferred`, made in the same way, with which the coroutine will end.
 */
import { NotACoroutineError } from '../errors.ts';
import { type CallbackResult, Deferred } from './deferred.ts';
import { Failure } from './failure.ts';
import { isPromiseLike } from './is-promise-like.ts';

/**
 * What a coroutine is written as. It may yield anything; `yield* deferred` is typed with the value of the `Deferred`, where
 * `yield deferred` is `unknown`. It may return what a callback may.
 */
export type CoroutineGenerator<U> = Generator<unknown, CallbackResult<U>, unknown>;

/**
 * Makes a function of a generator function. Each call runs the generator until it first has to wait, and returns a
 * `Deferred` for what the generator returns or throws.
 *
 * ```ts
 * const fetchBoth = inlineCallbacks(function* (key: string) {
 *   const first = yield* lookUp(key); // typed
 *   return first + (yield* lookUp(first));
 * });
 * ```
 * `yield` and `yield*` wait for a `Deferred` (a paused one too), `yield` for a promise; the error of either is thrown at
 * the yield. Any other value comes straight back. Cancelling the `Deferred` cancels what the coroutine waits for: it
 * sees `CancelledError` at the yield, and what it then returns is the result, a value too if it catches the error. From
 * inside a step, a cancel reaches what is waited for next. Throws `NotACoroutineError` if `fn` returns no generator.
 */
export function inlineCallbacks<This, A extends unknown[], U = never>(
  fn: (this: This, ...args: A) => CoroutineGenerator<U>,
): (this: This, ...args: A) => Deferred<U> {
  if (typeof fn !== 'function') throw new TypeError('inlineCallbacks() takes a generator function');
  return function (this: This, ...args: A): Deferred<U> {
    const generator = fn.apply(this, args);
    if (!isGenerator(generator)) {
      throw new NotACoroutineError('inlineCallbacks() takes a generator function; this one returned no generator');
    }
    return new Coroutine<U>(generator).start();
  };
}

/**
 * A `Deferred` for any of the ways to write work that takes time: a generator is run as a coroutine (see
 * `inlineCallbacks`), a promise is waited for, a `Deferred` is returned as it is. Throws `NotACoroutineError` for
 * anything else.
 */
export function ensureDeferred<U>(source: CoroutineGenerator<U> | PromiseLike<U>): Deferred<U> {
  // JavaScript programs pass other things.
  const given: unknown = source;
  if (source instanceof Deferred) return source;
  if (isPromiseLike(source)) return Deferred.fromPromise(source);
  if (isGenerator(given)) return new Coroutine<U>(source).start();
  throw new NotACoroutineError('ensureDeferred() takes a generator, a promise or a Deferred');
}

/** In place of a result: the coroutine was cancelled and goes on. */
const GOES_ON = Symbol('the coroutine goes on');

/** In place of a result: there is none yet. */
const NOTHING = Symbol('no result yet');

class Coroutine<U> {
  /** Undefined once it has returned; what it returned may still have to be waited for. */
  #generator: CoroutineGenerator<U> | undefined;
  #state: 'running' | 'cancelled' | 'waiting' | 'finished' = 'running';
  /** What it ends with: the one returned to the caller, or one that this waits for. */
  #deferred: Deferred<U>;
  /** The one in whose callback the loop runs, or will run. Nobody else knows it. */
  #carrier = new Deferred<unknown>();
  #awaited: Deferred<unknown> | undefined;
  /** What `#receive` was given while the loop was on the stack. */
  #received: unknown = NOTHING;

  constructor(generator: CoroutineGenerator<U>) {
    this.#generator = generator;
    this.#deferred = this.#makeDeferred();
  }

  start(): Deferred<U> {
    const deferred = this.#deferred;
    this.#carrier.addCallback<unknown>((result) => this.#run(result)).callback(undefined);
    return deferred;
  }

  #makeDeferred(): Deferred<U> {
    const deferred = new Deferred<U>(() => this.#cancel());
    return deferred.addCallback<U>((value) => {
      // The one callback that ever sees the symbol, which only #cancel puts in place of a value.
      if ((value as unknown) !== GOES_ON) return value;
      this.#deferred = this.#makeDeferred();
      return this.#deferred;
    });
  }

  /** Resumes the generator with `first`, and with all that is there at once. Returns what the carrier is to pass on. */
  #run(first: unknown): unknown {
    let result = first;
    while (this.#state === 'running' || this.#state === 'cancelled') {
      if (this.#generator === undefined) return this.#finish(result);
      let step: IteratorResult<unknown, CallbackResult<U>>;
      try {
        step = result instanceof Failure ? this.#generator.throw(result.value) : this.#generator.next(result);
      } catch (error) {
        return this.#finish(new Failure(error));
      }
      if (step.done === true) this.#generator = undefined;
      result = this.#await(step.value);
    }
    return undefined;
  }

  /** The result of what was yielded or returned, if it is there; otherwise the loop ends. */
  #await(yielded: unknown): unknown {
    let awaited: Deferred<unknown>;
    try {
      if (!isPromiseLike(yielded)) return yielded;
      if (yielded === this.#deferred) throw new TypeError('a coroutine waited for its own Deferred');
      awaited = asDeferred(yielded);
    } catch (error) {
      return new Failure(error);
    }
    const isCancelled = this.#state === 'cancelled';
    const carrier = new Deferred<unknown>();
    carrier.addBoth<unknown>(this.#receive);
    awaited.chainDeferred(carrier);
    if (this.#received === NOTHING) {
      this.#state = 'waiting';
      this.#carrier = carrier;
      this.#awaited = awaited;
      if (isCancelled) awaited.cancel();
      return undefined;
    }
    const result = this.#received;
    this.#received = NOTHING;
    return result;
  }

  readonly #receive = (result: unknown): unknown => {
    if (this.#state !== 'waiting') {
      this.#received = result;
      return undefined;
    }
    this.#state = 'running';
    this.#awaited = undefined;
    return this.#run(result);
  };

  /** Has the carrier pass the outcome on when the callback has returned that is running now. */
  #finish(outcome: unknown): unknown {
    this.#state = 'finished';
    this.#carrier.chainDeferred(this.#deferred);
    return outcome;
  }

  #cancel(): void {
    const deferred = this.#deferred;
    switch (this.#state) {
      case 'running':
        this.#state = 'cancelled';
        break;
      case 'waiting':
        this.#awaited?.cancel();
        break;
      case 'cancelled':
      case 'finished':
        break;
    }
    // Not the value of the type, but a sign for the callback that the Deferred was made with.
    if (!deferred.called) deferred.callback(GOES_ON as unknown as U);
  }
}

function asDeferred<U>(promise: PromiseLike<U>): Deferred<U> {
  // A Deferred is a promise for what its callbacks get, so its type is that of the promise it was given as.
  return promise instanceof Deferred ? (promise as Deferred<U>) : Deferred.fromPromise(promise);
}

function isGenerator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, 'next') === 'function' && typeof Reflect.get(value, 'throw') === 'function';
}
