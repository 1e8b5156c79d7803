/** Cases of `change`. */

import { equalBytes } from '../../../core/bytes.ts';
import { writeHex } from '../../../core/hex.ts';
import { type Change, TABLES } from '../../stores/store.ts';
import { expectEqual, expectError, expectTable } from '../assertions.ts';
import { entriesOf, entry, indexesOf, row, rowsFrom } from '../rows.ts';
import { type Cases, createAll, opened } from '../verbs.ts';

export const CHANGE: Cases = {
  async 'change: makes, replaces and removes rows of all tables at once'(fresh) {
    const { store } = await opened(fresh);
    await createAll(store, 1, [{ row: row(1), with: row(2) }]);
    await createAll(store, 1, [entry(3)], 'subject');
    expectEqual(await store.change(1, []), true, 'change of nothing');
    const next = { ...row(1), version: 2, key: 'other', expires: 7, body: Uint8Array.of(1, 2, 3) };
    const changes = [
      { table: 'value', index: row(1).index, from: 1, to: next },
      { table: 'token', index: row(2).index, from: 1, to: null },
      { table: 'token', index: row(4).index, from: 0, to: row(4) },
      { table: 'subject', index: row(3).index, from: 1, to: row(3, { version: 2 }) },
      // No row exists, and none is to exist.
      { table: 'subject', index: row(5).index, from: 0, to: null },
    ] as const;
    expectEqual(await store.change(1, changes), true, 'change');
    await expectTable(store, 'value', [next]);
    await expectTable(store, 'token', [row(4)]);
    await expectTable(store, 'subject', [row(3, { version: 2 })]);
    expectEqual(await store.change(1, changes), false, 'the same change once more');
    await expectTable(store, 'value', [next]);
  },

  async 'change: changes nothing if one row does not have the expected version'(fresh) {
    const { store } = await opened(fresh);
    await createAll(store, 1, [{ row: row(1), with: row(2) }]);
    const good = [
      { table: 'value', index: row(1).index, from: 1, to: row(1, { version: 2 }) },
      { table: 'token', index: row(2).index, from: 1, to: null },
      { table: 'subject', index: row(3).index, from: 0, to: row(3) },
    ] as const;
    const wrong = {
      'a row of another version': { table: 'value', index: row(1).index, from: 2, to: row(1, { version: 3 }) },
      'a row that does not exist': { table: 'value', index: row(9).index, from: 1, to: row(9, { version: 2 }) },
      'a row that is to be removed and does not exist': { table: 'value', index: row(9).index, from: 1, to: null },
      'an existing row where none is expected': {
        table: 'token',
        index: row(2).index,
        from: 0,
        to: row(2, { key: 'other' }),
      },
    } as const;
    for (const [name, change] of Object.entries(wrong)) {
      const fitting = good.filter(({ table, index }) => table !== change.table || !equalBytes(index, change.index));
      for (const changes of [
        [change, ...fitting],
        [...fitting, change],
      ]) {
        expectEqual(await store.change(1, changes), false, `change with ${name}`);
      }
      await expectTable(store, 'value', [row(1)]);
      await expectTable(store, 'token', [row(2)]);
      await expectTable(store, 'subject', []);
    }
    expectEqual(await store.change(1, good), true, 'change without a wrong row');
  },

  async 'change: refuses a batch that has one index twice in one table, and writes nothing of it'(fresh) {
    const { store } = await opened(fresh);
    await createAll(store, 1, [{ row: row(1), with: row(1) }]);
    await createAll(store, 1, [entry(1)], 'subject');
    const { index } = row(1);
    const later = row(1, { version: 2, key: 'later' });
    const free = row(2).index;
    for (const table of TABLES) {
      const batches: Readonly<Record<string, readonly Change[]>> = {
        'two new rows': [row(2), row(2, { key: 'later' })].map((to) => ({ table, index: free, from: 0, to })),
        'a row that is removed and created': [
          { table, index, from: 1, to: null },
          { table, index, from: 0, to: later },
        ],
        'a row that is replaced twice from one version': [
          { table, index, from: 1, to: later },
          { table, index, from: 1, to: row(1, { version: 2 }) },
        ],
        'a row that is replaced twice': [
          { table, index, from: 1, to: later },
          { table, index, from: 2, to: row(1, { version: 3 }) },
        ],
        'a row that is removed twice': [1, 1].map((from) => ({ table, index, from, to: null })),
        'a row that is created where none is to exist': [
          { table, index: free, from: 0, to: null },
          { table, index: free, from: 0, to: row(2) },
        ],
      };
      const other: Change = { table, index: row(3).index, from: 0, to: row(3) };
      for (const [name, batch] of Object.entries(batches)) {
        for (const changes of [batch, batch.toReversed(), [batch[0]!, other, ...batch.slice(1)]]) {
          await expectError(store.change(1, changes), 'store_failed', `change in ${table} of ${name}`);
        }
      }
    }
    for (const table of TABLES) await expectTable(store, table, [row(1)]);
    // One index in three tables is three rows.
    const each = TABLES.map((table) => ({ table, index, from: 1, to: later }));
    expectEqual(await store.change(1, each), true, 'change of one index in three tables');
  },

  async 'change: if several callers change one version, one succeeds'(fresh) {
    const { store, other } = await opened(fresh);
    for (let from = 0; from < 6; from++) {
      const result = await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const to = row(1, { version: from + 1, body: Uint8Array.of(i + 1) });
          return (i % 2 === 0 ? store : other).change(1, [{ table: 'value', index: to.index, from, to }]);
        }),
      );
      expectEqual(
        result.filter((one) => one === true).length,
        1,
        `number of changes of version ${from} that were made`,
      );
      await expectTable(store, 'value', [row(1, { version: from + 1, body: Uint8Array.of(result.indexOf(true) + 1) })]);
    }
  },

  async 'change: overlapping batches in opposite orders do not block each other'(fresh) {
    const { store, other } = await opened(fresh);
    const rows = rowsFrom(0, 60);
    await createAll(store, 1, entriesOf(rows));
    let made = 0;
    for (let round = 0; round < 5; round++) {
      const before = await store.get('value', indexesOf(rows));
      const version = new Map(before.map((one) => [writeHex(one.index), one.version]));
      const result = await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const changes = rows.slice(5 * i, 5 * i + 20).map(({ index }, j) => {
            const from = version.get(writeHex(index))!;
            return { table: 'value' as const, index, from, to: row(5 * i + j, { version: from + 1 }) };
          });
          return (i % 4 < 2 ? store : other).change(1, i % 2 === 0 ? changes : changes.reverse());
        }),
      );
      const wins = result.filter((one) => one === true).length;
      expectEqual(wins > 0, true, 'at least one change is made');
      made += wins;
    }
    const after = await store.get('value', indexesOf(rows));
    const sum = after.reduce((total, one) => total + one.version - 1, 0);
    expectEqual(sum, 20 * made, 'sum of version increments: 20 for each batch that was told that it was made');
  },
};
