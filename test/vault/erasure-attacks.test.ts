/**
 * Attacks on erasures, under the names of the programs that once showed them. In some, a forgotten mapping was restored
 * by a change of keys and an export; in others, an old export destroyed a value that had been protected again after its
 * erasure. None of them succeeds any more.
 */
import { describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { readContent } from '../../src/vault/rows/content.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import { memoryStore, type RevealingVault, type Table, type VaultStore, vault } from '../../src/vault.ts';
import { hex } from '../helpers/hex.ts';

const roots = [0, 1, 2].map(() => JSON.parse(keyset.generate().export(secretAccess)).keys[0]);
/** All three keys, with one of them as the primary. */
const withPrimary = (which: number) => {
  const list = roots.map(({ id, secret }, i) => ({ id, secret, primary: i === which }));
  return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: list })).domain('eu');
};
const [a, b, c] = [withPrimary(0), withPrimary(1), withPrimary(2)];
const strict = vault({ scope: 'a', store: 'main' });
const fresh = vault({ scope: 'a', store: 'main', onErased: 'new' });
const ofSubject = vault({ scope: 's', store: 'main', subject: 'id', onErased: 'new' });

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );
const said = (open: Pick<RevealingVault, 'reveal'>, token: string) =>
  open.reveal(token as never).catch((error) => `! ${error.code}`);
const textOf = async (open: Pick<RevealingVault, 'export'>) => {
  let text = '';
  for await (const line of open.export()) text += line;
  return text;
};
const rowsOf = (store: VaultStore, table: Table) => store.scan(table, { after: null, limit: 1e6 });
const broken = async (open: RevealingVault) => (await open.verify()).broken;

describe('forgotten-comes-back', () => {
  test.each([false, true])(
    'export, change of the inner key, forget, import of that export; keys rolled back: %s',
    async (back) => {
      const stores = { main: memoryStore() };
      const first = await strict.open(a, stores, revealAccess);
      const token = await first.protect('Ada Lovelace');
      const backup = await textOf(first);
      const second = await strict.open(b, stores, revealAccess);
      expect(await second.rekey({ tokens: [token] })).toEqual({ moved: 1, left: 0 });
      expect(await second.forget(token)).toBe(true);
      expect(await strict.import(b, stores, [backup])).toMatchObject({ written: 0, there: 2, erased: 0, conflicts: 0 });
      expect(await said(second, token)).toBe('! forgotten');
      expect(await second.lookup('Ada Lovelace')).toBeNull();
      expect(await code(second.protect('Ada Lovelace'))).toBe('erased');
      if (back) {
        const third = await strict.open(a, stores, revealAccess);
        const other = await third.protect('somebody else');
        await third.rekey({ tokens: [other] });
        expect(await said(third, token)).toBe('! forgotten');
        expect(await code(third.protect('Ada Lovelace'))).toBe('erased');
      }
      expect(await broken(second)).toBe(0);
    },
  );

  test('with a subject: its tombstone stays valid, because the key of subjects never changes', async () => {
    const stores = { main: memoryStore() };
    const first = await ofSubject.open(a, stores, revealAccess);
    const [token, other] = [await first.protect('Ada', { subject: 7 }), await first.protect('Grace', { subject: 7 })];
    const backup = await textOf(first);
    const second = await ofSubject.open(b, stores, revealAccess);
    await second.rekey({ tokens: [token, other] });
    await second.rekey();
    await second.forget(other);
    expect(await said(second, token)).toBe('Ada');
    await second.shred(7);
    expect((await ofSubject.import(b, stores, [backup])).erased).toBe(0);
    for (const one of [token, other]) expect(await said(second, one)).toBe('! forgotten');
    // The same in a new store that imports the shredding later, and then an export from before it once more.
    const target = { main: memoryStore() };
    await ofSubject.import(a, target, [backup]);
    const there = await ofSubject.open(a, target, revealAccess);
    expect(await said(there, token)).toBe('Ada');
    await ofSubject.import(b, target, [await textOf(second)]);
    await ofSubject.import(b, target, [backup]);
    for (const one of [token, other]) expect(await said(there, one)).toBe('! forgotten');
    expect(await broken(there)).toBe(0);
  });
});

