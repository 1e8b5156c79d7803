/** `rekey`: moves protected records to the primary key of their own domain, without going back to the originals. */

import type { RevealAccess } from '../../core/capability.ts';
import { checkOptions, ownProperties } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import type { DomainKeys } from '../../keys/domain-keys.ts';
import { checkAccess } from '../../rule/binding.ts';
import type { MissingLists } from '../../rule/missing.ts';
import type { ColumnVerb, Move } from '../../rule/rule.ts';
import { hideInside, type Leaf } from '../bound.ts';
import { runMany, runOne } from '../many.ts';
import { policyTree } from '../policy.ts';
import type { Fit, ManyOptions, Policy, PolicyOptions } from '../types.ts';
import { guardMove } from '../unmarked/record-keys.ts';
import { type Witnesses, witnessesOf } from '../unmarked/witnesses.ts';
import { makeMoveInside, moveOf, passing } from './inside.ts';
import { keysOfRekey } from './keys.ts';

/** Options of {@link rekey}. */
export interface RekeyOptions {
  /** The keys that the records were protected with. */
  readonly from: DomainKeys;
  /** The keys whose primary key they are moved to, of the same domain. They may be the same keys as `from`. */
  readonly to: DomainKeys;
  /**
   * Shown id of the key that made the values which do not show their key: `fpe` ciphertext and tokens without a label.
   * All values of such a field must be of this key: a record whose other fields show another one has an issue. By
   * default the only key of `from`, if it is pinned.
   */
  readonly fromKey?: string;
}

/** A policy that moves records to another key. */
export interface RekeyingPolicy<F> {
  /** Moves one record. The record is not changed. */
  readonly rekey: <R extends object>(row: Fit<'reveal', F, R>) => R;
  /** Moves many records at once. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly rekeyMany: <R extends object>(rows: readonly Fit<'reveal', F, R>[], options?: ManyOptions) => R[];
}

/**
 * Binds a policy to move records which it has protected to the primary key of their domain. The result equals what
 * `protect` with that key would make of the originals, so tables that were rekeyed join tables that were loaded since.
 *
 * Tokens are renewed without knowing their values, if both keys belong to one lineage. Sealed values and `fpe`
 * ciphertext are opened and protected again, for which `revealAccess` is needed. The outputs of other rules pass. So do
 * tokens of a vault, because `trefoil vault rekey` moves its store and leaves the tokens as they are.
 *
 * Labelled tokens and sealed values show their key, so rekeying them twice changes nothing. A field that does not show
 * its key is moved as a whole: name its key, and rekey such a table once. If the record has fields that show their key,
 * it has the issue `wrong_key` if they show another one, and `already_rekeyed` if they show the primary key. If
 * there is no such field, a second time is not noticed.
 *
 * @throws TrefoilError `epoch_required` if a field does not show its key and none is named; `not_renewable` if the keys
 *   are not of one lineage; `reveal_access_required`; `key_check_required` if an `fpe` field is moved between keys that
 *   are not pinned; `key_not_pinned`, `key_check_mismatch`, `wrong_domain`, `wrong_region`, `not_granted`.
 *
 * @example
 * ```ts
 * import { keyset, policy, seal, token } from 'trefoil';
 * import { addKey, promoteKey } from 'trefoil/keys';
 * import { rekey } from 'trefoil/policy';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const customers = policy({ id: token({ scope: 'person', label: 'cust' }), name: seal({ scope: 'person.name' }) });
 * const first = keyset.generate();
 * const both = addKey(first);
 * const second = promoteKey(both, both.ids[1]!).domain('eu-enclave');
 *
 * const old = customers.bind(first.domain('eu-enclave')).protect({ id: 7, name: 'Ada' });
 * const moved = rekey(customers, { from: second, to: second }, revealAccess).rekey(old);
 * moved.id === customers.bind(second).protect({ id: 7, name: 'Ada' }).id; // → true
 * ```
 */
export function rekey<F>(policy: Policy<F>, options: RekeyOptions, access?: RevealAccess): RekeyingPolicy<F> {
  const { root, leaves } = policyTree(policy);
  const { from, to, fromKey } = checkOptions<RekeyOptions>('options', options, ['from', 'to', 'fromKey']);
  // Without a prototype, so that an option that is not set is not read from one.
  const sheet = ownProperties(policy) as PolicyOptions;
  const keys = keysOfRekey(sheet, from, to, fromKey);
  const move = moveOf('rekey', keys, checkAccess(access), leaves);
  const witnesses = witnessesOf(leaves);
  const inside = makeMoveInside({
    root,
    leaves,
    sources: leaves,
    sheet,
    moving: { direction: 'rekey', ...keys, as: null },
    witnesses,
    verbOf: (index, missing) => verbOfLeaf(leaves[index]!, move(missing), missing, witnesses),
  });
  const verbs = {
    rekey: (row: unknown) => runOne(inside, 'rekey', row),
    rekeyMany: (rows: readonly unknown[], many?: ManyOptions) => runMany(inside, 'rekey', rows, many),
  };
  return Object.freeze(hideInside(verbs, inside)) as unknown as RekeyingPolicy<F>;
}

/** The verb of a field. */
function verbOfLeaf(leaf: Leaf, move: Move, missing: MissingLists, witnesses: Witnesses): ColumnVerb {
  const { engine, rule, path } = leaf;
  if (engine.mover !== undefined) return guardMove(leaf, engine.mover.bind(move), move, witnesses);
  // The tokens of a vault stay: trefoil vault rekey moves the rows of its store.
  if (!engine.keyed || engine.open !== undefined) return passing(leaf, missing);
  return fail('not_renewable', `outputs of the rule ${rule.rule} cannot be moved to another key`, { field: path });
}
