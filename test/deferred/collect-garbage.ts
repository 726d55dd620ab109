import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Runs the engine's collector now: a test of what becomes garbage cannot wait for it to run by itself. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  // The flag puts the function into contexts made from now on.
  const collect = runInNewContext('gc') as () => void;
  collect();
}

/** Collects garbage, and lets what was to be told of it be told, until `condition` holds or it was long enough. */
export async function collectGarbageUntil(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 50 && !condition(); round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
}
