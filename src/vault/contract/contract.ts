/**
 * What a store of a vault must hold (`trefoil/vault-contract`): a suite to run on one's own adapter, under any test
 * runner. It covers what src/vault/stores/store.ts says, sentence by sentence, as far as one process can see it; death of a
 * process is for the adapter's own tests.
 */

import { writeHex } from '../../core/hex.ts';
import type { Change, Entry, Row, Stale, Table, VaultStore } from '../stores/store.ts';

/** A store that nobody has used, nor opened. */
export interface FreshStore {
  readonly store: VaultStore;
  /** Another store over the same data: another handle or connection, where there are such. Not opened. */
  readonly again: () => Promise<VaultStore>;
  /** Takes the data away. Called once, at the end of a case. */
  readonly drop: () => Promise<void>;
}

/** One case of the suite. */
export interface ContractCase {
  readonly name: string;
  /** Rejects with an `Error` that says what was expected, and what was there. */
  readonly run: () => Promise<void>;
}

/** Largest body of a row. */
const MAX_BODY = 2 * 1024 * 1024;

/** Largest text of the metadata. */
const MAX_META = 64 * 1024;

/** Largest version, and the largest day that is asked of a store. */
const MAX_NUMBER = 2 ** 31 - 1;

const TABLES: readonly Table[] = ['value', 'token', 'subject'];

/** What a case gets: a store with its tables and metadata of generation 1, and another over the same data. */
interface Opened {
  readonly store: VaultStore;
  readonly other: VaultStore;
  readonly fresh: FreshStore;
}

/**
 * The suite. Each case makes a store of its own; cases may run one after the other or at once, if `make` allows it.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'trefoil/vault';
 * import { contractCases } from 'trefoil/vault-contract';
 *
 * const cases = contractCases(async () => {
 *   const store = memoryStore();
 *   return { store, again: async () => store, drop: async () => {} };
 * });
 * // Under a test runner: for (const { name, run } of cases) test(name, run);
 * for (const { run } of cases.slice(0, 3)) await run();
 * cases[0]?.name; // → 'open: any number of times, and by several at once'
 * ```
 */
export function contractCases(make: () => Promise<FreshStore>): readonly ContractCase[] {
  return Object.entries({ ...META, ...CREATE, ...CHANGE, ...READ, ...UPKEEP }).map(([name, body]) => ({
    name,
    async run() {
      const fresh = await make();
      try {
        await body(fresh);
      } finally {
        await fresh.drop();
      }
    },
  }));
}

type Cases = Readonly<Record<string, (fresh: FreshStore) => Promise<void>>>;