describe('tomb', () => {
  test('a key that is added to `inner` after the forgetting has no tombstone, but the mapping has a grave', async () => {
    const [one, two] = [{ main: memoryStore() }, { main: memoryStore() }];
    const first = await strict.open(a, one, revealAccess);
    const token = await first.protect('Ada Lovelace');
    await strict.import(a, two, [await textOf(first)]);
    await first.forget(token);
    const second = await strict.open(b, two, revealAccess);
    await second.rekey({ tokens: [token] });
    expect(await strict.import(a, one, [await textOf(second)])).toMatchObject({ written: 0, there: 2, erased: 0 });
    const again = await strict.open(a, one, revealAccess);
    expect((await again.stats()).inner).toEqual([b.keyId, a.keyId]);
    expect(await said(again, token)).toBe('! forgotten');
    expect(await code(again.protect('Ada Lovelace'))).toBe('erased');
    expect(await broken(again)).toBe(0);
  });

  test('a grave erases live rows under a later key, in the store that imports it and in every store after that', async () => {
    const [one, two, three] = [{ main: memoryStore() }, { main: memoryStore() }, { main: memoryStore() }];
    const first = await strict.open(a, one, revealAccess);
    const [token, alive] = [await first.protect('Ada Lovelace'), await first.protect('Grace')];
    await strict.import(a, two, [await textOf(first)]);
    const second = await strict.open(b, two, revealAccess);
    await second.rekey({ tokens: [token, alive] });
    const later = await textOf(second);
    await first.forget(token);
    // Both rows of the mapping under the second key.
    expect(await strict.import(a, two, [await textOf(first)])).toMatchObject({ erased: 2, conflicts: 0 });
    expect(await said(second, token)).toBe('! forgotten');
    expect(await said(second, alive)).toBe('Grace');
    // A third store imports the mapping under three keys and its grave, in either order.
    const fourth = await strict.open(c, two, revealAccess);
    await fourth.rekey({ tokens: [alive] });
    for (const text of [later, await textOf(second), later, await textOf(first), later]) {
      await strict.import(c, three, [text]);
    }
    const third = await strict.open(c, three, revealAccess);
    expect(await said(third, token)).toBe('! forgotten');
    expect(await said(third, alive)).toBe('Grace');
    expect(await third.lookup('Ada Lovelace')).toBeNull();
    expect(await broken(third)).toBe(0);
  });
});

