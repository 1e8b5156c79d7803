/** Exports and imports: round trips, in any order and any number of times, and inputs that are refused. */
import { PGlite } from '@electric-sql/pglite';
import { DatabaseSync } from '@photostructure/sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { readContent } from '../../src/vault/rows/content.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import { memoryStore, type Row, type Table, type VaultStore, vault } from '../../src/vault.ts';
import { postgresStore } from '../../src/vault-postgres.ts';
import { sqliteStore } from '../../src/vault-sqlite.ts';

const roots = [keyset.generate(), keyset.generate()].map((set) => JSON.parse(set.export(secretAccess)).keys[0]);
/** The same two keys, with the first or the second as the primary. */
const withPrimary = (which: number, domain = 'eu-enclave') => {
  const list = roots.map(({ id, secret }, i) => ({ id, secret, primary: i === which }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain(domain);
};
const [keys, next] = [withPrimary(0), withPrimary(1)];

const names = vault({ scope: 'person.name', store: 'main' });
const fresh = vault({ scope: 'person.name', store: 'main', onErased: 'new' });
const brief = vault({ scope: 'person.ticket', store: 'main', ttl: 30 });
const phones = vault({ scope: 'person.phone', store: 'main', subject: 'id', onErased: 'new' });

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );
const TABLES = ['value', 'token', 'subject'] as const;
const rowsOf = (store: VaultStore, table: Table) => store.scan(table, { after: null, limit: 1e6 });

/** Returns the contents of a store: rows by their inner indexes, without fields that are random in each store. */
async function contents(store: VaultStore): Promise<Record<string, string>> {
  const layers = openKeys(keys).keys.map((key) => outerLayer(key, 'main'));
  const out: Record<string, string> = {};
  for (const table of TABLES) {
    for (const row of await rowsOf(store, table)) {
      const layer = layers.find(({ id }) => id === row.key)!;
      const { state, inner, link, rest } = readContent(layer.open(table, row)!)!;
      const place = `${table} ${writeHex(layer.innerOf(row.index))}`;
      expect(out[place]).toBeUndefined();
      out[place] =
        state === 'erased'
          ? `erased ${rest.length} ${row.expires}`
          : `${inner} ${table === 'subject' ? '' : writeHex(link)} ${writeHex(rest)} ${row.expires}`;
    }
  }
  return out;
}

async function linesOf(store: VaultStore, as = keys): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of (await names.open(as, { main: store })).export()) lines.push(line);
  return lines;
}
const into = (store: VaultStore, lines: Iterable<string | Uint8Array>, as = keys) =>
  names.import(as, { main: store }, lines);

/** Makes a store that has every kind of row. */
async function filled() {
  const store = memoryStore();
  const one = await names.open(keys, { main: store }, revealAccess);
  const two = await phones.open(keys, { main: store }, revealAccess);
  const three = await brief.open(keys, { main: store }, revealAccess);
  const people = Array.from({ length: 60 }, (_, i) => `Person number ${i}`);
  const tokens = await one.protectMany(people);
  const calls = await two.protectMany(people, { subjects: people.map((_, i) => `subject-${i % 20}`) });
  const tickets = await three.protectMany(people.slice(0, 20));
  await one.forget(tokens[3]!);
  await two.forget(calls[5]!);
  await two.shred('subject-7');
  await two.shred('never there', { inAdvance: true });
  return { store, one, two, three, people, tokens, calls, tickets };
}

