/** The contract of stores as tests of vitest. */
import { contractCases, type FreshStore } from 'trefoil/vault-contract';
import { describe, test } from 'vitest';

/** Runs the suite over one kind of store. */
export function runContract(kind: string, make: () => Promise<FreshStore>): void {
  describe(`contract: ${kind}`, () => {
    for (const { name, run } of contractCases(make)) test(name, run);
  });
}
