// Mutation testing, one group of files at a time: `npm run mutation` for FF1, `MUTATE=permutation npm run mutation` for
// the next. test/mutation/groups.mjs has the groups, docs/contributing.md the scores and what survives.
import { group, name } from './test/mutation/groups.mjs';

export default {
  mutate: group().mutate,
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // Tables and constants of a module are made once, when it is loaded: a mutant there would want all tests.
  ignoreStatic: true,
  concurrency: 1,
  // Most endless loops are stopped by their count of passes; the time is for those that are not.
  timeoutMS: 3_000,
  timeoutFactor: 1.5,
  incremental: true,
  incrementalFile: `reports/mutation/${name}-incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  ignorePatterns: ['biome.json', 'dist', 'demo-out', 'docs', 'bench', 'coverage', 'test/runtime', 'test/cli', '*.tgz'],
};