describe('a round trip', () => {
  test('a new store has the same contents, and returns the same tokens', async () => {
    const { store, people, tokens, calls, tickets } = await filled();
    const lines = await linesOf(store);
    const target = memoryStore();
    const done = await into(target, lines);
    expect(done).toEqual({
      rows: lines.length - 2,
      written: lines.length - 2,
      there: 0,
      erased: 0,
      expired: 0,
      conflicts: 0,
    });
    expect(await contents(target)).toEqual(await contents(store));
    const one = await names.open(keys, { main: target }, revealAccess);
    const two = await phones.open(keys, { main: target }, revealAccess);
    const three = await brief.open(keys, { main: target }, revealAccess);
    expect((await one.verify()).broken).toBe(0);
    expect(await one.protect(people[0]!)).toBe(tokens[0]);
    expect(await one.reveal(tokens[1]!)).toBe(people[1]);
    expect(await code(one.protect(people[3]!))).toBe('erased');
    expect(await code(one.reveal(tokens[3]!))).toBe('forgotten');
    expect(await two.reveal(calls[1]!)).toBe(people[1]);
    expect(await two.protect(people[1]!, { subject: 'subject-1' })).toBe(calls[1]);
    expect(await code(two.reveal(calls[7]!))).toBe('forgotten');
    expect(await three.reveal(tickets[2]!)).toBe(people[2]);
  });

  test('rows are sealed again in the new store, and the export has nothing in clear', async () => {
    const { store, people, tokens } = await filled();
    const lines = await linesOf(store);
    const target = memoryStore();
    await into(target, lines);
    const text = lines.join('');
    for (const secret of [...people, 'subject-1', 'person.name', ...tokens.map((token) => token.slice(6, 20))]) {
      expect(text).not.toContain(secret);
    }
    for (const table of TABLES) {
      const bodies = new Set((await rowsOf(store, table)).map(({ body }) => writeHex(body)));
      for (const { index, key, version, expires, body } of await rowsOf(store, table)) {
        expect(lines).toContain(
          `${JSON.stringify({ table, index: writeHex(index), key, version, expires, body: Buffer.from(body).toString('base64url') })}\n`,
        );
      }
      for (const { body } of await rowsOf(target, table)) expect(bodies.has(writeHex(body))).toBe(false);
    }
  });

  test('the source may have pieces of any size, bytes, one text, blank lines, or no last line feed', async () => {
    const { store } = await filled();
    const lines = await linesOf(store);
    const bytes = new TextEncoder().encode(lines.join(''));
    const said = await contents(store);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, i) => bytes.slice(777 * i, 777 * i + 777));
    const sources = [pieces, [bytes], lines.join('') as never, [lines.join('\r\n').trimEnd()]];
    for (const source of sources) {
      const target = memoryStore();
      expect((await into(target, source)).rows).toBe(lines.length - 2);
      expect(await contents(target)).toEqual(said);
    }
  });

  test('the same export twice, and one export after another', async () => {
    const { store } = await filled();
    const lines = await linesOf(store);
    const rows = lines.length - 2;
    const said = await contents(store);
    const target = memoryStore();
    await into(target, lines);
    expect(await contents(target)).toEqual(said);
    expect(await into(target, lines)).toMatchObject({ rows, written: 0, there: rows, erased: 0 });
    const later = await linesOf(store);
    expect(await into(target, [...lines, ...later])).toMatchObject({ written: 0, there: 2 * rows });
    expect(await contents(target)).toEqual(said);
  });

  test('two exports of one store have nothing in common but their rows', async () => {
    const { store } = await filled();
    const [a, b] = [await linesOf(store), await linesOf(store)];
    expect(a.slice(1, -1)).toEqual(b.slice(1, -1));
    const [one, other] = [JSON.parse(a[0]!), JSON.parse(b[0]!)];
    expect(one.export).toMatch(/^[0-9a-f]{32}$/);
    expect(one.export).not.toBe(other.export);
    expect(new Date(one.at).toISOString()).toBe(one.at);
    expect(a.at(-1)).not.toBe(b.at(-1));
  });

  test('two stores that started from one export become equal, whichever is imported first', async () => {
    const first = await filled();
    const second = memoryStore();
    await into(second, await linesOf(first.store));
    const other = await names.open(keys, { main: second }, revealAccess);
    const more = await other.protectMany(['Grace', 'Edsger']);
    await other.forget(first.tokens[20]!);
    await first.one.protect('Ada');
    await first.one.forget(first.tokens[21]!);
    await first.two.shred('subject-9');
    const [a, b] = [await linesOf(first.store), await linesOf(second)];
    const targets = [memoryStore(), memoryStore()];
    expect((await into(targets[0]!, [...a, ...b])).conflicts).toBe(0);
    await into(targets[1]!, b);
    await into(targets[1]!, a);
    const said = await contents(targets[0]!);
    expect(await contents(targets[1]!)).toEqual(said);
    await into(first.store, b);
    await into(second, a);
    expect(await contents(first.store)).toEqual(said);
    expect(await contents(second)).toEqual(said);
    expect(await first.one.revealMany(more)).toEqual(['Grace', 'Edsger']);
    expect((await first.one.verify()).broken).toBe(0);
  });
});

