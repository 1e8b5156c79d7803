/**
 * Places: the indexes under which the rows of some names may be, one column for each pair of keys, and the rows that a
 * store has returned for them. A batch has a few thousand indexes at most.
 */

import { cut } from '../../core/bytes.ts';
import { INDEX, type Row } from '../stores/store.ts';

/** The indexes under which the rows of some names may be. */
export interface Places {
  /** All indexes, for `get` of the store. */
  readonly all: readonly Uint8Array[];
  /** Returns the index under which a new row of the name at `i` is written. */
  readonly first: (i: number) => Uint8Array;
  /** Returns the other indexes of a name, under which older rows may be. */
  readonly others: (i: number) => readonly Uint8Array[];
  /** Returns the first row of each name among those that the store has returned. */
  readonly pick: (rows: readonly Row[]) => (Row | undefined)[];
  /** Returns all rows of each name: one may be under an older key of the inner layer and another under a newer one. */
  readonly pickAll: (rows: readonly Row[]) => Row[][];
  /** Returns the row of each name in each column; `undefined` if an index is free. */
  readonly pickEach: (rows: readonly Row[]) => (Row | undefined)[][];
  /** Number of columns. */
  readonly columns: number;
  /** Returns the index of a name in a column. */
  readonly at: (i: number, column: number) => Uint8Array;
}

/** @param columns indexes of the names, one column after the other; new rows are written under those of the first. */
export function placesIn(columns: readonly Uint8Array[]): Places {
  const all = columns.flatMap((column) => cut(column, INDEX));
  const count = all.length / columns.length;
  return {
    all,
    columns: columns.length,
    at: (i, column) => all[column * count + i]!,
    first: (i) => all[i]!,
    others: (i) => columns.slice(1).map((_, c) => all[(c + 1) * count + i]!),
    pick(rows) {
      const find = tableOf(rows);
      const out = new Array<Row | undefined>(count).fill(undefined);
      for (let i = 0; i < count; i++) {
        for (let c = 0; c < columns.length && out[i] === undefined; c++) out[i] = find(columns[c]!, INDEX * i);
      }
      return out;
    },
    pickAll(rows) {
      const find = tableOf(rows);
      return Array.from({ length: count }, (_, i) => columns.flatMap((column) => find(column, INDEX * i) ?? []));
    },
    pickEach(rows) {
      const find = tableOf(rows);
      return Array.from({ length: count }, (_, i) => columns.map((column) => find(column, INDEX * i)));
    },
  };
}

/** Returns the row whose index is at `at` of a column of indexes. */
type Find = (indexes: Uint8Array, at: number) => Row | undefined;

/**
 * Makes an open hash table over the first bytes of the indexes. Indexes are blocks of AES, so their bytes need no
 * further hashing. For 1,000 rows it takes a tenth of the time of a map by texts, which have to be made of all bytes
 * (measured).
 */
function tableOf(rows: readonly Row[]): Find {
  let size = 16;
  while (size < 2 * rows.length) size *= 2;
  const slots = new Int32Array(size);
  const slotOf = (bytes: Uint8Array, at: number): number =>
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) & (size - 1);
  for (let i = 0; i < rows.length; i++) {
    const { index } = rows[i]!;
    // A store may return anything.
    if (index.length !== INDEX) continue;
    let slot = slotOf(index, 0);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = i + 1;
  }
  return (indexes, at) => {
    for (let slot = slotOf(indexes, at); slots[slot] !== 0; slot = (slot + 1) & (size - 1)) {
      const row = rows[slots[slot]! - 1]!;
      if (isAt(row.index, indexes, at)) return row;
    }
    return undefined;
  };
}

function isAt(index: Uint8Array, indexes: Uint8Array, at: number): boolean {
  for (let i = 0; i < INDEX; i++) if (index[i] !== indexes[at + i]) return false;
  return true;
}
