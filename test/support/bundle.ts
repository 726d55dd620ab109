import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/**
 * A program, and what it uses of the package, as one file of JavaScript: for tests that start many processes, each of which a
 * loader of TypeScript would cost half a second.
 */
export class Bundle implements Disposable {
  readonly path: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'ropewalk-'));

  /** `program` is a path in the repository. */
  constructor(program: string) {
    this.path = join(this.#folder, `${basename(program, '.ts')}.mjs`);
    buildSync({
      entryPoints: [join(root, program)],
      outfile: this.path,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['ropewalk-source'],
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
