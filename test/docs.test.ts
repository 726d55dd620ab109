/**
 * The documents hold: their programs compile and run, and what they point at exists.
 *
 * Every block fenced as `ts` in README*.md, CONTRIBUTING.md and docs is a module of its own, type-checked against the
 * sources and, unless it says otherwise, run. Words after `ts` in the fence say how:
 *
 * - `file=name.ts`: the module has this name, so that later blocks of the same document can import `./name.ts`;
 * - `no-run: reason`: it is type-checked only, for the reason given. Stands last.
 *
 * A block fenced as `text prints` has what the program before it prints, line by line. A block that declares suites with
 * `describe` is a mocha test like any other.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { expect } from 'chai';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const workFolder = join(root, '.cache', 'docs');

interface Block {
  /** The line of the fence. */
  readonly line: number;
  readonly info: string;
  readonly code: string;
}

interface Program {
  /** For titles and messages: `README.md:12`. */
  readonly title: string;
  readonly path: string;
  readonly code: string;
  readonly noRunReason: string | undefined;
  readonly prints: string | undefined;
}

interface Document {
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

function documentsIn(folder: string): Document[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => readDocument(join(folder, entry.name)));
}

function readDocument(path: string): Document {
  const text = readFileSync(join(root, path), 'utf8');
  const blocks = [...text.matchAll(/^```([^\n`]*)\n(.*?)^```$/gms)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    info: match[1]!.trim(),
    code: match[2]!,
  }));
  return { path, text, blocks };
}

function programsOf({ path, blocks }: Document): Program[] {
  const folder = join(workFolder, path.replaceAll(/[^A-Za-z0-9]+/g, '-'));
  return blocks.flatMap((block, index) => {
    if (!/^ts\b/.test(block.info)) return [];
    const [, name = `line-${block.line}.ts`] = /\bfile=(\S+)/.exec(block.info) ?? [];
    const next = blocks[index + 1];
    return {
      title: `${path}:${block.line}`,
      path: join(folder, name),
      code: block.code,
      noRunReason: /\bno-run\b:?\s*(.*)$/.exec(block.info)?.[1],
      prints: next?.info === 'text prints' ? next.code : undefined,
    };
  });
}

/** Everything the compiler has to say about the programs, with the names and lines of the documents. */
function typeErrors(programs: readonly Program[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
      },
    },
  );
  const compiler = ts.createProgram(
    programs.map(({ path }) => path),
    config!.options,
  );
  return programs.flatMap(({ title, path }) => {
    const file = compiler.getSourceFile(path);
    return [...compiler.getSyntacticDiagnostics(file), ...compiler.getSemanticDiagnostics(file)].map((diagnostic) => {
      const line = file!.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1;
      return `${title}, line ${line} of the program: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`;
    });
  });
}

/** Runs a program and returns what it prints. The console is given back even if the program does not end. */
async function run(program: Program): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the program did not end; it printed: ${printed.join('')}`)), 4000);
  });
  const printed: string[] = [];
  const { log, error } = console;
  console.log = console.error = (...values: unknown[]) => void printed.push(`${format(...values)}\n`);
  try {
    await Promise.race([import(pathToFileURL(program.path).href), tooLate]);
  } finally {
    clearTimeout(timer);
    Object.assign(console, { log, error });
  }
  return printed.join('');
}

/** The anchors GitHub makes of headings. */
function anchorsOf(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const documents = [...documentsIn('.'), ...documentsIn('docs'), ...documentsIn('docs/decisions')];
const programs = documents.flatMap(programsOf);
const suites = programs.filter(({ code }) => /^describe\(/m.test(code));

rmSync(workFolder, { recursive: true, force: true });
for (const { path, code } of programs) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, code);
}

describe('The documents', () => {
  it('are read by this test', () => {
    expect(programs.length).to.be.greaterThan(10);
    expect(suites).to.not.be.empty;
  });

  it('have programs that compile', function () {
    this.timeout(30_000); // The compiler reads all that the programs import.
    expect(typeErrors(programs)).to.deep.equal([]);
  });

  it('say why a program is not run', () => {
    expect(programs.filter(({ noRunReason }) => noRunReason === '').map(({ title }) => title)).to.deep.equal([]);
  });

  for (const program of programs) {
    if (program.noRunReason !== undefined || suites.includes(program)) continue;
    it(`have a program that runs at ${program.title}`, async () => {
      const printed = await run(program);
      expect(printed).to.equal(program.prints ?? '');
    });
  }

  it('point at files and headings that exist', () => {
    expect(documents.flatMap(brokenLinks)).to.deep.equal([]);
  });

  it('name cases that exist', () => {
    const laws = readDocument('docs/laws.md').text;
    const named = [...laws.matchAll(/^- \[[\w-]+(?:\.test)?\.ts\]\(\.\.\/([\w/.-]+)\)[^]*?(?=^- |^#|^\|)/gm)].flatMap(
      ([item, file]) =>
        [...item.matchAll(/“([^”]+)”/g)].map(([, title]) => ({ file: file!, title: title!.replaceAll(/\s+/g, ' ') })),
    );
    expect(named).to.have.length.greaterThan(20);
    const missing = named.filter(({ file, title }) => {
      const suite = readFileSync(join(root, file), 'utf8');
      return ![`'${title}'`, `'${title} [`].some((written) => suite.includes(written));
    });
    expect(missing).to.deep.equal([]);
  });

  it('name source files that exist', () => {
    const missing = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:src|test|examples|bench|scripts)\/[\w./-]*)`/g)]
        // src/cli has its place in the rules before it is there.
        .filter(([, named]) => named !== 'src/cli' && !existsSync(join(root, named!)))
        .map(([, named]) => `${path}: ${named!}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it('say the same in the README of either language', () => {
    const [english, chinese] = ['README.md', 'README.zh-CN.md'].map(readDocument).map(({ text, blocks }) => ({
      headings: [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ /gm)].map(([level]) => level),
      programs: blocks.map(({ info, code }) => ({
        kind: info.replace(/no-run:.*/, 'no-run'),
        code: /^(ts|sh|text prints)/.test(info) ? withoutWords(code) : '',
      })),
    }));
    expect(chinese).to.deep.equal(english);
  });
});

/** What is left of a program, or of commands, when comments and the titles of tests are taken out. */
function withoutWords(code: string): string {
  return code.replaceAll(/\s*(\/\/|# ).*$/gm, '').replaceAll(/\b(describe|it)\('[^']*'/g, '$1(');
}

/** The links of a document, to files and headings of the repository, that lead nowhere. */
function brokenLinks({ path, text }: Document): string[] {
  return [...text.matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]+))?\)/g)].flatMap(([link, file, anchor]) => {
    const target = file === '' ? path : join(dirname(path), file!);
    const isThere = existsSync(join(root, target));
    if (isThere && (anchor === undefined || anchorsOf(readFileSync(join(root, target), 'utf8')).includes(anchor)))
      return [];
    return [`${path}: ${link}`];
  });
}

// They declare their own suites, as test files do.
for (const { path } of suites) await import(pathToFileURL(path).href);
