/** What all keyed rules do when they are bound alone, outside a policy: open the keys, and offer verbs. */

import { isCapability, type RevealAccess } from '../core/capability.ts';
import { badType } from '../core/checks.ts';
import { fail } from '../errors.ts';
import {
  checkMayReveal,
  type DomainKeys,
  mayProtect,
  type OpenedKeys,
  openKeys,
  protectingKey,
} from '../keys/domain-keys.ts';
import { runColumn, runValue } from './columns.ts';
import type { BoundColumns } from './rule.ts';

/** Opens the keys that a rule is bound to, and tells whether the rule may reveal. */
export function openFor(
  keys: DomainKeys,
  access: RevealAccess | undefined,
): { opened: OpenedKeys; revealing: boolean } {
  const [opened, revealing] = [openKeys(keys), checkAccess(access)];
  if (revealing) checkMayReveal(opened);
  return { opened, revealing };
}

/**
 * Whether the caller may reveal: `true` with `revealAccess`, `false` without an argument.
 *
 * @throws TypeError for any other argument.
 */
export function checkAccess(access: unknown): boolean {
  if (access === undefined) return false;
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
