/**
 * A process that measures how much memory an operation of each case takes from the heap. Its new space is so large that
 * nothing is collected while it counts; `deferred.ts` starts it like that.
 */
import { cases } from './cases.ts';

/** Bytes per operation, of Deferreds and of promises, for each case. */
export type Allocations = readonly (readonly [deferreds: number, promises: number])[];

const collect = globalThis.gc;
if (collect === undefined || process.send === undefined) throw new Error('started by deferred.ts, with --expose-gc');

const allocations: [number, number][] = [];
for (const { operations, deferreds, promises } of cases) {
  // Once before, for code is compiled and tables are made the first time.
  for (let round = 0; round < 30; round += 1) {
    deferreds(operations);
    await promises(operations);
  }
  collect();
  const start = process.memoryUsage().heapUsed;
  deferreds(operations);
  const middle = process.memoryUsage().heapUsed;
  await promises(operations);
  const end = process.memoryUsage().heapUsed;
  allocations.push([(middle - start) / operations, (end - middle) / operations]);
}
process.send(allocations);
