/**
 * Stores that share keys, before and after a rotation. They file one value in one place, so an import finds it there:
 * an erasure is carried over, and one value never has two live tokens.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keyset } from '../../src/index.ts';
import { addKey, promoteKey } from '../../src/keys.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, type VaultStore, vault } from '../../src/vault.ts';

const first = keyset.generate();
const ready = addKey(first);
const later = promoteKey(ready, ready.ids.find((id) => id !== first.primary)!);
const [A, B] = [ready.domain('eu'), later.domain('eu')];

const DAY = 86_400_000;

type Options = { readonly onErased?: 'new'; readonly ttl?: number };
const ruleOf = (options: Options = {}) => vault({ scope: 'person.name', store: 'main', ...options });
type Rule = ReturnType<typeof ruleOf>;

const open = (rule: Rule, store: VaultStore, keys = A) => rule.open(keys, { main: store }, revealAccess);

async function linesOf(opened: Awaited<ReturnType<typeof open>>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of opened.export()) lines.push(line);
  return lines;
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );

/** The key id that a token without a label shows. */
const shownBy = (token: string) => token.slice(0, 5);

describe('two stores that share keys, one of which has moved its outer layer', () => {
  async function pair() {
    const rule = ruleOf();
    const [one, two] = [memoryStore(), memoryStore()];
    const seeded = await open(rule, one);
    await seeded.protect('seed');
    await rule.import(A, { main: two }, await linesOf(seeded));
    const moved = await open(rule, one, B);
    expect(await moved.rekey()).toMatchObject({ left: 0 });
    const standby = await open(rule, two);
    return { rule, one, two, moved, standby };
  }

  test('new mappings keep the inner layer that both have', async () => {
    const { moved } = await pair();
    expect(await moved.stats()).toMatchObject({ outer: [B.keyId], inner: [A.keyId] });
    expect(shownBy(await moved.protect('Ada'))).toBe(A.keyId);
  });

  test('an import carries an erasure over to the other', async () => {
    const { rule, one, moved, standby } = await pair();
    const here = await moved.protect('Ada');
    const there = await standby.protect('Ada');
    await standby.forget(there);
    expect(await rule.import(B, { main: one }, await linesOf(standby))).toMatchObject({ erased: 2, conflicts: 0 });
    expect(await codeOf(moved.reveal(here))).toBe('forgotten');
    expect(await codeOf(moved.reveal(there))).toBe('forgotten');
    expect(await moved.lookup('Ada')).toBe(null);
    expect(await codeOf(moved.protect('Ada'))).toBe('erased');
  });

  test.each(['to the moved one', 'from the moved one'])(
    'an import %s leaves one live token of a value',
    async (way) => {
      const { rule, one, two, moved, standby } = await pair();
      const tokens = { moved: await moved.protect('Ada'), standby: await standby.protect('Ada') };
      const isTo = way === 'to the moved one';
      const [source, store, keys] = isTo ? [standby, one, B] : [moved, two, A];
      expect(await rule.import(keys, { main: store }, await linesOf(source))).toMatchObject({ conflicts: 2 });
      const [own, other] = isTo ? [tokens.moved, tokens.standby] : [tokens.standby, tokens.moved];
      const target = isTo ? moved : standby;
      expect(await target.reveal(own)).toBe('Ada');
      expect(await codeOf(target.reveal(other))).toBe('unknown_token');
      expect(await target.protect('Ada')).toBe(own);
      expect((await target.verify()).broken).toBe(0);
    },
  );
});

