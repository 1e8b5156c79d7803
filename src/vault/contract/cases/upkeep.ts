/** Cases of `sweep`, `sizes`, `scrub` and `close`. */

import type { Row } from '../../stores/store.ts';
import { expectEqual, expectTable } from '../assertions.ts';
import { entriesOf, entry, MAX_BODY, MAX_NUMBER, numberOf, row, rowsFrom } from '../rows.ts';
import { allOf, type Cases, createAll, opened, positions } from '../verbs.ts';

export const UPKEEP: Cases = {
  async 'sweep: removes the rows of `value` and `token` that have expired by a day'(fresh) {
    const { store } = await opened(fresh);
    const days = [null, 0, 1, 99, 100, 101, MAX_NUMBER];
    const rows = days.map((expires, n) => row(n, { expires }));
    await createAll(
      store,
      1,
      rows.map((one, n) => ({ row: one, with: row(100 + n, { expires: days[n]! }) })),
    );
    await createAll(store, 1, entriesOf(rows), 'subject');
    expectEqual(await store.sweep(1, 100), 8, 'number of rows swept by day 100');
    const left = [0, 5, 6];
    await expectTable(
      store,
      'value',
      left.map((n) => rows[n]!),
    );
    await expectTable(
      store,
      'token',
      left.map((n) => row(100 + n, { expires: days[n]! })),
    );
    await expectTable(store, 'subject', rows);
    expectEqual(await store.sweep(1, 100), 0, 'number of rows swept by a second sweep');
  },

  async 'sweep: removes both rows of a mapping or neither, whatever is written meanwhile'(fresh) {
    const { store, other } = await opened(fresh);
    const token = 100_000;
    let made = 0;
    let ended = false;
    // Makes mappings that have already expired, and replaces the token of some of them.
    const writing = (async () => {
      while (!ended) {
        const first = made;
        made += 10;
        const numbers = Array.from({ length: 10 }, (_, i) => first + i);
        await createAll(
          other,
          1,
          numbers.map((n) => ({ row: row(n, { expires: 5 }), with: row(token + n, { expires: 5 }) })),
        );
        const [value, before, after] = [row(first), row(token + first), row(2 * token + first, { expires: 5 })];
        await other.change(1, [
          { table: 'value', index: value.index, from: 1, to: { ...value, version: 2, expires: 5 } },
          { table: 'token', index: before.index, from: 1, to: null },
          { table: 'token', index: after.index, from: 0, to: after },
        ]);
        await new Promise((done) => setTimeout(done, 0));
      }
    })();
    try {
      for (let i = 0; i < 40 || made < 400; i++) {
        await store.sweep(1, 10);
        await new Promise((done) => setTimeout(done, 0));
      }
    } finally {
      ended = true;
      await writing;
    }
    const left = (rows: readonly Row[]) => rows.map(({ index }) => numberOf(index) % token).sort((a, b) => a - b);
    const values = await allOf(store, 'value');
    expectEqual(
      left(await allOf(store, 'token')),
      left(values),
      'numbers of the mappings in the table `token`, compared with those in `value`',
    );
  },

  async 'sizes: numbers of rows, and of bytes in their bodies'(fresh) {
    const { store } = await opened(fresh);
    const none = { rows: 0, bytes: 0 };
    expectEqual(await store.sizes(), { value: none, token: none, subject: none }, 'sizes of an empty store');
    const body = (length: number) => new Uint8Array(length).fill(7);
    await createAll(store, 1, [
      { row: row(1, { body: body(10) }), with: row(2, { body: body(300) }) },
      { row: row(3, { body: body(20) }) },
    ]);
    await createAll(store, 1, [{ row: row(4, { body: body(MAX_BODY) }) }], 'subject');
    const expected = {
      value: { rows: 2, bytes: 30 },
      token: { rows: 1, bytes: 300 },
      subject: { rows: 1, bytes: MAX_BODY },
    };
    expectEqual(await store.sizes(), expected, 'sizes');
  },

  async 'scrub: keeps rows that were not destroyed'(fresh) {
    const { store, other } = await opened(fresh);
    await store.scrub();
    await createAll(store, 1, entriesOf(rowsFrom(0, 200)));
    const gone = rowsFrom(0, 100).map(({ index }) => ({ table: 'value' as const, index, from: 1, to: null }));
    expectEqual(await store.change(1, gone), true, 'change');
    await store.scrub();
    await expectTable(other, 'value', rowsFrom(100, 100));
    expectEqual(positions(await store.create(1, 'value', [entry(0)])), [0], 'positions');
  },

  async 'close: the data remain, for other stores and for later'(fresh) {
    const { store, other } = await opened(fresh);
    await createAll(store, 1, [{ row: row(1), with: row(2) }]);
    await store.close();
    await expectTable(other, 'value', [row(1)]);
    await createAll(other, 1, [entry(3)]);
    await other.close();
    const later = await fresh.again();
    await later.open();
    expectEqual(await later.meta(), { generation: 1, text: 'a' }, 'meta');
    await expectTable(later, 'value', [row(1), row(3)]);
    await expectTable(later, 'token', [row(2)]);
    await later.close();
  },
};
