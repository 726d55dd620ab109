import type { SystemError } from './interfaces/platform.ts';

/** A host's error as the seam has it. Nearly all have a code; one that does not gets `UNKNOWN`, libuv's own word. */
export function toSystemError(error: unknown): SystemError {
  if (isSystemError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return Object.assign(new Error(message, { cause: error }), { code: 'UNKNOWN' });
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
