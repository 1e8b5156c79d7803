/**
 * The tests that stryker.config.mjs runs for every mutant: those of the group, without the long runs that
 * test/mutation/leave-out.ts names. A mutant that is killed here is killed by `npm test` too, which runs all of them; so
 * the score is a lower bound.
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
    // ../shared is not beside the copy that is mutated: its vectors are skipped, also where CI insists on them.
    env: { CI: '' },
  },
});
