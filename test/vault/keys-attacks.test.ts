/**
 * Attacks on changes of keys and on subjects, under the names of the programs that once showed them. A process that
 * died, or was slow while another one changed the keys back, left rows where no process looked, or keys to which no row
 * led. None of them succeeds any more.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { openSession } from '../../src/vault/session.ts';
import { memoryStore, type RevealingVault, type Table, type VaultStore, vault } from '../../src/vault.ts';
import { sqliteStore } from '../../src/vault-sqlite.ts';

const roots = [0, 1, 2].map(() => JSON.parse(keyset.generate().export(secretAccess)).keys[0]);
/** All three keys, with one of them as the primary. */
const withPrimary = (which: number) => {
  const list = roots.map(({ id, secret }, i) => ({ id, secret, primary: i === which }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain('eu');
};
const [a, b, c] = [withPrimary(0), withPrimary(1), withPrimary(2)];
const strict = vault({ scope: 'n', store: 'main' });
const ofSubject = vault({ scope: 's', store: 'main', subject: 'id' });
const ofNew = vault({ scope: 's', store: 'main', subject: 'id', onErased: 'new' });

type Verb = 'setMeta' | 'get' | 'create' | 'change' | 'scan';
type Hook = (when: 'before' | 'after', verb: Verb, table?: unknown) => unknown;

/** A store whose verbs call a hook when they start and when they have ended. */
function hooked(store: VaultStore, on: Hook): VaultStore {
  const wrap = <A extends unknown[], R>(verb: Verb, work: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await on('before', verb, args[0]);
      const result = await work(...args);
      await on('after', verb, args[0]);
      return result;
    };
  };
  const { setMeta, get, create, change, scan } = store;
  return {
    ...store,
    setMeta: wrap('setMeta', setMeta),
    get: wrap('get', get),
    create: wrap('create', create),
    change: wrap('change', change),
    scan: wrap('scan', scan),
  };
}

/** A store whose process dies after the `n`th call of one of these verbs: from then on every verb fails. */
function dying(store: VaultStore, verbs: readonly Verb[], n = 1): VaultStore {
  let left = n;
  return hooked(store, (when, verb) => {
    if (left === 0 || (when === 'after' && verbs.includes(verb) && --left === 0)) throw new Error('dead');
  });
}

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );
const open = (keys: typeof a, store: VaultStore) => strict.open(keys, { main: store }, revealAccess);
const openOf = (keys: typeof a, store: VaultStore, rule = ofSubject) => rule.open(keys, { main: store }, revealAccess);
const textOf = async (open: Pick<RevealingVault, 'export'>) => {
  let text = '';
  for await (const line of open.export()) text += line;
  return text;
};
const broken = async (vault: Pick<RevealingVault, 'verify'>) => (await vault.verify()).broken;
/** Puts the second key first in the metadata. No row is under it yet. */
const begunTo = async (keys: typeof a, store: VaultStore) => {
  const slow = hooked(store, (when, verb) => {
    if (when === 'before' && verb === 'scan') throw new Error('dead');
  });
  expect(await code((await open(keys, slow)).rekey())).toBe('dead');
};

