/** The links of a chain, and what a link does with a result other than calling a function. The machine is `Deferred`. */
import type { Deferred } from './deferred.ts';
import { Failure } from './failure.ts';

/** A callback whose argument's type was checked where it was added. */
export type Callback = (result: never) => unknown;

/** What a link does with a result: call a function, hand it to the `Deferred` that waits for it, or one of the others. */
export type Step = Callback | Deferred<unknown> | ChainedTarget | PromiseObserver;

export class Link {
  readonly callback: Step | undefined;
  readonly errback: Step | undefined;
  next: Link | undefined = undefined;

  constructor(callback: Step | undefined, errback: Step | undefined) {
    this.callback = callback;
    this.errback = errback;
  }
}

/** The argument of `chainDeferred`: fired with the result, where a waiting `Deferred` is resumed with it. */
export class ChainedTarget {
  readonly deferred: Deferred<unknown>;

  constructor(deferred: Deferred<unknown>) {
    this.deferred = deferred;
  }
}

/** Settles a promise with the result and leaves the result where it is, so that a `Deferred` can be awaited twice. */
export class PromiseObserver {
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
