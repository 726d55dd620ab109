import type { SystemError } from '../interfaces/platform.ts';

/** What fits into `sun_path` beside the NUL that ends it (unix(7)); elsewhere than on Linux it is 4 bytes shorter. */
const PATH_BYTES_MAX_LINUX = 107;
const PATH_BYTES_MAX = 103;

/**
 * What is wrong with a path that is longer than the system's addresses have room for; undefined if it is not. Some
 * versions of Node cut such a path off without a word, and use another file than the one that was named.
 */
export function tooLongPath(path: string, syscall: 'listen' | 'connect'): SystemError | undefined {
  // Named pipes are something else.
  if (process.platform === 'win32') return undefined;
  const bytesMax = process.platform === 'linux' ? PATH_BYTES_MAX_LINUX : PATH_BYTES_MAX;
  const bytes = Buffer.byteLength(path);
  if (bytes <= bytesMax) return undefined;
  const message =
    `${syscall} ENAMETOOLONG: the path of a UNIX socket may have ${bytesMax} bytes here, ` +
    `and this one has ${bytes}: ${path}`;
  return Object.assign(new Error(message), { code: 'ENAMETOOLONG', syscall });
}
