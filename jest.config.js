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

export default {
  coverageProvider: 'v8',
  testTimeout: 60_000,
  // Integration tests wait more than they work; jest would leave one core aside.
  maxWorkers: '100%',
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    {
      ...common,
      displayName: 'integration',
      setupFilesAfterEnv: ['<rootDir>/test/support/retryOnce.ts'],
      testMatch: ['<rootDir>/test/{integration,contract,regression}/**/*.test.ts'],
    },
  ],
};
