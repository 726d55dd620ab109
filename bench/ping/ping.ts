/**
 * A PING server in the naive style on Ropewalk against the same on `node:net`: the CPU time that the server's process
 * uses for one request, with one request under way on each connection and with sixteen.
 *
 * CPU time and not throughput, because the load generator shares the machine with the server. The two servers take
 * turns under the same load, and the median of the rounds counts, so that whatever else the machine does falls on both.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chooseLoad, type Load } from './load.ts';

const ROUNDS = 5;
const WARM_UP_REQUESTS = 50_000;
const CASES = [
  { pipeline: 1, requests: 100_000 },
  { pipeline: 16, requests: 500_000 },
] as const;

interface Usage {
  readonly user: number;
  readonly system: number;
}

class Server {
  readonly name: string;
  readonly #process: ChildProcess;
  port = 0;

  constructor(name: string) {
    this.name = name;
    this.#process = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [name]);
  }

  async start(): Promise<void> {
    this.port = (await this.#nextMessage<{ port: number }>()).port;
  }

  /** The CPU time used since the last call. */
  async usage(): Promise<Usage> {
    const answer = this.#nextMessage<Usage>();
    this.#process.send('usage');
    return await answer;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }

  async #nextMessage<Message>(): Promise<Message> {
    // `once` knows nothing of types; the two ends of this channel are in this folder.
    const [message] = (await once(this.#process, 'message')) as [Message];
    return message;
  }
}

export async function benchPing(): Promise<void> {
  const load = await chooseLoad();
  const ropewalk = new Server('ropewalk');
  const nodeNet = new Server('node-net');
  const servers = [ropewalk, nodeNet];
  try {
    for (const server of servers) {
      await server.start();
      await load.apply(server.port, WARM_UP_REQUESTS, 16);
    }
    console.log(`PING server, CPU time of the server per request. Load: ${load.name}, 50 connections.`);
    for (const { pipeline, requests } of CASES) {
      const [ours, theirs] = await compare(load, [ropewalk, nodeNet], pipeline, requests);
      const report = (usage: Usage): string =>
        `${(usage.user + usage.system).toFixed(2)} µs (${usage.user.toFixed(2)} user)`;
      const ratio = (theirs.user + theirs.system) / (ours.user + ours.system);
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

/** The median CPU time per request, in microseconds, of each server. */
async function compare(
  load: Load,
  servers: readonly [Server, Server],
  pipeline: number,
  requests: number,
): Promise<[Usage, Usage]> {
  const rounds: [Usage[], Usage[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, server] of servers.entries()) {
      await server.usage();
      await load.apply(server.port, requests, pipeline);
      const { user, system } = await server.usage();
      rounds[index === 0 ? 0 : 1].push({ user: user / requests, system: system / requests });
    }
  }
  return [median(rounds[0]), median(rounds[1])];
}

function median(usages: readonly Usage[]): Usage {
  const middle = usages.toSorted((a, b) => a.user + a.system - (b.user + b.system))[usages.length >> 1];
  if (middle === undefined) throw new Error('a median of nothing');
  return middle;
}
