/** Several policies with their names, as `check` and `explain` compare them. */

import { badRange, badType, ownProperties, typeName } from '../core/checks.ts';
import { PROTECTS } from '../keys/checks.ts';
import type { NamedPolicy } from './joins.ts';
import { policyLeaves } from './policy.ts';
import type { PolicyOptions } from './types.ts';

/** The policies of a list, with their names. */
export function namedPolicies(sheets: readonly unknown[], names: unknown): readonly NamedPolicy[] {
  if (sheets.length === 0) badRange('policy', 'expected at least one policy');
  return Array.from(sheets, (sheet, i) => {
    const leaves = policyLeaves(sheet);
    const { domain, region, keyCheck } = ownProperties(sheet as PolicyOptions);
    return {
      name: nameOf(names, i, sheets.length),
      domain,
      region,
      pins: keyCheck === undefined ? null : Object.keys(keyCheck).filter((id) => id !== PROTECTS),
      leaves,
    };
  });
}

/** The name of a policy in a list: the one that the caller passed, or `policy 1`, `policy 2` and so on. */
export function nameOf(names: unknown, i: number, count: number): string {
  if (names === undefined) return `policy ${i + 1}`;
  if (!Array.isArray(names) || names.length !== count) {
    badType('names', `expected a list with one name for each policy, got ${typeName(names)}`);
  }
  const name: unknown = names[i];
  if (typeof name !== 'string') badType('names', `expected texts, got ${typeName(name)}`);
  return name;
}
