import type { SystemError } from '../interfaces/platform.ts';

/** An error that the system would have given, had it been asked. */
export function systemError(code: string, message: string): SystemError {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** The same trouble, blamed on another system call. */
export function withSyscall(error: SystemError, syscall: string): SystemError {
  return Object.assign(new Error(error.message, { cause: error }), { code: error.code, syscall });
}
