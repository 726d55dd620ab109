import type { SystemError } from '../interfaces/platform.ts';
import type { ProcessProgram } from '../interfaces/process-platform.ts';
import type { PipeDirection } from './child-pipes.ts';
import type { ConnectionLimits } from './connection-limits.ts';

/** How long a program that has been asked to end is waited for before it is killed. */
export const KILL_AFTER_SECONDS = 5;

/** How a child is ended when the reactor stops; undefined if it is left running. */
export interface StopOrder {
  readonly signal: string | number;
  readonly killAfterSeconds: number;
}

/** What to start, and what becomes of it in the end. */
export interface ChildOrder {
  readonly program: ProcessProgram;
  readonly whenReactorStops: StopOrder | undefined;
  /** What bounds each of its pipes. */
  readonly limits: ConnectionLimits;
}

/** The descriptors that are pipes. */
export function pipesOf({ descriptors }: ProcessProgram): ReadonlyMap<number, PipeDirection> {
  const pipes = new Map<number, PipeDirection>();
  for (const [childFD, descriptor] of descriptors) {
    if (typeof descriptor === 'string') pipes.set(childFD, descriptor);
  }
  return pipes;
}

/** The system says ENOENT for a missing directory as for a missing program, so both are named. */
export function describeStartFailure({ executable, cwd }: ProcessProgram, error: SystemError): string {
  return `Cannot start ${executable}${cwd === undefined ? '' : ` in ${cwd}`}: ${error.message}`;
}
