import { AsyncLocalStorage } from 'node:async_hooks';
import type { ContextPlatform, RunInContext } from '../interfaces/context.ts';

/** The contexts of `AsyncLocalStorage`: those of all its instances together. */
export class NodeContext implements ContextPlatform {
  capture(): RunInContext {
    const run = AsyncLocalStorage.snapshot();
    return (fn) => run(fn);
  }
}
