import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** What is asked of the system; another one for tests. */
export interface DescriptorCalls {
  readonly openSync: (path: string, flags: string) => number;
  readonly closeSync: (descriptor: number) => void;
}

/**
 * Closes a descriptor and puts the null device in its place, so that its number goes to no file that is opened later. Systems give out
 * the lowest number that is free, so the numbers below are taken meanwhile. Node cannot do both in one step (dup2), and another thread, one
 * of libuv's pool or of a worker, may open something in between: then the number is that thread's, and this is false.
 */
export function replaceByNullDevice(
  descriptor: number,
  { openSync: open, closeSync: close }: DescriptorCalls = { openSync, closeSync },
): boolean {
  close(descriptor);
  const opened: number[] = [];
  let last: number;
  do {
    last = open(devNull, 'r+');
    opened.push(last);
  } while (last < descriptor);
  for (const other of opened) if (other !== descriptor) close(other);
  return last === descriptor;
}
