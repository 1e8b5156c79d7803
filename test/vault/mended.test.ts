/** Weaknesses that the vault once had; these tests keep them from returning. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '../../src/core/bytes.ts';
import { writeHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { openEach, sealEach } from '../../src/kernel/siv/keyed.ts';
import { expandNode, openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { type Content, readContent, writeContent, writeShown } from '../../src/vault/rows/content.ts';
import { innerLayer, subjectKeys } from '../../src/vault/rows/inner.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import { readToken, writeToken } from '../../src/vault/rows/token-text.ts';
import { openSession } from '../../src/vault/session.ts';
import { memoryStore, type Row, type Table, type VaultStore, vault } from '../../src/vault.ts';

const SCOPE = 'person.name';
const roots = [keyset.generate(), keyset.generate()].map((set) => JSON.parse(set.export(secretAccess)).keys[0]);
/** The same two keys, with the first or the second as the primary. */
const withPrimary = (which: number) => {
  const list = roots.map(({ id, secret }, i) => ({ id, secret, primary: i === which }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain('eu-enclave');
};
const [keys, next] = [withPrimary(0), withPrimary(1)];
const [key, other] = [openKeys(keys).primary, openKeys(next).primary];
const outer = outerLayer(key, 'main');
const inner = innerLayer(key, 'main', SCOPE, false);

const names = vault({ scope: SCOPE, store: 'main', label: 'name' });
const ofCustomers = vault({ scope: SCOPE, store: 'main', subject: 'customer', onErased: 'new' });
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );
const rowsOf = (store: VaultStore, table: Table) => store.scan(table, { after: null, limit: 1e6 });
const contentOf = (table: Table, row: Row): Content => readContent(outer.open(table, row)!)!;
const content = (rest: Uint8Array, id: string = key.id): Content => ({
  state: 'live',
  inner: id,
  link: new Uint8Array(8).fill(7),
  rest,
});

test.each(['value', 'token'] as const)('the key of a name, by %s, has two different halves', (which) => {
  const [name, inside] = [utf8('0123456789abcdef'), utf8('what is sealed')];
  const contentKey = expandNode(key.derive('vault', SCOPE, ['inner', 'main', '']), `${which} content`, 32);
  const whole = Uint8Array.from(createHmac('sha256', contentKey).update(name).digest());
  const [k1, k2] = [whole.slice(0, 16), whole.slice(16)];
  const sealed = inner[which].seal(name, inside);
  const under = (...halves: Uint8Array[]) => ({ keys: concat(halves), keyLength: 32 });
  expect(openEach(under(k1, k2), [sealed], null)).toEqual([inside]);
  for (const wrong of [under(k1, k1), under(k2, k2), under(k2, k1)]) {
    expect(openEach(wrong, [sealed], null)).toEqual([null]);
    expect(inner[which].open(name, sealEach(wrong, [inside], null)[0]!)).toBeNull();
  }
});

describe('rows that a store returns', () => {
  const index = new Uint8Array(16).fill(0x55);
  const bytes = writeContent(content(new Uint8Array(37)));
  const good = outer.seal('value', { index, version: 3, expires: 20_000 }, bytes);

  test.each([0, 15, 17, 20, 24, 28, 29, 100])('a row with an index of %i bytes does not open', (length) => {
    const long = new Uint8Array(length);
    long.set(index.subarray(0, length));
    expect(outer.open('value', { ...good, index: long })).toBeNull();
    expect(outer.open('value', good)).toEqual(bytes);
    expect(outer.seal('value', good, bytes)).toEqual(good);
  });

  test.each([
    { version: 0 },
    { version: -1 },
    { version: 3 + 2 ** 32 },
    { version: 3.5 },
    { version: 2 ** 31 },
    { version: Number.NaN },
    { expires: -1 },
    { expires: 20_000 + 2 ** 32 },
    { expires: 20_000.5 },
    { expires: 0xffffffff },
  ])('nor one with %o', (numbers) => {
    expect(outer.open('value', { ...good, ...numbers })).toBeNull();
    expect(outer.open('value', good)).toEqual(bytes);
  });

  test('the number that encodes "never" is not accepted as a day of expiry', () => {
    const never = outer.seal('value', { index, version: 3, expires: null }, bytes);
    expect(outer.open('value', never)).toEqual(bytes);
    expect(outer.open('value', { ...never, expires: 0xffffffff })).toBeNull();
    expect(outer.open('value', { ...never, expires: -1 })).toBeNull();
  });

  test('a broken row among good ones is the only one that is reported', async () => {
    const store = memoryStore();
    const open = await names.open(keys, { main: store }, revealAccess);
    const tokens = await open.protectMany(['Ada', 'Grace', 'Zoë']);
    const [row] = await rowsOf(store, 'value');
    const long = concat([row!.index, new Uint8Array(4)]);
    await store.create(1, 'value', [{ row: { ...row!, index: long } }]);
    const { broken, problems } = await open.verify();
    expect({ broken, problems }).toEqual({
      broken: 1,
      problems: [{ table: 'value', index: writeHex(long), why: 'does not verify' }],
    });
    expect(await open.protectMany(['Ada', 'Grace', 'Zoë'])).toEqual(tokens);
    expect(await open.revealMany(tokens)).toEqual(['Ada', 'Grace', 'Zoë']);
  });
});

test.each([[next.keyId], ['zzzzz']])(
  'a change of keys does not trust the key id in the text of a token: %s',
  async (shown) => {
    const store = memoryStore();
    const before = await names.open(keys, { main: store });
    const after = await names.open(next, { main: store }, revealAccess);
    const token = await before.protect('Zoë');
    const changed = writeToken('name', shown, readToken(token));
    expect(changed).not.toBe(token);
    expect(await after.rekey({ tokens: [changed] })).toEqual({ moved: 1, left: 0 });
    expect((await after.verify()).inner).toEqual({ [next.keyId]: 2 });
    expect(await after.protect('Zoë')).toBe(token);
    expect(await before.protect('Zoë')).toBe(token);
    expect(await after.lookup('Zoë')).toBe(token);
  },
);

test('erased rows have nothing in common', async () => {
  const store = memoryStore();
  const open = await names.open(keys, { main: store }, revealAccess);
  const tokens = await open.protectMany(['Ada', 'Grace']);
  const links = async () => {
    const all = await Promise.all(
      (['value', 'token'] as const).map(async (table) =>
        (await rowsOf(store, table)).map((row) => contentOf(table, row)),
      ),
    );
    return all
      .flat()
      .map(({ state, link, rest }) => ({ state, link: writeHex(link), zeros: rest.every((b) => b === 0) }));
  };
  const before = await links();
  expect(new Set(before.map(({ link }) => link)).size).toBe(2);
  for (const token of tokens) await open.forget(token);
  const after = await links();
  expect(after.map(({ state, zeros }) => ({ state, zeros }))).toEqual(Array(4).fill({ state: 'erased', zeros: true }));
  expect(new Set([...before, ...after].map(({ link }) => link)).size).toBe(6);
});

test('tokens are looked up in half batches, two at a time, and a failure ends the call', async () => {
  const inner = memoryStore();
  let asked = 0;
  let atOnce = 0;
  let most = 0;
  let failAt = Number.NaN;
  const get: VaultStore['get'] = async (table, indexes) => {
    const n = ++asked;
    most = Math.max(most, ++atOnce);
    // Later calls end first.
    await new Promise((resolve) => setTimeout(resolve, n % 2 === 0 ? 1 : 15));
    atOnce--;
    if (n === failAt || n === failAt + 1) throw new Error(`lost ${n}`);
    return inner.get(table, indexes);
  };
  const values = Array.from({ length: 2_600 }, (_, i) => `v${i}`);
  const filled = await names.open(keys, { main: inner });
  const tokens = await filled.protectMany(values);
  const open = await names.open(keys, { main: { ...inner, get } }, revealAccess);
  expect(await open.revealMany([...tokens].reverse())).toEqual([...values].reverse());
  expect([asked, most]).toEqual([6, 2]);
  for (failAt of [1, 2, 3, 6]) {
    asked = 0;
    await expect(open.revealMany(tokens)).rejects.toThrow(/lost/);
    expect(asked).toBeLessThanOrEqual(failAt + 2);
    expect(atOnce).toBe(0);
  }
});

test('a version does not show whether a row was changed', async () => {
  const store = memoryStore();
  const open = await names.open(keys, { main: store });
  await open.protectMany(Array.from({ length: 200 }, (_, i) => `v${i}`));
  const versions = [...(await rowsOf(store, 'value')), ...(await rowsOf(store, 'token'))].map(({ version }) => version);
  expect(new Set(versions).size).toBeGreaterThan(390);
  expect(Math.min(...versions)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...versions)).toBeLessThanOrEqual(2 ** 30);
});

