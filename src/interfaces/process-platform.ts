import type { SystemError } from './platform.ts';
import type { StreamHandle } from './stream-platform.ts';

/** Starts programs. */
export interface ProcessPlatform {
  /** Begins to start a program. Reports `started` or `startFailed`, once. */
  spawn(program: ProcessProgram, listener: ProcessListener): ProcessHandle;
}

/** How a descriptor of the child is connected: we write to it, we read from it, or it is one of ours. */
export type ChildDescriptor = 'w' | 'r' | number;

export interface ProcessProgram {
  readonly executable: string;
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly argv0?: string;
  /** The whole environment; inherited when absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** By number of the child's descriptor. */
  readonly descriptors: ReadonlyMap<number, ChildDescriptor>;
}

export interface ProcessListener {
  /** It runs. `pipes` has a stream for each descriptor that is `'w'` or `'r'`. */
  started(processId: number, pipes: ReadonlyMap<number, StreamHandle>): void;
  startFailed(error: SystemError): void;
  /** It has ended, by itself with a code or by a signal; its pipes may still hold output. */
  exited(exitCode: number | undefined, signal: string | undefined): void;
}

export interface ProcessHandle {
  /** Sends a signal by name or number. Throws the system's error; `ESRCH` once the child has gone. */
  signal(signal: string | number): void;
}