describe('rekey-opposite', () => {
  /**
   * Rekeys to the second key. When it reaches a table, another process rekeys back, and a third one starts to rekey to
   * the second key again.
   */
  async function between(store: VaultStore, table: Table) {
    let done = false;
    const first = hooked(store, async (when, verb, at) => {
      if (done || when === 'after' || verb !== 'scan' || at !== table) return;
      done = true;
      expect((await (await open(a, store)).rekey()).left).toBe(0);
      await begunTo(b, store);
    });
    const rekeyed = await (await open(b, first)).rekey();
    expect(done).toBe(true);
    return rekeyed;
  }

  test.each(['value', 'token', 'subject'] as const)('1: no row is left behind, at the table %s', async (table) => {
    const store = memoryStore();
    const tokens = await (await open(a, store)).protectMany(['a', 'b', 'c']);
    expect(await between(store, table)).toMatchObject({ left: 0 });
    const after = await open(b, store);
    expect((await after.stats()).outer).toEqual([b.keyId]);
    expect((await after.verify()).outer).toEqual({ [b.keyId]: 6 });
    expect(await broken(after)).toBe(0);
    expect(await after.protectMany(['a', 'b', 'c'])).toEqual(tokens);
  });

  test('2: forgotten mappings stay forgotten, and live ones are found', async () => {
    const store = memoryStore();
    const before = await open(a, store);
    const [gone, live] = [await before.protect('a'), await before.protect('b')];
    await before.forget(gone);
    await between(store, 'subject');
    const after = await open(b, store);
    expect(await code(after.protect('a'))).toBe('erased');
    expect(await after.reveal(live)).toBe('b');
    expect(await broken(after)).toBe(0);
  });

  test('at the last moment, before the old key is removed from the metadata', async () => {
    const store = memoryStore();
    const tokens = await (await open(a, store)).protectMany(['a', 'b', 'c']);
    let sets = 0;
    const first = hooked(store, async (when, verb) => {
      if (when === 'after' || verb !== 'setMeta' || ++sets !== 2) return;
      expect((await (await open(a, store)).rekey()).left).toBe(0);
      await begunTo(b, store);
    });
    expect(await (await open(b, first)).rekey()).toEqual({ moved: 12, left: 0 });
    const after = await open(b, store);
    expect((await after.verify()).outer).toEqual({ [b.keyId]: 6 });
    expect(await after.protectMany(['a', 'b', 'c'])).toEqual(tokens);
  });

  test('rows that are written meanwhile by a process that opened the store before', async () => {
    const store = memoryStore();
    const early = await open(a, store);
    await early.protectMany(['a', 'b', 'c']);
    let n = 0;
    const first = hooked(store, async (when, verb) => {
      if (when === 'before' && verb === 'scan') await early.protect(`more ${n++}`);
    });
    expect((await (await open(b, first)).rekey()).left).toBe(0);
    expect(n).toBeGreaterThan(3);
    const after = await open(b, store);
    expect((await after.verify()).outer).toEqual({ [b.keyId]: 2 * (3 + n) });
    expect(await broken(after)).toBe(0);
  });

  test('two processes that keep rekeying to different keys: one fails with store_busy, and nothing is lost', async () => {
    const store = memoryStore();
    const tokens = await (await open(a, store)).protectMany(['a', 'b', 'c']);
    const first = hooked(store, async (when, verb) => {
      if (when === 'before' && verb === 'scan') await begunTo(a, store);
    });
    expect(await code((await open(b, first)).rekey())).toBe('store_busy');
    const after = await open(c, store);
    expect(await after.protectMany(['a', 'b', 'c'])).toEqual(tokens);
    expect(await broken(after)).toBe(0);
    expect((await after.rekey()).left).toBe(0);
    expect((await after.verify()).outer).toEqual({ [c.keyId]: 6 });
  });

  test('rows that do not open keep their key in the metadata', async () => {
    const store = memoryStore();
    await (await open(a, store)).protectMany(['a', 'b']);
    const [row] = await store.scan('value', { after: null, limit: 1 });
    const to = { ...row!, version: row!.version + 1 };
    await store.change(1, [{ table: 'value', index: row!.index, from: row!.version, to }]);
    const moving = await open(b, store);
    expect(await moving.rekey()).toEqual({ moved: 3, left: 1 });
    expect((await moving.stats()).outer).toEqual([b.keyId, a.keyId]);
    expect(await moving.rekey()).toEqual({ moved: 0, left: 1 });
  });

  test('the inner layer: a mapping that is reported as moved is under the new key', async () => {
    const store = memoryStore();
    const before = await open(a, store);
    const [one, two] = [await before.protect('a'), await before.protect('b')];
    let done = false;
    const first = hooked(store, async (when, verb) => {
      if (done || when === 'after' || verb !== 'get') return;
      done = true;
      await (await open(c, store)).rekey({ tokens: [two] });
    });
    const moving = await open(b, first);
    expect(await moving.rekey({ tokens: [one, two] })).toEqual({ moved: 2, left: 0 });
    expect((await moving.verify()).inner).toEqual({ [b.keyId]: 4 });
    expect(await moving.protectMany(['a', 'b'])).toEqual([one, two]);
  });
});

