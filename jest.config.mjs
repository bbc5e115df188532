/**
 * Tests run as native ES modules; swc compiles them on the fly with the same decorators as the build. Every suite loads our
 * modules anew; packages are loaded once per worker process (`test/suite-runtime.mjs`).
 */
export default {
  testMatch: ['<rootDir>/{apps,libs,migrations,test}/**/*.test.ts'],
  // What takes its time has steps of its own: npm run stress, npm run rollouts, npm run upgrade.
  testPathIgnorePatterns: [
    '/node_modules/',
    '\\.stress\\.test\\.ts$',
    '<rootDir>/test/rollouts/',
    '<rootDir>/test/platform-releases/',
  ],
  testEnvironment: '<rootDir>/test/suite-environment.mjs',
  runtime: '<rootDir>/test/suite-runtime.mjs',
  testEnvironmentOptions: { customExportConditions: ['wharf-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/test/setup.mjs',
  globalTeardown: '<rootDir>/test/teardown.mjs',
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.cache/', '<rootDir>/.wharf/'],
  // What is asserted is what, not when: a machine may be many times slower than this one.
  testTimeout: 180_000,
  // One more than the two cores of CI: a quarter of a worker's time is waiting for others, and no core waits with it.
  maxWorkers: 3,
  workerIdleMemoryLimit: '900MB',
  // Half a second, the default, is what the end of a large process alone may take; what is still there after this has a leak.
  workerGracefulExitTimeout: 10_000,
};
