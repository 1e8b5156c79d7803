/** Cases of `get` and `scan`. */

import { writeHex } from '../../../core/hex.ts';
import type { Row } from '../../stores/store.ts';
import { expectEqual, expectRows } from '../assertions.ts';
import { entriesOf, entry, indexesOf, MAX_BODY, MAX_NUMBER, row, rowsFrom } from '../rows.ts';
import { type Cases, createAll, opened } from '../verbs.ts';

export const READ: Cases = {
  async 'get: returns the rows that exist, whatever is asked for'(fresh) {
    const { store } = await opened(fresh);
    await createAll(store, 1, [1, 2, 3].map(entry));
    expectEqual(await store.get('value', []), [], 'get of nothing');
    expectEqual(await store.get('token', indexesOf(rowsFrom(1, 3))), [], 'get from another table');
    expectEqual(await store.get('value', [row(8).index, row(9).index]), [], 'get of indexes that do not exist');
    expectRows(await store.get('value', indexesOf([row(2), row(9), row(1)])), [row(1), row(2)], 'get of some');
    const often = await store.get('value', indexesOf([row(2), row(1), row(2), row(9), row(9), row(2)]));
    const different = new Map(often.map((one) => [writeHex(one.index), one]));
    // A store may return a row once for each time it was asked for.
    expectRows([...different.values()], [row(1), row(2)], 'get with repeats');
  },

  async 'get: 1,000 and 5,000 indexes at once'(fresh) {
    const { store } = await opened(fresh);
    for (let at = 0; at < 5_000; at += 1_000) await createAll(store, 1, entriesOf(rowsFrom(at, 1_000)));
    expectRows(await store.get('value', indexesOf(rowsFrom(500, 1_000))), rowsFrom(500, 1_000), 'get of 1,000');
    expectRows(await store.get('value', indexesOf(rowsFrom(2_500, 5_000))), rowsFrom(2_500, 2_500), 'get of 5,000');
  },

  async 'rows are returned as they were written'(fresh) {
    const { store, other } = await opened(fresh);
    const large = new Uint8Array(MAX_BODY);
    for (let i = 0; i < large.length; i++) large[i] = (i * 197) >>> 5;
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const rows = [
      row(1, { body: Uint8Array.of(0) }),
      row(2, { body: new Uint8Array(1_000) }),
      row(3, { body: every }),
      row(4, { body: large }),
      row(5, { expires: 0 }),
      row(6, { expires: MAX_NUMBER }),
      row(7, { version: MAX_NUMBER }),
      row(8, { key: '23456' }),
      { ...row(9), index: new Uint8Array(16) },
      { ...row(10), index: new Uint8Array(16).fill(0xff) },
      { ...row(11), index: every.subarray(0x27, 0x37) },
      // Parts of larger arrays, as a vault passes them.
      row(12, { body: every.subarray(3, 200) }),
    ];
    await createAll(store, 1, entriesOf(rows));
    expectRows(await other.get('value', indexesOf(rows)), rows, 'get');
    expectRows(await other.scan('value', { after: null, limit: 100 }), rows, 'scan');
    const changes = rows.map((one) => ({ table: 'token' as const, index: one.index, from: 0, to: one }));
    expectEqual(await store.change(1, changes), true, 'change');
    expectRows(await other.get('token', indexesOf(rows)), rows, 'get after change');
  },

  async 'rows are copied when they are written and when they are returned'(fresh) {
    const { store } = await opened(fresh);
    const mine = row(1);
    await createAll(store, 1, [{ row: mine }]);
    const { index } = row(1);
    mine.body.fill(0xee);
    mine.index.fill(0xee);
    expectRows(await store.get('value', [index]), [row(1)], 'get after the caller has reused their bytes');
    for (const one of await store.get('value', [index])) one.body.fill(0xdd);
    for (const one of await store.scan('value', { after: null, limit: 1 })) one.index.fill(0xdd);
    expectRows(await store.get('value', [index]), [row(1)], 'get after a caller has written into returned rows');
  },

  async 'scan: in the order of unsigned bytes, page by page'(fresh) {
    const { store } = await opened(fresh);
    // Bytes at which a comparison of signed bytes, of texts, or of zero-terminated texts would go wrong.
    const edges = [0x00, 0x01, 0x20, 0x41, 0x61, 0x7f, 0x80, 0xc3, 0xfe, 0xff];
    const rows = edges.flatMap((first) =>
      edges.map((last): Row => {
        const index = new Uint8Array(16);
        index[0] = first;
        index[15] = last;
        return { ...row(0), index };
      }),
    );
    // Written in another order.
    await createAll(store, 1, entriesOf([...rows.slice(37).reverse(), ...rows.slice(0, 37)]));
    for (const limit of [1, 7, 99, 100, 1_000]) {
      const seen: Row[] = [];
      for (let page = await store.scan('value', { after: null, limit }); page.length > 0; ) {
        expectEqual(page.length <= limit, true, `a page has at most ${limit} rows`);
        seen.push(...page);
        expectEqual(seen.length <= rows.length, true, `pages of ${limit} end`);
        page = await store.scan('value', { after: page.at(-1)!.index, limit });
      }
      expectEqual(
        seen.map(({ index }) => writeHex(index)),
        rows.map(({ index }) => writeHex(index)),
        `pages of ${limit}`,
      );
    }
    const between = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0x7f : 0xff));
    const [next] = await store.scan('value', { after: between, limit: 1 });
    expectEqual(next && writeHex(next.index), writeHex(rows[60]!.index), 'the row after an index that does not exist');
    expectEqual(await store.scan('token', { after: null, limit: 10 }), [], 'scan of another table');
  },

  async 'scan: with `notKey`, only rows of other keys'(fresh) {
    const { store } = await opened(fresh);
    const rows = rowsFrom(0, 50).map((one, i) => ({ ...one, key: ['aaaaa', 'bbbbb', 'ccccc'][i % 3]! }));
    await createAll(store, 1, entriesOf(rows));
    for (const notKey of ['aaaaa', 'bbbbb', 'ddddd', undefined]) {
      const seen: Row[] = [];
      for (let after: Uint8Array | null = null; ; after = seen.at(-1)!.index) {
        const page: Row[] = await store.scan('value', { after, limit: 4, notKey });
        seen.push(...page);
        expectEqual(seen.length <= rows.length, true, 'pages end');
        // A page is short only at the end: rows of the excluded key do not count.
        if (page.length < 4) break;
      }
      expectRows(
        seen,
        rows.filter(({ key }) => key !== notKey),
        `scan of other keys than ${notKey}`,
      );
    }
  },
};
