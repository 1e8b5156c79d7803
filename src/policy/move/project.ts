/** `project`: moves protected records into the domain of a recipient, without going back to the originals. */

import type { RevealAccess } from '../../core/capability.ts';
import { checkOptions, ownProperties } from '../../core/checks.ts';
import type { DomainKeys } from '../../keys/domain-keys.ts';
import { checkAccess } from '../../rule/binding.ts';
import { hideInside } from '../bound.ts';
import { runMany, runOne } from '../many.ts';
import { policyMissing } from '../missing.ts';
import { policyTree } from '../policy.ts';
import type { Fit, ManyOptions, Policy, PolicyOptions } from '../types.ts';
import { witnessesOf } from '../unmarked/witnesses.ts';
import { makeMoveInside, moveOf } from './inside.ts';
import { keysOfProject } from './keys.ts';
import { matchRecipient } from './recipient.ts';

/** Options of {@link project}. */
export interface ProjectOptions {
  /** The keys that the records were protected with. */
  readonly from: DomainKeys;
  /** The keys of the recipient: of a domain of the same lineage, as `addDomain` of `trefoil/keys` makes it. */
  readonly to: DomainKeys;
  /**
   * The policy of the recipient. Its fields are those of the records that come out. A field of ours may be coarsened,
   * masked, replaced by a constant or dropped in it; a token must have the same rule in both.
   */
  readonly as?: Omit<Policy, 'bind' | 'open'>;
  /** See {@link RekeyOptions}. */
  readonly fromKey?: string;
}

/** A policy that moves records into the domain of a recipient. */
export interface ProjectingPolicy<F> {
  /** Moves one record. The record is not changed. */
  readonly project: <R extends object>(row: Fit<'reveal', F, R>) => Record<string, unknown>;
  /** Moves many records at once. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly projectMany: <R extends object>(
    rows: readonly Fit<'reveal', F, R>[],
    options?: ManyOptions,
  ) => Record<string, unknown>[];
}

/**
 * Binds a policy to move records which it has protected into the domain of a recipient: equal values get equal tokens
 * there, and nobody without the keys can tell which token of one domain belongs to which of the other (EDPB Guidelines
 * 01/2025, paragraphs 72 and 129). A recipient may pass records on to another recipient of the same parent.
 *
 * Tokens become those of the recipient. Fields without keys pass, or are treated as the policy of the recipient says.
 * Fields of the rules `seal`, `fpe`, `vault` and `shiftDate` are refused unless that policy drops them or replaces them
 * by a constant. It may also coarsen or mask a shifted date, and with `revealAccess` a sealed or an `fpe` value.
 *
 * *Warning*: rows that can be matched by other columns, by their order or by time stamps are not unlinkable. What the
 * recipient need not have, its policy should drop.
 *
 * @throws TrefoilError `wrong_option` for fields that cannot go to the recipient as its policy says; `not_related` if
 *   the domains have no common lineage; `epoch_required`, `reveal_access_required`, `key_check_required`,
 *   `key_not_pinned`, `key_check_mismatch`, `wrong_domain`, `wrong_region`, `not_granted`.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, policy, seal, token } from 'trefoil';
 * import { addDomain } from 'trefoil/keys';
 * import { project } from 'trefoil/policy';
 *
 * const id = token({ scope: 'person', label: 'cust' });
 * const ours = policy({ id, name: seal({ scope: 'person.name' }), city: keep });
 * const theirs = policy({ id, name: drop, city: keep });
 *
 * const keys = addDomain(keyset.generate(), 'partner-b', { of: 'eu-enclave' });
 * const [from, to] = [keys.domain('eu-enclave'), keys.domain('partner-b')];
 * const safe = ours.bind(from).protect({ id: 7, name: 'Ada', city: 'Oslo' });
 * const shared = project(ours, { from, to, as: theirs }).project(safe);
 * shared; // → { id: theirs.bind(to).protect({ id: 7, name: 'Ada', city: 'Oslo' }).id, city: 'Oslo' }
 * ```
 */
export function project<F>(policy: Policy<F>, options: ProjectOptions, access?: RevealAccess): ProjectingPolicy<F> {
  const ours = policyTree(policy);
  const own = checkOptions<ProjectOptions>('options', options, ['from', 'to', 'as', 'fromKey']);
  const revealing = checkAccess(access);
  const [sheet, as] = [policy, own.as].map((one) => (one === undefined ? null : (ownProperties(one) as PolicyOptions)));
  const theirs = own.as === undefined ? null : policyTree(own.as);
  const keys = keysOfProject(sheet!, as!, own.from, own.to, own.fromKey);
  const witnesses = witnessesOf(ours.leaves);
  const { root, places } = matchRecipient(ours.root, theirs, as?.unnamed ?? 'error', witnesses);
  const move = moveOf(
    'project',
    keys,
    revealing,
    places.filter(({ moves }) => moves).map(({ leaf }) => leaf),
  );
  const listed = theirs === null ? null : policyMissing(theirs.leaves, as!.missing);
  const inside = makeMoveInside({
    root,
    leaves: places.map(({ leaf }) => leaf),
    sources: places.map(({ source }) => source),
    sheet: sheet!,
    moving: { direction: 'project', ...keys, as: as === null ? null : { ...as, domain: keys.to.domain } },
    witnesses,
    verbOf(index, missing) {
      const { verb, theirIndex } = places[index]!;
      const lists = theirIndex === null || listed === null ? missing : listed.listsOf(theirIndex);
      return verb(move(missing), lists);
    },
  });
  const verbs = {
    project: (row: unknown) => runOne(inside, 'project', row),
    projectMany: (rows: readonly unknown[], many?: ManyOptions) => runMany(inside, 'project', rows, many),
  };
  return Object.freeze(hideInside(verbs, inside)) as unknown as ProjectingPolicy<F>;
}
