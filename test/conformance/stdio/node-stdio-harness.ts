import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Bundle } from '../../support/bundle.ts';
import type { StdioProgramName } from './programs.ts';
import type { StdioFeature, StdioHarness, StdioInput, StdioRun } from './stdio-harness.ts';

/** The warning, seldom, that a thread of Node's was faster than the null device; see null-device.ts. */
const LOST_NUMBER = /A file that was opened meanwhile has the descriptor|^\(Use `node --trace-warnings/;

/** What is at a program's standard input and output. */
export interface NodeStdioKind {
  readonly name: string;
  readonly features: readonly StdioFeature[];
  /** For the shell: runs `"$@"`, whose standard error is to be descriptor 3. */
  readonly script: string;
  /** For a terminal: what is typed to end the input, which otherwise is closed. It says `ready` when it may be typed on. */
  readonly endOfInput?: string;
}

/** Node makes sockets for the pipes of its children. */
export const NODE_SOCKETS: NodeStdioKind = {
  name: 'sockets',
  features: ['end-of-output', 'output-under-way'],
  script: 'exec "$@" 2>&3',
};

/**
 * A `cat` at either end: pipes are what the shell makes. The shell itself becomes the first, so that it has nothing of the output, and
 * is there as long as there is input: Node closes that when its child has gone.
 */
export const NODE_PIPES: NodeStdioKind = {
  name: 'pipes',
  features: ['end-of-output', 'output-under-way'],
  script: `FIFO=$(mktemp -u) && mkfifo "$FIFO" || exit
    { rm "$FIFO"; exec "$@"; } <"$FIFO" 2>&3 | cat &
    exec cat >"$FIFO"`,
};

const TERMINAL_MAKER = 'script';

/** `script` has a terminal for the program; Debian's package is bsdutils. What is typed is not echoed, and lines end as they are written. */
export const NODE_TERMINAL: NodeStdioKind = {
  name: 'a terminal',
  features: [],
  script: `COMMAND="stty -echo -onlcr; echo ready >&3; exec '$1' '$2' '$3' 2>&3" && exec script -qec "$COMMAND" /dev/null`,
  endOfInput: '\u0004',
};

/** Why there is no such kind here; undefined if there is. */
export function whyNoKind(kind: NodeStdioKind): string | undefined {
  if (process.platform === 'win32') return 'the shell is that of UNIX';
  if (kind !== NODE_TERMINAL || spawnSync(TERMINAL_MAKER, ['--version']).error === undefined) return undefined;
  return "script is not here; Debian's package: bsdutils";
}

/** Programs in processes of their own. */
export class NodeStdioHarness implements StdioHarness {
  readonly features: ReadonlySet<StdioFeature>;
  readonly #kind: NodeStdioKind;
  readonly #program: Bundle;
  readonly #runs: NodeStdioRun[] = [];

  /** `program` is `child.ts`. */
  constructor(kind: NodeStdioKind, program: Bundle) {
    this.features = new Set(kind.features);
    this.#kind = kind;
    this.#program = program;
  }

  start(program: StdioProgramName, input?: StdioInput): StdioRun {
    const run = new NodeStdioRun(this.#kind, [process.execPath, this.#program.path, program], input);
    this.#runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    for (const run of this.#runs) await run.close();
  }
}

class NodeStdioRun implements StdioRun {
  readonly told: string[] = [];
  outputEnded = false;
  readonly #kind: NodeStdioKind;
  readonly #closed: Promise<unknown>;
  readonly #input: Writable;
  readonly #output: Readable;
  readonly #chunks: Buffer[] = [];
  /** What waits until it may be typed. */
  #untyped: (() => unknown)[] | undefined = [];

  constructor(kind: NodeStdioKind, command: readonly string[], input: StdioInput | undefined) {
    this.#kind = kind;
    const child: ChildProcess = spawn('sh', ['-c', kind.script, 'sh', ...command], {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    this.#closed = once(child, 'close');
    const [stdin, stdout, , told] = child.stdio as unknown as [Writable, Readable, null, Readable];
    this.#input = stdin;
    this.#input.on('error', () => {}); // the program may end before it has read everything
    this.#output = stdout.on('data', (data: Buffer) => void this.#chunks.push(data));
    stdout.on('end', () => (this.outputEnded = true));
    this.#listenTo(told);
    if (kind.endOfInput === undefined) this.#type();
    if (input !== undefined) this.send(input.lines);
    if (input?.isAll === true) this.end();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  send(lines: string): void {
    this.#ask(() => this.#input.write(lines));
  }

  end(): void {
    const { endOfInput } = this.#kind;
    this.#ask(() => (endOfInput === undefined ? this.#input.end() : this.#input.write(endOfInput)));
  }

  pause(): void {
    this.#output.pause();
  }

  resume(): void {
    this.#output.resume();
  }

  /** The case's time-out is the limit. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async close(): Promise<void> {
    this.resume();
    this.#input.destroy();
    await this.until(() => this.told.includes('ended'));
    await this.#closed;
  }

  #listenTo(told: Readable): void {
    let rest = '';
    told.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.told.push(...lines.filter((line) => line !== 'ready' && !LOST_NUMBER.test(line)));
      if (lines.includes('ready')) this.#type();
    });
  }

  #ask(typing: () => unknown): void {
    if (this.#untyped === undefined) typing();
    else this.#untyped.push(typing);
  }

  #type(): void {
    const untyped = this.#untyped ?? [];
    this.#untyped = undefined;
    for (const typing of untyped) typing();
  }
}