describe('after a rekey of tokens', () => {
  const begin = Date.now();
  let days = 0;
  // Within a process no day comes back, so each test begins where the one before it ended.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: begin + days * DAY });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const inDays = (more: number) => {
    days += more;
    vi.setSystemTime(begin + days * DAY);
  };

  test('a value that has expired gets its new token under the new key', async () => {
    const rule = ruleOf({ ttl: 3 });
    const store = memoryStore();
    const before = await open(rule, store);
    const [ada, zoe] = [await before.protect('Ada'), await before.protect('Zoe')];
    const after = await open(rule, store, B);
    await after.rekey();
    await after.rekey({ tokens: [zoe] });
    inDays(5);
    const renewed = await after.protect('Ada');
    expect(shownBy(renewed)).toBe(B.keyId);
    expect(await codeOf(after.reveal(ada))).toBe('unknown_token');
    // Process of the older primary key: it takes the order of the keys from the store.
    expect(await (await open(rule, store)).protect('Ada')).toBe(renewed);
    const verified = await after.verify();
    // The rows of Zoe have expired and are there until `expire`; nothing of Ada is left under the older key.
    expect(verified).toMatchObject({ broken: 0, inner: { [B.keyId]: 4 } });
    expect(await after.expire()).toBe(2);
    expect(await after.reveal(renewed)).toBe('Ada');
  });

  test('a value that was erased gets its new token under the new key, and its tombstone stays', async () => {
    const rule = ruleOf({ onErased: 'new' });
    const store = memoryStore();
    const before = await open(rule, store);
    const [ada, zoe] = [await before.protect('Ada'), await before.protect('Zoe')];
    const old = await linesOf(before);
    await before.forget(ada);
    const after = await open(rule, store, B);
    await after.rekey({ tokens: [zoe] });
    const [renewed, again] = await Promise.all([after.protect('Ada'), (await open(rule, store)).protect('Ada')]);
    expect(again).toBe(renewed);
    expect(shownBy(renewed)).toBe(B.keyId);
    // The older export has the erased mapping under the older key, and brings nothing back.
    await rule.import(B, { main: store }, old);
    expect(await codeOf(after.reveal(ada))).toBe('forgotten');
    // Whatever the order of the keys is, the one live token counts.
    const back = await open(rule, store);
    expect(await back.rekey({ tokens: [zoe] })).toMatchObject({ left: 0 });
    expect((await back.stats()).inner).toEqual([A.keyId, B.keyId]);
    expect(await back.protect('Ada')).toBe(renewed);
    expect(await back.reveal(renewed)).toBe('Ada');
    expect((await back.verify()).broken).toBe(0);
    await back.forget(renewed);
    expect(await codeOf(back.reveal(renewed))).toBe('forgotten');
    expect(await back.lookup('Ada')).toBe(null);
  });

  test('an import into a standby keeps the new token and the erasure of the old one', async () => {
    const rule = ruleOf({ onErased: 'new' });
    const [store, standby] = [memoryStore(), memoryStore()];
    const before = await open(rule, store);
    const [ada, zoe] = [await before.protect('Ada'), await before.protect('Zoe')];
    await rule.import(A, { main: standby }, await linesOf(before));
    await before.forget(ada);
    const after = await open(rule, store, B);
    await after.rekey({ tokens: [zoe] });
    const renewed = await after.protect('Ada');
    await rule.import(A, { main: standby }, await linesOf(after));
    const there = await open(rule, standby);
    expect(await codeOf(there.reveal(ada))).toBe('forgotten');
    expect(await there.protect('Ada')).toBe(renewed);
    expect(await there.reveal(zoe)).toBe('Zoe');
    expect((await there.verify()).broken).toBe(0);
  });

  test('an older export of the store puts rows back under the older key, and another rekey removes them', async () => {
    const rule = ruleOf();
    const store = memoryStore();
    const before = await open(rule, store);
    const ada = await before.protect('Ada');
    const old = await linesOf(before);
    const after = await open(rule, store, B);
    expect(await after.rekey({ tokens: [ada] })).toEqual({ moved: 1, left: 0 });
    expect((await after.verify()).inner).toEqual({ [B.keyId]: 2 });
    expect(await rule.import(B, { main: store }, old)).toMatchObject({ written: 2 });
    expect((await after.verify()).inner).toEqual({ [A.keyId]: 2, [B.keyId]: 2 });
    expect(await after.rekey({ tokens: [ada] })).toEqual({ moved: 1, left: 0 });
    expect(await after.verify()).toMatchObject({ broken: 0, inner: { [B.keyId]: 2 } });
    expect(await after.rekey({ tokens: [ada] })).toEqual({ moved: 0, left: 0 });
    expect(await after.reveal(ada)).toBe('Ada');
    expect(await after.protect('Ada')).toBe(ada);
  });

  test('a store with such rows verifies after they have expired and the value was renewed', async () => {
    const rule = ruleOf({ ttl: 3 });
    const store = memoryStore();
    const before = await open(rule, store);
    const ada = await before.protect('Ada');
    const old = await linesOf(before);
    const after = await open(rule, store, B);
    await after.rekey({ tokens: [ada] });
    await rule.import(B, { main: store }, old);
    inDays(5);
    const renewed = await after.protect('Ada');
    expect(renewed).not.toBe(ada);
    expect(await after.verify()).toMatchObject({ broken: 0, rows: 2, inner: { [B.keyId]: 2 } });
    expect(await after.expire()).toBe(0);
    expect(await after.reveal(renewed)).toBe('Ada');
  });
});
