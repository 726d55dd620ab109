/**
 * What a user gets: packs the package, installs the tarball in an empty folder, compiles a small program against the
 * types in it, and runs that on plain Node, with no loader and no condition.
 *
 * Reads dist/, so build first.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'ropewalk-pack-'));

/** Runs a program in a folder, showing what it prints; throws if it fails. */
function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Packs the package into the temporary folder; returns the tarball's name. */
function pack(): string {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const report = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  // npm's own format; a change of it fails here, loudly.
  const [packed] = JSON.parse(report) as [{ filename: string; entryCount: number; unpackedSize: number }];
  console.log(`${packed.filename}: ${packed.entryCount} files, ${Math.round(packed.unpackedSize / 1024)} KiB`);
  return packed.filename;
}

/** Compiles the program as a user would; the declarations in the package are checked too. */
function compile(name: string, module: 'nodenext' | 'esnext', moduleResolution: 'nodenext' | 'bundler'): void {
  const options = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    outDir: 'out',
    module,
    moduleResolution,
  };
  writeFileSync(join(folder, name), JSON.stringify({ compilerOptions: options, files: ['consumer.ts'] }));
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', name], folder);
}

try {
  const tarball = pack();
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  run('npm', ['install', '--ignore-scripts', '--offline', `./${tarball}`], folder);
  // The optional peers a TypeScript user has, at the versions pinned here.
  mkdirSync(join(folder, 'node_modules/@types'));
  for (const peer of ['@types/node', 'undici-types', '@types/chai', '@types/deep-eql', 'assertion-error', 'chai']) {
    symlinkSync(join(root, 'node_modules', peer), join(folder, 'node_modules', peer));
  }

  copyFileSync(join(root, 'scripts/pack-smoke/consumer.ts'), join(folder, 'consumer.ts'));
  compile('bundler.json', 'esnext', 'bundler');
  compile('node.json', 'nodenext', 'nodenext');
  run(process.execPath, ['out/consumer.js'], folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
