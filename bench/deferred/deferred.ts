/**
 * Deferreds against native promises: time and memory for each operation of `cases.ts`. The two take turns, round by
 * round, and the fastest round of each counts, for whatever else the machine does only makes a round slower.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Allocations } from './allocation.ts';
import { type Case, cases, requireWorkDone } from './cases.ts';

const ROUNDS = 150;

export async function benchDeferred(): Promise<void> {
  console.log('Deferreds and native promises, for one operation; promise / Deferred in brackets.');
  const allocations = await measureAllocations();
  for (const [index, benchmark] of cases.entries()) {
    const [deferredNanoseconds, promiseNanoseconds] = await measureTime(benchmark);
    const [deferredBytes, promiseBytes] = allocations[index] ?? [NaN, NaN];
    console.log(
      `  ${benchmark.name}:\n` +
        `    ${compare(deferredNanoseconds, promiseNanoseconds, 'ns')}; ${compare(deferredBytes, promiseBytes, 'bytes')}`,
    );
  }
  requireWorkDone();
}

function compare(deferred: number, promise: number, unit: string): string {
  return `Deferred ${deferred.toFixed(0)} ${unit}, promise ${promise.toFixed(0)} ${unit} (${(promise / deferred).toFixed(2)})`;
}

async function measureTime({ operations, deferreds, promises }: Case): Promise<[number, number]> {
  const fastest: [number, number] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    deferreds(operations);
    const middle = performance.now();
    await promises(operations);
    const end = performance.now();
    fastest[0] = Math.min(fastest[0], middle - start);
    fastest[1] = Math.min(fastest[1], end - middle);
  }
  const nanosecondsPerMillisecond = 1e6;
  return [(fastest[0] * nanosecondsPerMillisecond) / operations, (fastest[1] * nanosecondsPerMillisecond) / operations];
}

async function measureAllocations(): Promise<Allocations> {
  const child = fork(fileURLToPath(new URL('allocation.ts', import.meta.url)), [], {
    execArgv: [...process.execArgv, '--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=256'],
  });
  // `once` knows nothing of types; allocation.ts sends this.
  const [allocations] = (await once(child, 'message')) as [Allocations];
  return allocations;
}
