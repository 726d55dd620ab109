/**
 * What the suite about the standard input and output is put to: a program that opens them, and whoever is at their other ends. A
 * program has only one of each, so that on Node every case starts one; in simulation each has a reactor of its own. Both run the same
 * code, out of `programs.ts`.
 */
import type { StdioProgramName } from './programs.ts';

/** What a flavour may lack. */
export type StdioFeature =
  /** Whoever reads the output sees its end while the program goes on. A terminal has none. */
  | 'end-of-output'
  /** Output can be under way while the program goes on. To a terminal Node writes at once, and waits. */
  | 'output-under-way';

export interface StdioHarness {
  readonly features: ReadonlySet<StdioFeature>;
  /** Starts a program. Its input, if there is any, is there before it begins. */
  start(program: StdioProgramName, input?: StdioInput): StdioRun;
  /** Ends what was started. */
  close(): Promise<void>;
}

export interface StdioInput {
  /** Whole lines, for a terminal gives no others. */
  readonly lines: string;
  /** Whether that is all. */
  readonly isAll: boolean;
}

/** A program that has been started. */
export interface StdioRun {
  /** What it has told by `StdioStage.tell`, in order, and at last `ended`. */
  readonly told: readonly string[];
  /** What has been read of its output. */
  text(): string;
  /** Its output has ended. */
  readonly outputEnded: boolean;
  /** Sends whole lines. */
  send(lines: string): void;
  /** Ends the input. */
  end(): void;
  /** Reads no more of the output, from now on or until `resume`. */
  pause(): void;
  resume(): void;
  /** Lets the world go on, and time pass, until the condition holds. */
  until(condition: () => boolean, what: string): Promise<void>;
}
