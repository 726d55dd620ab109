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
  /**
   * It runs. `pipes` has a stream for each descriptor that is `'w'` or `'r'`. Each reports, by `endReceived` or `failed`, that
   * nobody has the child's end open any more, those that are written to as well. They do not linger: `close` lets go at once.
   */
  started(processId: number, pipes: ReadonlyMap<number, StreamHandle>): void;
  /** It could not be started; nothing follows. */
  startFailed(error: SystemError): void;
  /** It has ended; its pipes may still hold output. */
  exited(exit: ProcessExit): void;
}

/** How a program has ended. */
export interface ProcessExit {
  /** What it ended with by itself; undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  /** The name of the signal that ended it: `SIGKILL`. */
  readonly signal: string | undefined;
  /** What `wait` has for the two: the code times 256, or the number of the signal. */
  readonly status: number;
}

/** A program that was started, or is about to be. */
export interface ProcessHandle {
  /**
   * Sends a signal, by number or by its whole name (`SIGTERM`); called between `started` and `exited`. Throws the system's error: `ESRCH` if the child has gone all the same,
   * `EINVAL` for a signal that the host does not have or has no name for, `EPERM`.
   */
  signal(signal: string | number): void;
}
