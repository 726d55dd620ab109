/**
 * docs/twisted.md has each public name of Twisted, and what it says Ropewalk has in its place is there: an exported name, or
 * a member, option or parameter of one, as the listings of the public API in etc have them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { NAMES_OF_OTHERS, TWISTED_NAMES } from './support/twisted-names.ts';

const root = resolve(import.meta.dirname, '..');

interface Row {
  readonly twisted: string;
  readonly ropewalk: string;
}

interface PublicAPI {
  readonly exported: ReadonlySet<string>;
  /** What the listings say of a class, interface, type or function, by its name. */
  readonly declarations: ReadonlyMap<string, string>;
  /** Whatever has a name there besides: members, options, parameters. */
  readonly declared: ReadonlySet<string>;
}

/** What the variables stand for that the table uses. */
const RECEIVERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['reactor', ['Reactor', 'TestReactor']],
  ['transport', ['Transport']],
  ['factory', ['Factory']],
  ['deferred', ['Deferred']],
  ['failure', ['Failure']],
  ['cooperator', ['Cooperator']],
  ['logger', ['Logger']],
]);

/** The rows of the tables, by the heading above them. */
function readTables(text: string): Map<string, Row[]> {
  const tables = new Map<string, Row[]>();
  for (const section of text.split(/^### /m).slice(1)) {
    const [heading = ''] = section.split('\n', 1);
    const lines = [...section.matchAll(/^\| (.*?) \| (.*?) \|$/gm)];
    const rows = lines.slice(2).map(([, twisted, ropewalk]) => ({ twisted: twisted!, ropewalk: ropewalk! }));
    if (rows.length > 0) tables.set(heading.replaceAll('`', ''), rows);
  }
  return tables;
}

function readAPI(): PublicAPI {
  const exported = new Set<string>();
  const declarations = new Map<string, string>();
  const declared = new Set<string>();
  const folder = join(root, 'etc');
  for (const listing of readdirSync(folder).filter((name) => name.endsWith('.api.md'))) {
    const [, code = ''] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(folder, listing), 'utf8')) ?? [];
    for (const [, name] of code.matchAll(/(?<![\w$.])([\w$]+)(?=\??:|\(|<)/g)) declared.add(name!);
    for (const part of code.split(/^\/\/ @.*\n/m)) {
      const [, isExported, name] =
        /^(export )?(?:abstract )?(?:class|interface|type|function|const) (\w+)/m.exec(part) ?? [];
      if (name === undefined) continue;
      if (isExported !== undefined) exported.add(name);
      declarations.set(name, part);
    }
  }
  return { exported, declarations, declared };
}

/** The code that stands in a cell, but for links. Strings are left out: they are values, not names. */
function codeIn(cell: string): string[] {
  return [...cell.replaceAll(/\[[^\]]*\]\([^)]*\)/g, '').matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code!.replaceAll(/'[^']*'/g, "''"),
  );
}

/** Whether the name stands in the code of a cell as a whole; a dotted name with its dots. */
function mentions(cell: string, name: string): boolean {
  const pattern = new RegExp(String.raw`(?<![\w$])${name.replaceAll('.', String.raw`\.`)}(?![\w$])`);
  return codeIn(cell).some((code) => pattern.test(code));
}

/** Whether a class or interface, or one that it extends, has the member. */
function hasMember(declarations: ReadonlyMap<string, string>, type: string, member: string): boolean {
  const declaration = declarations.get(type);
  if (declaration === undefined) return false;
  if (new RegExp(String.raw`(?<![\w$.])${member}(?=\??:|\(|<)`).test(declaration)) return true;
  const [, bases = ''] = / (?:extends|implements) ([^{]+)\{/.exec(declaration) ?? [];
  return [...bases.matchAll(/\w+/g)].some(([base]) => hasMember(declarations, base, member));
}

/** The names in a piece of code that neither Ropewalk has, nor others are known to have. */
function strangersIn(code: string, api: PublicAPI, others: ReadonlySet<string>): string[] {
  const words = [...code.matchAll(/(?<![\w$])[A-Za-z_$][\w$]*/g)].map(([word]) => word);
  const members = [...code.matchAll(/(?<![\w$.])(\w+)\.(\w+)/g)].filter(([, owner, member]) => {
    const types = RECEIVERS.get(owner!) ?? (api.exported.has(owner!) ? [owner!] : []);
    return types.length > 0 && !types.some((type) => hasMember(api.declarations, type, member!));
  });
  return [
    ...words.filter((word) => !api.exported.has(word) && !api.declared.has(word) && !others.has(word)),
    ...members.map(([whole]) => whole),
  ];
}

describe('The tables of docs/twisted.md', () => {
  const tables = readTables(readFileSync(join(root, 'docs/twisted.md'), 'utf8'));

  it('have the sections of the list', () => {
    expect([...tables.keys()]).to.deep.equal([...TWISTED_NAMES.keys()]);
  });

  for (const [section, names] of TWISTED_NAMES) {
    it(`have each name of Twisted: ${section}`, () => {
      const rows = tables.get(section) ?? [];
      expect(names.filter((name) => !rows.some(({ twisted }) => mentions(twisted, name)))).to.deep.equal([]);
    });
  }

  it('say something of each', () => {
    const silent = [...tables.values()].flat().filter(({ ropewalk }) => ropewalk.trim() === '');
    expect(silent).to.deep.equal([]);
  });

  it('name nothing of Ropewalk that is not in its public API', () => {
    const api = readAPI();
    const others = new Set([...NAMES_OF_OTHERS.values()].flat());
    const strangers = [...tables].flatMap(([section, rows]) =>
      rows.flatMap(({ ropewalk }) =>
        codeIn(ropewalk).flatMap((code) =>
          strangersIn(code, api, others).map((name) => `${section}: ${name} in ${code}`),
        ),
      ),
    );
    expect(api.exported.size).to.be.greaterThan(200);
    expect(strangers).to.deep.equal([]);
  });

  it('say “the same” of what has the same name in the public API', () => {
    const api = readAPI();
    const same = [...tables.values()].flat().filter(({ ropewalk }) => /^the same\b/.test(ropewalk));
    const named = same.flatMap(({ twisted }) =>
      codeIn(twisted).map((code) => /^(?:\w+\.)*(\w+)/.exec(code)?.[1] ?? code),
    );
    expect(named).to.have.length.greaterThan(150);
    expect(named.filter((name) => !api.exported.has(name) && !api.declared.has(name))).to.deep.equal([]);
  });

  it('need no exception for what Ropewalk exports, nor for what they do not name', () => {
    const api = readAPI();
    const code = [...tables.values()].flat().flatMap(({ ropewalk }) => codeIn(ropewalk));
    const needless = [...NAMES_OF_OTHERS.values()]
      .flat()
      .filter((name) => api.exported.has(name) || !mentions(`\`${code.join(' ')}\``, name));
    expect(needless).to.deep.equal([]);
  });
});
