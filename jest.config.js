/**
 * Source is TypeScript run as CommonJS through swc; types are checked by `tsc --noEmit`, not here. jose and
 * request-filtering-agent are published as ES modules alone, so they go the same way.
 */
const common = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.(ts|js)$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(?:jose|request-filtering-agent)/)'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/package/'],
};

/** For projects that start the app: one storage emulator serves all their files. */
const storage = {
  globalSetup: '<rootDir>/test/support/startSharedStorage.ts',
  globalTeardown: '<rootDir>/test/support/stopSharedStorage.ts',
};

/** Ends a test that hangs. No test is to be that slow on any machine. */
const HANG_MS = 300_000;

export default {
  coverageProvider: 'v8',
  testTimeout: HANG_MS,
  // Integration tests wait more than they work, so more files at a time than cores.
  maxWorkers: 4,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    {
      ...common,
      ...storage,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/{integration,contract,regression}/**/*.test.ts'],
    },
    {
      ...common,
      ...storage,
      displayName: 'exhaustive',
      // What `npm test` samples, this project runs in full (test/support/runs.ts).
      globals: { isExhaustive: true },
      testMatch: ['<rootDir>/test/exhaustive/**/*.test.ts'],
    },
  ],
};
