/** A root key has leaked, and the vault was moved to a new one: what its thief reads, with every copy of the store. */
import { describe, expect, test } from 'vitest';
import { encodeList } from '../../src/core/bytes.ts';
import { writeHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { addKey, type KeyNeed, promoteKey, retireKey } from '../../src/keys.ts';
import { revealAccess } from '../../src/reveal.ts';
import { innerLayer } from '../../src/vault/rows/inner.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import { readToken } from '../../src/vault/rows/token-text.ts';
import { openSession } from '../../src/vault/session.ts';
import { memoryStore, type VaultStore, vault } from '../../src/vault.ts';

const DOMAIN = 'eu';
const rule = vault({ scope: 'person.phone', store: 'main' });

const stolen = keyset.generate({ renewable: true });
const ready = addKey(stolen);
const fresh = ready.ids.find((id) => !stolen.ids.includes(id))!;
const moved = promoteKey(ready, fresh);

/**
 * The thief has the leaked root and, from a second theft, the outer layer of the new key: a file that looks up alone
 * has it. Nothing else of the new key.
 */
const withOuter = (() => {
  const path = (part: string): KeyNeed['path'] => [
    ['kind', 'vault'],
    ['scope', 'main'],
    ['parameters', part],
  ];
  const keep = [{ domain: DOMAIN, path: path('outer') }];
  const kept = retireKey(ready, fresh, { at: '2027-01-31', domains: [DOMAIN], keep });
  return kept.domain(DOMAIN, { branchCheck: kept.domain(DOMAIN).branchCheck! });
})();

type Keys = Parameters<typeof rule.open>[0];
const open = (keys: Keys, store: VaultStore) => rule.open(keys, { main: store }, revealAccess);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    (value) => ({ value }),
    (error: { code?: string }) => ({ code: error.code }),
  );

/**
 * The thief holds the key of the metadata as well, so they write themselves metadata in which only the leaked key is
 * looked under. What the library then reads is what the leaked inner layer opens.
 */
async function steal(store: VaultStore) {
  const session = await openSession(store, 'main', openKeys(withOuter));
  const { outer } = session.meta();
  expect(await session.change({ outer, inner: [stolen.domain(DOMAIN).keyId] })).toBe(true);
  return open(withOuter, store);
}

describe('after vault rekey without tokens', () => {
  async function rotated() {
    const store = memoryStore();
    const before = await open(stolen.domain(DOMAIN), store);
    const [ada] = await before.protectMany(['+442079460017']);
    const after = await open(moved.domain(DOMAIN), store);
    expect((await after.rekey()).left).toBe(0);
    const zoe = await after.protect('+493012345678');
    return { store, after, ada: ada!, zoe };
  }

  test('new mappings get the inner layer of the leaked key, and older ones are still found', async () => {
    const { after, ada, zoe } = await rotated();
    const id = moved.domain(DOMAIN).keyId;
    expect(await after.stats()).toMatchObject({ outer: [id], inner: [stolen.domain(DOMAIN).keyId] });
    expect(await after.protect('+442079460017')).toBe(ada);
    expect(await after.reveal(zoe)).toBe('+493012345678');
  });

  test('the leaked root alone opens nothing of the new store, neither older mappings nor new ones', async () => {
    const { store, ada, zoe } = await rotated();
    expect(await codeOf(open(stolen.domain(DOMAIN), store))).toEqual({ code: 'unknown_key' });
    // The thief does without the metadata: no row opens in the outer layer of the leaked root, whatever key it names.
    const keys = openKeys(stolen.domain(DOMAIN));
    const theirs = outerLayer(keys.primary, 'main');
    for (const table of ['value', 'token'] as const) {
      const rows = await store.scan(table, { after: null, limit: 10 });
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        expect(theirs.open(table, row)).toBe(null);
        expect(theirs.open(table, { ...row, key: keys.primary.id })).toBe(null);
      }
    }
    // Nor does a guess, or a token, meet an index.
    const inner = innerLayer(keys.primary, 'main', 'person.phone', false);
    const names = { value: ['+442079460017', '+493012345678'], token: [ada, zoe].map((text) => readToken(text)) };
    for (const table of ['value', 'token'] as const) {
      const indexes = theirs.indexesOf(inner[table].indexesOf(names[table]));
      expect(await store.get(table, [indexes.subarray(0, 16), indexes.subarray(16)])).toEqual([]);
    }
  });

  test('with the outer layer of the new key, too, the thief reads older and new mappings by their tokens', async () => {
    const { store, ada, zoe } = await rotated();
    const thief = await steal(store);
    for (const [value, token] of [
      ['+442079460017', ada],
      ['+493012345678', zoe],
    ] as const) {
      expect(await thief.reveal(token)).toBe(value);
      // A guess is enough, too.
      expect(await thief.lookup(value)).toBe(token);
    }
    expect(await thief.lookup('+4930999')).toBe(null);
  });

  test('rekey with the tokens takes the mappings from that thief, and later ones are made under the new key', async () => {
    const { store, after, ada, zoe } = await rotated();
    expect(await after.rekey({ tokens: [ada, zoe] })).toEqual({ moved: 2, left: 0 });
    const grace = await after.protect('+15550100');
    expect(grace).toContain(moved.domain(DOMAIN).keyId);
    const thief = await steal(store);
    for (const token of [ada, zoe, grace]) expect(await codeOf(thief.reveal(token))).toEqual({ code: 'unknown_token' });
    for (const value of ['+442079460017', '+493012345678', '+15550100']) expect(await thief.lookup(value)).toBe(null);
  });
});

