/** Cases of `create`. */

import { type Entry, type Row, TABLES } from '../../stores/store.ts';
import { expectEqual, expectError, expectTable } from '../assertions.ts';
import { entry, indexesOf, row, rowsFrom } from '../rows.ts';
import { type Cases, createAll, opened, positions } from '../verbs.ts';

export const CREATE: Cases = {
  async 'create: returns the positions that were written, and keeps existing rows'(fresh) {
    const { store } = await opened(fresh);
    expectEqual(await store.create(1, 'value', []), [], 'create of nothing');
    expectEqual(positions(await store.create(1, 'value', [1, 3].map(entry))), [0, 1], 'positions');
    const late = [0, 1, 2, 3, 4].map((n) => ({ row: row(n, { key: 'later', body: Uint8Array.of(9) }) }));
    expectEqual(
      positions(await store.create(1, 'value', late)),
      [0, 2, 4],
      'positions, if two of five indexes are taken',
    );
    expectEqual(positions(await store.create(1, 'value', late)), [], 'positions of a repeated create');
    await expectTable(store, 'value', [late[0]!.row, row(1), late[2]!.row, row(3), late[4]!.row]);
  },

  async 'create: one index in three tables is three rows'(fresh) {
    const { store } = await opened(fresh);
    const [value, token, subject] = ['aaaaa', 'bbbbb', 'ccccc'].map((key) => row(7, { key }));
    expectEqual(positions(await store.create(1, 'subject', [{ row: subject! }])), [0], 'positions');
    expectEqual(positions(await store.create(1, 'value', [{ row: value!, with: token! }])), [0], 'positions');
    for (const [table, one] of [
      ['value', value!],
      ['token', token!],
      ['subject', subject!],
    ] as const) {
      await expectTable(store, table, [one]);
    }
  },

  async 'create: a row of `with` is written only if its row is written'(fresh) {
    const { store } = await opened(fresh);
    await createAll(store, 1, [entry(1)]);
    const entries = [0, 1, 2].map((n) => ({ row: row(n), with: row(100 + n) }));
    const result = await store.create(1, 'value', [...entries, { row: row(3), with: undefined }]);
    expectEqual(positions(result), [0, 2, 3], 'positions');
    await expectTable(store, 'token', [row(100), row(102)]);
    await expectTable(store, 'value', rowsFrom(0, 4));
  },

  async 'create: an entry is not written if an index of `unless` is taken'(fresh) {
    const { store } = await opened(fresh);
    await createAll(store, 1, [entry(1), entry(2)]);
    // The same index in another table does not count.
    await createAll(store, 1, [entry(50)], 'subject');
    const at = (...numbers: number[]) => numbers.map((n) => row(n).index);
    const result = await store.create(1, 'value', [
      { row: row(10), with: row(110), unless: at(1) },
      { row: row(11), with: row(111), unless: at(99, 2) },
      { row: row(12), with: row(112), unless: at(98, 99, 50) },
      { row: row(1), with: row(113), unless: at(97) },
      { row: row(14), with: row(114), unless: [] },
      { row: row(15), unless: undefined },
    ]);
    expectEqual(positions(result), [2, 4, 5], 'positions');
    await expectTable(
      store,
      'value',
      [1, 2, 12, 14, 15].map((n) => row(n)),
    );
    await expectTable(
      store,
      'token',
      [112, 114].map((n) => row(n)),
    );
  },

  async 'create: if the index of a row of `with` is taken, nothing of the batch is written'(fresh) {
    const { store, other } = await opened(fresh);
    await createAll(store, 1, [{ row: row(1), with: row(101) }]);
    const thief = row(101, { key: 'thief', body: Uint8Array.of(9) });
    const batch = [{ row: row(2), with: row(102) }, { row: row(3) }, { row: row(4), with: thief }, entry(5)];
    for (const table of ['value', 'subject'] as const) {
      await expectError(
        store.create(1, table, batch),
        'store_failed',
        `create in ${table} with an index that is taken`,
      );
      await expectError(store.create(1, table, batch.toReversed()), 'store_failed', `the same in ${table}, last first`);
    }
    await expectTable(other, 'value', [row(1)]);
    await expectTable(other, 'token', [row(101)]);
    await expectTable(other, 'subject', []);
    // If the row itself is not written, the index of its `with` does not matter.
    expectEqual(positions(await store.create(1, 'value', [{ row: row(1), with: thief }, entry(6)])), [1], 'positions');
    const absent = { row: row(7), with: thief, unless: [row(1).index] };
    expectEqual(
      positions(await store.create(1, 'value', [absent, entry(8)])),
      [1],
      'positions, if an index of `unless` is taken',
    );
    await expectTable(other, 'token', [row(101)]);
    // The other indexes of the batch are still free.
    const again = batch.toSpliced(2, 1, { row: row(4), with: row(104) });
    expectEqual(
      positions(await other.create(1, 'value', again)),
      [0, 1, 2, 3],
      'positions of the batch with another index',
    );
  },

  async 'create: refuses a batch that has one index twice, and writes nothing of it'(fresh) {
    const { store } = await opened(fresh);
    const [first, second] = [row(1), row(1, { key: 'later', body: Uint8Array.of(9) })];
    const batches: Readonly<Record<string, readonly Entry[]>> = {
      'two rows under one index': [{ row: first }, entry(2), { row: second }],
      'one row twice': [entry(2), { row: first }, { row: first }],
      'two rows under one index, each with its own `with`': [
        { row: first, with: row(101) },
        { row: second, with: row(102) },
      ],
      'two rows of `with` under one index': [
        { row: row(2), with: first },
        { row: row(3), with: second },
      ],
    };
    for (const [name, batch] of Object.entries(batches)) {
      for (const table of ['value', 'subject'] as const) {
        await expectError(store.create(1, table, batch), 'store_failed', `create in ${table} of ${name}`);
      }
    }
    for (const table of TABLES) await expectTable(store, table, []);
    // A row and a row of `with` are in different tables.
    const both = [
      { row: row(1), with: row(2) },
      { row: row(2), with: row(1) },
    ];
    expectEqual(positions(await store.create(1, 'value', both)), [0, 1], 'positions');
  },

  async 'create: if several callers create one index, one succeeds'(fresh) {
    const { store, other } = await opened(fresh);
    for (let n = 0; n < 10; n++) {
      const result = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          (i % 2 === 0 ? store : other).create(1, 'value', [
            { row: row(n, { body: Uint8Array.of(i + 1) }), with: row(1_000 + 10 * n + i) },
          ]),
        ),
      );
      const winners = result.flatMap((one, i) => (positions(one).length === 1 ? [i] : []));
      expectEqual(winners.length, 1, 'number of callers that were told that they wrote the row');
      const [found] = await store.get('value', [row(n).index]);
      expectEqual(found?.body[0], winners[0]! + 1, 'first byte of the row: the one of the caller that succeeded');
    }
    const tokens = await store.get('token', indexesOf(rowsFrom(1_000, 100)));
    expectEqual(tokens.length, 10, 'rows of `with`: one for each row that was written');
  },

  async 'create: overlapping batches in opposite orders do not block each other'(fresh) {
    const { store, other } = await opened(fresh);
    const batches = Array.from({ length: 10 }, (_, i) => {
      const entries = Array.from({ length: 300 }, (_, j): Entry => {
        const n = 20 * i + j;
        return { row: row(n, { body: Uint8Array.of(i + 1) }), with: row(10_000 + 1_000 * i + j) };
      });
      return i % 2 === 0 ? entries : entries.reverse();
    });
    const result = await Promise.all(batches.map((batch, i) => (i % 4 < 2 ? store : other).create(1, 'value', batch)));
    const expected: Row[] = [];
    const tokens: Row[] = [];
    for (const [i, batch] of batches.entries()) {
      for (const position of positions(result[i]!)) {
        expected.push(batch[position]!.row);
        tokens.push(batch[position]!.with!);
      }
    }
    expectEqual(expected.length, 20 * 9 + 300, 'rows that some caller was told that it wrote: each one once');
    await expectTable(store, 'value', expected);
    await expectTable(other, 'token', tokens);
  },

  async 'create: a batch is seen as a whole or not at all'(fresh) {
    const { store, other } = await opened(fresh);
    const entries = rowsFrom(0, 1_000).map((one, i): Entry => ({ row: one, with: row(5_000 + i) }));
    let ended = false;
    const write = store.create(1, 'value', entries).finally(() => {
      ended = true;
    });
    do {
      const values = (await other.scan('value', { after: null, limit: 2_000 })).length;
      expectEqual(
        values === 0 || values === 1_000,
        true,
        `no row or all 1,000 rows of a batch are seen (seen: ${values})`,
      );
      const tokens = (await other.scan('token', { after: null, limit: 2_000 })).length;
      // They are read later, so there may be all of them by now, but never some.
      expectEqual(
        tokens === 1_000 || (tokens === 0 && values === 0),
        true,
        `no row or all 1,000 rows of \`with\` are seen (seen: ${tokens})`,
      );
      // Without a pause, a store that answers in microtasks would never let the writer continue.
      await new Promise((done) => setTimeout(done, 0));
    } while (!ended);
    expectEqual(positions(await write).length, 1_000, 'positions');
  },
};
