/**
 * The lock beside the socket of a server: `PATH.lock`, a symbolic link to the number of the process that holds it,
 * because a symbolic link is made with its contents in one step, or not at all. Source: Twisted's
 * `python.lockfile.FilesystemLock`, which makes and respects the same.
 *
 * As there, two processes that find the lock of a third, dead one at the same instant may disturb each other; and a dead
 * process whose number another has by now counts as alive.
 */
import { lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import type { SystemError } from '../interfaces/platform.ts';
import { toSystemError } from '../system-error.ts';

/** How often to try again when the lock vanishes between two looks at it. */
const ATTEMPTS_MAX = 10;

export class SocketLock {
  readonly #path: string;
  readonly #lockPath: string;

  /** Takes the lock, and removes the socket that a dead holder has left. Throws a `SystemError` if it cannot be had. */
  constructor(path: string) {
    this.#path = path;
    this.#lockPath = `${path}.lock`;
    this.#take();
  }

  /** Gives it up. Does nothing if somebody has removed it, or put another in its place. */
  release(): void {
    if (this.#holder() === String(process.pid)) unlinkIfThere(this.#lockPath);
  }

  #take(): void {
    let isStale = false;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (this.#make()) {
        if (isStale) removeSocket(this.#path);
        return;
      }
      const holder = this.#holder();
      if (holder === undefined) continue;
      if (isAlive(holder)) throw this.#held(`process ${holder} holds ${this.#lockPath}`);
      unlinkIfThere(this.#lockPath);
      isStale = true;
    }
    throw this.#held(`${this.#lockPath} comes and goes`);
  }

  /** False if there is one already. */
  #make(): boolean {
    try {
      symlinkSync(String(process.pid), this.#lockPath);
      return true;
    } catch (error) {
      if (toSystemError(error).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** Who holds it; undefined if nobody does. */
  #holder(): string | undefined {
    try {
      return readlinkSync(this.#lockPath);
    } catch (error) {
      switch (toSystemError(error).code) {
        case 'ENOENT':
          return undefined;
        case 'EINVAL':
          throw this.#held(`${this.#lockPath} is something else than a lock`);
        default:
          throw error;
      }
    }
  }

  #held(why: string): SystemError {
    const message = `listen EADDRINUSE: ${why}`;
    return Object.assign(new Error(message), { code: 'EADDRINUSE', syscall: 'listen' });
  }
}

/** Whoever holds a lock that names no process is nobody to be declared dead. */
function isAlive(holder: string): boolean {
  if (!/^[1-9][0-9]*$/.test(holder)) return true;
  try {
    process.kill(Number(holder), 0);
    return true;
  } catch (error) {
    // EPERM: it is alive, and somebody else's.
    return toSystemError(error).code !== 'ESRCH';
  }
}

/** Whatever else is at the path stays, and binding tells of it. */
function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkIfThere(path);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (toSystemError(error).code !== 'ENOENT') throw error;
  }
}
