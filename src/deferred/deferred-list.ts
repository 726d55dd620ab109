/** `DeferredList`: waits for many `Deferred`s. Twisted: `twisted.internet.defer.DeferredList`. */
import { FirstError } from '../errors.ts';
import { Deferred } from './deferred.ts';
import type { Failure } from './failure.ts';
import { requireDeferreds } from './require-deferreds.ts';

/** How one input ended: `[true, value]` or `[false, failure]`. */
export type DeferredOutcome<T> = [success: true, value: T] | [success: false, failure: Failure];

/** How all inputs ended, in the order they were given. */
export type DeferredOutcomes<T extends readonly unknown[]> = { -readonly [K in keyof T]: DeferredOutcome<T[K]> };

/** What a list fires with, by its `fireOnOneCallback`. */
export interface DeferredListResult<T extends readonly unknown[]> {
  false: DeferredOutcomes<T>;
  /** The value and the index of the first input to succeed; or all outcomes, if none did. */
  true: [value: T[number], index: number] | DeferredOutcomes<T>;
}

export interface DeferredListOptions<First extends boolean = boolean> {
  /** Fire with `[value, index]` as soon as one input succeeds. */
  readonly fireOnOneCallback?: First;
  /** Fail with `FirstError` as soon as one input fails. */
  readonly fireOnOneErrback?: boolean;
  /**
   * Leave `undefined` in an input that failed. By default its error stays in it, and is reported as unhandled unless
   * the input gets an errback of its own.
   */
  readonly consumeErrors?: boolean;
}

/**
 * Fires when all `deferreds` have, with the outcome of each in the order given; it does not fail by itself. The options
 * `fireOnOneCallback` and `fireOnOneErrback` make it fire early; the other inputs then go on, neither cancelled nor
 * consumed. Without inputs it fires at once with `[]`, but never with `fireOnOneCallback`, as nothing can succeed.
 *
 * Each input keeps its value, so callbacks added to it later still see it.
 */
export class DeferredList<const T extends readonly unknown[], First extends boolean = false> extends Deferred<
  DeferredListResult<T>[`${First}`]
> {
  readonly #deferreds: readonly Deferred<unknown>[];
  readonly #outcomes: DeferredOutcome<unknown>[];
  readonly #options: DeferredListOptions;
  #outstanding: number;

  constructor(deferreds: readonly [...{ [K in keyof T]: Deferred<T[K]> }], options: DeferredListOptions<First> = {}) {
    super();
    this.#deferreds = requireDeferreds(deferreds);
    this.#outcomes = new Array<DeferredOutcome<unknown>>(this.#deferreds.length);
    this.#options = options;
    this.#outstanding = this.#deferreds.length;
    if (this.#outstanding === 0 && options.fireOnOneCallback !== true) this.#fireWith([]);
    this.#deferreds.forEach((deferred, index) => {
      deferred.addCallbacks(
        (value) => this.#inputSucceeded(index, value),
        (failure) => this.#inputFailed(index, failure),
      );
    });
  }

  /** Cancels every input that has not fired; the list then fires as their outcomes say. Fired, it is as any `Deferred`. */
  override cancel(): void {
    if (this.called) super.cancel();
    else for (const deferred of this.#deferreds) deferred.cancel();
  }

  #inputSucceeded(index: number, value: unknown): unknown {
    this.#outcomes[index] = [true, value];
    this.#outstanding -= 1;
    if (!this.called) {
      if (this.#options.fireOnOneCallback === true) this.#fireWith([value, index]);
      else this.#fireIfComplete();
    }
    return value;
  }

  #inputFailed(index: number, failure: Failure): Failure | undefined {
    this.#outcomes[index] = [false, failure];
    this.#outstanding -= 1;
    if (!this.called) {
      if (this.#options.fireOnOneErrback === true) this.errback(new FirstError(failure, index));
      else this.#fireIfComplete();
    }
    return this.#options.consumeErrors === true ? undefined : failure;
  }

  #fireIfComplete(): void {
    if (this.#outstanding === 0) this.#fireWith(this.#outcomes);
  }

  #fireWith(result: readonly unknown[]): void {
    // The outcomes were collected from inputs of just these types, in their order.
    this.callback(result as DeferredListResult<T>[`${First}`]);
  }
}
