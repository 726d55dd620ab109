import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** CPU time, in microseconds. */
export interface Usage {
  readonly user: number;
  readonly system: number;
}

/**
 * A server in a process of its own. Its program, which is given the server's name, sends `{ port }` when it listens, and answers
 * each message with the CPU time that it has used since the one before (see report-usage.ts).
 */
export class MeasuredServer {
  readonly name: string;
  readonly #process: ChildProcess;
  port = 0;

  constructor(program: URL, name: string) {
    this.name = name;
    this.#process = fork(fileURLToPath(program), [name]);
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
    // `once` knows nothing of types; the other end of this channel is in report-usage.ts.
    const [message] = (await once(this.#process, 'message')) as [Message];
    return message;
  }
}

/**
 * Puts the servers under the same load in turns, so that whatever else the machine does falls on all of them, and returns the
 * median CPU time of each for one of `units`.
 */
export async function compare(
  servers: readonly MeasuredServer[],
  rounds: number,
  units: number,
  load: (server: MeasuredServer) => Promise<void>,
): Promise<Usage[]> {
  const usages: Usage[][] = servers.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, server] of servers.entries()) {
      await server.usage();
      await load(server);
      const { user, system } = await server.usage();
      usages[index]?.push({ user: user / units, system: system / units });
    }
  }
  return usages.map(median);
}

export function total({ user, system }: Usage): number {
  return user + system;
}

function median(usages: readonly Usage[]): Usage {
  const middle = usages.toSorted((a, b) => total(a) - total(b))[usages.length >> 1];
  if (middle === undefined) throw new Error('a median of nothing');
  return middle;
}