describe('a shredded subject', () => {
  const subjects = subjectKeys(key, 'main');
  const side = innerLayer(key, 'main', SCOPE, true).value;
  const find = async (store: VaultStore, table: Table, at: Uint8Array) =>
    (await store.get(table, [outer.indexOf(at)]))[0];

  test('leads to no row, even for somebody with store and keys', async () => {
    const store = memoryStore();
    const open = await ofCustomers.open(keys, { main: store }, revealAccess);
    const token = await open.protect('Zoë', { subject: 7 });
    const stays = await open.protect('Zoë', { subject: 8 });
    const bySubject = subjects.indexesOf(['7']);
    const handle = contentOf('subject', (await find(store, 'subject', bySubject))!).rest;
    // As long as the name exists, it leads to the value.
    const name = contentOf('subject', (await find(store, 'subject', subjects.keyIndexesOf([handle])))!).rest.slice(64);
    expect(await find(store, 'value', side.indexOf(concat([name, utf8('Zoë')])))).toBeDefined();

    const certificate = (await open.shred(7))!;
    expect(open.isCertificate(certificate, '7')).toBe(true);
    const left = contentOf('subject', (await find(store, 'subject', bySubject))!);
    expect(left).toMatchObject({ state: 'erased', rest: new Uint8Array(16) });
    const itsKey = contentOf('subject', (await find(store, 'subject', subjects.keyIndexesOf([handle])))!);
    expect(itsKey).toMatchObject({ state: 'erased', rest: new Uint8Array(96) });

    // All names that can be made from subject and value, and all that the table of subjects still contains.
    const rest = (await rowsOf(store, 'subject')).map((row) => contentOf('subject', row).rest);
    const [alive] = rest.filter((bytes) => bytes.length === 96 && bytes.some((byte) => byte !== 0));
    expect(rest.filter((bytes) => bytes.some((byte) => byte !== 0))).toHaveLength(2);
    const heads = [bySubject, handle, left.rest, left.link, itsKey.link, utf8('7'), new Uint8Array(0)];
    for (const head of heads) {
      expect(await find(store, 'value', side.indexOf(concat([head, utf8('Zoë')])))).toBeUndefined();
      expect(await find(store, 'value', inner.value.indexOf(concat([head, utf8('Zoë')])))).toBeUndefined();
    }
    expect(await find(store, 'value', side.indexOf(concat([alive!.slice(64), utf8('Zoë')])))).toBeDefined();
    expect(await code(open.reveal(token))).toBe('forgotten');
    expect(await open.reveal(stays)).toBe('Zoë');
  });

  test('that is protected again shares nothing with its former state', async () => {
    const store = memoryStore();
    const open = await ofCustomers.open(keys, { main: store }, revealAccess);
    const token = await open.protect('Zoë', { subject: 7 });
    const before = contentOf('subject', (await find(store, 'subject', subjects.indexesOf(['7'])))!).rest;
    await open.shred(7);
    const again = await open.protect('Zoë', { subject: 7 });
    expect(again).not.toBe(token);
    const after = contentOf('subject', (await find(store, 'subject', subjects.indexesOf(['7'])))!).rest;
    expect(after).not.toEqual(before);
    expect(await open.reveal(again)).toBe('Zoë');
    expect(await code(open.reveal(token))).toBe('forgotten');
  });
});

