/** What must be true of the two ends when a program has run to its end. */
import { ConnectionDone } from 'ropewalk/core';
import type { End } from './end.ts';
import { PeerEnd } from './peer-end.ts';
import { FuzzedError, ProtocolEnd } from './protocol-end.ts';
import type { Run } from './run.ts';
import type { Seam } from './seam.ts';

/** Each law that was broken, in words. */
export function brokenLaws({ near, far, seam }: Pick<Run, 'near' | 'far' | 'seam'>): string[] {
  if (!near.isMade) return [...near.problems, ...far.problems];
  return [
    ...near.problems.map((problem) => `near: ${problem}`),
    ...far.problems.map((problem) => `far: ${problem}`),
    ...brokenFor('near', near, far, seam),
    ...brokenFor('far', far, near, seam),
  ];
}

function brokenFor(name: string, end: End, other: End, seam: Seam): string[] {
  const broken: string[] = [];
  const received = `${name}: received ${end.receivedBytes} bytes of ${other.sentBytes}`;
  if (end.receivedBytes > other.sentBytes) broken.push(`${received}, more than were sent`);
  // Where one end speaks TLS and the other does not, the connection may end in any way, but for its hooks.
  if (seam.isBroken) return broken;
  if (end.receivedBytes < other.sentBytes && mustHaveAll(end, other)) broken.push(`${received}, and not all`);
  if (end instanceof ProtocolEnd && !isAllowedReason(end, other)) {
    broken.push(`${name}: lost by ${String(end.reason)}, caused by ${String(end.reason?.cause)}`);
  }
  if (end instanceof PeerEnd && end.wasReset && !other.hasAborted && !end.hasAborted) {
    broken.push(`${name}: reset, and nobody aborted`);
  }
  return broken;
}

/**
 * An end that has not left itself gets everything, if nobody breaks the connection, and if it sees the end of a side that
 * nobody has broken.
 */
function mustHaveAll(end: End, other: End): boolean {
  const isUnbroken = !end.hasAborted && !other.hasAborted;
  return isUnbroken && !hasClosed(end);
}

/** It hears nothing more, by its own doing. */
function hasClosed(end: End): boolean {
  return end.hasLeft || (end instanceof ProtocolEnd && end.thrown !== undefined);
}

/** `ConnectionLost` and its like need somebody who broke the connection. */
function isAllowedReason({ reason, hasAborted, thrown, hasLeft }: ProtocolEnd, other: End): boolean {
  if (hasAborted || other.hasAborted) return true;
  if (reason instanceof FuzzedError) return reason === thrown;
  if (!(reason instanceof ConnectionDone)) return false;
  return thrown === undefined || hasLeft;
}
