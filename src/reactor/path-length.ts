import { Buffer } from 'node:buffer';
import { isAbstractPath, printablePath } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';

/** What fits into `sun_path` on Linux beside a NUL: the one that ends a path, or begins an abstract name (unix(7)). */
export const PATH_BYTES_MAX_LINUX = 107;

/** What is wrong with the path or abstract name of a UNIX socket that has more than so many bytes; undefined if nothing is. */
export function tooLongPath(path: string, syscall: 'listen' | 'connect', bytesMax: number): SystemError | undefined {
  const isAbstract = isAbstractPath(path);
  const bytes = Buffer.byteLength(isAbstract ? path.slice(1) : path);
  if (bytes <= bytesMax) return undefined;
  const message =
    `${syscall} ENAMETOOLONG: the ${isAbstract ? 'abstract name' : 'path'} of a UNIX socket may have ` +
    `${String(bytesMax)} bytes here, and this one has ${String(bytes)}: ${printablePath(path)}`;
  return Object.assign(new Error(message), { code: 'ENAMETOOLONG', syscall });
}
