/**
 * What a rotation does to the fields of a policy, in words: which values are renewed, which must be protected anew, and
 * which columns stop joining (docs/spec/renewal-v1.md). `trefoil keys inspect --policy` prints it.
 */

import { type Format, formatEngine } from '../../format/engine.ts';
import type { DescribedKey } from '../../keys/described.ts';
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
   * by row. `stays`: nothing changes. `originals`: some values cannot be moved, and `trefoil rekey` refuses them; they
   * must be protected anew from the originals.
   */
  readonly effect: 'renews' | 'whole column' | 'anew' | 'stays' | 'originals';
  readonly words: string;
}

/** Two fields that join and would not after a rotation. */
export interface LostJoin {
  readonly scope: string;
  readonly fields: readonly string[];
  /** Sizes of their bodies, such as `128 bits`. */
  readonly spaces: readonly string[];
}

/** The keys that values are moved from, by their shown ids. */
export interface RotationKeys {
  /** Keys of another lineage than the key that values are moved to. */
  readonly others: readonly string[];
  /** Whether there are keys of its lineage, too. */
  readonly hasSame: boolean;
}

/**
 * Returns the keys that a rotation moves values from. It moves them to the key that is ready, or if there is none to
 * the primary key, as `trefoil rekey` does.
 */
export function rotationKeys(keys: readonly DescribedKey[]): RotationKeys {
  const target = keys.find(({ state }) => state === 'ready') ?? keys[0]!;
  const baseOf = ({ id, base }: DescribedKey) => base ?? id;
  const sources = keys.filter((key) => key !== target && (key.state === 'primary' || key.state === 'old'));
  const others = sources.filter((key) => baseOf(key) !== baseOf(target));
  return { others: others.flatMap(({ shown }) => shown?.id ?? []), hasSame: others.length < sources.length };
}

/**
 * Returns what a rotation does to each field that has keys.
 *
 * @param keys that values are moved from; by default those of one lineage.
 */
export function rotationOf(
  policy: FilePolicy,
  keys: RotationKeys = { others: [], hasSame: true },
): readonly FieldRotation[] {
  return policyLeaves(policy).flatMap((leaf): FieldRotation[] => {
    if (!leaf.engine.keyed) return [];
    return [{ field: leaf.path, rule: leaf.rule.rule, scope: leaf.engine.facts.scope, ...effectOf(leaf, keys) }];
  });
}

type Effect = Pick<FieldRotation, 'effect' | 'words'>;

function effectOf(leaf: Leaf, { others, hasSame }: RotationKeys): Effect {
  const { rule } = leaf;
  if (others.length > 0 && (rule.rule === 'token' || rule.rule === 'shiftDate')) {
    return { effect: 'originals', words: otherLineage(leaf, others, hasSame) };
  }
  switch (rule.rule) {
    case 'token':
      return isShown(leaf)
        ? { effect: 'renews', words: 'tokens are renewed without the originals' }
        : {
            effect: 'whole column',
            words:
              'tokens are renewed without the originals, as a whole column and with --from KEYID: they do not show which key and rule made them',
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
      if (formatEngine('format', ruleOption(rule, 'format') as Format).blind !== undefined) {
        return {
          effect: 'originals',
          words: 'values cannot be moved, because a part of each is replaced by a digest; protect the originals anew',
        };
      }
      return {
        effect: 'whole column',
        words:
          'values are decrypted and encrypted anew, as a whole column and with --from KEYID: they do not show their key',
      };
  }
}

/** What happens to the tokens or dates of keys of other lineages, from which no permutation leads to the new key. */
function otherLineage(leaf: Leaf, others: readonly string[], hasSame: boolean): string {
  const { rule } = leaf;
  const of = `of ${others.length === 1 ? 'key' : 'keys'} ${others.join(', ')}`;
  if (rule.rule === 'shiftDate') {
    return `dates ${of} cannot be moved, because they were shifted with another base; shift the originals anew`;
  }
  const start = !hasSame
    ? ''
    : isShown(leaf)
      ? 'tokens are renewed without the originals, but '
      : 'tokens are renewed without the originals as a whole column and with --from KEYID, but ';
  return `${start}tokens ${of} cannot be renewed, because they have another base; protect the originals anew`;
}

/** Whether tokens show which key and rule made them, so that `trefoil rekey` asks for no key. */
function isShown({ engine }: Leaf): boolean {
  return engine.mover?.showsKey === true;
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
