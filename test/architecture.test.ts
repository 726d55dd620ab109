/**
 * What the tools do not check about the tree itself: the words in it, and, once more and independently of the linter,
 * where the host may be touched. The scan reads text, so it also sees what a linter's exception would hide.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '..');

interface SourceFile {
  path: string;
  lines: string[];
}

/** The files below a folder of the repository, by name; paths have forward slashes. */
function filesIn(folder: string, names: RegExp): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && names.test(entry.name))
    .map((entry) => read(join(entry.parentPath, entry.name)))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

function read(path: string): SourceFile {
  return { path: relative(root, path).split(sep).join('/'), lines: readFileSync(path, 'utf8').split('\n') };
}

/** `path:line: text` for each line that matches, comments set aside. */
function linesOfCode(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      const code = /^\s*(\*|\/\*)/.test(line) ? '' : line.replace(/(^|\s)\/\/.*$/, '');
      return pattern.test(code) ? [`${path}:${index + 1}: ${line.trim()}`] : [];
    }),
  );
}

/** `path:line: text` for each line that matches, comments included. */
function lines(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

const source = filesIn('src', /[.]ts$/);
const portable = source.filter(({ path }) => !/^src\/(node|cli)\//.test(path));
// This file spells out what it forbids.
const tests = filesIn('test', /[.]ts$/).filter(({ path }) => path !== 'test/architecture.test.ts');
const documents = [
  ...filesIn('docs', /[.]md$/).filter(({ path }) => !path.startsWith('docs/api/')),
  ...readdirSync(root)
    .filter((name) => name.endsWith('.md'))
    .map((name) => read(join(root, name))),
];
const programs = [...filesIn('examples', /[.]ts$/), ...filesIn('bench', /[.]ts$/), ...filesIn('scripts', /[.]ts$/)];
const everything = [...source, ...tests, ...documents, ...programs];

describe('The source tree', () => {
  it('is read by this test', () => {
    expect(source).to.have.length.greaterThan(20);
    expect(portable.length).to.be.lessThan(source.length);
    expect(documents).to.have.length.greaterThan(3);
  });

  it('names files in kebab case', () => {
    const odd = [...source, ...tests].filter(({ path }) => !/\/[a-z0-9]+(-[a-z0-9]+)*([.]test)?[.]ts$/.test(path));
    expect(odd.map(({ path }) => path)).to.deep.equal([]);
  });

  it('holds no note of work left undone', () => {
    expect(lines(everything, /\b(TODO|FIXME|XXX|HACK)\b/)).to.deep.equal([]);
  });

  it('names no package registry', () => {
    const lockfile = [read(join(root, 'package-lock.json')), read(join(root, 'package.json'))];
    expect(lines([...everything, ...lockfile], /registry[.]|npmjs[.]|"resolved":/)).to.deep.equal([]);
  });

  it('gives a reason for each exception made from the linter or the compiler', () => {
    expect(lines([...source, ...tests, ...programs], /eslint-disable(?!.*\s--\s\S)/)).to.deep.equal([]);
    expect(lines([...source, ...tests, ...programs], /@ts-(ignore|nocheck)/)).to.deep.equal([]);
  });

  it('leaves no test alone or asleep', () => {
    expect(linesOfCode(tests, /\b(it|describe)[.](only|skip)\(|\bx(it|describe)\(/)).to.deep.equal([]);
  });
});

describe('Portable code', () => {
  const allowed = [
    { what: 'the wall clock', pattern: /\bDate\b/, in: [] },
    { what: 'a performance clock', pattern: /\bperformance\b\s*[.]/, in: [] },
    { what: 'randomness of its own', pattern: /\bMath\s*[.]\s*random\b|\bcrypto\s*[.]/, in: [] },
    { what: 'the console', pattern: /\bconsole\s*[.]/, in: ['src/deferred/unhandled.ts'] },
    { what: 'the process', pattern: /\bprocess\s*[.](?!ts')/, in: [] },
    { what: 'message channels', pattern: /\bMessageChannel\b/, in: ['src/testing/macrotask.ts'] },
    {
      what: 'timers of the host',
      // A bare call: neither a method of an object nor the declaration of one, which has typed parameters.
      pattern:
        /(?<![.#\w])(setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|clearImmediate|queueMicrotask)\((?!\w+\??: )/,
      in: [],
    },
    { what: 'the global object', pattern: /\bglobalThis\b/, in: [] },
    { what: "Node's modules", pattern: /(from|import\()\s*['"]node:(?!buffer['"])/, in: [] },
  ] satisfies { what: string; pattern: RegExp; in: string[] }[];

  for (const { what, pattern, in: files } of allowed) {
    it(`does not use ${what}${files.length > 0 ? `, but for ${files.join(' and ')}` : ''}`, () => {
      const others = portable.filter(({ path }) => !files.includes(path) && path !== 'src/index.ts');
      expect(linesOfCode(others, pattern)).to.deep.equal([]);
    });
  }

  it('keeps no state in modules', () => {
    // The one exception is the sink of unhandled errors (docs/architecture.md, law 1).
    const others = source.filter(({ path }) => path !== 'src/deferred/unhandled.ts');
    expect(linesOfCode(others, /^(export )?(let|var) /)).to.deep.equal([]);
  });
});
