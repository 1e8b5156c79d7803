/** What the stores of this package refuse alike. */

import { fail } from '../../errors.ts';
import { nameOf } from '../names.ts';
import type { Change, Entry, Table } from './store.ts';

/** @throws TrefoilError `store_failed` where two changes are of one row. */
export function checkChanges(changes: readonly Change[]): void {
  const indexes: Record<Table, Uint8Array[]> = { value: [], token: [], subject: [] };
  for (const { table, index } of changes) indexes[table].push(index);
  for (const own of Object.values(indexes)) refuseRepeats(own);
}

/** @throws TrefoilError `store_failed` where two rows have one index, or two rows of `with`. */
export function checkEntries(entries: readonly Entry[]): void {
  refuseRepeats(entries.map(({ row }) => row.index));
  refuseRepeats(entries.flatMap(({ with: other }) => other?.index ?? []));
}

/**
 * Of two rows under one index one would stay, and who wrote the other would be told that it is there. Nearly always the
 * first four bytes differ already: texts of all bytes would take several times as long.
 */
function refuseRepeats(indexes: readonly Uint8Array[]): void {
  const heads = new Set<number>();
  for (const index of indexes) heads.add(index[0]! | (index[1]! << 8) | (index[2]! << 16) | (index[3]! << 24));
  if (heads.size === indexes.length || new Set(indexes.map(nameOf)).size === indexes.length) return;
  fail('store_failed', 'one batch names an index twice in one table; nothing was written');
}