describe('tomb2', () => {
  /** A store that looks under two keys of the inner layer, the second key first. */
  async function underTwo(rule = fresh) {
    const stores = { main: memoryStore() };
    const first = await rule.open(a, stores, revealAccess);
    const other = await first.protect('other');
    const token = await first.protect('Ada');
    const second = await rule.open(b, stores, revealAccess);
    await second.rekey({ tokens: [other] });
    return { stores, first, second, other, token };
  }

  test('1: one value, one live token, whichever key is first', async () => {
    const { stores, second, other, token } = await underTwo();
    await second.forget(token);
    const back = await second.protect('Ada');
    const third = await fresh.open(a, stores, revealAccess);
    await third.rekey({ tokens: [other] });
    expect((await third.stats()).inner[0]).toBe(a.keyId);
    expect(await third.protect('Ada')).toBe(back);
    expect(await third.lookup('Ada')).toBe(back);
    expect(await said(third, back)).toBe('Ada');
    expect((await third.verify({ tokens: [back, other] })).broken).toBe(0);
    expect(await broken(third)).toBe(0);
    expect(await third.forget(back)).toBe(true);
    expect(await third.lookup('Ada')).toBeNull();
    expect(await broken(third)).toBe(0);
  });

  test('2: rekey writes over a tombstone of the same name', async () => {
    const { stores, second, other, token } = await underTwo();
    await second.forget(token);
    const third = await fresh.open(a, stores, revealAccess);
    await third.rekey({ tokens: [other] });
    const back = await third.protect('Ada');
    const fourth = await fresh.open(b, stores, revealAccess);
    expect(await fourth.rekey({ tokens: [back] })).toEqual({ moved: 1, left: 0 });
    expect(await fourth.rekey({ tokens: [back] })).toEqual({ moved: 0, left: 0 });
    expect(await said(fourth, back)).toBe('Ada');
    expect(await fourth.protect('Ada')).toBe(back);
    expect(await broken(fourth)).toBe(0);
  });

  test('3: without keys, the number of rows shows what vault-v1 says', async () => {
    const { stores, second, token } = await underTwo();
    const count = async () =>
      Promise.all((['value', 'token', 'subject'] as const).map(async (t) => (await rowsOf(stores.main, t)).length));
    expect(await count()).toEqual([2, 2, 0]);
    await second.forget(token);
    expect(await count()).toEqual([3, 3, 1]);
    // Each is under one of the keys, and none has a day of expiry.
    for (const table of ['value', 'token', 'subject'] as const) {
      for (const row of await rowsOf(stores.main, table)) expect(row.expires).toBeNull();
    }
  });

  test('a value that has another live token is not erased when a token is forgotten', async () => {
    const [one, two] = [{ main: memoryStore() }, { main: memoryStore() }];
    const [first, second] = [await strict.open(a, one, revealAccess), await strict.open(a, two, revealAccess)];
    const [mine, theirs] = [await first.protect('Ada'), await second.protect('Ada')];
    // An import dies before it takes the token away again that lost.
    const dead = Error('the process died');
    const dies: VaultStore = {
      ...one.main,
      scan: async () => {
        throw dead;
      },
    };
    const died = strict.import(a, { main: dies }, [await textOf(second)]).catch((error) => error);
    expect(await died).toBe(dead);
    expect(await said(first, theirs)).toBe('Ada');
    expect(await first.forget(theirs)).toBe(true);
    expect(await said(first, theirs)).toBe('! forgotten');
    expect(await first.protect('Ada')).toBe(mine);
    expect(await said(first, mine)).toBe('Ada');
    expect(await broken(first)).toBe(0);
    // Both tokens in one call, each twice in the list.
    const both = await first.protect('Grace');
    for (const token of [mine, both]) expect(await first.forget(token)).toBe(true);
    expect(await code(first.protect('Ada'))).toBe('erased');
  });
});

