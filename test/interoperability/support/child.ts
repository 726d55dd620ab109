import { Buffer } from 'node:buffer';
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { Changes } from './changes.ts';

export interface ChildOptions {
  /** A file descriptor to read from, instead of what `send` writes. */
  readonly input?: number;
  /** Where it runs, and in what environment; as this process unless given. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** How a child ended: with a status, or by a signal. */
export type Exit = number | NodeJS.Signals;

/** How much of what it has printed is kept for the message of a failure, in characters. */
const LOG_LENGTH = 4000;

/**
 * A program that runs beside the test, in a process group of its own, so that `kill` reaches what it has started too.
 * It is killed at the latest when this process exits.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #changes = new Changes();
  readonly #name: string;
  readonly #stdout: Buffer[] = [];
  #lines: string[] = [];
  #log = '';
  #exit: Exit | Error | undefined;

  private constructor(command: string, args: readonly string[], { input, ...where }: ChildOptions) {
    this.#name = [command, ...args].join(' ');
    this.#process = spawn(command, args, { ...where, stdio: [input ?? 'pipe', 'pipe', 'pipe'], detached: true });
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on('error', () => {}); // it may end before it has read everything
    stdout?.on('data', (data: Buffer) => this.#stdout.push(data));
    this.#watchLines(stdout);
    this.#watchLines(stderr);
    this.#process.on('error', (error) => this.#ended(error));
    this.#process.on('close', (code, signal) => this.#ended(signal ?? code ?? new Error('ended without a status')));
    process.setMaxListeners(process.getMaxListeners() + 1);
    process.on('exit', this.#killGroup);
  }

  static start(command: string, args: readonly string[], options: ChildOptions = {}): Child {
    return new Child(command, args, options);
  }

  /** What it has printed to stdout so far. */
  get output(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  /** Its command and the last of what it has printed, for the message of a failure. */
  get log(): string {
    return `${this.#name}\n${this.#log}`;
  }

  /** Gives it something to read on stdin. */
  send(data: string): void {
    this.#process.stdin?.write(data);
  }

  /** Sends a signal to it alone, not to what it has started. */
  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  /**
   * Waits for a line that matches, on stdout or stderr, and passes over those before it. No line is given twice.
   * Rejects if the child ends without having printed one.
   */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#first(() => {
      for (const [index, line] of this.#lines.entries()) {
        const match = pattern.exec(line);
        if (match === null) continue;
        this.#lines = this.#lines.slice(index + 1);
        return match;
      }
      return undefined;
    }, String(pattern));
  }

  /** Whether it has printed such a line by now, after those that `line` has given. */
  hasLine(pattern: RegExp): boolean {
    return this.#lines.some((line) => pattern.test(line));
  }

  /** Waits until it has printed exactly this to stdout. */
  async printed(text: string): Promise<void> {
    await this.#first(() => this.output.toString() === text || undefined, text);
  }

  /** Waits for its end by itself, with all it has printed read. */
  async ended(): Promise<Exit> {
    const exit = await this.#changes.first(() => this.#exit);
    if (exit instanceof Error) throw exit;
    return exit;
  }

  /** Ends it and all it has started, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.#changes.first(() => this.#exit);
  }

  #first<T>(look: () => T | undefined, what: string): Promise<T> {
    return this.#changes.first(() => {
      const found = look();
      if (found === undefined && this.#exit !== undefined) {
        throw new Error(`ended (${String(this.#exit)}) without having printed ${what}: ${this.log}`);
      }
      return found;
    });
  }

  #watchLines(stream: Readable | null): void {
    let rest = '';
    stream?.on('data', (data: Buffer) => {
      const text = data.toString('latin1'); // the lines that are looked for are ASCII, other output may be anything
      this.#log = (this.#log + text).slice(-LOG_LENGTH);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#changes.happened();
    });
  }

  #ended(exit: Exit | Error): void {
    if (this.#exit !== undefined) return;
    this.#exit = exit;
    process.off('exit', this.#killGroup);
    process.setMaxListeners(process.getMaxListeners() - 1);
    this.#changes.happened();
  }

  readonly #killGroup = (): void => {
    const { pid } = this.#process;
    if (pid === undefined || this.#exit !== undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
  };
}

/** Starts children that end with the test, however that ends. If it failed, what they have printed is shown. */
export function useChildren(): (command: string, args: readonly string[], options?: ChildOptions) => Child {
  let children: Child[] = [];
  afterEach(async function () {
    const ending = children;
    children = [];
    if (this.currentTest?.state === 'failed') for (const child of ending) console.warn(child.log);
    await Promise.all(ending.map((child) => child.kill()));
  });
  return (command, args, options) => {
    const child = Child.start(command, args, options);
    children.push(child);
    return child;
  };
}
