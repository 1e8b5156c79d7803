/**
 * Where a policy meets its keys: what `bind` and `open` have in common.
 */

import type { WarrantAccess } from '../core/capability.ts';
import { checkOptions } from '../core/checks.ts';
import { throwIssues } from '../core/issues.ts';
import { fail, type Issue } from '../errors.ts';
import {
  checkMayReveal,
  type DomainKeys,
  type OpenedKeys,
  openKeys,
  pinBranches,
  pinKeys,
  protectingKey,
} from '../keys/domain-keys.ts';
import { type Access, refuseReveal } from '../rule/binding.ts';
import type { Direction, Leaf } from './bound.ts';
import type { PolicyOptions, RevealOptions } from './types.ts';
import { checkFromKey, demandKey, type RecordKeys } from './unmarked/record-keys.ts';
import { witnessesOf } from './unmarked/witnesses.ts';
import { checkWarrant } from './waiting/use.ts';

/** Keys that a policy may be used with. */
export interface PolicyKeys {
  readonly opened: OpenedKeys;
  readonly recordKeys: RecordKeys;
  /** See `BoundInside.demand`. */
  readonly demand: (direction: Direction) => void;
  /** The warrant that the place of the keys has to grant; `null` if there is none to grant. */
  readonly warrant: WarrantAccess | null;
}

/** Checks the rules, the domain and the pinned key checks, and settles which verbs may be used. */
export function bindKeys(
  leaves: readonly Leaf[],
  sheet: PolicyOptions,
  domainKeys: DomainKeys,
  access: Access,
  options: RevealOptions = {},
): PolicyKeys {
  throwIssues(unfitRules(leaves));
  const opened = openKeys(pinned(sheet, domainKeys));
  const { revealing } = access;
  const warrant = checkWarrant(opened, access);
  const { fromKey } = checkOptions<RevealOptions>('options', options, ['fromKey']);
  const recordKeys = { opened, fromKey: checkFromKey(fromKey, opened), witnesses: witnessesOf(leaves) };
  const keyed = leaves.some(({ engine }) => engine.keyed);

  function demand(direction: Direction): void {
    if (direction === 'protect') {
      if (keyed) protectingKey(opened);
      return;
    }
    if (!revealing) refuseReveal();
    checkMayReveal(opened);
    const unmarked = leaves.find(({ engine }) => engine.under !== undefined);
    if (unmarked !== undefined) demandKey(recordKeys, unmarked);
  }
  if (revealing) demand('reveal');

  return { opened, recordKeys, demand, warrant };
}

/**
 * Holds the keys against the domain, the region and the checks that the policy states, and pins the checks.
 *
 * @throws TrefoilError `wrong_domain`, `wrong_region`, `key_check_mismatch`.
 */
export function pinned({ domain, region, keyCheck, branchCheck }: PolicyOptions, domainKeys: DomainKeys): DomainKeys {
  const keys = openKeys(domainKeys);
  if (domain !== undefined && keys.domain !== domain) {
    fail('wrong_domain', `the policy is for domain ${domain}, the keys are of ${keys.domain}`);
  }
  if (region !== undefined && keys.packed.region !== region) {
    const theirs = keys.packed.region === null ? 'have no region' : `are of ${keys.packed.region}`;
    fail('wrong_region', `the policy is for region ${region}, the keys ${theirs}`);
  }
  const checked = keyCheck === undefined ? domainKeys : pinKeys(domainKeys, keyCheck);
  return branchCheck === undefined ? checked : pinBranches(checked, branchCheck);
}

/** Issues that no keys can help, such as a space that is too small: the policy cannot be bound. */
export function unfitRules(leaves: readonly Leaf[]): readonly Issue[] {
  return leaves.flatMap(({ engine, path }) => (engine.unfit === null ? [] : [{ ...engine.unfit, field: path }]));
}