describe('a key of the keyset that the metadata do not name', () => {
  const value = utf8('Zoë');
  const body = new Uint8Array(16).fill(9);
  const restBy = (layer: typeof inner) => writeShown(key.id, layer.value.seal(value, body));
  const foreignOuter = outerLayer(other, 'main');
  const foreignInner = innerLayer(other, 'main', SCOPE, false);
  const index = outer.indexOf(inner.value.indexOf(value));
  const bound = { index, version: 1, expires: null };

  test.each([
    ['seals no row', foreignOuter.seal('value', bound, writeContent(content(restBy(inner))))],
    ['seals no content', outer.seal('value', bound, writeContent(content(restBy(foreignInner), other.id)))],
  ])('%s', async (_, row) => {
    const store = memoryStore();
    const open = await names.open(keys, { main: store }, revealAccess);
    expect((await open.stats()).outer).toEqual([key.id]);
    await store.create(1, 'value', [{ row }]);
    expect(await code(open.protect('Zoë'))).toBe('row_broken');
    expect(await code(open.lookup('Zoë'))).toBe('row_broken');
    expect(await open.verify()).toMatchObject({ broken: 1, rows: 1 });
    // The same place and content, under the key that the metadata name.
    await store.change(1, [
      {
        table: 'value',
        index,
        from: 1,
        to: outer.seal('value', { ...bound, version: 2 }, writeContent(content(restBy(inner)))),
      },
    ]);
    expect(await open.protect('Zoë')).toBe(writeToken('name', key.id, body));
  });

  test('nor a handle or key of a subject', async () => {
    const session = await openSession(memoryStore(), 'main', openKeys(keys));
    const handle = (id: string) => writeContent(content(new Uint8Array(16), id));
    expect(session.view().open('subject', outer.seal('subject', bound, handle(key.id)))).not.toBeNull();
    expect(session.view().open('subject', outer.seal('subject', bound, handle(other.id)))).toBeNull();
    expect(session.view().open('subject', foreignOuter.seal('subject', bound, handle(key.id)))).toBeNull();
    // When the metadata name it, the row counts. The key of subjects does not change.
    await session.change({ outer: [other.id, key.id], inner: [other.id, key.id] });
    expect(session.view().open('subject', foreignOuter.seal('subject', bound, handle(key.id)))).not.toBeNull();
    expect(session.view().open('subject', outer.seal('subject', bound, handle(other.id)))).toBeNull();
    expect(session.view().open('value', foreignOuter.seal('value', bound, handle(other.id)))).not.toBeNull();
  });
});

