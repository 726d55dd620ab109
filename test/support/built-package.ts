import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/** What programs may import, and where it is. */
const ENTRIES = {
  '.': 'index',
  './node-platform': 'node/node-platform',
} as const;

/**
 * The package as JavaScript, for tests that start programs of their own: loading it from TypeScript would cost each of
 * them half a second. A program says `import … from 'ropewalk'`, or `'ropewalk/node-platform'` for the seam.
 */
export class BuiltPackage {
  static #shared: BuiltPackage | undefined;

  /** Where programs run: it has the package among its `node_modules`. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ropewalk-'));

  private constructor() {
    const outdir = join(this.folder, 'node_modules/ropewalk');
    buildSync({
      entryPoints: Object.values(ENTRIES).map((entry) => join(root, 'src', `${entry}.ts`)),
      outdir,
      outbase: join(root, 'src'),
      bundle: true,
      splitting: true,
      sourcemap: 'inline', // coverage is that of the sources
      platform: 'node',
      format: 'esm',
    });
    const exports = Object.fromEntries(Object.entries(ENTRIES).map(([name, entry]) => [name, `./${entry}.js`]));
    writeFileSync(join(outdir, 'package.json'), JSON.stringify({ name: 'ropewalk', type: 'module', exports }));
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** The one of this process, built when it is first asked for. */
  static get shared(): BuiltPackage {
    return (BuiltPackage.#shared ??= new BuiltPackage());
  }

  /** The arguments for Node to run `program`, the text of a module, in the folder. */
  static args(program: string): string[] {
    return ['--input-type=module', '--eval', program];
  }
}
