/**
 * What a rotation does to the fields of a policy, in words: which values are renewed, which must be protected anew, and
 * which columns stop joining (docs/spec/renewal-v1.md). `trefoil keys inspect --policy` prints it.
 */

import { ruleOption } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { policyLeaves } from '../policy.ts';
import type { FilePolicy } from '../types.ts';

/** What a rotation does to one field. */
export interface FieldRotation {
  readonly field: string;
  readonly rule: string;
  readonly scope: string | null;
  /**
   * `renews`: the tokens are replaced without the originals. `whole column`: so are they, or values are revealed and
   * protected anew, but a column can never hold values of two keys. `anew`: values are revealed and protected anew, row
   * by row. `stays`: nothing changes.
   */
  readonly effect: 'renews' | 'whole column' | 'anew' | 'stays';
  readonly words: string;
}

/** Two fields that join and would not after a rotation. */
export interface LostJoin {
  readonly scope: string;
  readonly fields: readonly string[];
  /** Sizes of their bodies, such as `128 bits`. */
  readonly spaces: readonly string[];
}

/** Returns what a rotation within the lineage of the primary key does to each field that has keys. */
export function rotationOf(policy: FilePolicy): readonly FieldRotation[] {
  return policyLeaves(policy).flatMap((leaf): FieldRotation[] => {
    if (!leaf.engine.keyed) return [];
    return [{ field: leaf.path, rule: leaf.rule.rule, scope: leaf.engine.facts.scope, ...effectOf(leaf) }];
  });
}

function effectOf({ rule }: Leaf): Pick<FieldRotation, 'effect' | 'words'> {
  switch (rule.rule) {
    case 'token':
      return isLabelled(rule)
        ? { effect: 'renews', words: 'tokens are renewed without the originals' }
        : {
            effect: 'whole column',
            words:
              'tokens are renewed without the originals, as a whole column and with --from KEYID: they do not show their key',
          };
    case 'shiftDate':
      return { effect: 'stays', words: 'dates stay as they are: they are shifted with the base' };
    case 'seal':
      return { effect: 'anew', words: 'values are opened and sealed anew; until then equal values of two keys differ' };
    case 'vault':
      return {
        effect: 'stays',
        words: 'tokens stay; vault rekey moves the rows, and the keys of older mappings stay needed as branches',
      };
    default:
      return {
        effect: 'whole column',
        words: 'values are decrypted and encrypted anew, as a whole column: they do not show their key',
      };
  }
}

/** Whether tokens show their key. */
function isLabelled(rule: Leaf['rule']): boolean {
  return (ruleOption(rule, 'form') ?? 'labelled') === 'labelled';
}

/**
 * Returns the fields of policies that join under a key that is its own base and will not under a later one: tokens of
 * one scope are then permuted by the size of their bodies.
 */
export function lostJoins(policies: readonly FilePolicy[]): readonly LostJoin[] {
  const scopes = new Map<string, Map<string, string[]>>();
  for (const { path, rule, engine } of policies.flatMap(policyLeaves)) {
    const { scope } = engine.facts;
    const permutation = engine.needsKeys?.(['rekey'], null).paths[0];
    if (rule.rule !== 'token' || scope === null || permutation === undefined) continue;
    const [, unit, count] = permutation[2]!;
    const spaces = scopes.get(scope) ?? new Map<string, string[]>();
    scopes.set(scope, spaces);
    const space = `${String(count)} ${String(unit)}`;
    spaces.set(space, [...(spaces.get(space) ?? []), path]);
  }
  return [...scopes].flatMap(([scope, spaces]) =>
    spaces.size < 2 ? [] : [{ scope, fields: [...spaces.values()].flat(), spaces: [...spaces.keys()] }],
  );
}
