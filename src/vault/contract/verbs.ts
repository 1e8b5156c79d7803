/** Uses of a store that the cases of the contract share. */

import type { Entry, Row, Stale, Table, VaultStore } from '../stores/store.ts';
import { expectEqual } from './assertions.ts';

/** A store that has not been used or opened. */
export interface FreshStore {
  readonly store: VaultStore;
  /**
   * Returns another store over the same data, with a handle or connection of its own if the adapter has such. It has
   * not been opened.
   */
  readonly again: () => Promise<VaultStore>;
  /** Removes the data. It is called once, at the end of a case. */
  readonly drop: () => Promise<void>;
}

/** Cases by their names. */
export type Cases = Readonly<Record<string, (fresh: FreshStore) => Promise<void>>>;

/** A store with its tables and metadata of generation 1, and another one over the same data. */
export interface Opened {
  readonly store: VaultStore;
  readonly other: VaultStore;
}

export async function opened(fresh: FreshStore): Promise<Opened> {
  const { store } = fresh;
  await store.open();
  const other = await fresh.again();
  await other.open();
  expectEqual(await store.setMeta({ generation: 1, text: 'a' }), true, 'setMeta of generation 1');
  return { store, other };
}

/** Creates rows whose indexes must be free. */
export async function createAll(
  store: VaultStore,
  generation: number,
  entries: readonly Entry[],
  table: 'value' | 'subject' = 'value',
): Promise<void> {
  const result = await store.create(generation, table, entries);
  expectEqual(positions(result).length, entries.length, 'number of rows that were created');
}

/** Returns the positions that `create` has returned, sorted. */
export function positions(result: readonly number[] | Stale): number[] {
  if (result === 'stale') throw new Error('create: expected positions, got stale');
  return [...result].sort((a, b) => a - b);
}

/** Returns all rows of a table. */
export async function allOf(store: VaultStore, table: Table): Promise<Row[]> {
  return store.scan(table, { after: null, limit: 100_000 });
}