const META: Cases = {
  async 'open: any number of times, and by several at once'(fresh) {
    const stores = [fresh.store, ...(await Promise.all([1, 2, 3].map(() => fresh.again())))];
    await Promise.all(stores.map((store) => store.open()));
    for (const store of stores) await store.open();
    same(await fresh.store.setMeta({ generation: 1, text: 'x' }), true, 'setMeta');
    await fresh.store.open();
    same(await fresh.store.meta(), { generation: 1, text: 'x' }, 'meta after another open');
  },

  async 'open: a new store is empty, and writes to it are stale'({ store }) {
    await store.open();
    same(await store.meta(), null, 'meta');
    same(await store.create(1, 'value', [{ row: row(1) }]), 'stale', 'create without metadata');
    for (const table of TABLES) await holds(store, table, []);
  },

  async 'meta: goes up by one generation at a time'({ store }) {
    await store.open();
    same(await store.setMeta({ generation: 2, text: 'b' }), false, 'setMeta of generation 2 where there is none');
    same(await store.meta(), null, 'meta');
    same(await store.setMeta({ generation: 1, text: 'a' }), true, 'setMeta of generation 1');
    same(await store.setMeta({ generation: 1, text: 'c' }), false, 'setMeta of generation 1 once more');
    same(await store.setMeta({ generation: 3, text: 'c' }), false, 'setMeta of generation 3 after 1');
    same(await store.meta(), { generation: 1, text: 'a' }, 'meta');
    same(await store.setMeta({ generation: 2, text: 'b' }), true, 'setMeta of generation 2 after 1');
    same(await store.setMeta({ generation: 1, text: 'c' }), false, 'setMeta of generation 1 after 2');
    same(await store.meta(), { generation: 2, text: 'b' }, 'meta');
  },

  async 'meta: of many who set one generation, one does'(fresh) {
    const { store, other } = await opened(fresh);
    for (let generation = 2; generation < 6; generation++) {
      const texts = Array.from({ length: 8 }, (_, i) => `${generation} ${i}`);
      const set = await Promise.all(
        texts.map((text, i) => (i % 2 === 0 ? store : other).setMeta({ generation, text })),
      );
      same(set.filter(Boolean).length, 1, 'how many setMeta of one generation were told that they did');
      same(await other.meta(), { generation, text: texts[set.indexOf(true)] }, 'meta');
    }
  },

  async 'meta: 64 KiB of any text'({ store }) {
    await store.open();
    const odd = `'"\\{}$1 ?:\n\t\r\u0001\u2028 Zoë 山田太郎 🍀`;
    const texts = ['', odd, 'x'.repeat(MAX_META)];
    for (const [i, text] of texts.entries()) {
      same(await store.setMeta({ generation: i + 1, text }), true, 'setMeta');
      same((await store.meta())?.text === text, true, `text ${i} came back as it was`);
    }
  },

  async 'meta: a write of another generation is stale and writes nothing'(fresh) {
    const { store, other } = await opened(fresh);
    await created(store, 1, [{ row: row(1, { expires: 5 }) }]);
    same(await other.setMeta({ generation: 2, text: 'b' }), true, 'setMeta');
    for (const generation of [0, 1, 3]) {
      same(await store.create(generation, 'value', [{ row: row(2) }]), 'stale', `create under ${generation}`);
      const to = { ...row(1), version: 2 };
      const change = { table: 'value' as const, index: to.index, from: 1, to };
      same(await store.change(generation, [change]), 'stale', `change under ${generation}`);
      same(await store.change(generation, [{ ...change, from: 9 }]), 'stale', `another change under ${generation}`);
      same(await store.sweep(generation, 10), 'stale', `sweep under ${generation}`);
    }
    await holds(store, 'value', [row(1, { expires: 5 })]);
    same(await store.sweep(2, 10), 1, 'sweep under 2');
  },

  async 'meta: no write of an older generation takes effect after setMeta, also none that had begun'(fresh) {
    const { store, other } = await opened(fresh);
    for (let generation = 1; generation < 5; generation++) {
      const write = async (i: number): Promise<void> => {
        const rows = span(10_000 * generation + 100 * i, 20);
        const entries = rows.map((one, j) => ({ row: one, with: row(10_000 * generation + 100 * i + 50 + j) }));
        const told = await (i % 2 === 0 ? store : other).create(generation, 'value', entries);
        const there = await other.get('value', indexesOf(rows));
        same(there.length, told === 'stale' ? 0 : 20, `rows of a create that was told ${JSON.stringify(told)}`);
      };
      const writes = Array.from({ length: 12 }, (_, i) => write(i));
      same(await other.setMeta({ generation: generation + 1, text: 'x' }), true, 'setMeta');
      const before = await allOf(other, 'value');
      await Promise.all(writes);
      sameRows(await allOf(other, 'value'), before, 'rows when all creates had ended, against those after setMeta');
    }
  },
};

