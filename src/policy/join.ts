/**
 * Where a policy meets its keys: what binding and opening have in common.
 */

import { fail, type Issue, TrefoilError } from '../errors.ts';
import { type DomainKeys, type OpenedKeys, openKeys, pinKeys, protectingKey } from '../keys/domain-keys.ts';
import { refuseReveal } from '../rule/binding.ts';
import type { Direction, Leaf } from './bound.ts';
import type { PolicyOptions } from './types.ts';

/** Keys that a policy may be used with. */
export interface Joined {
  readonly opened: OpenedKeys;
  /** See `BoundInside.demand`. */
  readonly demand: (direction: Direction) => void;
}

/** Judges the rules, the domain and the pinned checks, and settles what may be done. */
export function joinKeys(
  leaves: readonly Leaf[],
  { domain, keyCheck }: PolicyOptions,
  given: DomainKeys,
  revealing: boolean,
): Joined {
  const unfit = unfitRules(leaves);
  if (unfit.length > 0) throw new TrefoilError(unfit);
  if (domain !== undefined && openKeys(given).domain !== domain) {
    fail('wrong_domain', `the policy is for domain ${domain}, the keys are of ${openKeys(given).domain}`);
  }
  const keys = keyCheck === undefined ? given : pinKeys(given, keyCheck);
  const opened = openKeys(keys);
  const keyed = leaves.some(({ engine }) => engine.keyed);

  function demand(direction: Direction): void {
    if (direction === 'protect') {
      if (keyed) protectingKey(opened);
      return;
    }
    if (!revealing) refuseReveal();
    const blind = leaves.find(({ engine }) => engine.needsPin);
    if (blind !== undefined && opened.pinned?.length !== 1) {
      const pinned = opened.pinned === null ? 'pins no key check' : `pins ${opened.pinned.length} key checks`;
      fail(
        'key_check_required',
        `an fpe field cannot tell a wrong key and the policy ${pinned}: pin the one of the key that the data was ` +
          'protected with, keyCheck: { <key id>: <check> } as trefoil keys inspect shows it',
        { field: blind.path },
      );
    }
  }
  if (revealing) demand('reveal');

  return { opened, demand };
}

/** What a policy cannot be bound with, whatever the keys: spaces that are too small. */
export function unfitRules(leaves: readonly Leaf[]): readonly Issue[] {
  return leaves.flatMap(({ engine, path }) => (engine.unfit === null ? [] : [{ ...engine.unfit, field: path }]));
}
