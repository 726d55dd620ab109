import { AsyncResource } from 'node:async_hooks';
import type { ContextPlatform, RunInContext } from '../interfaces/context.ts';

/**
 * The contexts of `AsyncLocalStorage`: those of all its instances together.
 *
 * `AsyncLocalStorage.snapshot` would not do: on Node 20 and 22 its function runs everything in one and the same resource,
 * where `enterWith` stays from one call to the next, and on later versions it does not. Here each call has a resource of
 * its own, made inside the one that was captured, and what is entered goes with it.
 */
export class NodeContext implements ContextPlatform {
  capture(): RunInContext {
    const captured = newResource();
    return (fn) => captured.runInAsyncScope(() => newResource().runInAsyncScope(fn));
  }
}

/** Holds the context in which it is made. */
function newResource(): AsyncResource {
  // Nobody is told when it is gone, so it need not be watched for being collected.
  return new AsyncResource('RopewalkContext', { requireManualDestroy: true });
}
