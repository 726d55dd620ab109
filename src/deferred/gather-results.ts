import { FirstError } from '../errors.ts';
import { Deferred } from './deferred.ts';
import type { DeferredListOptions } from './deferred-list.ts';
import { Failure } from './failure.ts';
import { requireDeferreds } from './require-deferreds.ts';

/**
 * Fires with the values of all `deferreds`, in the order given, or fails with `FirstError` as soon as one fails; the
 * others then go on. Cancelling it cancels every input that has not fired. Errors after the first stay in their inputs
 * and are reported as unhandled unless `consumeErrors` is set. Twisted: `twisted.internet.defer.gatherResults`.
 */
export function gatherResults<const T extends readonly unknown[]>(
  deferreds: readonly [...{ [K in keyof T]: Deferred<T[K]> }],
  options: Pick<DeferredListOptions, 'consumeErrors'> = {},
): Deferred<{ -readonly [K in keyof T]: T[K] }> {
  return new Gathering(deferreds, options.consumeErrors === true);
}

/**
 * What a `DeferredList` with `fireOnOneErrback` does, without an outcome for each input: `npm run bench -- deferred`
 * gathers a hundred, and one function for each input and one list of values take an eighth less time and a third less memory.
 */
class Gathering<T extends readonly unknown[]> extends Deferred<{ -readonly [K in keyof T]: T[K] }> {
  readonly #inputs: readonly Deferred<unknown>[];
  readonly #values: unknown[];
  readonly #consumesErrors: boolean;
  #outstanding: number;

  constructor(inputs: readonly [...{ [K in keyof T]: Deferred<T[K]> }], consumesErrors: boolean) {
    super();
    this.#inputs = requireDeferreds(inputs);
    this.#values = new Array<unknown>(this.#inputs.length);
    this.#consumesErrors = consumesErrors;
    this.#outstanding = this.#inputs.length;
    if (this.#outstanding === 0) this.#fire();
    this.#inputs.forEach((input, index) => {
      input.addBoth((result) => Gathering.#receive(this, index, result));
    });
  }

  override cancel(): void {
    if (this.called) super.cancel();
    else for (const input of this.#inputs) input.cancel();
  }

  /** Takes the result of one input; returns what stays there. */
  static #receive(self: Gathering<readonly unknown[]>, index: number, result: unknown): unknown {
    if (result instanceof Failure) {
      if (!self.called) self.errback(new FirstError(result, index));
      return self.#consumesErrors ? undefined : result;
    }
    self.#values[index] = result;
    self.#outstanding -= 1;
    if (self.#outstanding === 0 && !self.called) self.#fire();
    return result;
  }

  #fire(): void {
    // Collected from inputs of just these types, in their order.
    this.callback(this.#values as { -readonly [K in keyof T]: T[K] });
  }
}
