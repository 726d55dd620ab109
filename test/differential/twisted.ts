/** Real Twisted, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Script } from './scripts.ts';

/** Debian's python3-twisted belongs to this one; on other systems the first of the path may have it. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** A Python that has Twisted, or why there is none. */
export type TwistedOrNot = { readonly python: string; readonly version: string } | { readonly missing: string };

export function findTwisted(): TwistedOrNot {
  const reasons: string[] = [];
  for (const python of PYTHONS) {
    const found = spawnSync(python, ['-c', 'import twisted; print(twisted.__version__)'], { encoding: 'utf8' });
    if (found.status === 0) return { python, version: found.stdout.trim() };
    reasons.push(`${python}: ${found.error?.message ?? found.stderr.trim().split('\n').at(-1)}`);
  }
  return { missing: `no Python with Twisted (${reasons.join('; ')})` };
}

/** Runs all scripts in one Python process. Throws with its messages if that fails. */
export function runOnTwisted(python: string, scripts: readonly Script[]): string[][] {
  const interpreter = join(import.meta.dirname, 'interpreter.py');
  const result = spawnSync(python, [interpreter], {
    input: JSON.stringify(scripts),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  if (result.status !== 0) throw new Error(`Twisted failed: ${result.error?.message ?? ''}${result.stderr}`);
  // What interpreter.py writes.
  return (JSON.parse(result.stdout) as { traces: string[][] }).traces;
}
