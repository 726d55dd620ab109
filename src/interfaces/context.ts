/**
 * Contexts: what a program has attached to a train of calls, such as the request it works on, and a host carries along
 * (`AsyncLocalStorage` on Node).
 */

/**
 * Calls `fn` in the context that was captured, and returns or throws what it does. A context that `fn` enters and does
 * not leave (`enterWith`) lasts until `fn` has returned: neither the caller nor the next call here is in it. `capture`
 * inside `fn` captures it.
 */
export type RunInContext = <R>(fn: () => R) => R;

/** What a platform supplies so that a reactor can carry contexts along. */
export interface ContextPlatform {
  /** Captures the context of the present call. */
  capture(): RunInContext;
}
