import { isAbstractPath, printablePath } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import { PATH_BYTES_MAX_LINUX, tooLongPath } from '../reactor/path-length.ts';

/** Elsewhere than on Linux `sun_path` is 4 bytes shorter. */
const PATH_BYTES_MAX = 103;

/**
 * What is wrong with a path that is longer than the system's addresses have room for; undefined if it is not. Some
 * versions of Node cut such a path off without a word, and use another file than the one that was named.
 */
export function pathError(path: string, syscall: 'listen' | 'connect'): SystemError | undefined {
  // Named pipes are something else.
  if (process.platform === 'win32') return undefined;
  return tooLongPath(path, syscall, process.platform === 'linux' ? PATH_BYTES_MAX_LINUX : PATH_BYTES_MAX);
}

/** An error about a path, with an abstract name as it is printed: Node has its NUL in the message. */
export function withPrintablePath(error: SystemError, path: string): SystemError {
  if (!isAbstractPath(path)) return error;
  const message = error.message.replaceAll(path, () => printablePath(path));
  const { code, syscall } = error;
  return Object.assign(new Error(message, { cause: error }), { code, ...(syscall !== undefined && { syscall }) });
}
