/** Which fields of a policy have no keys in a narrowed key file, or in one whose root keys are gone. */

import type { KeyedKind, Step } from '../../keys/derive.ts';
import { type DomainKeys, openKeys } from '../../keys/domain-keys.ts';
import { policyLeaves } from '../policy.ts';
import type { FilePolicy } from '../types.ts';

/** Returns the paths of the fields for which the primary key lacks a node. */
export function lacking(policy: FilePolicy, keys: DomainKeys): readonly string[] {
  const { primary, verbs } = openKeys(keys);
  const has = ([kind, scope, parameters, ...below]: readonly Step[]) => {
    // Tokens of a key that is its own base are not permuted.
    if (kind![1] === 'token permutation' && !primary.isBound) return true;
    return primary.has(kind![1] as KeyedKind, String(scope![1]), parameters!.slice(1), below);
  };
  return policyLeaves(policy)
    .filter(({ engine }) => !(engine.needsKeys?.(verbs ?? ['protect', 'reveal'], null).paths ?? []).every(has))
    .map(({ path }) => path);
}
