/**
 * The tests that stryker.config.mjs runs for every mutant. TREFOIL_MUTATION leaves out the long digests and counts, of
 * which a mutant costs seconds each; test/mutation has short tests of the same things. So a mutant that is killed here
 * is killed by `npm test` too, and the score is a lower bound.
 */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

const kernel = ['ff1', 'ff1-many', 'cycle-walking', 'permutation'].map((name) => `test/kernel/${name}.test.ts`);

const tests: Readonly<Record<string, readonly string[]>> = {
  ff1: ['test/mutation/ff1.test.ts', ...kernel.slice(0, 3)],
  permutation: ['test/mutation/permutation.test.ts', kernel[3]!],
};

const { reporters, coverage, typecheck, include, ...kept } = base.test!;

export default mergeConfig(
  { ...base, test: kept },
  defineConfig({
    test: {
      include: [...(tests[process.env.MUTATE ?? 'ff1'] ?? ['test/format/*.test.ts', 'test/rule/fpe.test.ts'])],
      typecheck: { enabled: false },
      env: { TREFOIL_MUTATION: '1', CI: '' },
    },
  }),
);
