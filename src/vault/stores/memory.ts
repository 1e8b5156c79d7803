/** A store in memory: for tests, and for what may be gone when the process ends. */

import { fail } from '../../errors.ts';
import { nameOf } from '../names.ts';
import { checkChanges, checkEntries } from './batch.ts';
import type { Change, Meta, Row, Stale, Table, TableSize, VaultStore } from './store.ts';

/**
 * A store in memory. Each call gives another one.
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
  const tables: Readonly<Record<Table, Map<string, Row>>> = { value: new Map(), token: new Map(), subject: new Map() };
  let meta: Meta | null = null;
  const isStale = (generation: number): boolean => generation !== (meta?.generation ?? 0);

  // Nothing is awaited inside a verb, so each is a transaction.
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
      const names = new Set(indexes.map(nameOf));
      return [...names].flatMap((name) => tables[table].get(name) ?? []).map(copy);
    },
    async create(generation, table, entries): Promise<readonly number[] | Stale> {
      checkEntries(entries);
      if (isStale(generation)) return 'stale';
      const isTaken = (where: Table, index: Uint8Array) => tables[where].has(nameOf(index));
      // An index that `unless` names may be one that the batch itself writes: rows are made in their order, and taken back.
      const won: number[] = [];
      for (const [i, { row, with: other, unless = [] }] of entries.entries()) {
        if ([row.index, ...unless].some((index) => isTaken(table, index))) continue;
        if (other !== undefined && isTaken('token', other.index)) {
          for (const j of won) {
            tables[table].delete(nameOf(entries[j]!.row.index));
            if (entries[j]!.with !== undefined) tables.token.delete(nameOf(entries[j]!.with!.index));
          }
          fail('store_failed', 'a new row is under the index of another; nothing was written');
        }
        tables[table].set(nameOf(row.index), copy(row));
        if (other !== undefined) tables.token.set(nameOf(other.index), copy(other));
        won.push(i);
      }
      return won;
    },
    async change(generation, changes): Promise<boolean | Stale> {
      checkChanges(changes);
      if (isStale(generation)) return 'stale';
      const version = ({ table, index }: Change): number => tables[table].get(nameOf(index))?.version ?? 0;
      if (changes.some((change) => version(change) !== change.from)) return false;
      for (const { table, index, to } of changes) {
        if (to === null) tables[table].delete(nameOf(index));
        else tables[table].set(nameOf(index), copy(to));
      }
      return true;
    },
    async scan(table, { after, limit, notKey }) {
      const from = after === null ? '' : nameOf(after);
      return [...tables[table]]
        .filter(([name, row]) => (after === null || name > from) && row.key !== notKey)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([, row]) => copy(row));
    },
    async sweep(generation, day): Promise<number | Stale> {
      if (isStale(generation)) return 'stale';
      let swept = 0;
      for (const table of [tables.value, tables.token]) {
        for (const [name, { expires }] of table) {
          if (expires === null || expires > day) continue;
          table.delete(name);
          swept++;
        }
      }
      return swept;
    },
    sizes: async () => ({ value: sizeOf(tables.value), token: sizeOf(tables.token), subject: sizeOf(tables.subject) }),
    scrub: async () => {},
    close: async () => {},
  };
}

function copy(row: Row): Row {
  return { ...row, index: row.index.slice(), body: row.body.slice() };
}

function sizeOf(table: ReadonlyMap<string, Row>): TableSize {
  let bytes = 0;
  for (const { body } of table.values()) bytes += body.length;
  return { rows: table.size, bytes };
}
