import { defineConfig, type DummyRuleMap } from 'oxlint';
import { APPS, LIBRARIES } from './oxlint.rooms.ts';

const EVERY_LIBRARY = Object.keys(LIBRARIES);

/** Packages that one room keeps to itself: the room's files, and why. */
const PACKAGES = [
  { name: 'typeorm', message: 'Only libs/database and migrations reach the database; use asTenant or asOperator.' },
  {
    name: 'oidc-provider',
    message: 'Only the provider and the rooms of its grants and refusals (device, exchange, refusals) import it.',
  },
  {
    name: 'node:child_process',
    message: 'Only isolation, the embedded servers, the launcher and builds of packages start processes.',
  },
  { name: 'node:vm', message: 'node:vm is not a security boundary.' },
];

type Restriction = NonNullable<DummyRuleMap['no-restricted-imports']>;

function restriction(allowedLibraries: readonly string[], allowedPackages: readonly string[] = []): Restriction {
  const refused = EVERY_LIBRARY.filter((library) => !allowedLibraries.includes(library));
  return [
    'error',
    {
      paths: PACKAGES.filter((rule) => !allowedPackages.includes(rule.name)),
      patterns: [
        ...(refused.length > 0
          ? [
              {
                group: refused.map((library) => `#libs/${library}`),
                message: 'This room may not import that library; see oxlint.rooms.ts.',
              },
            ]
          : []),
        { regex: '^#libs/[^/]+/', message: 'Import a library through its front door.' },
        { regex: `(^|/)apps/|^(\\.\\./)+(${Object.keys(APPS).join('|')})/src/`, message: 'Nobody imports an app.' },
      ],
    },
  ];
}

const TEST_LIBRARIES = ['testing', 'journey', 'embedded'];

export default defineConfig({
  plugins: ['typescript', 'import', 'promise', 'node', 'unicorn', 'oxc'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  ignorePatterns: ['dist', 'node_modules', '.wharf', '.cache'],
  rules: {
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-unassigned-import': 'off',
    'node/no-process-env': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    'promise/always-return': 'off',
    'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    'no-control-regex': 'off',
    'oxc/no-map-spread': 'off',
    'import/no-named-as-default': 'off',
    'promise/no-callback-in-promise': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/prefer-set-has': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'typescript/no-extraneous-class': 'off',
    'eslint/no-shadow': 'off',
    'max-lines': ['error', { max: 250 }],
    'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
  },
  overrides: [
    ...Object.entries(LIBRARIES).map(([library, allowed]) => ({
      files: [`libs/${library}/src/**/*.ts`],
      rules: {
        'no-restricted-imports': restriction(
          allowed,
          library === 'database'
            ? ['typeorm']
            : library === 'embedded' || library === 'testing'
              ? ['node:child_process', 'typeorm']
              : [],
        ),
      },
    })),
    ...Object.entries(APPS).map(([app, allowed]) => ({
      files: [`apps/${app}/src/**/*.ts`],
      rules: { 'no-restricted-imports': restriction(allowed, app === 'local' ? ['node:child_process'] : []) },
    })),
    {
      files: ['apps/auth-server/src/{provider,device,exchange,refusals}/**/*.ts'],
      rules: { 'no-restricted-imports': restriction(APPS['auth-server'], ['oidc-provider']) },
    },
    {
      files: ['apps/worker-runtime/src/isolation/**/*.ts'],
      rules: { 'no-restricted-imports': restriction(APPS['worker-runtime'], ['node:child_process']) },
    },
    {
      files: ['apps/worker-runtime/src/runner/**/*.ts'],
      rules: { 'no-restricted-imports': restriction(['errors', 'protocol']) },
    },
    {
      files: ['apps/worker-runtime/src/runner/npm/*.ts'],
      rules: { 'no-restricted-imports': restriction(['errors', 'protocol'], ['node:child_process']) },
    },
    {
      files: ['apps/worker-runtime/src/installer/*.ts'],
      rules: { 'no-restricted-imports': restriction([]) },
    },
    {
      files: ['**/*.test.ts', '**/*.fixture.ts'],
      rules: {
        'no-restricted-imports': restriction(
          [...EVERY_LIBRARY, ...TEST_LIBRARIES],
          ['typeorm', 'oidc-provider', 'node:child_process'],
        ),
        'max-lines-per-function': 'off',
        'node/no-process-env': 'off',
      },
    },
    {
      files: ['test/**/*.{ts,mjs}', 'libs/testing/**/*.ts'],
      rules: { 'max-lines-per-function': 'off', 'node/no-process-env': 'off' },
    },
    {
      files: ['libs/config/src/parse-config.ts', 'bin/**', 'scripts/**', '*.config.*'],
      rules: { 'node/no-process-env': 'off' },
    },
  ],
});