describe('rekey-two', () => {
  const stores = {
    memory: memoryStore,
    SQLite: () => sqliteStore(new DatabaseSync(':memory:')),
  };

  /** Makes a value with two live tokens, under two keys of the inner layer. The one that `protect` returns is first. */
  async function withTwo(store: VaultStore) {
    const [own, other] = [await open(a, store), memoryStore()];
    const theirs = await open(a, other);
    const begun = await open(b, other);
    await begun.rekey({ tokens: [await theirs.protect('other')] });
    const tokens = [await own.protect('Ada'), await begun.protect('Ada')];
    await strict.import(a, { main: store }, theirs.export());
    const given = await own.protect('Ada');
    return { given, left: tokens.find((token) => token !== given)! };
  }

  test.each(Object.entries(stores))(
    'the value keeps the token that it had, and the other stays: %s',
    async (_, make) => {
      const lists = [
        ({ given, left }: Awaited<ReturnType<typeof withTwo>>) => [given, left],
        ({ given, left }: Awaited<ReturnType<typeof withTwo>>) => [left, given],
      ];
      for (const listOf of lists) {
        const store = make();
        const two = await withTwo(store);
        const moving = await open(c, store);
        expect(await moving.rekey({ tokens: listOf(two) })).toEqual({ moved: 1, left: 1 });
        expect((await moving.verify({ tokens: listOf(two) })).broken).toBe(0);
        expect(await broken(moving)).toBe(0);
        expect(await moving.protect('Ada')).toBe(two.given);
        for (const token of listOf(two)) expect(await moving.reveal(token)).toBe('Ada');
        expect(await moving.rekey({ tokens: listOf(two) })).toEqual({ moved: 0, left: 1 });
        // When one is forgotten, the value has the other one, and that one is written over the tombstone.
        expect(await moving.forget(two.given)).toBe(true);
        expect(await moving.protect('Ada')).toBe(two.left);
        expect(await moving.rekey({ tokens: [two.left] })).toEqual({ moved: 1, left: 0 });
        expect(await moving.protect('Ada')).toBe(two.left);
        expect(await broken(moving)).toBe(0);
      }
    },
  );

  test('the other token alone does not replace it', async () => {
    const store = memoryStore();
    const { given, left } = await withTwo(store);
    const moving = await open(c, store);
    expect(await moving.rekey({ tokens: [left] })).toEqual({ moved: 0, left: 1 });
    expect(await moving.protect('Ada')).toBe(given);
    expect(await broken(moving)).toBe(0);
  });
});

describe('race-cert', () => {
  /** A store into which an import died that erased the key of a subject, and not yet the row that leads to it. */
  async function halfErased() {
    const [source, other] = [memoryStore(), memoryStore()];
    const token = await (await openOf(a, source)).protect('Ada', { subject: '7' });
    const theirs = await openOf(a, other);
    await theirs.protect('Bob', { subject: '7' });
    await theirs.shred('7');
    const given = await textOf(await open(a, source));
    const erasing = await textOf(theirs);
    for (let die = 1; ; die++) {
      const store = memoryStore();
      await ofSubject.import(a, { main: store }, given);
      expect(await code(ofSubject.import(a, { main: dying(store, ['change'], die) }, erasing))).toBe('dead');
      const half = await openOf(a, store);
      if ((await code(half.reveal(token))) === 'forgotten') return { store, half, token, erasing };
    }
  }

  test('a key that was missing before is not reported as destroyed', async () => {
    const { half, token } = await halfErased();
    expect(await broken(half)).toBe(1);
    const certificate = await half.shred('7');
    expect(certificate?.destroyed).toBe('nothing');
    expect(half.isCertificate(certificate!, '7')).toBe(true);
    expect(await code(half.reveal(token))).toBe('forgotten');
    expect(await broken(half)).toBe(0);
    expect((await half.shred('7'))?.destroyed).toBe('nothing');
  });

  test('such a subject is erased, and is protected again only with onErased: new', async () => {
    const { store, half, token, erasing } = await halfErased();
    expect(await code(half.protect('Eve', { subject: '7' }))).toBe('erased');
    const again = await openOf(a, store, ofNew);
    const eve = await again.protect('Eve', { subject: '7' });
    expect(await again.reveal(eve)).toBe('Eve');
    expect(await code(again.reveal(token))).toBe('forgotten');
    expect(await broken(again)).toBe(0);
    expect((await again.shred('7'))?.destroyed).toBe('key');
    expect(await code(again.reveal(eve))).toBe('forgotten');
    await ofSubject.import(a, { main: store }, erasing);
    expect(await broken(again)).toBe(0);
  });

  test('a whole import after it came back erases it, and says so', async () => {
    const { store, erasing } = await halfErased();
    const again = await openOf(a, store, ofNew);
    const eve = await again.protect('Eve', { subject: '7' });
    expect((await ofSubject.import(a, { main: store }, erasing)).erased).toBeGreaterThan(0);
    expect(await code(again.reveal(eve))).toBe('forgotten');
    expect(await broken(again)).toBe(0);
  });
});