describe('rows that move while another verb of the same vault reads the new metadata', () => {
  /** A vault whose next read is overtaken by a change of the outer key, and by a verb that notices the change. */
  async function overtaken() {
    const store = memoryStore();
    let arm: Table | null = null;
    const slow: VaultStore = {
      ...store,
      async get(table, indexes) {
        if (arm !== table) return store.get(table, indexes);
        arm = null;
        await (await names.open(next, { main: store })).rekey();
        const rows = await store.get(table, indexes);
        expect(await one.lookup(`nobody ${Math.random()}`)).toBeNull();
        return rows;
      },
    };
    const one = await names.open(keys, { main: slow }, revealAccess);
    const two = await ofCustomers.open(keys, { main: slow }, revealAccess);
    const tokens = [await one.protect('Ada'), await two.protect('Ada', { subject: 7 })] as const;
    const before = (await one.verify()).rows;
    return { store, one, two, tokens, before, at: (table: Table) => (arm = table) };
  }

  test.each(['value', 'token', 'subject'] as const)('%s', async (table) => {
    for (const verb of ['protect', 'lookup', 'reveal'] as const) {
      const { store, one, two, tokens, before, at } = await overtaken();
      at(table);
      if (verb === 'reveal') {
        expect(await two.reveal(tokens[1])).toBe('Ada');
        expect(await one.reveal(tokens[0])).toBe('Ada');
      } else {
        expect(await two[verb]('Ada', { subject: 7 })).toBe(tokens[1]);
        expect(await one[verb]('Ada')).toBe(tokens[0]);
      }
      // Nothing was made, and every row is at its index under the new key.
      const { broken, rows } = await (await names.open(next, { main: store })).verify();
      expect({ broken, rows }).toEqual({ broken: 0, rows: before });
      const other = await names.open(next, { main: store });
      expect(await other.lookup('Ada')).toBe(tokens[0]);
    }
  });

  test('a new value is written at the index under which it is looked up', async () => {
    const { store, one, two, at } = await overtaken();
    at('value');
    const token = await one.protect('Grace');
    at('subject');
    const theirs = await two.protect('Grace', { subject: 8 });
    const last = await names.open(next, { main: store }, revealAccess);
    expect(await last.protect('Grace')).toBe(token);
    const customers = await ofCustomers.open(next, { main: store }, revealAccess);
    expect(await customers.protect('Grace', { subject: 8 })).toBe(theirs);
    expect(await last.rekey()).toMatchObject({ left: 0 });
    expect(await last.protect('Grace')).toBe(token);
    expect((await last.verify()).broken).toBe(0);
  });

  test('a subject is shredded at its new index', async () => {
    const { one, two, tokens, at } = await overtaken();
    at('subject');
    await two.shred(7);
    expect(await code(two.reveal(tokens[1]))).toBe('forgotten');
    expect((await one.verify()).broken).toBe(0);
  });
});

