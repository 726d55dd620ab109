import { realpathSync } from 'node:fs';

/** Whether the module with this `import.meta` is the program that was started, not one that a test imports. */
export function isMain(meta: ImportMeta): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === meta.filename;
}