describe('certificates of erasure', () => {
  const people = vault({ scope: 'person.name', store: 'main', subject: 'id' });
  const parameters = (part: string): KeyNeed['path'] => [
    ['kind', 'vault'],
    ['scope', 'main'],
    ['parameters', part],
  ];
  /** The leaked root is gone, and of it stays what the vault needs. */
  const retired = (() => {
    const inner: KeyNeed['path'] = [
      ['kind', 'vault'],
      ['scope', 'person.name'],
      ['parameters', 'inner', 'main', 'subject'],
    ];
    const keep = [inner, parameters('subjects')].map((path) => ({ domain: DOMAIN, path }));
    const kept = retireKey(moved, stolen.primary, { at: '2027-01-31', domains: [DOMAIN], keep });
    return kept.domain(DOMAIN, { branchCheck: kept.domain(DOMAIN).branchCheck! });
  })();

  async function erased() {
    const store = memoryStore();
    const before = await people.open(stolen.domain(DOMAIN), { main: store }, revealAccess);
    await before.protectMany(['Ada', 'Zoe'], { subjects: ['7', '8'] });
    const old = (await before.shred('7'))!;
    const after = await people.open(moved.domain(DOMAIN), { main: store }, revealAccess);
    expect((await after.rekey()).left).toBe(0);
    return { store, old, after, fresh: (await after.shred('8'))! };
  }

  /** What the thief writes, with all keys of the leaked root: a certificate about a person who was never erased. */
  async function forged(outerKeyId: string) {
    const copy = memoryStore();
    const theirs = await people.open(stolen.domain(DOMAIN), { main: copy }, revealAccess);
    const made = (await theirs.shred('9', { inAdvance: true }))!;
    const { trefoil, destroyed, mappings, domain, store, keyId, subject, at } = made;
    const message = encodeList([trefoil, destroyed, mappings, domain, store, keyId, outerKeyId, subject, at]);
    const { subjects, outer } = await openSession(copy, 'main', openKeys(stolen.domain(DOMAIN)));
    const mac = writeHex(subjects.mac(message));
    return { ...made, outerKeyId, mac, outerMac: writeHex(outer(keyId).mac(message)) };
  }

  test('verify under both MACs, and stay valid when the store is moved to another outer key', async () => {
    const { old, after, fresh } = await erased();
    const [was, is] = [stolen.domain(DOMAIN).keyId, moved.domain(DOMAIN).keyId];
    expect([old.outerKeyId, fresh.outerKeyId, old.keyId, fresh.keyId]).toEqual([was, is, was, was]);
    expect([after.isCertificate(old, '7'), after.isCertificate(fresh, '8')]).toEqual([true, true]);
    expect(after.isCertificate({ ...fresh, outerMac: fresh.mac }, '8')).toBe(false);
    expect(after.isCertificate({ ...fresh, outerMac: old.outerMac }, '8')).toBe(false);
  });

  test('of the thief verify until the root key is retired, and not afterwards', async () => {
    const { store, old, after, fresh } = await erased();
    const [was, is] = [stolen.domain(DOMAIN).keyId, moved.domain(DOMAIN).keyId];
    const [theirs, dressed] = [await forged(was), await forged(is)];
    expect([after.isCertificate(theirs, '9'), after.isCertificate(dressed, '9')]).toEqual([true, false]);

    const later = await people.open(retired, { main: store }, revealAccess);
    expect([later.isCertificate(theirs, '9'), later.isCertificate(dressed, '9')]).toEqual([false, false]);
    // Genuine certificates of the leaked key share that fate; those of the new one do not.
    expect([later.isCertificate(old, '7'), later.isCertificate(fresh, '8')]).toEqual([false, true]);
    expect(await later.stateOf(fresh)).toBe('erased');
    expect(await later.stateOf(old)).toBe(null);
  });
});
