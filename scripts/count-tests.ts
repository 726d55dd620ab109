/**
 * Adds up mocha's JSON reports and prints `N passed, N failed` alone on the last line; ends with status 1 unless
 * everything passed.
 *
 *     count-tests.ts [--failed-step NAME]... REPORT...
 *
 * A report that is missing or cannot be read is a run that did not end, and counts as one failure; so does each
 * `--failed-step`, which names a check other than the tests that failed.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

interface MochaReport {
  stats: { passes: number; failures: number; pending: number };
  failures: { fullTitle: string; err: { message?: string; stack?: string } }[];
  pending: { fullTitle: string }[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'failed-step': { type: 'string', multiple: true, default: [] } },
});

function read(path: string): MochaReport | undefined {
  try {
    // Written by mocha's own reporter in the run just ended.
    return JSON.parse(readFileSync(path, 'utf8')) as MochaReport;
  } catch (error) {
    console.log(`${basename(path)}: no report, the run did not end (${String(error)})`);
    return undefined;
  }
}

let passed = 0;
let failed = 0;
for (const path of positionals) {
  const report = read(path);
  if (report === undefined) {
    failed += 1;
    continue;
  }
  const { passes, failures, pending } = report.stats;
  passed += passes;
  failed += failures;
  console.log(`${basename(path, '.json')}: ${passes} passed, ${failures} failed, ${pending} skipped`);
  for (const test of report.failures) {
    console.log(`  FAILED ${test.fullTitle}\n    ${test.err.stack ?? test.err.message ?? 'no message'}`);
  }
  for (const test of report.pending) console.log(`  skipped ${test.fullTitle}`);
}
for (const step of values['failed-step']) {
  failed += 1;
  console.log(`FAILED step: ${step}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
