/**
 * Deferreds against native promises: time and memory for each operation of `cases.ts`. The two take turns, round by
 * round. Time is user time of the processor, garbage collection and its threads included: what else the machine does
 * only makes the clock on the wall run on. Printed are the medians, and the ratios of the rounds with their quartiles.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Allocations } from './allocation.ts';
import { type Case, cases, requireWorkDone } from './cases.ts';

const WARM_UP_ROUNDS = 30;
const ROUNDS = 150;

interface Times {
  readonly deferredNanoseconds: number;
  readonly promiseNanoseconds: number;
  readonly ratios: readonly number[];
}

export async function benchDeferred(): Promise<void> {
  console.log(
    'Deferreds and native promises, for one operation; promise / Deferred in brackets, for time the median of the\n' +
      'rounds and their quartiles. The goal is 2 for time and 1 for memory, or more.',
  );
  const allocations = await measureAllocations();
  // Each case once before any is measured, as in a program, where no function is called from one place only.
  for (const benchmark of cases) await measureTime(benchmark, WARM_UP_ROUNDS);
  for (const [index, benchmark] of cases.entries()) {
    const { deferredNanoseconds, promiseNanoseconds, ratios } = await measureTime(benchmark, ROUNDS);
    const [deferredBytes, promiseBytes] = allocations[index] ?? [NaN, NaN];
    const spread = `${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}`;
    console.log(
      `  ${benchmark.name}:\n` +
        `    Deferred ${deferredNanoseconds.toFixed(0)} ns, promise ${promiseNanoseconds.toFixed(0)} ns ` +
        `(${quantile(ratios, 0.5).toFixed(2)}; ${spread}); ` +
        `Deferred ${deferredBytes.toFixed(0)} bytes, promise ${promiseBytes.toFixed(0)} bytes ` +
        `(${(promiseBytes / deferredBytes).toFixed(2)})`,
    );
  }
  requireWorkDone();
}

async function measureTime({ operations, deferreds, promises }: Case, rounds: number): Promise<Times> {
  const deferredTimes: number[] = [];
  const promiseTimes: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = processorNanoseconds();
    deferreds(operations);
    const middle = processorNanoseconds();
    await promises(operations);
    const end = processorNanoseconds();
    deferredTimes.push((middle - start) / operations);
    promiseTimes.push((end - middle) / operations);
  }
  return {
    deferredNanoseconds: quantile(deferredTimes, 0.5),
    promiseNanoseconds: quantile(promiseTimes, 0.5),
    ratios: promiseTimes.map((time, round) => time / (deferredTimes[round] ?? NaN)),
  };
}

function processorNanoseconds(): number {
  const nanosecondsPerMicrosecond = 1_000;
  return process.cpuUsage().user * nanosecondsPerMicrosecond;
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((first, second) => first - second);
  return sorted[Math.floor((sorted.length - 1) * fraction)] ?? NaN;
}

async function measureAllocations(): Promise<Allocations> {
  const child = fork(fileURLToPath(new URL('allocation.ts', import.meta.url)), [], {
    execArgv: [...process.execArgv, '--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=256'],
  });
  // `once` knows nothing of types; allocation.ts sends this.
  const [allocations] = (await once(child, 'message')) as [Allocations];
  return allocations;
}