const CREATE: Cases = {
  async 'create: tells the positions that were written, and keeps the row that stands'(fresh) {
    const { store } = await opened(fresh);
    same(await store.create(1, 'value', []), [], 'create of nothing');
    same(positions(await store.create(1, 'value', [1, 3].map(entry))), [0, 1], 'positions');
    const late = [0, 1, 2, 3, 4].map((n) => ({ row: row(n, { key: 'later', body: Uint8Array.of(9) }) }));
    same(positions(await store.create(1, 'value', late)), [0, 2, 4], 'positions, where two of five are taken');
    same(positions(await store.create(1, 'value', late)), [], 'positions, when it is repeated');
    await holds(store, 'value', [late[0]!.row, row(1), late[2]!.row, row(3), late[4]!.row]);
  },

  async 'create: one index in three tables is three rows'(fresh) {
    const { store } = await opened(fresh);
    const [value, token, subject] = ['aaaaa', 'bbbbb', 'ccccc'].map((key) => row(7, { key }));
    same(positions(await store.create(1, 'subject', [{ row: subject! }])), [0], 'positions');
    same(positions(await store.create(1, 'value', [{ row: value!, with: token! }])), [0], 'positions');
    for (const [table, one] of [
      ['value', value!],
      ['token', token!],
      ['subject', subject!],
    ] as const) {
      await holds(store, table, [one]);
    }
  },

  async 'create: a row of `with` is written when its row is, and only then'(fresh) {
    const { store } = await opened(fresh);
    await created(store, 1, [entry(1)]);
    const entries = [0, 1, 2].map((n) => ({ row: row(n), with: row(100 + n) }));
    const told = await store.create(1, 'value', [...entries, { row: row(3), with: undefined }]);
    same(positions(told), [0, 2, 3], 'positions');
    await holds(store, 'token', [row(100), row(102)]);
    await holds(store, 'value', span(0, 4));
  },

  async 'create: nothing is written where a row stands under an index of `unless`'(fresh) {
    const { store } = await opened(fresh);
    await created(store, 1, [entry(1), entry(2)]);
    // The same index in another table is no obstacle.
    await created(store, 1, [entry(50)], 'subject');
    const at = (...numbers: number[]) => numbers.map((n) => row(n).index);
    const told = await store.create(1, 'value', [
      { row: row(10), with: row(110), unless: at(1) },
      { row: row(11), with: row(111), unless: at(99, 2) },
      { row: row(12), with: row(112), unless: at(98, 99, 50) },
      { row: row(1), with: row(113), unless: at(97) },
      { row: row(14), with: row(114), unless: [] },
      { row: row(15), unless: undefined },
    ]);
    same(positions(told), [2, 4, 5], 'positions');
    await holds(
      store,
      'value',
      [1, 2, 12, 14, 15].map((n) => row(n)),
    );
    await holds(
      store,
      'token',
      [112, 114].map((n) => row(n)),
    );
  },

  async 'create: a row of `with` never takes the place of another, and then nothing of the batch is written'(fresh) {
    const { store, other } = await opened(fresh);
    await created(store, 1, [{ row: row(1), with: row(101) }]);
    const thief = row(101, { key: 'thief', body: Uint8Array.of(9) });
    const batch = [{ row: row(2), with: row(102) }, { row: row(3) }, { row: row(4), with: thief }, entry(5)];
    for (const table of ['value', 'subject'] as const) {
      await refused(store.create(1, table, batch), 'store_failed', `create in ${table} with an index that is taken`);
      await refused(store.create(1, table, batch.toReversed()), 'store_failed', `the same in ${table}, last first`);
    }
    await holds(other, 'value', [row(1)]);
    await holds(other, 'token', [row(101)]);
    await holds(other, 'subject', []);
    // Where its own row is not written, its index does not matter.
    same(positions(await store.create(1, 'value', [{ row: row(1), with: thief }, entry(6)])), [1], 'positions');
    const absent = { row: row(7), with: thief, unless: [row(1).index] };
    same(positions(await store.create(1, 'value', [absent, entry(8)])), [1], 'positions where `unless` stands');
    await holds(other, 'token', [row(101)]);
    // And it is free for what begins anew.
    const again = batch.toSpliced(2, 1, { row: row(4), with: row(104) });
    same(positions(await other.create(1, 'value', again)), [0, 1, 2, 3], 'positions of the batch with another index');
  },

  async 'create: refuses a batch that has an index twice, and writes nothing of it'(fresh) {
    const { store } = await opened(fresh);
    const [first, second] = [row(1), row(1, { key: 'later', body: Uint8Array.of(9) })];
    const batches: Readonly<Record<string, readonly Entry[]>> = {
      'two rows under one index': [{ row: first }, entry(2), { row: second }],
      'one row twice': [entry(2), { row: first }, { row: first }],
      'two rows under one index, each with another': [
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
        await refused(store.create(1, table, batch), 'store_failed', `create in ${table} of ${name}`);
      }
    }
    for (const table of TABLES) await holds(store, table, []);
    // A row and that of a `with` are in two tables.
    const both = [
      { row: row(1), with: row(2) },
      { row: row(2), with: row(1) },
    ];
    same(positions(await store.create(1, 'value', both)), [0, 1], 'positions');
  },

  async 'create: of many callers with one index, one wins'(fresh) {
    const { store, other } = await opened(fresh);
    for (let n = 0; n < 10; n++) {
      const told = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          (i % 2 === 0 ? store : other).create(1, 'value', [
            { row: row(n, { body: Uint8Array.of(i + 1) }), with: row(1_000 + 10 * n + i) },
          ]),
        ),
      );
      const winners = told.flatMap((one, i) => (positions(one).length === 1 ? [i] : []));
      same(winners.length, 1, 'how many were told that they wrote the row');
      const [there] = await store.get('value', [row(n).index]);
      same(there?.body[0], winners[0]! + 1, 'whose row is there');
    }
    const tokens = await store.get('token', indexesOf(span(1_000, 100)));
    same(tokens.length, 10, 'rows of `with`: one for each that was won');
  },

  async 'create: overlapping batches in opposite orders do not lock each other out'(fresh) {
    const { store, other } = await opened(fresh);
    const batches = Array.from({ length: 10 }, (_, i) => {
      const entries = Array.from({ length: 300 }, (_, j): Entry => {
        const n = 20 * i + j;
        return { row: row(n, { body: Uint8Array.of(i + 1) }), with: row(10_000 + 1_000 * i + j) };
      });
      return i % 2 === 0 ? entries : entries.reverse();
    });
    const told = await Promise.all(batches.map((batch, i) => (i % 4 < 2 ? store : other).create(1, 'value', batch)));
    const expected: Row[] = [];
    const tokens: Row[] = [];
    for (const [i, batch] of batches.entries()) {
      for (const position of positions(told[i]!)) {
        expected.push(batch[position]!.row);
        tokens.push(batch[position]!.with!);
      }
    }
    same(expected.length, 20 * 9 + 300, 'rows that somebody was told to have written: each once');
    await holds(store, 'value', expected);
    await holds(other, 'token', tokens);
  },

  async 'create: a batch is there as a whole or not at all'(fresh) {
    const { store, other } = await opened(fresh);
    const entries = span(0, 1_000).map((one, i): Entry => ({ row: one, with: row(5_000 + i) }));
    let over = false;
    const write = store.create(1, 'value', entries).finally(() => {
      over = true;
    });
    do {
      const values = (await other.scan('value', { after: null, limit: 2_000 })).length;
      same(values === 0 || values === 1_000, true, `either none or all of a batch of 1,000 are seen (seen: ${values})`);
      const tokens = (await other.scan('token', { after: null, limit: 2_000 })).length;
      // Read later, so there may be more, but not some.
      same(tokens === 1_000 || (tokens === 0 && values === 0), true, `as many rows of \`with\` (seen: ${tokens})`);
      // A store that answers in microtasks would starve the writer.
      await new Promise((done) => setTimeout(done, 0));
    } while (!over);
    same(positions(await write).length, 1_000, 'positions');
  },
};

