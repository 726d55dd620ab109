import type { SystemError } from '../interfaces/platform.ts';

/** An error as the system would report it: `connect ECONNREFUSED 127.0.0.1:80`. */
export class VirtualSystemError extends Error implements SystemError {
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, detail?: string) {
    super(`${syscall} ${code}${detail === undefined ? '' : ` ${detail}`}`);
    this.name = 'SystemError';
    this.code = code;
    this.syscall = syscall;
  }
}
