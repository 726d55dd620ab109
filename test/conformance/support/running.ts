import type { Reactor, RunOptions } from 'ropewalk/core';
import type { Harness } from '../harness.ts';

/** A run, and whether its promise has resolved. */
export function runReactor(
  reactor: Reactor,
  options: RunOptions = { installSignalHandlers: false },
): { hasEnded: boolean } {
  const run = { hasEnded: false };
  void reactor.run(options).then(() => (run.hasEnded = true));
  return run;
}

export async function untilEnded(harness: Harness, run: { readonly hasEnded: boolean }): Promise<void> {
  await harness.until(() => run.hasEnded, 'the run has ended');
}