const CHANGE: Cases = {
  async 'change: makes, replaces and removes rows of all tables at once'(fresh) {
    const { store } = await opened(fresh);
    await created(store, 1, [{ row: row(1), with: row(2) }]);
    await created(store, 1, [entry(3)], 'subject');
    same(await store.change(1, []), true, 'change of nothing');
    const next = { ...row(1), version: 2, key: 'other', expires: 7, body: Uint8Array.of(1, 2, 3) };
    const changes = [
      { table: 'value', index: row(1).index, from: 1, to: next },
      { table: 'token', index: row(2).index, from: 1, to: null },
      { table: 'token', index: row(4).index, from: 0, to: row(4) },
      { table: 'subject', index: row(3).index, from: 1, to: row(3, { version: 2 }) },
      // Nothing is there, and nothing shall be.
      { table: 'subject', index: row(5).index, from: 0, to: null },
    ] as const;
    same(await store.change(1, changes), true, 'change');
    await holds(store, 'value', [next]);
    await holds(store, 'token', [row(4)]);
    await holds(store, 'subject', [row(3, { version: 2 })]);
    same(await store.change(1, changes), false, 'the same change once more');
    await holds(store, 'value', [next]);
  },

  async 'change: does nothing when one row is not as expected'(fresh) {
    const { store } = await opened(fresh);
    await created(store, 1, [{ row: row(1), with: row(2) }]);
    const good = [
      { table: 'value', index: row(1).index, from: 1, to: row(1, { version: 2 }) },
      { table: 'token', index: row(2).index, from: 1, to: null },
      { table: 'subject', index: row(3).index, from: 0, to: row(3) },
    ] as const;
    const wrong = {
      'a row of another version': { table: 'value', index: row(1).index, from: 2, to: row(1, { version: 3 }) },
      'a row that is not there': { table: 'value', index: row(9).index, from: 1, to: row(9, { version: 2 }) },
      'a row that is to be removed and is not there': { table: 'value', index: row(9).index, from: 1, to: null },
      'a row where none was expected': { table: 'token', index: row(2).index, from: 0, to: row(2, { key: 'other' }) },
    } as const;
    for (const [name, change] of Object.entries(wrong)) {
      const fitting = good.filter(({ table, index }) => table !== change.table || !equal(index, change.index));
      for (const changes of [
        [change, ...fitting],
        [...fitting, change],
      ]) {
        same(await store.change(1, changes), false, `change with ${name}`);
      }
      await holds(store, 'value', [row(1)]);
      await holds(store, 'token', [row(2)]);
      await holds(store, 'subject', []);
    }
    same(await store.change(1, good), true, 'change with none of these');
  },

  async 'change: refuses a batch that has an index twice in one table, and writes nothing of it'(fresh) {
    const { store } = await opened(fresh);
    await created(store, 1, [{ row: row(1), with: row(1) }]);
    await created(store, 1, [entry(1)], 'subject');
    const { index } = row(1);
    const later = row(1, { version: 2, key: 'later' });
    const free = row(2).index;
    for (const table of TABLES) {
      const batches: Readonly<Record<string, readonly Change[]>> = {
        'two new rows': [row(2), row(2, { key: 'later' })].map((to) => ({ table, index: free, from: 0, to })),
        'a row that is removed and made': [
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
        'a row that is made where none shall be': [
          { table, index: free, from: 0, to: null },
          { table, index: free, from: 0, to: row(2) },
        ],
      };
      const other: Change = { table, index: row(3).index, from: 0, to: row(3) };
      for (const [name, batch] of Object.entries(batches)) {
        for (const changes of [batch, batch.toReversed(), [batch[0]!, other, ...batch.slice(1)]]) {
          await refused(store.change(1, changes), 'store_failed', `change in ${table} of ${name}`);
        }
      }
    }
    for (const table of TABLES) await holds(store, table, [row(1)]);
    // One index in three tables is three rows.
    const each = TABLES.map((table) => ({ table, index, from: 1, to: later }));
    same(await store.change(1, each), true, 'change of one index in three tables');
  },

  async 'change: of many from one version, one wins'(fresh) {
    const { store, other } = await opened(fresh);
    for (let from = 0; from < 6; from++) {
      const told = await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const to = row(1, { version: from + 1, body: Uint8Array.of(i + 1) });
          return (i % 2 === 0 ? store : other).change(1, [{ table: 'value', index: to.index, from, to }]);
        }),
      );
      same(told.filter((one) => one === true).length, 1, `how many changes from version ${from} were made`);
      await holds(store, 'value', [row(1, { version: from + 1, body: Uint8Array.of(told.indexOf(true) + 1) })]);
    }
  },

  async 'change: overlapping batches in opposite orders do not lock each other out'(fresh) {
    const { store, other } = await opened(fresh);
    const rows = span(0, 60);
    await created(
      store,
      1,
      rows.map((one) => ({ row: one })),
    );
    let made = 0;
    for (let round = 0; round < 5; round++) {
      const before = await store.get('value', indexesOf(rows));
      const version = new Map(before.map((one) => [writeHex(one.index), one.version]));
      const told = await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const changes = rows.slice(5 * i, 5 * i + 20).map(({ index }, j) => {
            const from = version.get(writeHex(index))!;
            return { table: 'value' as const, index, from, to: row(5 * i + j, { version: from + 1 }) };
          });
          return (i % 4 < 2 ? store : other).change(1, i % 2 === 0 ? changes : changes.reverse());
        }),
      );
      const wins = told.filter((one) => one === true).length;
      same(wins > 0, true, 'somebody wins');
      made += wins;
    }
    const after = await store.get('value', indexesOf(rows));
    const sum = after.reduce((total, one) => total + one.version - 1, 0);
    same(sum, 20 * made, 'versions that went up: those of the batches that were told so');
  },
};

