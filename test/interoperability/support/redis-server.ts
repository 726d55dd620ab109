import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, type Exit } from './child.ts';
import { freePort } from './free-port.ts';
import { REDIS } from './require-peer.ts';
import { LOOPBACK } from './running-reactor.ts';

/** Somebody else may take a port that was free between our look and the server's. */
const ATTEMPTS = 5;

/** A Redis of our own that keeps nothing, on a port that was free. */
export class RedisServer {
  readonly port: number;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(child: Child, port: number, folder: string) {
    this.#child = child;
    this.port = port;
    this.#folder = folder;
  }

  static async start(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'ropewalk-redis-'));
    let log = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const port = await freePort();
      const child = Child.start(REDIS.command, settings(port, folder));
      try {
        await child.line(/Ready to accept connections/);
        return new RedisServer(child, port, folder);
      } catch {
        log = child.log;
        await child.kill();
      }
    }
    await rm(folder, { recursive: true });
    throw new Error(`Redis does not start: ${log}`);
  }

  get log(): string {
    return this.#child.log;
  }

  /** Waits for its end by itself. */
  ended(): Promise<Exit> {
    return this.#child.ended();
  }

  async kill(): Promise<void> {
    await this.#child.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function settings(port: number, folder: string): string[] {
  return ['--port', String(port), '--bind', LOOPBACK, '--dir', folder, '--save', '', '--appendonly', 'no'];
}
