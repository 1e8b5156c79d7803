/** What all keyed rules do when they are bound alone, outside a policy: open the keys, and offer verbs. */

import { isCapability, type RevealAccess, type WarrantAccess } from '../core/capability.ts';
import { badType } from '../core/checks.ts';
import type { Issue } from '../errors.ts';
import { fail } from '../errors.ts';
import {
  checkMayReveal,
  type DomainKey,
  type DomainKeys,
  mayProtect,
  type OpenedKeys,
  openKeys,
  protectingKey,
} from '../keys/domain-keys.ts';
import { demandUngoverned } from '../keys/place/refusals.ts';
import { runColumn, runValue } from './columns.ts';
import type { BoundColumns, Move } from './rule.ts';

/**
 * Opens the keys that a rule is bound to, and tells whether the rule may reveal.
 *
 * @throws TrefoilError `warrant_required` if it is to reveal with governed keys; `not_granted`.
 */
export function openFor(
  keys: DomainKeys,
  access: RevealAccess | undefined,
): { opened: OpenedKeys; revealing: boolean } {
  const [opened, revealing] = [openKeys(keys), checkAccess(access)];
  if (revealing) {
    demandUngoverned(opened, 'reveal');
    checkMayReveal(opened);
  }
  return { opened, revealing };
}

/** What a caller of `open` may do: nothing but protect, reveal, or reveal what a warrant names. */
export interface Access {
  readonly revealing: boolean;
  readonly warrant: WarrantAccess | null;
}

/**
 * Reads the access that a caller passes where a warrant is accepted.
 *
 * @throws TypeError for anything that is no access.
 */
export function readAccess(access: unknown): Access {
  if (!isCapability(access, 'warrant')) return { revealing: checkAccess(access), warrant: null };
  return { revealing: true, warrant: access as WarrantAccess };
}

/**
 * Whether the caller may reveal: `true` with `revealAccess`, `false` without an argument.
 *
 * @throws TypeError for any other argument.
 */
export function checkAccess(access: unknown): boolean {
  if (access === undefined) return false;
  if (isCapability(access, 'warrant')) {
    badType('revealAccess', 'expected revealAccess of trefoil/reveal; a warrant is for policy.open, which can wait');
  }
  if (!isCapability(access, 'reveal')) badType('revealAccess', 'expected revealAccess of trefoil/reveal');
  return true;
}

/**
 * The verbs of a bound rule. Without the capability there is no `reveal` and no `revealMany`.
 *
 * @param more further verbs.
 */
export function boundVerbs(columns: BoundColumns, revealing: boolean, more: object = {}): object {
  return Object.freeze({
    protect: columns.protectOne ?? ((value: unknown) => runValue(columns.protect, value)),
    protectMany: (column: unknown) => runColumn(columns.protect, column),
    ...more,
    ...(revealing && {
      reveal: (value: unknown) => runValue(columns.reveal, value),
      revealMany: (column: unknown) => runColumn(columns.reveal, column),
    }),
  });
}

/** How the records of a mixed table that have not moved are moved alone: those that have are rejected. */
export const APART =
  'if only some records were moved, move the others alone (--on-error reject --rejects FILE, in code onReject)';

/** The issue of a value that has moved already, in a record whose other fields do not show whether they have. */
export function arrivedIssue({ primary: { id } }: OpenedKeys): Issue {
  return {
    code: 'already_rekeyed',
    message:
      `the value is of key ${id} already, and other fields of the policy do not show their key; ` +
      `if the records were moved before, use them as they are; ${APART}`,
  };
}

/**
 * Returns the key that made the values of a rule whose outputs do not show their key. No key is ever tried.
 *
 * @throws TrefoilError `epoch_required` if the caller names none, or names the one that values are moved to;
 *   `key_retired` or `foreign_token` if there is no such key.
 */
export function namedKey({ from, to, fromKey, kind }: Omit<Move, 'revealing'>): DomainKey {
  if (fromKey === null) {
    fail(
      'epoch_required',
      'the values do not show which key and rule made them: name the key (--from KEYID, in code from or fromKey); ' +
        'it must be the same for the whole column',
    );
  }
  const key = from.keys.find(({ id }) => id === fromKey);
  if (key === undefined) unknownKey(from, fromKey);
  if (kind === 'rekey' && key.id === to.primary.id) {
    fail(
      'epoch_required',
      `the values do not show which key made them, and ${key.id} is the primary key, which they would be moved to; ` +
        'name the key that made them (--from KEYID, in code from or fromKey)',
    );
  }
  return key;
}

/**
 * Says why the key of a token is not there. A move of a policy checks the key that the caller names before it binds
 * rules, so a key of other values is always there.
 *
 * @throws TrefoilError `key_retired`, `foreign_token`.
 */
export function unknownKey({ retired }: OpenedKeys, id: string): never {
  const day = retired.get(id);
  if (day !== undefined) fail('key_retired', `the token was made with key ${id}, which was retired on ${day}`);
  fail('foreign_token', 'the token was made with a key of another domain or keyset');
}

/**
 * Refuses to compute outputs for a look-up with a keyset that is not for protecting. Which keys are pinned does not
 * matter: nothing is written.
 *
 * @throws TrefoilError `not_granted`.
 */
export function checkMayLookUp(opened: OpenedKeys): void {
  if (!mayProtect(opened)) protectingKey(opened);
}

/** Refuses to reveal without the capability. In TypeScript such a call does not compile. */
export function refuseReveal(): never {
  fail('reveal_access_required', 'bind with revealAccess of trefoil/reveal to turn values back');
}
