import type { SystemError } from '../interfaces/platform.ts';

/** Node's error as the seam has it. Nearly all have a code; one that does not gets `UNKNOWN`, libuv's own word. */
export function toSystemError(error: unknown): SystemError {
  if (isSystemError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return Object.assign(new Error(message, { cause: error }), { code: 'UNKNOWN' });
}

/** An error that the system would have given, had it been asked. */
export function systemError(code: string, message: string): SystemError {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** The same trouble, blamed on another system call. */
export function withSyscall(error: SystemError, syscall: string): SystemError {
  return Object.assign(new Error(error.message, { cause: error }), { code: error.code, syscall });
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
