/** Whether the suites cover what Twisted's behaviour inventory numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

/** Which numbers there are, from the first to the last. */
const BEHAVIOURS: readonly (readonly [first: number, last: number])[] = [
  [1, 90], // lifecycle, time, TCP, producers, TLS, UDP, UNIX sockets and processes
  [132, 132], // adopted sockets
];

/** Behaviours that no title names, and why. */
const REASONS: Readonly<Record<number, string>> = {
  81: 'Node can neither send nor receive a descriptor over a UNIX socket, so transports have no sendFileDescriptor',
};

/** Of files and descriptors, which only a real system has, so that the case is in one of the folders besides the suite. */
const BESIDES: ReadonlySet<number> = new Set([80, 132]);
const FOLDERS_BESIDES: readonly string[] = ['../node', '../interoperability'];

/** A case's title, in any kind of quotes. */
const TITLE = /\bit\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;

/** The numbers that a title ends with: `is delayed from when it was due [24]`, `… [43, 44]`. */
const NUMBERS = /\[(\d+(?:, \d+)*)\]$/;

function behaviours(): number[] {
  return BEHAVIOURS.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

function titlesIn(folder: string): string[] {
  return readdirSync(join(import.meta.dirname, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'coverage.test.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .flatMap((text) => [...text.matchAll(TITLE)].map((match) => match[2] ?? ''));
}

function numbersIn(folder: string): number[] {
  return titlesIn(folder).flatMap((title) => NUMBERS.exec(title)?.[1]?.split(', ').map(Number) ?? []);
}

function coveredBehaviours(): Set<number> {
  const besides = FOLDERS_BESIDES.flatMap(numbersIn).filter((number) => BESIDES.has(number));
  return new Set([...numbersIn('.'), ...besides]);
}

describe('The conformance suite', () => {
  it('has a case, or a reason, for each numbered behaviour', () => {
    const covered = coveredBehaviours();
    const missing = behaviours().filter((number) => !covered.has(number) && !(number in REASONS));
    expect(missing).to.deep.equal([]);
  });

  it('has no reason for a behaviour that is covered, and no number that does not exist', () => {
    const covered = coveredBehaviours();
    expect(Object.keys(REASONS).filter((number) => covered.has(Number(number)))).to.deep.equal([]);
    const numbers = ['.', ...FOLDERS_BESIDES].flatMap(numbersIn);
    expect(numbers.filter((number) => !behaviours().includes(number))).to.deep.equal([]);
  });
});