describe('erasure', () => {
  test('an older export restores nothing', async () => {
    const { store, one, two, people, tokens, calls } = await filled();
    const before = await linesOf(store);
    await one.forget(tokens[10]!);
    await two.shred('subject-3');
    const said = await contents(store);
    expect(await into(store, before)).toMatchObject({ written: 0, erased: 0, conflicts: 0 });
    expect(await contents(store)).toEqual(said);
    expect(await code(one.reveal(tokens[10]!))).toBe('forgotten');
    expect(await code(one.protect(people[10]!))).toBe('erased');
    expect(await code(two.reveal(calls[3]!))).toBe('forgotten');
  });

  test('a newer export erases in the older store', async () => {
    const { store, one, two, tokens, calls } = await filled();
    const target = memoryStore();
    await into(target, await linesOf(store));
    await one.forget(tokens[10]!);
    await two.shred('subject-3');
    // Value and token, the subject and its key.
    expect(await into(target, await linesOf(store))).toMatchObject({ written: 0, erased: 4, conflicts: 0 });
    expect(await contents(target)).toEqual(await contents(store));
    const [there, calling] = [
      await names.open(keys, { main: target }, revealAccess),
      await phones.open(keys, { main: target }, revealAccess),
    ];
    expect(await code(there.reveal(tokens[10]!))).toBe('forgotten');
    expect(await code(calling.reveal(calls[3]!))).toBe('forgotten');
  });

  test('a subject that was shredded in advance, or with another key, is erased with its key', async () => {
    const { store, two, calls } = await filled();
    const target = memoryStore();
    const there = await phones.open(keys, { main: target }, revealAccess);
    await there.shred('subject-4', { inAdvance: true });
    const own = await there.protect('own', { subject: 'subject-7' });
    await into(target, await linesOf(store));
    expect(await code(there.reveal(calls[4]!))).toBe('forgotten');
    // Shredded in the export, with another key in the store.
    expect(await code(there.reveal(own))).toBe('forgotten');
    const said = await contents(target);
    // Once more, and in the other direction.
    await into(target, await linesOf(store));
    expect(await contents(target)).toEqual(said);
    await into(store, await linesOf(target));
    expect(await code(two.reveal(calls[4]!))).toBe('forgotten');
    expect(await contents(store)).toEqual(said);
  });

  test('a value and a subject that were protected again after their erasure replace the old ones', async () => {
    const store = memoryStore();
    const one = await fresh.open(keys, { main: store }, revealAccess);
    const two = await phones.open(keys, { main: store }, revealAccess);
    const [ada, phone] = [await one.protect('Ada'), await two.protect('1', { subject: 7 })];
    const target = memoryStore();
    const before = await linesOf(store);
    await into(target, before);
    await one.forget(ada);
    await two.shred(7);
    const [again, dial] = [await one.protect('Ada'), await two.protect('1', { subject: 7 })];
    expect((await into(target, await linesOf(store))).conflicts).toBe(0);
    expect(await contents(target)).toEqual(await contents(store));
    const there = await fresh.open(keys, { main: target }, revealAccess);
    const calling = await phones.open(keys, { main: target }, revealAccess);
    expect(await there.protect('Ada')).toBe(again);
    expect(await code(there.reveal(ada))).toBe('forgotten');
    expect(await calling.protect('1', { subject: 7 })).toBe(dial);
    expect(await code(calling.reveal(phone))).toBe('forgotten');
    // The older one is not restored: its mapping has a grave, and the key of its subject was destroyed.
    const said = await contents(target);
    expect(await into(target, before)).toMatchObject({ written: 0, erased: 0, conflicts: 0 });
    expect(await contents(target)).toEqual(said);
  });
});