describe('a change of the outer key by another process, and verbs of a vault that was opened before it', () => {
  const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

  /** A vault with three values, over a store whose verbs can be changed. */
  async function opened(change: Partial<VaultStore> = {}) {
    const store = memoryStore();
    const wrapped: VaultStore = { ...store, ...change };
    const open = await names.open(keys, { main: wrapped }, revealAccess);
    const customers = await ofCustomers.open(keys, { main: wrapped }, revealAccess);
    const tokens = await open.protectMany(['Ada', 'Grace', 'Zoë']);
    const theirs = await customers.protect('Ada', { subject: 7 });
    const rekey = async () => expect((await (await names.open(next, { main: store })).rekey()).left).toBe(0);
    return { store, wrapped, open, customers, tokens, theirs, rekey };
  }

  test('concurrent verbs that get their results one after the other', async () => {
    const { store, wrapped, open, customers, tokens, theirs, rekey } = await opened();
    let asked = 0;
    // Each of them gets its metadata later than the one before.
    Object.assign(wrapped, {
      meta: async () => {
        const found = await store.meta();
        await later(5 * (++asked % 4));
        return found;
      },
    });
    await rekey();
    const again = () => [open.reveal(tokens[0]!), open.reveal(tokens[1]!), customers.reveal(theirs)];
    const asks = () => [open.lookup('Zoë'), open.lookup('Ada'), customers.lookup('Ada', { subject: 7 })];
    expect(await Promise.all([...again(), ...again()])).toEqual(['Ada', 'Grace', 'Ada', 'Ada', 'Grace', 'Ada']);
    expect(await Promise.all(asks())).toEqual([tokens[2], tokens[0], theirs]);
  });

  test.each(['value', 'token', 'subject'] as const)(
    'rows of %s that were read before it are opened by what was known then',
    async (table) => {
      let arm = false;
      const { store, wrapped, open, customers, tokens, theirs, rekey } = await opened();
      Object.assign(wrapped, {
        get: async (asked: Table, indexes: readonly Uint8Array[]) => {
          const rows = await store.get(asked, indexes);
          if (!arm || asked !== table) return rows;
          arm = false;
          await rekey();
          await open.lookup('nobody');
          return rows;
        },
      });
      arm = true;
      if (table === 'value') expect(await open.protect('Ada')).toBe(tokens[0]);
      else if (table === 'token') expect(await open.reveal(tokens[0]!)).toBe('Ada');
      else {
        expect(await customers.reveal(theirs)).toBe('Ada');
        expect(arm).toBe(false);
      }
      expect(arm).toBe(false);
      expect((await open.verify()).broken).toBe(0);
    },
  );

  test('a subject is still shredded', async () => {
    let arm = false;
    const { store, wrapped, open, customers, theirs, rekey } = await opened();
    Object.assign(wrapped, {
      get: async (asked: Table, indexes: readonly Uint8Array[]) => {
        const rows = await store.get(asked, indexes);
        if (!arm) return rows;
        arm = false;
        await rekey();
        await open.lookup('nobody');
        return rows;
      },
    });
    arm = true;
    await customers.shred(7);
    expect(await code(customers.reveal(theirs))).toBe('forgotten');
  });

  test('a new value and a lookup at the same moment', async () => {
    for (let after = 0; after < 12; after++) {
      const { store, wrapped, open, rekey } = await opened();
      // Both results arrive in one turn of the event loop, one a few microtasks after the other.
      const gates: (() => void)[] = [];
      const gate = () => new Promise<void>((done) => gates.push(done));
      await rekey();
      Object.assign(wrapped, {
        get: async (table: Table, indexes: readonly Uint8Array[]) => {
          const rows = await store.get(table, indexes);
          await gate();
          return rows;
        },
        meta: async () => {
          const found = await store.meta();
          await gate();
          for (let i = 0; i < after; i++) await null;
          return found;
        },
      });
      const work = Promise.all([open.protect('Hedy'), open.lookup('nobody')]);
      let over = false;
      work.finally(() => (over = true));
      while (!over) {
        await later(0);
        for (const release of gates.splice(0)) release();
      }
      const [token] = await work;
      const other = await names.open(next, { main: store }, revealAccess);
      expect(await other.protect('Hedy')).toBe(token);
      expect(await other.verify()).toMatchObject({ broken: 0, outer: { [next.keyId]: 12 } });
    }
  });

  test('verification reads the metadata again, also for tokens of which only the values have moved', async () => {
    const { store, open, tokens, rekey } = await opened();
    const half = { ...store };
    let scans = 0;
    half.scan = async (table, options) => {
      if (table !== 'value' && scans++ === 0) throw new Error('stopped');
      return store.scan(table, options);
    };
    await expect((await names.open(next, { main: half })).rekey()).rejects.toThrow('stopped');
    expect(await open.verify({ tokens })).toMatchObject({ broken: 0 });
    await rekey();
    expect(await open.verify()).toMatchObject({ broken: 0, rows: 10 });
    expect(await open.stats()).toMatchObject({ outer: [next.keyId] });
  });

  test('an issue is reported once, even if the work is repeated', async () => {
    const { store, wrapped, open, tokens, rekey } = await opened();
    await open.forget(tokens[0]!);
    let arm = true;
    Object.assign(wrapped, {
      create: async (...given: Parameters<VaultStore['create']>) => {
        if (arm) await rekey();
        arm = false;
        return store.create(...given);
      },
    });
    await expect(open.protectMany(['Ada', 'Hedy'])).rejects.toMatchObject({
      total: 1,
      issues: [{ code: 'erased', row: 1 }],
    });
    expect(arm).toBe(false);
  });
});