describe('protect-dies', () => {
  test.each([1, 2, 3])('after write %i of a new subject, while the outer key changes', async (n) => {
    const store = memoryStore();
    await (await openOf(a, store)).protect('x', { subject: '1' });
    await begunTo(b, store);
    expect((await (await open(b, store)).stats()).outer).toEqual([b.keyId, a.keyId]);
    const writer = await openOf(b, dying(store, ['create', 'change'], n));
    const said = await code(writer.protect('Ada', { subject: '7' }));
    expect(said).toBe(n < 3 ? 'dead' : 'no error');
    const after = await openOf(b, store);
    expect(await broken(after)).toBe(0);
    const token = await after.protect('Ada', { subject: '7' });
    expect(await after.reveal(token)).toBe('Ada');
    expect((await after.rekey()).left).toBe(0);
    expect(await broken(after)).toBe(0);
    expect((await after.stats()).tables.subject.rows).toBe(4);
  });

  test('a subject that has a row under the older key is not made a second time', async () => {
    const store = memoryStore();
    const session = await openSession(store, 'main', openKeys(a));
    await begunTo(b, store);
    // It is made under the older key while the other process reads, as if the metadata had not changed yet.
    const old = memoryStore();
    await (await openOf(a, old)).protect('x', { subject: '7' });
    let done = false;
    const late = hooked(store, async (when, verb) => {
      if (done || when === 'after' || verb !== 'change') return;
      done = true;
      const rows = await old.scan('subject', { after: null, limit: 10 });
      expect(rows.every(({ key }) => key === session.keys.primary.id)).toBe(true);
      await store.change(
        2,
        rows.map((to) => ({ table: 'subject', index: to.index, from: 0, to })),
      );
    });
    const writer = await openOf(b, late);
    const token = await writer.protect('Ada', { subject: '7' });
    expect(done).toBe(true);
    expect((await writer.stats()).tables.subject.rows).toBe(2);
    expect(await writer.reveal(token)).toBe('Ada');
    expect(await broken(writer)).toBe(0);
  });

  test('several processes with the same new subjects at the same time: each subject is made once', async () => {
    const store = memoryStore();
    await (await openOf(a, store)).protect('x', { subject: 'first' });
    await begunTo(b, store);
    const subjects = Array.from({ length: 40 }, (_, i) => `${i}`);
    const racer = await openOf(b, store);
    let next = 0;
    // Before each write of the process that makes all subjects, another process makes one of them.
    const late = hooked(store, async (when, verb) => {
      if (when === 'before' && verb === 'change' && next < subjects.length) {
        await racer.protect('theirs', { subject: subjects[next++]! });
      }
    });
    const all = await openOf(b, late);
    const tokens = await all.protectMany(
      subjects.map(() => 'mine'),
      { subjects },
    );
    expect(next).toBeGreaterThan(5);
    expect(new Set(tokens).size).toBe(40);
    const after = await openOf(b, store);
    expect(await broken(after)).toBe(0);
    expect((await after.stats()).tables.subject.rows).toBe(82);
  });
});
