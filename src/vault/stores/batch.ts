/** Checks of a batch that all stores of this package share. */

import { fail } from '../../errors.ts';
import { mapKey } from '../map-key.ts';
import type { Change, Entry, Table } from './store.ts';

/** @throws TrefoilError `store_failed` if two changes are of one row. */
export function checkChanges(changes: readonly Change[]): void {
  const indexes: Record<Table, Uint8Array[]> = { value: [], token: [], subject: [] };
  for (const { table, index } of changes) indexes[table].push(index);
  for (const own of Object.values(indexes)) refuseRepeats(own);
}

/** @throws TrefoilError `store_failed` if two rows, or two rows of `with`, have one index. */
export function checkEntries(entries: readonly Entry[]): void {
  refuseRepeats(entries.map(({ row }) => row.index));
  refuseRepeats(entries.flatMap(({ with: other }) => other?.index ?? []));
}

/**
 * Only one of two rows under one index could be stored, and the writer of the other would be told that it was written.
 * The first four bytes nearly always differ already; comparing texts of all bytes would take several times as long.
 */
function refuseRepeats(indexes: readonly Uint8Array[]): void {
  const heads = new Set<number>();
  for (const index of indexes) heads.add(index[0]! | (index[1]! << 8) | (index[2]! << 16) | (index[3]! << 24));
  if (heads.size === indexes.length || new Set(indexes.map(mapKey)).size === indexes.length) return;
  fail('store_failed', 'the batch has one index twice in one table; nothing was written');
}
