// Mutation testing, one group of files at a time: `npm run mutation` mutates FF1, and, for example,
// `MUTATE=permutation npm run mutation` another group. The groups are in test/mutation/groups.mjs. The scores and the
// surviving mutants are described in docs/contributing.md.
import { group, name } from './test/mutation/groups.mjs';

export default {
  mutate: group().mutate,
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // Tables and constants are made once, when their module is loaded. A mutant there would need all tests to run again.
  ignoreStatic: true,
  concurrency: 1,
  // Stryker stops most endless loops by counting iterations. The timeout is for the others.
  timeoutMS: 3_000,
  timeoutFactor: 1.5,
  incremental: true,
  incrementalFile: `reports/mutation/${name}-incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  ignorePatterns: ['biome.json', 'dist', 'demo-out', 'docs', 'bench', 'coverage', 'test/runtime', 'test/cli', '*.tgz'],
};
