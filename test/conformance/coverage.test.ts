/** Whether the suites cover what Twisted's behaviour inventory numbers: lifecycle, time, TCP, producers and TLS. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

/** The behaviours of a reactor, its TCP transports and TLS over them are numbered from 1 to this. */
const LAST_BEHAVIOUR = 73;

/** Behaviours that no title names, and why. */
const REASONS: Readonly<Record<number, string>> = {};

/** A case's title, in any kind of quotes. */
const TITLE = /\bit\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;

/** The numbers that a title ends with: `is delayed from when it was due [24]`, `… [43, 44]`. */
const NUMBERS = /\[(\d+(?:, \d+)*)\]$/;

function titles(): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'coverage.test.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .flatMap((text) => [...text.matchAll(TITLE)].map((match) => match[2] ?? ''));
}

function coveredBehaviours(): Set<number> {
  const numbers = titles().flatMap((title) => NUMBERS.exec(title)?.[1]?.split(', ') ?? []);
  return new Set(numbers.map(Number));
}

describe('The conformance suite', () => {
  it('has a case, or a reason, for each numbered behaviour', () => {
    const covered = coveredBehaviours();
    const missing: number[] = [];
    for (let number = 1; number <= LAST_BEHAVIOUR; number += 1) {
      if (!covered.has(number) && !(number in REASONS)) missing.push(number);
    }
    expect(missing).to.deep.equal([]);
  });

  it('has no reason for a behaviour that is covered, and no number that does not exist', () => {
    const covered = coveredBehaviours();
    expect(Object.keys(REASONS).filter((number) => covered.has(Number(number)))).to.deep.equal([]);
    expect([...covered].filter((number) => number < 1 || number > LAST_BEHAVIOUR)).to.deep.equal([]);
  });
});