describe('conflicts', () => {
  test('rows of the store stay, and shredding still destroys everything of a subject', async () => {
    const stores = [memoryStore(), memoryStore()];
    const [a, b] = [await names.open(keys, { main: stores[0]! }), await names.open(keys, { main: stores[1]! })];
    const [x, y] = [await a.protect('Ada'), await b.protect('Ada')];
    const p = await phones.open(keys, { main: stores[0]! }, revealAccess);
    const q = await phones.open(keys, { main: stores[1]! }, revealAccess);
    const mine = await p.protect('1', { subject: 7 });
    const theirs = await q.protect('2', { subject: 7 });
    const lines = await linesOf(stores[1]!);
    // A value and its token, a subject and its key.
    expect((await into(stores[0]!, lines)).conflicts).toBe(4);
    const said = await contents(stores[0]!);
    expect((await into(stores[0]!, lines)).conflicts).toBe(4);
    expect(await contents(stores[0]!)).toEqual(said);
    expect(await a.protect('Ada')).toBe(x);
    const revealing = await names.open(keys, { main: stores[0]! }, revealAccess);
    expect(await revealing.reveal(x)).toBe('Ada');
    expect(await code(revealing.reveal(y))).toBe('unknown_token');
    expect(await p.reveal(mine)).toBe('1');
    expect(await code(p.reveal(theirs))).toBe('forgotten');
    await p.shred(7);
    expect(await code(p.reveal(mine))).toBe('forgotten');
  });

  test('also if the export is cut off', async () => {
    const stores = [memoryStore(), memoryStore()];
    const p = await phones.open(keys, { main: stores[0]! }, revealAccess);
    const q = await phones.open(keys, { main: stores[1]! }, revealAccess);
    await p.protect('1', { subject: 7 });
    const theirs = await q.protect('2', { subject: 7 });
    const lines = await linesOf(stores[1]!);
    expect(await code(into(stores[0]!, lines.slice(0, -1)))).toBe('export_refused');
    expect(await code(p.reveal(theirs))).toBe('unknown_token');
  });

  test('a row of the store that does not verify stays, too', async () => {
    const { store, tokens } = await filled();
    const lines = await linesOf(store);
    const [row] = await rowsOf(store, 'token');
    await store.change(1, [
      { table: 'token', index: row!.index, from: row!.version, to: { ...row!, body: row!.body.toReversed() } },
    ]);
    expect(await into(store, lines)).toMatchObject({ conflicts: 1, written: 0 });
    expect(tokens.length).toBe(60);
  });
});

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('days are kept; expired rows of the export are left out, and those of the store are replaced', async () => {
    const store = memoryStore();
    const open = await brief.open(keys, { main: store }, revealAccess);
    const old = await open.protect('Ada');
    const target = memoryStore();
    const lines = await linesOf(store);
    await into(target, lines);
    expect((await rowsOf(target, 'value'))[0]!.expires).toBe((await rowsOf(store, 'value'))[0]!.expires);
    vi.setSystemTime(Date.now() + 40 * 86_400_000);
    expect(await into(memoryStore(), lines)).toMatchObject({ rows: 2, expired: 2, written: 0 });
    const token = await open.protect('Ada');
    expect(token).not.toBe(old);
    expect(await into(target, await linesOf(store))).toMatchObject({ written: 2, conflicts: 0 });
    const there = await brief.open(keys, { main: target }, revealAccess);
    expect(await there.protect('Ada')).toBe(token);
  });
});

