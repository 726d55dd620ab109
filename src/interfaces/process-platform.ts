import type { SystemError } from './platform.ts';
import type { StreamHandle } from './stream-platform.ts';

/** Starts programs. */
export interface ProcessPlatform {
  /** Begins to start a program. Reports `started` or `startFailed`, once. */
  spawn(program: ProcessProgram, listener: ProcessListener): ProcessHandle;
}

/** How a descriptor of the child is connected: we write to it, we read from it, or it is one of ours. */
export type ChildDescriptor = 'w' | 'r' | number;

/** What to start, and as what. */
export interface ProcessProgram {
  /** A path, or a name that is looked for along the `PATH`. */
  readonly executable: string;
  /** Without the program's own name. */
  readonly args: readonly string[];
  /** What the program is told is its own name; `executable` when absent. */
  readonly argv0?: string;
  /** The whole environment; inherited when absent. */
  readonly env?: Readonly<Record<string, string>>;
  /** The directory it starts in; inherited when absent. */
  readonly cwd?: string;
  /** The user it runs as, by number; ours when absent. Needs the right to change it. */
  readonly uid?: number;
  /** The group it runs as, by number; ours when absent. Needs the right to change it. */
  readonly gid?: number;
  /** By number of the child's descriptor. */
  readonly descriptors: ReadonlyMap<number, ChildDescriptor>;
}

/** Is told what becomes of one program, in order, and never from inside a call made on the platform. */
export interface ProcessListener {
  /** It runs. `pipes` has a stream for each descriptor that is `'w'` or `'r'`. */
  started(processId: number, pipes: ReadonlyMap<number, StreamHandle>): void;
  /** It could not be started; nothing follows. */
  startFailed(error: SystemError): void;
  /** It has ended, by itself with a code or by a signal; its pipes may still hold output. */
  exited(exitCode: number | undefined, signal: string | undefined): void;
}

/** A program that was started. */
export interface ProcessHandle {
  /** Sends a signal by name or number. Throws the system's error; `ESRCH` once the child has gone. */
  signal(signal: string | number): void;
}
