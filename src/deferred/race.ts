import { FailureGroup } from '../errors.ts';
import { Deferred } from './deferred.ts';
import type { Failure } from './failure.ts';
import { requireDeferreds } from './require-deferreds.ts';

/**
 * Fires with `[index, value]` of the first of `deferreds` to succeed, and cancels the others first; what becomes of those is
 * dropped, errors included. If all fail it fails with `FailureGroup`, their failures in the order given. Of several that
 * have fired already, the first in the list wins. Cancelling the race cancels every input, and it then ends as they say: as
 * a rule with a `FailureGroup` of `CancelledError`s.
 *
 * A race of nothing never fires, as nothing can win it (`Promise.race` is the same), but it can be cancelled.
 * Twisted: `twisted.internet.defer.race`.
 */
export function race<const T extends readonly unknown[]>(
  deferreds: readonly [...{ [K in keyof T]: Deferred<T[K]> }],
): Deferred<[index: number, value: T[number]]> {
  // A copy, for the caller's list may change; of one type, for from here on the types are the caller's alone to know.
  return new Race(requireDeferreds(deferreds)).result;
}

class Race<T> {
  readonly result: Deferred<[index: number, value: T]>;
  readonly #inputs: readonly Deferred<T>[];
  readonly #failures: Failure[];
  #state: 'running' | 'won' | 'lost' = 'running';
  #outstanding: number;

  constructor(inputs: readonly Deferred<T>[]) {
    this.#inputs = inputs;
    this.#failures = new Array<Failure>(inputs.length);
    this.#outstanding = inputs.length;
    this.result = new Deferred<[number, T]>(() => this.#cancelInputs());
    inputs.forEach((input, index) => {
      input.addCallbacks(
        (value) => this.#inputSucceeded(index, value),
        (failure) => this.#inputFailed(index, failure),
      );
    });
  }

  #inputSucceeded(index: number, value: T): undefined {
    if (this.#state !== 'running') return;
    this.#state = 'won';
    this.#cancelInputs();
    if (!this.result.called) this.result.callback([index, value]);
  }

  #inputFailed(index: number, failure: Failure): undefined {
    this.#failures[index] = failure;
    this.#outstanding -= 1;
    if (this.#outstanding > 0 || this.#state !== 'running') return;
    this.#state = 'lost';
    if (!this.result.called) this.result.errback(new FailureGroup(this.#failures));
  }

  /** Those that have fired take no notice. */
  #cancelInputs(): void {
    for (const input of this.#inputs) input.cancel();
  }
}
