import { setImmediate as nextPass } from 'node:timers/promises';
import { type ScriptedPeer, TestReactor } from 'ropewalk/testing';
import { STDIO_PROGRAMS, type StdioProgramName } from './programs.ts';
import type { StdioFeature, StdioHarness, StdioInput, StdioRun } from './stdio-harness.ts';

/** Enough for the windows of all that a program writes. */
const ROUNDS_MAX = 500;

/** How much time passes in a round: the peer takes a window each time. */
const ROUND_SECONDS = 0.1;

/** Programs on test reactors, with scripted peers at their terminals. */
export class VirtualStdioHarness implements StdioHarness {
  readonly features: ReadonlySet<StdioFeature> = new Set(['end-of-output', 'output-under-way']);
  readonly #runs: VirtualStdioRun[] = [];

  start(program: StdioProgramName, input?: StdioInput): StdioRun {
    const run = new VirtualStdioRun(program, input);
    this.#runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    for (const run of this.#runs) await run.close();
  }
}

class VirtualStdioRun implements StdioRun {
  readonly told: string[] = [];
  readonly #reactor = new TestReactor({ running: false });
  readonly #terminal: ScriptedPeer = this.#reactor.terminal;

  constructor(program: StdioProgramName, input: StdioInput | undefined) {
    const tell = (text: string): void => void this.told.push(text);
    if (input !== undefined) this.send(input.lines);
    if (input?.isAll === true) this.end();
    STDIO_PROGRAMS[program]({ reactor: this.#reactor, tell });
    void this.#reactor.run().then(() => {
      tell('ended');
    });
  }

  get outputEnded(): boolean {
    return this.#terminal.ended;
  }

  text(): string {
    return this.#terminal.text();
  }

  send(lines: string): void {
    this.#terminal.send(lines);
  }

  end(): void {
    this.#terminal.end();
  }

  pause(): void {
    this.#terminal.pause();
  }

  resume(): void {
    this.#terminal.resume();
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    for (let round = 0; !condition(); round += 1) {
      if (round === ROUNDS_MAX) throw new Error(`It never came to pass that ${what}; told: ${this.told.join(', ')}`);
      this.#reactor.advance(ROUND_SECONDS);
      await nextPass();
    }
  }

  async close(): Promise<void> {
    await this.until(() => this.told.includes('ended'), 'the program has ended');
    this.#terminal.abort();
    this.#reactor.advance(ROUND_SECONDS);
    this.#reactor.assertClean();
  }
}
