/** Cases of `open`, `meta` and `setMeta`, and of writes under another generation. */

import { TABLES } from '../../stores/store.ts';
import { expectEqual, expectRows, expectTable } from '../assertions.ts';
import { indexesOf, MAX_META, row, rowsFrom } from '../rows.ts';
import { allOf, type Cases, createAll, opened } from '../verbs.ts';

export const META: Cases = {
  async 'open: any number of times, and by several at once'(fresh) {
    const stores = [fresh.store, ...(await Promise.all([1, 2, 3].map(() => fresh.again())))];
    await Promise.all(stores.map((store) => store.open()));
    for (const store of stores) await store.open();
    expectEqual(await fresh.store.setMeta({ generation: 1, text: 'x' }), true, 'setMeta');
    await fresh.store.open();
    expectEqual(await fresh.store.meta(), { generation: 1, text: 'x' }, 'meta after another open');
  },

  async 'open: a new store is empty, and a write to it is stale'({ store }) {
    await store.open();
    expectEqual(await store.meta(), null, 'meta');
    expectEqual(await store.create(1, 'value', [{ row: row(1) }]), 'stale', 'create without metadata');
    for (const table of TABLES) await expectTable(store, table, []);
  },

  async 'meta: goes up by one generation at a time'({ store }) {
    await store.open();
    expectEqual(await store.setMeta({ generation: 2, text: 'b' }), false, 'setMeta of generation 2 in a new store');
    expectEqual(await store.meta(), null, 'meta');
    expectEqual(await store.setMeta({ generation: 1, text: 'a' }), true, 'setMeta of generation 1');
    expectEqual(await store.setMeta({ generation: 1, text: 'c' }), false, 'setMeta of generation 1 once more');
    expectEqual(await store.setMeta({ generation: 3, text: 'c' }), false, 'setMeta of generation 3 after 1');
    expectEqual(await store.meta(), { generation: 1, text: 'a' }, 'meta');
    expectEqual(await store.setMeta({ generation: 2, text: 'b' }), true, 'setMeta of generation 2 after 1');
    expectEqual(await store.setMeta({ generation: 1, text: 'c' }), false, 'setMeta of generation 1 after 2');
    expectEqual(await store.meta(), { generation: 2, text: 'b' }, 'meta');
  },

  async 'meta: if several callers set one generation, one succeeds'(fresh) {
    const { store, other } = await opened(fresh);
    for (let generation = 2; generation < 6; generation++) {
      const texts = Array.from({ length: 8 }, (_, i) => `${generation} ${i}`);
      const set = await Promise.all(
        texts.map((text, i) => (i % 2 === 0 ? store : other).setMeta({ generation, text })),
      );
      expectEqual(set.filter(Boolean).length, 1, 'number of setMeta of one generation that returned true');
      expectEqual(await other.meta(), { generation, text: texts[set.indexOf(true)] }, 'meta');
    }
  },

  async 'meta: 64 KiB of any text'({ store }) {
    await store.open();
    const odd = `'"\\{}$1 ?:\n\t\r\u0001\u2028 Zoë 山田太郎 🍀`;
    const texts = ['', odd, 'x'.repeat(MAX_META)];
    for (const [i, text] of texts.entries()) {
      expectEqual(await store.setMeta({ generation: i + 1, text }), true, 'setMeta');
      expectEqual((await store.meta())?.text === text, true, `text ${i} is returned unchanged`);
    }
  },

  async 'meta: a write of another generation is stale and writes nothing'(fresh) {
    const { store, other } = await opened(fresh);
    await createAll(store, 1, [{ row: row(1, { expires: 5 }) }]);
    expectEqual(await other.setMeta({ generation: 2, text: 'b' }), true, 'setMeta');
    for (const generation of [0, 1, 3]) {
      expectEqual(await store.create(generation, 'value', [{ row: row(2) }]), 'stale', `create under ${generation}`);
      const to = { ...row(1), version: 2 };
      const change = { table: 'value' as const, index: to.index, from: 1, to };
      expectEqual(await store.change(generation, [change]), 'stale', `change under ${generation}`);
      expectEqual(
        await store.change(generation, [{ ...change, from: 9 }]),
        'stale',
        `another change under ${generation}`,
      );
      expectEqual(await store.sweep(generation, 10), 'stale', `sweep under ${generation}`);
    }
    await expectTable(store, 'value', [row(1, { expires: 5 })]);
    expectEqual(await store.sweep(2, 10), 1, 'sweep under 2');
  },

  async 'meta: no write of an older generation takes effect after setMeta, not even one that had begun'(fresh) {
    const { store, other } = await opened(fresh);
    for (let generation = 1; generation < 5; generation++) {
      const write = async (i: number): Promise<void> => {
        const rows = rowsFrom(10_000 * generation + 100 * i, 20);
        const entries = rows.map((one, j) => ({ row: one, with: row(10_000 * generation + 100 * i + 50 + j) }));
        const result = await (i % 2 === 0 ? store : other).create(generation, 'value', entries);
        const found = await other.get('value', indexesOf(rows));
        expectEqual(
          found.length,
          result === 'stale' ? 0 : 20,
          `rows of a create that returned ${JSON.stringify(result)}`,
        );
      };
      const writes = Array.from({ length: 12 }, (_, i) => write(i));
      expectEqual(await other.setMeta({ generation: generation + 1, text: 'x' }), true, 'setMeta');
      const before = await allOf(other, 'value');
      await Promise.all(writes);
      expectRows(
        await allOf(other, 'value'),
        before,
        'rows after all creates have ended, compared with those after setMeta',
      );
    }
  },
};
