/** Which fields of a policy have no keys in a narrowed key file, or in one whose root keys are gone. */

import type { KeyedKind, Step } from '../../keys/derive.ts';
import { type DomainKeys, openKeys } from '../../keys/domain-keys.ts';
import { policyLeaves } from '../policy.ts';
import type { FilePolicy } from '../types.ts';

/** Fields for which the primary key lacks nodes. */
export interface Lacking {
  /** Paths of the fields that it has no keys for. */
  readonly none: readonly string[];
  /** Paths of the fields that it has the keys of some periods for, and not of all. */
  readonly periods: readonly string[];
}

/** Returns the fields for which the primary key lacks nodes. */
export function lacking(policy: FilePolicy, keys: DomainKeys): Lacking {
  const { primary, verbs } = openKeys(keys);
  const hasOf = ([kind, scope, parameters, ...below]: readonly Step[]): 'all' | 'some' | 'none' => {
    // Tokens of a key that is its own base are not permuted.
    if (kind![1] === 'token permutation' && !primary.isBound) return 'all';
    const rule = [kind![1] as KeyedKind, String(scope![1]), parameters!.slice(1)] as const;
    if (primary.has(...rule, below)) return 'all';
    // Nodes below that of a token are those of its periods.
    return rule[0] === 'token' && primary.hasParts(...rule) ? 'some' : 'none';
  };
  const fields = policyLeaves(policy).map(({ path, engine }) => {
    const { paths = [] } = engine.needsKeys?.(verbs ?? ['protect', 'reveal'], null) ?? {};
    return { path, parts: paths.map(hasOf) };
  });
  const none = fields.filter(({ parts }) => parts.includes('none'));
  const periods = fields.filter((field) => !none.includes(field) && field.parts.includes('some'));
  return { none: none.map(({ path }) => path), periods: periods.map(({ path }) => path) };
}
