/**
 * Where a policy meets its keys: what `bind` and `open` have in common.
 */

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
import { refuseReveal } from '../rule/binding.ts';
import type { Direction, Leaf } from './bound.ts';
import type { PolicyOptions } from './types.ts';

/** Keys that a policy may be used with. */
export interface PolicyKeys {
  readonly opened: OpenedKeys;
  /** See `BoundInside.demand`. */
  readonly demand: (direction: Direction) => void;
}

/** Checks the rules, the domain and the pinned key checks, and settles which verbs may be used. */
export function bindKeys(
  leaves: readonly Leaf[],
  sheet: PolicyOptions,
  domainKeys: DomainKeys,
  revealing: boolean,
): PolicyKeys {
  throwIssues(unfitRules(leaves));
  const opened = openKeys(pinned(sheet, domainKeys));
  const keyed = leaves.some(({ engine }) => engine.keyed);

  function demand(direction: Direction): void {
    if (direction === 'protect') {
      if (keyed) protectingKey(opened);
      return;
    }
    if (!revealing) refuseReveal();
    checkMayReveal(opened);
    const needsPin = leaves.find(({ engine }) => engine.needsPin);
    if (needsPin !== undefined) demandOnePin(opened, needsPin);
  }
  if (revealing) demand('reveal');

  return { opened, demand };
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

/** An fpe ciphertext does not show which key it was made with, so the policy must name exactly one key. */
export function demandOnePin({ pinned }: OpenedKeys, { path }: Leaf): void {
  if (pinned?.length === 1) return;
  const pins = pinned === null ? 'pins no key check' : `pins ${pinned.length} key checks`;
  fail(
    'key_check_required',
    `an fpe field cannot detect a wrong key and the policy ${pins}: pin the key check of the key that the data was ` +
      'protected with, keyCheck: { <key id>: <check> }, as trefoil keys inspect shows it',
    { field: path },
  );
}

/** Issues that no keys can help, such as a space that is too small: the policy cannot be bound. */
export function unfitRules(leaves: readonly Leaf[]): readonly Issue[] {
  return leaves.flatMap(({ engine, path }) => (engine.unfit === null ? [] : [{ ...engine.unfit, field: path }]));
}