describe('keys', () => {
  test('a new store starts with the keys of the export, and writes under the primary key', async () => {
    const { store, people, tokens, calls } = await filled();
    const target = memoryStore();
    await into(target, await linesOf(store), next);
    const open = await names.open(next, { main: target }, revealAccess);
    expect(await open.stats()).toMatchObject({ outer: [next.keyId], inner: [keys.keyId] });
    expect(await open.protect(people[0]!)).toBe(tokens[0]);
    const calling = await phones.open(next, { main: target }, revealAccess);
    expect(await calling.protect(people[1]!, { subject: 'subject-1' })).toBe(calls[1]);
    expect(await contents(target)).toEqual(await contents(store));
    // Then back, into a store that is under the other key.
    await open.protect('Ada');
    expect((await into(store, await linesOf(target, next))).written).toBe(2);
    expect(await contents(store)).toEqual(await contents(target));
  });

  test('an export from before a change of keys, and one from after it', async () => {
    const { store, people, tokens } = await filled();
    const target = memoryStore();
    const before = await linesOf(store);
    await into(target, before);
    const moving = await names.open(next, { main: store }, revealAccess);
    expect((await moving.rekey()).left).toBe(0);
    expect(await into(store, before, next)).toMatchObject({ written: 0, there: before.length - 2 });
    await moving.rekey({ tokens: tokens.slice(0, 3) });
    await moving.forget(tokens[0]!);
    expect((await into(target, await linesOf(store, next))).conflicts).toBe(0);
    const there = await names.open(keys, { main: target }, revealAccess);
    expect(await there.stats()).toMatchObject({ outer: [keys.keyId], inner: [next.keyId, keys.keyId] });
    expect(await code(there.reveal(tokens[0]!))).toBe('forgotten');
    expect(await code(there.protect(people[0]!))).toBe('erased');
    expect(await there.protect(people[1]!)).toBe(tokens[1]);
    // Both stores have the same keys now, so neither list changes.
    await into(store, await linesOf(target), next);
    expect((await moving.stats()).inner).toEqual([next.keyId, keys.keyId]);
  });

  test('a row that an export from before a change of the inner key adds to a mapping is forgotten with it', async () => {
    const { store, people, tokens } = await filled();
    const before = await linesOf(store);
    const open = await names.open(next, { main: store }, revealAccess);
    await open.rekey({ tokens: tokens.slice(0, 3) });
    const rows = (await rowsOf(store, 'token')).length;
    expect((await into(store, before, next)).written).toBe(6);
    expect((await rowsOf(store, 'token')).length).toBe(rows + 3);
    expect(await open.reveal(tokens[0]!)).toBe(people[0]);
    const erased = async () => Object.values(await contents(store)).filter((text) => text.startsWith('erased'));
    const gone = (await erased()).length;
    expect(await open.forget(tokens[0]!)).toBe(true);
    // Also for a process that has only the older key.
    const older = await names.open(keys, { main: store }, revealAccess);
    expect(await code(older.reveal(tokens[0]!))).toBe('forgotten');
    expect(await older.revealMany(tokens.slice(1, 3))).toEqual(people.slice(1, 3));
    // Both rows under each of the two keys, and the grave.
    expect((await erased()).length).toBe(gone + 5);
    expect((await open.verify()).broken).toBe(0);
  });

  test('an export with another key of subjects is refused, unless the store is new', async () => {
    const { store } = await filled();
    const lines = await linesOf(store);
    const target = memoryStore();
    await (await names.open(next, { main: target })).protect('Ada');
    await expect(into(target, lines, next)).rejects.toMatchObject({ code: 'export_refused', issues: [{ line: 1 }] });
    expect((await rowsOf(target, 'value')).length).toBe(1);
  });

  describe.each(['value', 'token', 'subject'] as const)('rows of %s that are moved during the export', (moving) => {
    /** Exports in small batches, and does something before each batch of a table. */
    async function exportWith(store: VaultStore, work: () => Promise<unknown>): Promise<string[]> {
      const slow: VaultStore = {
        ...store,
        async scan(table, options) {
          if (table === moving) await work();
          return store.scan(table, { ...options, limit: 7 });
        },
      };
      const lines: string[] = [];
      for await (const line of (await names.open(next, { main: slow })).export()) lines.push(line);
      return lines;
    }

    /** Checks that the new store has every row of the old one unchanged, though perhaps under an earlier key. */
    async function expectAll(lines: string[], { people, tokens, calls }: Awaited<ReturnType<typeof filled>>) {
      const target = memoryStore();
      expect((await into(target, lines, next)).conflicts).toBe(0);
      const one = await names.open(next, { main: target }, revealAccess);
      const two = await phones.open(next, { main: target }, revealAccess);
      for (const [i, person] of people.entries()) {
        if (i === 3) continue;
        expect(await one.lookup(person), `${i}`).toBe(tokens[i]);
        expect(await one.reveal(tokens[i]!)).toBe(person);
        if (i === 5 || i % 20 === 7) continue;
        expect(await two.lookup(person, { subject: `subject-${i % 20}` })).toBe(calls[i]);
        expect(await two.reveal(calls[i]!)).toBe(person);
      }
    }

    test('to another inner key', async () => {
      const made = await filled();
      const open = await names.open(next, { main: made.store }, revealAccess);
      await open.rekey({ tokens: [made.tokens[0]!] });
      let at = 1;
      const lines = await exportWith(made.store, async () => {
        await open.rekey({ tokens: made.tokens.slice(at, at + 3) });
        at += 3;
      });
      expect(await open.stats()).toMatchObject({ outer: [keys.keyId], inner: [next.keyId, keys.keyId] });
      await expectAll(lines, made);
    });

    test('to another outer key', async () => {
      const made = await filled();
      // It moves some rows of each table at a time, is stopped before it reads more, and never ends.
      let begun = false;
      const partly: VaultStore = {
        ...made.store,
        setMeta: async (meta) => meta.generation === 2 && made.store.setMeta(meta),
        async scan(table, { after, limit, notKey }) {
          if (after !== null) return [];
          if (table === 'value' && begun) throw new Error('stopped');
          begun = true;
          return made.store.scan(table, { after, limit: Math.min(limit, 5), notKey });
        },
      };
      const open = await names.open(next, { main: partly });
      const moveSome = async () => {
        begun = false;
        await expect(open.rekey()).rejects.toThrow('stopped');
      };
      await moveSome();
      const lines = await exportWith(made.store, moveSome);
      expect(await open.stats()).toMatchObject({ outer: [next.keyId, keys.keyId], inner: [keys.keyId] });
      await expectAll(lines, made);
    });
  });

  test('a complete change of keys during the export ends it with store_busy', async () => {
    const { store } = await filled();
    const open = await names.open(next, { main: store });
    const work = async () => {
      for await (const _ of open.export()) await open.rekey();
    };
    expect(await code(work())).toBe('store_busy');
  });
});

