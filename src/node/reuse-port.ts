import { UnsupportedError } from '../errors.ts';

/** Where libuv has a way to share a port that shares the connections out, too. */
const PLATFORMS: readonly string[] = ['linux', 'android', 'freebsd', 'sunos', 'aix'] satisfies NodeJS.Platform[];

/** The first minor version that has `reusePort`, by major version; later majors have it from the start. */
const FIRST_MINOR: ReadonlyMap<number, number> = new Map([
  [22, 12],
  [23, 1],
]);
const LAST_MAJOR_WITHOUT = 21;

/** Throws `UnsupportedError` unless `listen` of `node:net` has `reusePort`; a Node that has not ignores the option. */
export function requireReusePort(version: string = process.versions.node, platform: string = process.platform): void {
  if (!hasReusePort(version)) {
    throw new UnsupportedError(`reusePort needs Node 22.12, 23.1 or later; this is Node ${version}`);
  }
  if (!PLATFORMS.includes(platform)) {
    throw new UnsupportedError(`reusePort needs Linux, FreeBSD, Solaris or AIX; this is ${platform}`);
  }
}

function hasReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > LAST_MAJOR_WITHOUT && minor >= (FIRST_MINOR.get(major) ?? 0);
}
