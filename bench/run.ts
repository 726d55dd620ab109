/** `npm run bench`: runs the benchmarks named as arguments, or all of them. Each compares with a peer in the same run. */
import { benchDeferred } from './deferred/deferred.ts';
import { benchPing } from './ping/ping.ts';
import { benchTLS } from './tls/tls.ts';

const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
  deferred: benchDeferred,
  ping: benchPing,
  tls: benchTLS,
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benchmarks);
for (const name of names) {
  const benchmark = benchmarks[name];
  if (benchmark === undefined) {
    console.error(`There is no benchmark '${name}'; there are: ${Object.keys(benchmarks).join(', ')}`);
    process.exitCode = 2;
  } else {
    await benchmark();
  }
}
