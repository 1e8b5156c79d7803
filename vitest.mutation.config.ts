/**
 * The tests that stryker.config.mjs runs for every mutant: those of the group, without the long ones, which are listed
 * in test/mutation/leave-out.ts. `npm test` runs all of them, so it would also kill every mutant that is killed here.
 * The score is a lower bound.
 */
import { defineConfig } from 'vitest/config';
import { group } from './test/mutation/groups.mjs';
import base from './vitest.config.ts';

export default defineConfig({
  ...base,
  test: {
    include: [...group().tests],
    setupFiles: ['./test/mutation/leave-out.ts'],
    testTimeout: 60_000,
    // Stryker mutates a copy that has no ../shared beside it. So its vectors are skipped, even if CI requires them.
    env: { CI: '' },
  },
});