const READ: Cases = {
  async 'get: rows that are there, whatever is asked'(fresh) {
    const { store } = await opened(fresh);
    await created(store, 1, [1, 2, 3].map(entry));
    same(await store.get('value', []), [], 'get of nothing');
    same(await store.get('token', indexesOf(span(1, 3))), [], 'get from another table');
    same(await store.get('value', [row(8).index, row(9).index]), [], 'get of what is not there');
    sameRows(await store.get('value', indexesOf([row(2), row(9), row(1)])), [row(1), row(2)], 'get of some');
    const often = await store.get('value', indexesOf([row(2), row(1), row(2), row(9), row(9), row(2)]));
    const different = new Map(often.map((one) => [writeHex(one.index), one]));
    // Whether a row is given for each time it was asked for is left open.
    sameRows([...different.values()], [row(1), row(2)], 'get with repeats');
  },

  async 'get: 1,000 and 5,000 indexes at once'(fresh) {
    const { store } = await opened(fresh);
    for (let at = 0; at < 5_000; at += 1_000)
      await created(
        store,
        1,
        span(at, 1_000).map((one) => ({ row: one })),
      );
    sameRows(await store.get('value', indexesOf(span(500, 1_000))), span(500, 1_000), 'get of 1,000');
    sameRows(await store.get('value', indexesOf(span(2_500, 5_000))), span(2_500, 2_500), 'get of 5,000');
  },

  async 'rows come back as they were written'(fresh) {
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
      // Parts of larger arrays, as a vault hands them over.
      row(12, { body: every.subarray(3, 200) }),
    ];
    await created(
      store,
      1,
      rows.map((one) => ({ row: one })),
    );
    sameRows(await other.get('value', indexesOf(rows)), rows, 'get');
    sameRows(await other.scan('value', { after: null, limit: 100 }), rows, 'scan');
    const changes = rows.map((one) => ({ table: 'token' as const, index: one.index, from: 0, to: one }));
    same(await store.change(1, changes), true, 'change');
    sameRows(await other.get('token', indexesOf(rows)), rows, 'get after change');
  },

  async 'rows are copies, on the way in and out'(fresh) {
    const { store } = await opened(fresh);
    const mine = row(1);
    await created(store, 1, [{ row: mine }]);
    const { index } = row(1);
    mine.body.fill(0xee);
    mine.index.fill(0xee);
    sameRows(await store.get('value', [index]), [row(1)], 'get after the caller reused his bytes');
    for (const one of await store.get('value', [index])) one.body.fill(0xdd);
    for (const one of await store.scan('value', { after: null, limit: 1 })) one.index.fill(0xdd);
    sameRows(await store.get('value', [index]), [row(1)], 'get after somebody wrote into what get gave');
  },

  async 'scan: in the order of unsigned bytes, page by page'(fresh) {
    const { store } = await opened(fresh);
    // First and last bytes around the places where signed bytes, texts and zero-ended texts go astray.
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
    await created(
      store,
      1,
      [...rows.slice(37).reverse(), ...rows.slice(0, 37)].map((one) => ({ row: one })),
    );
    for (const limit of [1, 7, 99, 100, 1_000]) {
      const seen: Row[] = [];
      for (let page = await store.scan('value', { after: null, limit }); page.length > 0; ) {
        same(page.length <= limit, true, `no more than ${limit} rows in a page`);
        seen.push(...page);
        same(seen.length <= rows.length, true, `pages of ${limit} come to an end`);
        page = await store.scan('value', { after: page.at(-1)!.index, limit });
      }
      same(
        seen.map(({ index }) => writeHex(index)),
        rows.map(({ index }) => writeHex(index)),
        `pages of ${limit}`,
      );
    }
    const between = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0x7f : 0xff));
    const [next] = await store.scan('value', { after: between, limit: 1 });
    same(next && writeHex(next.index), writeHex(rows[60]!.index), 'the row behind an index that is not there');
    same(await store.scan('token', { after: null, limit: 10 }), [], 'scan of another table');
  },

  async 'scan: rows of other keys alone'(fresh) {
    const { store } = await opened(fresh);
    const rows = span(0, 50).map((one, i) => ({ ...one, key: ['aaaaa', 'bbbbb', 'ccccc'][i % 3]! }));
    await created(
      store,
      1,
      rows.map((one) => ({ row: one })),
    );
    for (const notKey of ['aaaaa', 'bbbbb', 'ddddd', undefined]) {
      const seen: Row[] = [];
      for (let after: Uint8Array | null = null; ; after = seen.at(-1)!.index) {
        const page: Row[] = await store.scan('value', { after, limit: 4, notKey });
        seen.push(...page);
        same(seen.length <= rows.length, true, 'pages come to an end');
        // A page is short only at the end: rows of the key do not count.
        if (page.length < 4) break;
      }
      sameRows(
        seen,
        rows.filter(({ key }) => key !== notKey),
        `scan of other keys than ${notKey}`,
      );
    }
  },
};

