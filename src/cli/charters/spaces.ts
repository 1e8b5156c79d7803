/** How many values the formats of `fpe` rules have, which only policies know. */

import type { FormatSpace } from '../../govern.ts';
import { policyLeaves } from '../../policy/policy.ts';
import type { FpeRule } from '../../rule/fpe.ts';
import { loadPolicies } from '../policy-file.ts';

/**
 * The spaces of the formats of policy files.
 *
 * @throws TrefoilError as the policy files do.
 */
export async function spacesOf(paths: readonly string[]): Promise<readonly FormatSpace[]> {
  if (paths.length === 0) return [];
  const loaded = await loadPolicies(paths);
  return loaded.flatMap(({ policy }) =>
    policyLeaves(policy).flatMap(({ rule }): readonly FormatSpace[] => {
      if (rule.rule !== 'fpe') return [];
      const { scope, format } = rule as FpeRule;
      return [{ scope: `fpe:${scope}`, size: format.size }];
    }),
  );
}
