/** A root key has leaked, and the vault was moved to a new one: what its thief reads, with every copy of the store. */
import { describe, expect, test } from 'vitest';
import { encodeList } from '../../src/core/bytes.ts';
import { writeHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { addKey, type KeyNeed, promoteKey, retireKey } from '../../src/keys.ts';
import { revealAccess } from '../../src/reveal.ts';
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

  test('new mappings get the inner layer of the new key, and older ones are still found', async () => {
    const { after, ada, zoe } = await rotated();
    const id = moved.domain(DOMAIN).keyId;
    expect(await after.stats()).toMatchObject({ outer: [id], inner: [id, stolen.domain(DOMAIN).keyId] });
    expect(await after.protect('+442079460017')).toBe(ada);
    expect(await after.reveal(zoe)).toBe('+493012345678');
  });

  test('the leaked root alone opens nothing of the new store', async () => {
    const { store, zoe } = await rotated();
    expect(await codeOf(open(stolen.domain(DOMAIN), store))).toEqual({ code: 'unknown_key' });
    expect(zoe).toContain(moved.domain(DOMAIN).keyId);
  });

  test('with the outer layer of the new key, too, the thief reads old mappings by their tokens, and no new one', async () => {
    const { store, ada, zoe } = await rotated();
    const thief = await steal(store);
    expect(await thief.reveal(ada)).toBe('+442079460017');
    expect(await thief.lookup('+442079460017')).toBe(ada);
    expect(await codeOf(thief.reveal(zoe))).toEqual({ code: 'unknown_token' });
    expect(await thief.lookup('+493012345678')).toBe(null);
  });

  test('rekey with the tokens takes the old mappings from that thief as well', async () => {
    const { store, after, ada } = await rotated();
    expect(await after.rekey({ tokens: [ada] })).toEqual({ moved: 1, left: 0 });
    const thief = await steal(store);
    expect(await codeOf(thief.reveal(ada))).toEqual({ code: 'unknown_token' });
    expect(await thief.lookup('+442079460017')).toBe(null);
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