const UPKEEP: Cases = {
  async 'sweep: takes rows of `value` and `token` that have expired by a day'(fresh) {
    const { store } = await opened(fresh);
    const days = [null, 0, 1, 99, 100, 101, MAX_NUMBER];
    const rows = days.map((expires, n) => row(n, { expires }));
    await created(
      store,
      1,
      rows.map((one, n) => ({ row: one, with: row(100 + n, { expires: days[n]! }) })),
    );
    await created(
      store,
      1,
      rows.map((one) => ({ row: one })),
      'subject',
    );
    same(await store.sweep(1, 100), 8, 'how many were swept by day 100');
    const left = [0, 5, 6];
    await holds(
      store,
      'value',
      left.map((n) => rows[n]!),
    );
    await holds(
      store,
      'token',
      left.map((n) => row(100 + n, { expires: days[n]! })),
    );
    await holds(store, 'subject', rows);
    same(await store.sweep(1, 100), 0, 'how many were swept once more');
  },

  async 'sweep: both rows of a mapping go or neither, whatever is written meanwhile'(fresh) {
    const { store, other } = await opened(fresh);
    const token = 100_000;
    let made = 0;
    let ended = false;
    // Mappings that have expired when they are made, and others that get a new token in the place of the old one.
    const writing = (async () => {
      while (!ended) {
        const first = made;
        made += 10;
        const numbers = Array.from({ length: 10 }, (_, i) => first + i);
        await created(
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
    same(left(await allOf(store, 'token')), left(values), 'numbers of the mappings in the table `token`');
  },

  async 'sizes: rows, and bytes of their bodies'(fresh) {
    const { store } = await opened(fresh);
    const none = { rows: 0, bytes: 0 };
    same(await store.sizes(), { value: none, token: none, subject: none }, 'sizes of an empty store');
    const body = (length: number) => new Uint8Array(length).fill(7);
    await created(store, 1, [
      { row: row(1, { body: body(10) }), with: row(2, { body: body(300) }) },
      { row: row(3, { body: body(20) }) },
    ]);
    await created(store, 1, [{ row: row(4, { body: body(MAX_BODY) }) }], 'subject');
    const expected = {
      value: { rows: 2, bytes: 30 },
      token: { rows: 1, bytes: 300 },
      subject: { rows: 1, bytes: MAX_BODY },
    };
    same(await store.sizes(), expected, 'sizes');
  },

  async 'scrub: leaves what was not destroyed'(fresh) {
    const { store, other } = await opened(fresh);
    await store.scrub();
    await created(
      store,
      1,
      span(0, 200).map((one) => ({ row: one })),
    );
    const gone = span(0, 100).map(({ index }) => ({ table: 'value' as const, index, from: 1, to: null }));
    same(await store.change(1, gone), true, 'change');
    await store.scrub();
    await holds(other, 'value', span(100, 100));
    same(positions(await store.create(1, 'value', [entry(0)])), [0], 'positions');
  },

  async 'close: the data stay, for others and for later'(fresh) {
    const { store, other } = await opened(fresh);
    await created(store, 1, [{ row: row(1), with: row(2) }]);
    await store.close();
    await holds(other, 'value', [row(1)]);
    await created(other, 1, [entry(3)]);
    await other.close();
    const later = await fresh.again();
    await later.open();
    same(await later.meta(), { generation: 1, text: 'a' }, 'meta');
    await holds(later, 'value', [row(1), row(3)]);
    await holds(later, 'token', [row(2)]);
    await later.close();
  },
};

async function opened(fresh: FreshStore): Promise<Opened> {
  const { store } = fresh;
  await store.open();
  const other = await fresh.again();
  await other.open();
  same(await store.setMeta({ generation: 1, text: 'a' }), true, 'setMeta of generation 1');
  return { store, other, fresh };
}

/** A row: its index is told by a number, and lies anywhere. */
function row(n: number, more: Partial<Row> = {}): Row {
  const index = new Uint8Array(16);
  const view = new DataView(index.buffer);
  // 2^32 divided by the golden ratio scatters consecutive numbers.
  view.setUint32(0, Math.imul(n, 0x9e3779b1));
  view.setUint32(12, n);
  const body = Uint8Array.from({ length: 40 + (n % 7) }, (_, i) => n * 31 + i * 7);
  return { index, key: 'k3m7a', version: 1, expires: null, body, ...more };
}

/** The number of a row. */
function numberOf(index: Uint8Array): number {
  return new DataView(index.buffer, index.byteOffset).getUint32(12);
}

/** Rows of consecutive numbers. */
function span(first: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => row(first + i));
}

function entry(n: number): Entry {
  return { row: row(n) };
}

function indexesOf(rows: readonly Row[]): Uint8Array[] {
  return rows.map(({ index }) => index);
}

/** Creates rows that must not be there. */
async function created(
  store: VaultStore,
  generation: number,
  entries: readonly Entry[],
  table: 'value' | 'subject' = 'value',
): Promise<void> {
  same(positions(await store.create(generation, table, entries)).length, entries.length, 'rows that were created');
}

/** A verb that must reject with an error of this code. */
async function refused(work: Promise<unknown>, code: string, what: string): Promise<void> {
  const told = await work.then(
    (answer) => ({ answer }),
    (error: { readonly code?: unknown } | null | undefined) => error?.code ?? 'an error without a code',
  );
  same(told, code, what);
}

function positions(told: readonly number[] | Stale): number[] {
  if (told === 'stale') throw new Error('expected positions, got stale');
  return [...told].sort((a, b) => a - b);
}

async function allOf(store: VaultStore, table: Table): Promise<Row[]> {
  return store.scan(table, { after: null, limit: 100_000 });
}

/** The table holds these rows and no others. */
async function holds(store: VaultStore, table: Table, rows: readonly Row[]): Promise<void> {
  sameRows(await allOf(store, table), rows, `rows of ${table}`);
  sameRows(await store.get(table, indexesOf(rows)), rows, `rows of ${table} by index`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Plain data, compared as JSON with names in order. */
function same(actual: unknown, expected: unknown, what: string): void {
  const [is, must] = [actual, expected].map((value) => JSON.stringify(value, inOrder) ?? 'undefined');
  if (is !== must) throw new Error(`${what}: expected ${short(must!)}, got ${short(is!)}`);
}

function inOrder(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `bigint ${value}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** The same rows, in any order. */
function sameRows(actual: readonly Row[], expected: readonly Row[], what: string): void {
  same(actual.length, expected.length, `${what}: how many`);
  const byIndex = new Map(actual.map((one) => [writeHex(one.index), one]));
  for (const one of expected) {
    const name = writeHex(one.index);
    const found = byIndex.get(name);
    if (found === undefined) throw new Error(`${what}: expected a row under ${name}, got none`);
    for (const field of ['key', 'version', 'expires'] as const) {
      same(found[field], one[field], `${what}: "${field}" of the row under ${name}`);
    }
    const bytes = found.index instanceof Uint8Array && found.body instanceof Uint8Array;
    same(bytes, true, `${what}: index and body of the row under ${name} are Uint8Array`);
    same(found.body.length, one.body.length, `${what}: length of the body of the row under ${name}`);
    same(equal(found.body, one.body), true, `${what}: the body of the row under ${name} is what was written`);
  }
}
