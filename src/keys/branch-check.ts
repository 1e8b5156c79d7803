/**
 * The branch check: 128 bits that a policy pins, since the ids and key checks of a file with branches are data that
 * anybody can write (docs/spec/keyset-v1.md, "Branches").
 */

import { encodeList, utf8 } from '../core/bytes.ts';
import { encode } from '../wire/base32.ts';
import { pathBytes } from './branches.ts';
import { child } from './derive.ts';
import type { KeyEntry, KeysetData } from './entries.ts';

/** Length of a branch check in bytes. */
const CHECK_BYTES = 16;

/** The key of the branch check. It is public: HKDF serves as a hash here. */
const CHECK_KEY = 'trefoil branch check';

/**
 * The branch check of a keyset; `null` if it has no branches. It covers everything that says which key serves for what:
 * anyone who adds a key, points a base elsewhere or changes the verbs gives the file another check. It does not cover
 * whether a key is ready, nor the keys that are retired: no value is made with either.
 */
export function branchCheckValue({ keys, primary, domains, narrowed }: KeysetData): string | null {
  if (!keys.some(({ branches }) => branches !== null && branches.length > 0)) return null;
  const lines = [
    ...keys.flatMap((key) => linesOf(key, key.id === primary)),
    ...[...domains].map(([name, { of }]) => encodeList(['domain', name, of])),
    ...(narrowed === null ? [] : [encodeList(['narrowed', encodeList(narrowed.verbs), encodeList(narrowed.soft)])]),
  ];
  lines.sort(compareBytes);
  return encode(child(utf8(CHECK_KEY), 'branches', lines, CHECK_BYTES));
}

/** The lines of a key. What it does not have is empty there, as no name is. */
function linesOf(key: KeyEntry, isPrimary: boolean): readonly Uint8Array[] {
  const { id, isBase, base, region, secret, branches, shown, check } = key;
  const form = secret !== null ? 'secret' : branches !== null ? 'branches' : 'check';
  const root = secret === null ? '' : child(secret, 'node check', []);
  return [
    encodeList(['key', id, base ?? '', isBase ? 'base' : '', isPrimary ? 'primary' : '', region ?? '', form, root]),
    ...(branches ?? []).map(({ domain, path, node }) =>
      encodeList(['branch', id, domain, pathBytes(path), child(node, 'node check', [])]),
    ),
    ...[...shown].map(([domain, one]) => encodeList(['shown', id, domain, one.id, one.check])),
    ...[...(check ?? [])].map(([domain, one]) => encodeList(['check', id, domain, one])),
  ];
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