test('if two callers forget one mapping at the same time, one of them is told that it destroyed it', async () => {
  const store = memoryStore();
  const open = await names.open(keys, { main: store }, revealAccess);
  const token = await open.protect('Ada');
  const both = await Promise.all([open.forget(token), open.forget(token)]);
  expect(both.sort()).toEqual([false, true]);
});

test('a store that returns Buffers, or rows without some of their fields', async () => {
  const store = memoryStore();
  const buffers = (rows: Row[]) =>
    rows.map((row) => ({ ...row, index: Buffer.from(row.index), body: Buffer.from(row.body) }));
  const wrapped: VaultStore = {
    ...store,
    get: async (...given) => buffers(await store.get(...given)),
    scan: async (...given) => buffers(await store.scan(...given)),
  };
  const open = await names.open(keys, { main: wrapped }, revealAccess);
  const tokens = await open.protectMany(['Ada', 'Grace']);
  const moving = await names.open(next, { main: wrapped }, revealAccess);
  expect(await moving.rekey()).toEqual({ moved: 4, left: 0 });
  expect(await moving.revealMany(tokens)).toEqual(['Ada', 'Grace']);
  expect(await moving.protectMany(['Ada', 'Grace'])).toEqual(tokens);

  for (const part of ['body', 'key', 'version'] as const) {
    const less: VaultStore = {
      ...store,
      get: async (...given) =>
        (await store.get(...given)).map((row) => ({ ...row, [part]: undefined }) as unknown as Row),
    };
    const broken = await names.open(next, { main: less }, revealAccess);
    expect(await code(broken.reveal(tokens[0]!))).toBe('row_broken');
    expect(await code(broken.protect('Ada'))).toBe('row_broken');
  }
});