test('from SQLite to PostgreSQL and back', async () => {
  const { store } = await filled();
  const said = await contents(store);
  const lite = await PGlite.create();
  try {
    const sqlite = [new DatabaseSync(':memory:'), new DatabaseSync(':memory:')].map((handle) => sqliteStore(handle));
    const postgres = postgresStore(lite);
    let from = store;
    for (const to of [sqlite[0]!, postgres, sqlite[1]!]) {
      await to.open();
      expect((await into(to, await linesOf(from))).conflicts).toBe(0);
      expect(await contents(to)).toEqual(said);
      expect(await into(to, await linesOf(from))).toMatchObject({ written: 0, erased: 0 });
      from = to;
    }
  } finally {
    await lite.close();
  }
});

test('mappings that are made during the export are in it with their tokens and subjects, if at all', async () => {
  const { store, two } = await filled();
  let made = 0;
  const busy: VaultStore = {
    ...store,
    scan: async (table, options) => {
      if (table === 'value' && options.after === null) {
        for (let i = 0; i < 20; i++) await two.protect(`late ${i}`, { subject: `late ${i}` });
        made = 20;
      }
      return store.scan(table, options);
    },
  };
  const lines: string[] = [];
  for await (const line of (await names.open(keys, { main: busy })).export()) lines.push(line);
  expect(made).toBe(20);
  const target = memoryStore();
  await into(target, lines);
  expect(await contents(target)).toEqual(await contents(store));
});

