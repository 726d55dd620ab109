// What may import what. docs/architecture.md has the drawing; this file is what holds it.

// The vocabulary, at the bottom: types, error classes, addresses, checks of arguments, defaults.
const foundation = [
  'interfaces/',
  ...[
    'errors',
    'addresses',
    'ip-literal',
    'arguments',
    'tls-arguments',
    'row-log',
    'stream-defaults',
    'system-error',
    'write-backlog',
  ].map((file) => `${file}[.]ts$`),
];

// Each folder of src with the others it may import.
const layers = {
  deferred: [],
  reactor: ['deferred/'],
  task: ['deferred/'],
  protocols: ['deferred/', 'task/'],
  endpoints: ['deferred/', 'task/', 'protocols/'],
  application: ['deferred/', 'task/', 'protocols/', 'endpoints/'],
  simulation: ['deferred/', 'reactor/'],
  testing: ['deferred/', 'reactor/', 'task/', 'protocols/', 'simulation/'],
  node: ['deferred/', 'reactor/'],
};

const entries = '^src/(index|core|testing/index|testing/chai|simulation/index)[.]ts$';

const layerRules = Object.entries(layers).map(([folder, below]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder} may import: ${[folder, ...below].join(', ')} and the vocabulary.`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: entries },
  to: { path: '^src/', pathNot: `^src/(${[`${folder}/`, ...below, ...foundation].join('|')})` },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'vocabulary-is-the-bottom',
      comment: 'interfaces, errors and addresses import each other; of Deferred they may name the types.',
      severity: 'error',
      from: { path: `^src/(${foundation.join('|')})` },
      to: { path: '^src/', pathNot: `^src/(${[...foundation, 'deferred/'].join('|')})` },
    },
    {
      name: 'vocabulary-uses-types-of-deferred-only',
      severity: 'error',
      from: { path: `^src/(${foundation.join('|')})` },
      to: { path: '^src/deferred/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'interfaces-are-types-only',
      comment: 'src/interfaces leaves no code behind, so it may import nothing that does.',
      severity: 'error',
      from: { path: '^src/interfaces/' },
      to: { dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'entries-are-imported-by-nobody',
      comment: 'An entry gathers names for users; inside src each name is imported from where it lives.',
      severity: 'error',
      from: { path: '^src/', pathNot: `${entries}|^src/cli/` },
      to: { path: `${entries}|^src/cli/` },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that need each other to run are one module, or need a third. Types may go round.',
      severity: 'error',
      from: { path: '^(src|test|examples|bench)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'A file nobody reaches is either dead or has been forgotten in an entry.',
      severity: 'error',
      from: { path: '^src/', orphan: true },
      to: {},
    },
    {
      name: 'host-modules-in-node-and-cli-only',
      comment: "'node:buffer' is the one exception: bundlers map it to the buffer package.",
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node|cli)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?buffer$' },
    },
    {
      name: 'no-runtime-dependencies',
      comment: 'Of packages, only ipaddr.js where addresses are parsed, and the types of the optional peer chai.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ip-literal[.]ts$' },
      to: { path: 'node_modules/', pathNot: '(^|/)node_modules/(@types/)?(chai|node)/' },
    },
    {
      name: 'chai-in-its-plugin-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/chai[.]ts$' },
      to: { path: '(^|/)node_modules/(@types/)?chai/' },
    },
    {
      name: 'public-names-in-examples-and-bench',
      comment: "Examples and benchmarks see what a user sees: 'ropewalk' and its other entries.",
      severity: 'error',
      from: { path: '^(examples|bench)/' },
      to: { path: '^src/', pathNot: entries },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|examples|bench|scripts|dist)/' },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['ropewalk-source', 'types', 'import', 'node', 'default'],
    },
  },
};
