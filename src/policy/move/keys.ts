/** The keys of both sides of a move, held against what the policies and the caller have pinned. */

import { fail } from '../../errors.ts';
import { type KeyCheck, PROTECTS } from '../../keys/checks.ts';
import { type DomainKeys, type OpenedKeys, openKeys } from '../../keys/domain-keys.ts';
import { demandUngoverned } from '../../keys/place/refusals.ts';
import { pinned } from '../bind.ts';
import type { PolicyOptions } from '../types.ts';
import { checkFromKey } from '../unmarked/record-keys.ts';

/** The keys of both sides. */
export interface MoveKeys {
  readonly from: OpenedKeys;
  readonly to: OpenedKeys;
  /** See `Moving.fromKey`. */
  readonly fromKey: string | null;
}

/**
 * Opens the keys of a move inside one domain. The two sides may be one key file, or the file of yesterday and that of
 * tomorrow. So a key that the policy pins may be in either, and each side must have at least one of them.
 *
 * @throws TrefoilError `wrong_domain`, `wrong_region`, `key_check_mismatch`, `warrant_required`.
 */
export function keysOfRekey(sheet: PolicyOptions, from: DomainKeys, to: DomainKeys, fromKey: unknown): MoveKeys {
  const [before, after] = [openKeys(from), openKeys(to)];
  for (const side of [before, after]) demandUngoverned(side, 'rekey');
  if (before.domain !== after.domain) {
    fail(
      'wrong_domain',
      `the keys are of the domains ${before.domain} and ${after.domain}, and rekey stays in one domain; ` +
        'project moves records to the domain of a recipient',
    );
  }
  for (const { id, check } of before.keys) {
    const other = after.keys.find((key) => key.id === id);
    if (other !== undefined && other.check !== check) {
      fail('key_check_mismatch', `the two keysets have different keys under the key id ${id}; use those of one origin`);
    }
  }
  const { keyCheck } = sheet;
  if (keyCheck !== undefined) checkAllThere(keyCheck, before, after);
  const source = openKeys(pinned(partOf(sheet, before, false), from));
  const target = openKeys(pinned(partOf(sheet, after, true), to));
  return { from: source, to: target, fromKey: namedKey(fromKey, source) };
}

/**
 * Opens the keys of a move into the domain of a recipient. Each policy pins the keys of its own side.
 *
 * @param as the policy of the recipient, if there is one.
 * @throws TrefoilError `wrong_domain`, `wrong_region`, `key_check_mismatch`, `warrant_required`.
 */
export function keysOfProject(
  sheet: PolicyOptions,
  as: PolicyOptions | null,
  from: DomainKeys,
  to: DomainKeys,
  fromKey: unknown,
): MoveKeys {
  const before = openKeys(pinned(sheet, from));
  const after = openKeys(as === null ? to : pinned(as, to));
  for (const side of [before, after]) demandUngoverned(side, 'project');
  if (before.domain === after.domain) {
    fail(
      'wrong_domain',
      `both sides are of the domain ${before.domain}, and project moves records to another one; ` +
        'rekey moves them to the primary key of their own domain',
    );
  }
  return { from: before, to: after, fromKey: namedKey(fromKey, before) };
}

/** Each key that the policy pins must be on one of the sides. */
function checkAllThere(keyCheck: KeyCheck, ...sides: readonly OpenedKeys[]): void {
  const known = new Set(sides.flatMap(({ keys }) => keys.map(({ id }) => id)));
  const lost = idsOf(keyCheck).filter((id) => !known.has(id));
  if (lost.length === 0) return;
  fail(
    'key_check_mismatch',
    `the policy pins the keys ${lost.join(', ')}, which are in none of the keysets; a key file ` +
      'is from before they were added or after they were taken out, so use those that have all pinned keys',
  );
}

const idsOf = (keyCheck: KeyCheck): readonly string[] => Object.keys(keyCheck).filter((id) => id !== PROTECTS);

/** The policy with the pins of one side. `protects` is about the side that protects. */
function partOf(sheet: PolicyOptions, { keys, packed }: OpenedKeys, protects: boolean): PolicyOptions {
  const { keyCheck, branchCheck, ...others } = sheet;
  const branches = packed.branchCheck === null ? {} : { branchCheck };
  if (keyCheck === undefined) return { ...others, ...branches } as PolicyOptions;
  const ids = idsOf(keyCheck).filter((id) => keys.some((key) => key.id === id));
  if (ids.length === 0) {
    fail(
      'key_check_mismatch',
      `the policy pins none of the keys ${keys.map(({ id }) => id).join(', ')}; while tables hold values of two keys, ` +
        'it pins both',
    );
  }
  const part = Object.fromEntries(ids.map((id) => [id, keyCheck[id]!]));
  const who = keyCheck[PROTECTS];
  return {
    ...others,
    ...branches,
    keyCheck: protects && who !== undefined ? { ...part, [PROTECTS]: who } : part,
  } as PolicyOptions;
}

/**
 * The key that made the values which do not show their key: the one that the caller names, or the only one that there
 * is, if it is pinned. A pin alone does not name it: a policy may pin one key, and the table may be of another.
 */
function namedKey(fromKey: unknown, opened: OpenedKeys): string | null {
  const named = checkFromKey(fromKey, opened);
  const { keys, pinned: ids } = opened;
  if (named !== null || keys.length > 1) return named;
  return ids?.includes(keys[0]!.id) === true ? keys[0]!.id : null;
}
