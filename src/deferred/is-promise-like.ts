/** Whether `await` would wait for `value`. A `then` that is a getter is called, and may throw. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  // Any object may be asked for a property; one look-up, as every result of every callback comes through here.
  return typeof (value as { then?: unknown }).then === 'function';
}