describe('import-kills-returned', () => {
  test('an old export into its own store does not destroy values and subjects that were protected again', async () => {
    const stores = { main: memoryStore() };
    const [people, names] = [await ofSubject.open(a, stores, revealAccess), await fresh.open(a, stores, revealAccess)];
    await people.protect('Ada', { subject: 7 });
    const bob = await names.protect('Bob');
    await people.shred(7);
    await names.forget(bob);
    const backup = await textOf(names);
    const [ada, again] = [await people.protect('Ada', { subject: 7 }), await names.protect('Bob')];
    expect(await fresh.import(a, stores, [backup])).toMatchObject({ written: 0, erased: 0, conflicts: 0 });
    expect([await said(people, ada), await said(names, again)]).toEqual(['Ada', 'Bob']);
    expect(await people.protect('Ada', { subject: 7 })).toBe(ada);
    expect(await names.protect('Bob')).toBe(again);
    expect((await names.verify()).problems).toEqual([]);
    // A subject that is erased a second time stays erased, and the newer export erases it in other stores.
    const living = { main: memoryStore() };
    await fresh.import(a, living, [await textOf(names)]);
    await names.forget(again);
    await people.shred(7);
    const done = await fresh.import(a, living, [await textOf(names)]);
    expect(done).toMatchObject({ erased: 4, conflicts: 0 });
    const [there, who] = [await fresh.open(a, living, revealAccess), await ofSubject.open(a, living, revealAccess)];
    expect([await said(there, again), await said(who, ada)]).toEqual(['! forgotten', '! forgotten']);
    expect((await there.verify()).problems).toEqual([]);
  });

  test('nor does an export of a standby store that has the erasure and has imported the newer rows', async () => {
    const [home, standby] = [{ main: memoryStore() }, { main: memoryStore() }];
    const [people, names] = [await ofSubject.open(a, home, revealAccess), await fresh.open(a, home, revealAccess)];
    await people.protect('Ada', { subject: 7 });
    const bob = await names.protect('Bob');
    await people.shred(7);
    await names.forget(bob);
    await fresh.import(a, standby, [await textOf(names)]);
    const [ada, again] = [await people.protect('Ada', { subject: 7 }), await names.protect('Bob')];
    const there = await fresh.open(a, standby, revealAccess);
    const who = await ofSubject.open(a, standby, revealAccess);
    for (let round = 0; round < 2; round++) {
      // The standby store keeps its erasures, and its export has none of the new rows.
      expect(await fresh.import(a, standby, [await textOf(names)])).toMatchObject({ erased: 0, conflicts: 0 });
      expect(await said(there, again)).toBe('! unknown_token');
      expect(await said(who, ada)).toBe('! forgotten');
      expect(await fresh.import(a, home, [await textOf(there)])).toMatchObject({ erased: 0, conflicts: 0 });
      expect([await said(people, ada), await said(names, again)]).toEqual(['Ada', 'Bob']);
      for (const open of [names, there]) expect((await open.verify()).problems).toEqual([]);
    }
  });

  test('if the store did not have the erasure, the mapping is destroyed as a whole, and counted', async () => {
    const [one, two] = [{ main: memoryStore() }, { main: memoryStore() }];
    const [first, second] = [await strict.open(a, one, revealAccess), await strict.open(a, two, revealAccess)];
    await first.forget(await first.protect('Ada'));
    const theirs = await second.protect('Ada');
    const alive = await second.protect('Grace');
    // Its value, and its token, which the export does not have.
    expect((await strict.import(a, two, [await textOf(first)])).erased).toBe(2);
    expect(await said(second, theirs)).toBe('! forgotten');
    expect(await code(second.protect('Ada'))).toBe('erased');
    expect(await said(second, alive)).toBe('Grace');
    expect(await broken(second)).toBe(0);
  });

  test('a value that is erased in the store is not restored by the token of another store', async () => {
    const [one, two] = [{ main: memoryStore() }, { main: memoryStore() }];
    const [first, second] = [await strict.open(a, one, revealAccess), await strict.open(a, two, revealAccess)];
    await first.forget(await first.protect('Ada'));
    const theirs = await second.protect('Ada');
    expect(await strict.import(a, one, [await textOf(second)])).toMatchObject({ erased: 0, conflicts: 0 });
    expect(await said(first, theirs)).toBe('! unknown_token');
    expect(await broken(first)).toBe(0);
    // In its own store it stays live: it was not erased there, and no export has a tombstone of it.
    expect(await said(second, theirs)).toBe('Ada');
  });
});

test('a grave looks like the erased row of a shredded subject, and shows nothing of its mapping', async () => {
  const stores = { main: memoryStore() };
  const [names, people] = [await strict.open(a, stores, revealAccess), await ofSubject.open(a, stores, revealAccess)];
  const token = await names.protect('Ada');
  const links = new Set<string>();
  const { primary } = openKeys(a);
  const outer = outerLayer(primary, 'main');
  for (const row of await rowsOf(stores.main, 'token')) {
    links.add(hex(readContent(outer.open('token', row)!)!.link));
  }
  await names.forget(token);
  await people.protect('x', { subject: 7 });
  await people.shred(7);
  const subjects = await rowsOf(stores.main, 'subject');
  expect(subjects.map(({ body }) => body.length).sort((x, y) => x - y)).toEqual([47, 47, 127]);
  for (const row of subjects) {
    const content = readContent(outer.open('subject', row)!)!;
    expect(content.state).toBe('erased');
    expect(content.rest.every((byte) => byte === 0)).toBe(true);
    expect(links.has(hex(content.link))).toBe(false);
  }
});
