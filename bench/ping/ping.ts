/**
 * A PING server in the naive style on Ropewalk against the same on `node:net`: the CPU time that the server's process
 * uses for one request, with one request under way on each connection and with sixteen.
 *
 * CPU time and not throughput, because the load generator shares the machine with the server. The two servers take
 * turns under the same load, and the median of the rounds counts, so that whatever else the machine does falls on both.
 */
import { compare, MeasuredServer, total, type Usage } from '../support/measured-server.ts';
import { chooseLoad } from './load.ts';

const PROGRAM = new URL('server.ts', import.meta.url);
const ROUNDS = 5;
const WARM_UP_REQUESTS = 50_000;
const CASES = [
  { pipeline: 1, requests: 100_000 },
  { pipeline: 16, requests: 500_000 },
] as const;

export async function benchPing(): Promise<void> {
  const load = await chooseLoad();
  const ropewalk = new MeasuredServer(PROGRAM, 'ropewalk');
  const nodeNet = new MeasuredServer(PROGRAM, 'node-net');
  const servers = [ropewalk, nodeNet];
  try {
    for (const server of servers) {
      await server.start();
      await load.apply(server.port, WARM_UP_REQUESTS, 16);
    }
    console.log(`PING server, CPU time of the server per request. Load: ${load.name}, 50 connections.`);
    for (const { pipeline, requests } of CASES) {
      const [ours, theirs] = await compare(servers, ROUNDS, requests, ({ port }) =>
        load.apply(port, requests, pipeline),
      );
      if (ours === undefined || theirs === undefined) throw new Error('two servers have two results');
      const report = (usage: Usage): string => `${total(usage).toFixed(2)} µs (${usage.user.toFixed(2)} user)`;
      const ratio = total(theirs) / total(ours);
      const userRatio = theirs.user / ours.user;
      console.log(
        `  pipeline ${String(pipeline).padStart(2)}: ropewalk ${report(ours)}, node:net ${report(theirs)}; ` +
          `node:net / ropewalk = ${ratio.toFixed(2)} (user ${userRatio.toFixed(2)})`,
      );
    }
  } finally {
    for (const server of servers) server.stop();
  }
}