test('other processes write and erase during an import', async () => {
  const { store, people, tokens } = await filled();
  const lines = await linesOf(store);
  const target = memoryStore();
  await into(target, lines.slice(0, 1).concat(lines.slice(-1))).catch(() => {});
  const there = await names.open(keys, { main: target }, revealAccess);
  let turns = 0;
  const contested: VaultStore = {
    ...target,
    change: async (generation, changes) => {
      // Now and then, another process writes one of the rows first.
      if (turns++ % 3 === 0 && changes[0]!.to !== null && changes[0]!.from === 0) {
        await target.change(generation, [changes[0]!]);
      }
      return target.change(generation, changes);
    },
  };
  await into(contested, lines);
  expect(await contents(target)).toEqual(await contents(store));
  expect(await there.protect(people[0]!)).toBe(tokens[0]);
});

describe('an import refuses', () => {
  const refused = async (lines: readonly string[], expected: object, as = keys, rule = names) => {
    const target = memoryStore();
    const error = await rule.import(as, { main: target, other: target }, lines).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject(expected);
    expect(error.message).not.toMatch(/Person|subject-/);
    return target;
  };

  test('an empty source, an export that was cut off, and one in which lines are missing', async () => {
    const { store } = await filled();
    const lines = await linesOf(store);
    await refused([], { code: 'export_refused' });
    await refused(['\n'], { code: 'export_refused' });
    await refused(['id,name\n'], { code: 'export_refused', issues: [{ line: 1 }] });
    await refused(lines.slice(1), { code: 'export_refused', issues: [{ line: 1 }] });
    await refused([...lines, lines[1]!], { code: 'export_refused', issues: [{ line: lines.length + 1 }] });
    await refused([lines[0]!, ...lines], { code: 'row_broken', issues: [{ line: 2 }] });
    const end = { code: 'export_refused', issues: [{ line: lines.length - 1 }] };
    await refused(lines.toSpliced(7, 1), end);
    // Two lines exchanged, and one line twice.
    await refused(lines.with(7, lines[8]!).with(8, lines[7]!), { ...end, issues: [{ line: lines.length }] });
    await refused(lines.toSpliced(7, 0, lines[7]!), { ...end, issues: [{ line: lines.length + 1 }] });
    const target = await refused(lines.slice(0, -1), { code: 'export_refused' });
    expect(await contents(target)).toEqual({});
    // Then the complete export.
    await into(target, lines);
    expect(await contents(target)).toEqual(await contents(store));
    await refused([lines.join('').slice(0, -300)], { code: expect.stringMatching(/row_broken|export_refused/) });
  });

  test('an export in which one character of any line was changed', async () => {
    const { store } = await filled();
    const lines = (await linesOf(store)).filter((_, i, all) => i < 6 || i > all.length - 4);
    // Its own last line states more rows than are left.
    const whole = lines.length;
    for (const [i, line] of lines.entries()) {
      for (let at = 0; at < line.length - 1; at += 1 + (at % 7)) {
        const other = line[at] === '0' ? '1' : '0';
        const changed = lines.with(i, `${line.slice(0, at)}${other}${line.slice(at + 1)}`);
        if (changed[i] === line) continue;
        const error = await into(memoryStore(), changed).catch((thrown) => thrown);
        expect(error.issues?.[0]?.line, `${i} ${at}`).toBe(i + 1);
        expect(['export_refused', 'row_broken', 'wrong_domain', 'unknown_key', 'store_version']).toContain(error.code);
      }
    }
    expect(whole).toBeGreaterThan(8);
  });

  test('a row in another table, or under a key that the export does not name', async () => {
    const { store } = await filled();
    const lines = await linesOf(store);
    const at = lines.findIndex((line) => line.includes('"token"'));
    await refused(lines.with(at, lines[at]!.replace('"token"', '"value"')), {
      code: 'row_broken',
      issues: [{ line: at + 1 }],
    });
    const other = memoryStore();
    await (await names.open(next, { main: other })).protect('Ada');
    const foreign = (await linesOf(other, next))[1]!;
    await refused(lines.with(at, foreign), { code: 'row_broken', issues: [{ line: at + 1 }] });
  });

  test('another domain, another store, other keys, and another version', async () => {
    const { store } = await filled();
    const lines = await linesOf(store);
    await refused(lines, { code: 'wrong_domain', issues: [{ line: 1 }] }, withPrimary(0, 'us-enclave'));
    const other = vault({ scope: 'person.name', store: 'other' });
    await refused(lines, { code: 'wrong_domain' }, keys, other as never);
    const stranger = keyset.generate().domain('eu-enclave');
    const target = await refused(lines, { code: 'unknown_key' }, stranger);
    expect(await target.meta()).toBeNull();
    const later = lines.with(0, lines[0]!.replace('vault-v1', 'vault-v2'));
    await refused(later, { code: 'store_version', issues: [{ line: 1 }] });
  });

  test('a row of the store that does not verify', async () => {
    const { store, one } = await filled();
    const [row] = await rowsOf(store, 'value');
    const broken: Row = { ...row!, body: row!.body.toReversed() };
    await store.change(1, [{ table: 'value', index: row!.index, from: row!.version, to: broken }]);
    expect(await code(linesOf(store))).toBe('row_broken');
    const seen: unknown[] = [];
    const lines: string[] = [];
    for await (const line of one.export({ onBroken: (at) => seen.push(at) })) lines.push(line);
    expect(seen).toEqual([{ table: 'value', index: writeHex(row!.index), why: 'does not verify' }]);
    expect(lines.join('')).not.toContain(writeHex(row!.index));
    const target = memoryStore();
    expect((await into(target, lines)).conflicts).toBe(0);
  });

  test('arguments', async () => {
    const open = await names.open(keys, { main: memoryStore() });
    expect(() => open.export({ other: 1 } as never)).toThrow(TypeError);
    expect(() => open.export({ onBroken: 1 } as never)).toThrow(TypeError);
    for (const source of [null, 7, {}, new Uint8Array(3)]) {
      await expect(into(memoryStore(), source as never)).rejects.toThrow(TypeError);
    }
    await expect(into(memoryStore(), [7] as never)).rejects.toThrow(TypeError);
    await expect(into(memoryStore(), ['x'.repeat(4 << 20)])).rejects.toMatchObject({ code: 'row_broken' });
  });
});

