/** Shown key ids and key checks: their forms, and the pins of a policy (docs/spec/keyset-v1.md, "Pins"). */

import { badRange, badType, typeName } from '../core/checks.ts';
import { ALPHABET_CLASS } from '../wire/base32.ts';
import { ID_LENGTH } from '../wire/labelled-token.ts';
import { BRANCH_CHECK_LENGTH } from './branches.ts';
import { KEY_CHECK_LENGTH } from './derive.ts';

export const KEY_ID: RegExp = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${ID_LENGTH}}$`);
export const KEY_CHECK: RegExp = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${KEY_CHECK_LENGTH}}$`);
const BRANCH_CHECK = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${BRANCH_CHECK_LENGTH}}$`);

/** The name in a pin under which the id of the protecting key stands. It is no key id: it has eight characters. */
export const PROTECTS = 'protects';

/** What outputs show of a key in one domain. */
export interface Shown {
  readonly id: string;
  readonly check: string;
}

/**
 * Key check values by shown key id. A pin may also have `protects`, the shown id of the key that protects: then a key
 * file from before a rotation is refused.
 */
export type KeyCheck = Readonly<Record<string, string>>;

/** Checks the form of key check values. A malformed one would pin nothing, and nobody would notice. */
export function checkKeyCheck(keyCheck: unknown): void {
  if (typeof keyCheck !== 'object' || keyCheck === null || Array.isArray(keyCheck)) {
    badType('keyCheck', `expected an object of check values by key id, got ${typeName(keyCheck)}`);
  }
  const ids = Object.keys(keyCheck).filter((id) => id !== PROTECTS);
  if (ids.length === 0) badRange('keyCheck', 'expected at least one key id and its check value');
  for (const id of ids) {
    const check = (keyCheck as Record<string, unknown>)[id];
    if (!KEY_ID.test(id)) {
      badRange('keyCheck', `expected key ids of ${ID_LENGTH} characters, as trefoil keys inspect shows them`);
    }
    if (typeof check !== 'string' || !KEY_CHECK.test(check)) {
      badRange(
        'keyCheck',
        `expected check values of ${KEY_CHECK_LENGTH} characters, as trefoil keys inspect shows them`,
      );
    }
  }
  if (Object.hasOwn(keyCheck, PROTECTS) && !ids.includes((keyCheck as Record<string, string>)[PROTECTS]!)) {
    badRange('keyCheck', 'expected "protects" to be one of the key ids that are pinned');
  }
}

/** Checks the form of a branch check. */
export function checkBranchCheck(value: unknown): string {
  if (typeof value !== 'string' || !BRANCH_CHECK.test(value)) {
    badRange('branchCheck', `expected ${BRANCH_CHECK_LENGTH} characters, as trefoil keys inspect shows them`);
  }
  return value;
}
