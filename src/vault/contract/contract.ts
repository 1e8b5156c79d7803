/**
 * The guarantees of a vault's store as a test suite (`trefoil/vault-contract`), which you can run on your own adapter
 * under any test runner. It tests every sentence of src/vault/stores/store.ts, as far as that is possible in one
 * process. What happens when a process dies is for the adapter's own tests.
 */

import { CHANGE } from './cases/change.ts';
import { CREATE } from './cases/create.ts';
import { META } from './cases/meta.ts';
import { READ } from './cases/read.ts';
import { UPKEEP } from './cases/upkeep.ts';
import type { Cases, FreshStore } from './verbs.ts';

/** One case of the suite. */
export interface ContractCase {
  readonly name: string;
  /** Runs the case. Rejects with an `Error` that says what was expected and what was found. */
  readonly run: () => Promise<void>;
}

const ALL: Cases = { ...META, ...CREATE, ...CHANGE, ...READ, ...UPKEEP };

/**
 * Returns the cases of the suite. Each case makes a store of its own. The cases may run one after the other, or at the
 * same time if `make` allows it.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'trefoil/vault';
 * import { contractCases } from 'trefoil/vault-contract';
 *
 * const cases = contractCases(async () => {
 *   const store = memoryStore();
 *   return { store, again: async () => store, drop: async () => {} };
 * });
 * // Under a test runner: for (const { name, run } of cases) test(name, run);
 * for (const { run } of cases.slice(0, 3)) await run();
 * cases[0]?.name; // → 'open: any number of times, and by several at once'
 * ```
 */
export function contractCases(make: () => Promise<FreshStore>): readonly ContractCase[] {
  return Object.entries(ALL).map(([name, body]) => ({
    name,
    async run() {
      const fresh = await make();
      try {
        await body(fresh);
      } finally {
        await fresh.drop();
      }
    },
  }));
}