describe('property', () => {
  /** The events of a store, in order. After some of them, an export is kept. */
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('load' as const), who: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), who: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('shred' as const), who: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('export' as const), who: fc.nat(5) }) },
  );
  const strictPhones = vault({ scope: 'person.phone', store: 'main', subject: 'id' });

  test('exports in any order, with any repetitions, give the same store: the newest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 14 }),
        fc.infiniteStream(fc.nat(1000)),
        fc.integer({ min: 0, max: 3 }),
        async (steps, dice, again) => {
          const store = memoryStore();
          const one = await names.open(keys, { main: store }, revealAccess);
          const two = await strictPhones.open(keys, { main: store }, revealAccess);
          const exports: string[][] = [];
          for (const { do: what, who } of steps) {
            const ignore = () => null;
            if (what === 'load') {
              await one.protect(`name ${who}`).catch(ignore);
              await two.protect(`phone ${who}`, { subject: `s${who % 3}` }).catch(ignore);
            } else if (what === 'forget') {
              const token = await one.lookup(`name ${who}`).catch(ignore);
              if (token !== null) await one.forget(token);
            } else if (what === 'shred') await two.shred(`s${who % 3}`, who < 3 ? { inAdvance: true } : {});
            else exports.push(await linesOf(store));
          }
          exports.push(await linesOf(store));
          const mix = <T>(list: readonly T[]): T[] =>
            list
              .map((item) => ({ item, key: dice.next().value }))
              .sort((a, b) => a.key - b.key)
              .map(({ item }) => item);
          const target = memoryStore();
          const all = mix([...exports, ...exports.slice(0, again)]);
          for (const lines of all) expect((await into(target, lines)).conflicts).toBe(0);
          expect(await contents(target)).toEqual(await contents(store));
        },
      ),
      { numRuns: 150 },
    );
  });
});
