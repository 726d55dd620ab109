import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import type { PeerProgram } from './require-peer.ts';
import { LOOPBACK } from './running-reactor.ts';

/** Debian has the programs of a server here, by versions, and not where commands are looked for. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The program refuses to run as root; this user comes with Debian's package. */
const USER = 'postgres';

const PROGRAMS = programsFolder();

export const POSTGRES: PeerProgram = {
  name: 'PostgreSQL',
  packageName: 'postgresql',
  command: join(PROGRAMS, 'postgres'),
  probe: ['--version'],
  answer: /^postgres \(PostgreSQL\)/m,
};

/** A cluster has to be made first, which takes some seconds. */
export const POSTGRES_STARTING_MILLISECONDS = 30_000;

/** A PostgreSQL of our own that keeps nothing, on TCP and at a UNIX socket. */
export class PostgresServer {
  readonly port: number;
  readonly socketPath: string;
  readonly #folder: string;
  readonly #child: Child;

  private constructor(folder: string, port: number, child: Child) {
    this.#folder = folder;
    this.port = port;
    this.socketPath = join(folder, `.s.PGSQL.${port}`);
    this.#child = child;
  }

  static async start(freePort: () => Promise<number>): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'ropewalk-postgres-'));
    chmodSync(folder, 0o777);
    const data = join(folder, 'data');
    const [command, ...args] = asUser('initdb', '-D', data, '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--no-sync');
    const made = spawnSync(command, args, { encoding: 'utf8', cwd: folder });
    if (made.status !== 0) throw new Error(`initdb fails: ${made.stdout}\n${made.stderr}`);
    const port = await freePort();
    const settings = { listen_addresses: LOOPBACK, unix_socket_directories: folder, fsync: 'off', port: String(port) };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [program, ...rest] = asUser('postgres', '-D', data, ...options);
    const child = Child.start(program, rest);
    await child.line(/database system is ready to accept connections/);
    return new PostgresServer(folder, port, child);
  }

  get log(): string {
    return this.#child.log;
  }

  async kill(): Promise<void> {
    const [command, ...args] = asUser('pg_ctl', 'stop', '-D', join(this.#folder, 'data'), '-m', 'immediate');
    spawnSync(command, args, { cwd: this.#folder });
    await this.#child.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A command of PostgreSQL and its arguments, for a user that may run it. */
function asUser(program: string, ...args: string[]): [string, ...string[]] {
  const command = join(PROGRAMS, program);
  return process.getuid?.() === 0 ? ['runuser', '-u', USER, '--', command, ...args] : [command, ...args];
}

/** The newest; empty if they are to be looked for as other commands are. */
function programsFolder(): string {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const folders = versions
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(DEBIAN_FOLDER, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'postgres'))) ?? '';
}
