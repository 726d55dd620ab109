import js from '@eslint/js';
import { builtinModules } from 'node:module';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// The host may be touched in src/node and src/cli only: portable code is handed its clock, randomness, network and log.
const hostGlobals = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask'],
  ...['process', 'console', 'performance', 'Date', 'crypto', 'fetch', 'MessageChannel', 'BroadcastChannel'],
  ...['globalThis', 'global', 'window', 'self', 'require', 'module'],
].map((name) => ({ name, message: 'Portable code is handed what it needs of its host (docs/architecture.md).' }));

const bufferGlobal = {
  name: 'Buffer',
  message: "Import it from 'node:buffer', so that bundlers can put theirs in its place.",
};

const builtinImports = {
  patterns: [
    {
      regex: `^(node:(?!buffer$)|(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})(/|$))`,
      message: "Only src/node and src/cli may import Node's modules; 'node:buffer' is the one exception.",
    },
  ],
};

const namedExportsOnly = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Named exports only.' },
];

/** The host globals, without the ones a single file is allowed. */
function hostGlobalsExcept(...allowed) {
  return ['error', bufferGlobal, ...hostGlobals.filter(({ name }) => !allowed.includes(name))];
}

export default defineConfig(
  { ignores: ['node_modules', 'dist', 'coverage', 'docs/api', '.cache', 'etc'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['types/portable/*.d.ts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: 'error',
      'no-param-reassign': 'error',
      'no-restricted-syntax': ['error', ...namedExportsOnly],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // What a caught value is cannot be known: it is thrown on, or given to a promise, as it came.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowThrowingAny: false }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // An exported field's type is written out (isolatedDeclarations), even where its value tells it.
      '@typescript-eslint/no-inferrable-types': 'off',
      // A hook's default does nothing, and names the arguments it ignores: they are its documentation.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/node/**', 'src/cli/**'],
    rules: {
      'no-restricted-globals': hostGlobalsExcept(),
      'no-restricted-imports': ['error', builtinImports],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
      ],
    },
  },
  // The two files that may use one thing of the host each; docs/architecture.md says why.
  { files: ['src/deferred/unhandled.ts'], rules: { 'no-restricted-globals': hostGlobalsExcept('console') } },
  { files: ['src/testing/macrotask.ts'], rules: { 'no-restricted-globals': hostGlobalsExcept('MessageChannel') } },
  // @types/chai is extended by declaring in its namespace: there is no other way.
  {
    files: ['src/testing/chai.ts'],
    rules: { '@typescript-eslint/no-namespace': ['error', { allowDeclarations: true }] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 700, skipBlankLines: true, skipComments: true }],
      // chai's assertions are property reads: expect(x).to.be.true.
      '@typescript-eslint/no-unused-expressions': 'off',
      // A missing element fails the test by itself.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Spies are handed about as methods, and async hooks under test need not wait for anything.
      '@typescript-eslint/unbound-method': 'off',
      'require-yield': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['examples/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^(\\.\\./)+(src|dist)/', message: "Import the package by its public names: 'ropewalk'." },
          ],
        },
      ],
    },
  },
  // Configuration files: plain JavaScript run by Node, exported as their tools want it.
  { files: ['**/*.js', '**/*.cjs'], languageOptions: { globals: { module: 'writable' } } },
);
