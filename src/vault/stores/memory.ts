/** A store in memory, for tests and for data that need not outlive the process. */

import { fail } from '../../errors.ts';
import { isOver } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { checkChanges, checkEntries } from './batch.ts';
import type { Change, Entry, Meta, Row, Stale, Table, TableSize, VaultStore } from './store.ts';

/**
 * Returns a new, empty store in memory.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'trefoil/vault';
 *
 * const store = memoryStore();
 * await store.open();
 * await store.meta(); // → null
 * ```
 */
export function memoryStore(): VaultStore {
  const tables: Tables = { value: new Map(), token: new Map(), subject: new Map() };
  let meta: Meta | null = null;
  const isStale = (generation: number): boolean => generation !== (meta?.generation ?? 0);

  // No verb awaits anything, so each one is a transaction.
  return {
    kind: 'memory',
    open: async () => {},
    meta: async () => meta,
    async setMeta(next) {
      if (next.generation !== (meta?.generation ?? 0) + 1) return false;
      meta = { ...next };
      return true;
    },
    async get(table, indexes) {
      const keys = new Set(indexes.map(mapKey));
      return [...keys].flatMap((key) => tables[table].get(key) ?? []).map(copy);
    },
    async create(generation, table, entries): Promise<readonly number[] | Stale> {
      checkEntries(entries);
      return isStale(generation) ? 'stale' : create(tables, table, entries);
    },
    async change(generation, changes): Promise<boolean | Stale> {
      checkChanges(changes);
      return isStale(generation) ? 'stale' : change(tables, changes);
    },
    async scan(table, { after, limit, notKey }) {
      const from = after === null ? '' : mapKey(after);
      return [...tables[table]]
        .filter(([key, row]) => (after === null || key > from) && row.key !== notKey)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([, row]) => copy(row));
    },
    sweep: async (generation, day): Promise<number | Stale> => (isStale(generation) ? 'stale' : sweep(tables, day)),
    sizes: async () => ({ value: sizeOf(tables.value), token: sizeOf(tables.token), subject: sizeOf(tables.subject) }),
    scrub: async () => {},
    close: async () => {},
  };
}

type Tables = Readonly<Record<Table, Map<string, Row>>>;

function create(tables: Tables, table: 'value' | 'subject', entries: readonly Entry[]): number[] {
  const isTaken = (own: Table, index: Uint8Array) => tables[own].has(mapKey(index));
  // `unless` may name an index that the batch itself writes. So rows are written in order, and removed again on
  // failure.
  const won: number[] = [];
  for (const [i, { row, with: other, unless = [] }] of entries.entries()) {
    if ([row.index, ...unless].some((index) => isTaken(table, index))) continue;
    if (other !== undefined && isTaken('token', other.index)) {
      for (const j of won) {
        tables[table].delete(mapKey(entries[j]!.row.index));
        if (entries[j]!.with !== undefined) tables.token.delete(mapKey(entries[j]!.with!.index));
      }
      fail('store_failed', 'the index of a new row is taken by another row; nothing was written');
    }
    tables[table].set(mapKey(row.index), copy(row));
    if (other !== undefined) tables.token.set(mapKey(other.index), copy(other));
    won.push(i);
  }
  return won;
}

function change(tables: Tables, changes: readonly Change[]): boolean {
  const versionOf = ({ table, index }: Change): number => tables[table].get(mapKey(index))?.version ?? 0;
  if (changes.some((one) => versionOf(one) !== one.from)) return false;
  for (const { table, index, to } of changes) {
    if (to === null) tables[table].delete(mapKey(index));
    else tables[table].set(mapKey(index), copy(to));
  }
  return true;
}

function sweep(tables: Tables, day: number): number {
  let swept = 0;
  for (const table of [tables.value, tables.token]) {
    for (const [key, row] of table) {
      if (!isOver(row, day)) continue;
      table.delete(key);
      swept++;
    }
  }
  return swept;
}

function copy(row: Row): Row {
  return { ...row, index: row.index.slice(), body: row.body.slice() };
}

function sizeOf(table: ReadonlyMap<string, Row>): TableSize {
  let bytes = 0;
  for (const { body } of table.values()) bytes += body.length;
  return { rows: table.size, bytes };
}
