/**
 * The table of attackers in docs/security.md, "The vault", row by row: what an attacker holds, and what they learn. The
 * attacker of these tests has the library's own code and all that the row of the table allows.
 */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/core/bytes.ts';
import { writeHex } from '../../src/core/hex.ts';
import { keyset } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { revealAccess } from '../../src/reveal.ts';
import { readContent, SHOWN } from '../../src/vault/rows/content.ts';
import { innerLayer } from '../../src/vault/rows/inner.ts';
import { outerLayer } from '../../src/vault/rows/outer.ts';
import type { Row, Table } from '../../src/vault/stores/store.ts';
import { memoryStore, type VaultStore, vault } from '../../src/vault.ts';

const keys = keyset.generate().domain('eu-enclave');
const phones = vault({ scope: 'person.phone', store: 'main' });
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );
const rowsOf = (store: VaultStore, table: Table) => store.scan(table, { after: null, limit: 1e6 });

/** Four-digit extensions, of which an attacker can try all ten thousand, and a passphrase, which nobody can guess. */
const people = ['0042', '1815', '7777', 'correct horse battery staple 8f2c'];

async function filled() {
  const store = memoryStore();
  const open = await phones.open(keys, { main: store }, revealAccess);
  return { store, open, tokens: await open.protectMany(people) };
}

/** What an attacker can derive from the keys. */
function layers() {
  const { primary } = openKeys(keys);
  return { outer: outerLayer(primary, 'main'), inner: innerLayer(primary, 'main', 'person.phone', false) };
}

/** Tries a value: returns whether it is in the store, and its token. */
function guess(value: string, rows: ReadonlyMap<string, Row>): string | 'erased' | null {
  const { outer, inner } = layers();
  const row = rows.get(writeHex(outer.indexOf(inner.value.indexOf(utf8(value)))));
  if (row === undefined) return null;
  const content = readContent(outer.open('value', row)!)!;
  if (content.state === 'erased') return 'erased';
  // It follows the key id that the token shows.
  return writeHex(inner.value.open(utf8(value), content.rest.slice(SHOWN))!);
}

const byIndex = (rows: readonly Row[]) => new Map(rows.map((row) => [writeHex(row.index), row]));

describe('the store alone', () => {
  test('shows no value, no token and no scope; erased rows look like live ones', async () => {
    const { store, open, tokens } = await filled();
    const before = [...(await rowsOf(store, 'value')), ...(await rowsOf(store, 'token'))];
    await open.forget(tokens[0]!);
    const after = [...(await rowsOf(store, 'value')), ...(await rowsOf(store, 'token'))];
    const all = after.map(({ index, body }) => Buffer.concat([index, body]).toString('latin1')).join('');
    for (const text of [...people, ...tokens, 'person.phone']) expect(all).not.toContain(text);
    // All values have one length, so that the length does not show which two were destroyed.
    const lengths = (rows: readonly Row[]) => rows.map(({ body }) => body.length).sort();
    expect(lengths(after)).toEqual(lengths(before));
    expect(new Set((await rowsOf(store, 'value')).map(({ body }) => body.length)).size).toBe(1);
  });

  test('equal values in two vaults have nothing in common', async () => {
    const [a, b] = [await filled(), await filled()];
    const bodies = async ({ store }: typeof a) => (await rowsOf(store, 'value')).map(({ body }) => writeHex(body));
    const first = new Set(await bodies(a));
    for (const body of await bodies(b)) expect(first.has(body)).toBe(false);
    // Under other keys the indexes differ as well.
    const store = memoryStore();
    const other = await phones.open(keyset.generate().domain('eu-enclave'), { main: store });
    await other.protectMany(people);
    const places = new Set((await rowsOf(a.store, 'value')).map(({ index }) => writeHex(index)));
    for (const { index } of await rowsOf(store, 'value')) expect(places.has(writeHex(index))).toBe(false);
  });
});

describe('the store and the keys', () => {
  test('find a value that can be guessed, with its token, and no other value', async () => {
    const { store, tokens } = await filled();
    const rows = byIndex(await rowsOf(store, 'value'));
    const found = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(4, '0')).filter((n) => guess(n, rows));
    expect(found).toEqual(['0042', '1815', '7777']);
    expect(new Set(people.map((value) => guess(value, rows))).size).toBe(tokens.length);

    // The row of the value that was not guessed: no key that the attacker can derive opens it.
    const { outer, inner } = layers();
    const guessed = new Set(found.map((value) => writeHex(outer.indexOf(inner.value.indexOf(utf8(value))))));
    const rest = [...rows.values()].filter(({ index }) => !guessed.has(writeHex(index)));
    expect(rest.length).toBe(1);
    const content = readContent(outer.open('value', rest[0]!)!)!;
    for (const value of [...found, '']) expect(inner.value.open(utf8(value), content.rest.slice(SHOWN))).toBeNull();
    expect(Buffer.from(content.rest).toString('latin1')).not.toContain('horse');
    for (const row of await rowsOf(store, 'token')) {
      const { rest } = readContent(outer.open('token', row)!)!;
      expect(Buffer.from(rest).toString('latin1')).not.toContain('horse');
      for (const name of [row.index, outer.innerOf(row.index), new Uint8Array(16)]) {
        expect(inner.token.open(name, rest)).toBeNull();
      }
    }
  });

  test('a tombstone shows somebody who guesses the value that it was in the store', async () => {
    const { store, open, tokens } = await filled();
    await open.forget(tokens[1]!);
    const rows = byIndex(await rowsOf(store, 'value'));
    expect(guess('1815', rows)).toBe('erased');
    expect(guess('1816', rows)).toBeNull();
  });
});

describe('tokens', () => {
  test('with store and keys they reveal their own values and no others', async () => {
    const { open, tokens } = await filled();
    expect(await open.revealMany(tokens)).toEqual(people);
  });

  test('with the keys but no store they reveal nothing, because they are random', async () => {
    const [a, b] = [await filled(), await filled()];
    for (const token of a.tokens) expect(b.tokens).not.toContain(token);
    expect(await code(b.open.reveal(a.tokens[0]!))).toBe('unknown_token');
  });

  test('with the store but no keys they reveal nothing', async () => {
    const { store, tokens } = await filled();
    expect(await code(phones.open(keyset.generate().domain('eu-enclave'), { main: store }, revealAccess))).toBe(
      'unknown_key',
    );
    expect(await code(phones.open(keyset.generate().domain('us'), { main: store }))).not.toBe('no error');
    // The attacker cannot compute the index of a token: it shows no bytes of the token.
    const indexes = (await rowsOf(store, 'token')).map(({ index }) => writeHex(index));
    for (const token of tokens) expect(indexes.join()).not.toContain(token.slice(5, 31));
  });
});

describe('an attacker who may write to the store', () => {
  /** A store in which one row was replaced. */
  async function forged(change: (row: Row, others: readonly Row[]) => Row) {
    const { store, tokens } = await filled();
    const rows = await rowsOf(store, 'token');
    const target = rows[0]!;
    const meta = (await store.meta())!.generation;
    const to = change(target, rows);
    await store.change(meta, [{ table: 'token', index: target.index, from: target.version, to }]);
    const open = await phones.open(keys, { main: store }, revealAccess);
    const read = await Promise.all(tokens.map((token) => code(open.reveal(token))));
    const { problems } = await open.verify();
    return { read: read.sort(), problems, index: writeHex(target.index) };
  }

  test.each<[string, (row: Row, others: readonly Row[]) => Row]>([
    ['a bit of a body', (row) => ({ ...row, body: row.body.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) })],
    ['a cut body', (row) => ({ ...row, body: row.body.slice(0, -1) })],
    ['a body of one byte', (row) => ({ ...row, body: Uint8Array.of(0) })],
    ['the body of another row', (row, others) => ({ ...row, body: others[1]!.body })],
    ['another version', (row) => ({ ...row, version: 7 })],
    ['another expiry', (row) => ({ ...row, expires: 99_999 })],
    ['a key that nobody has', (row) => ({ ...row, key: 'zzzzz' })],
  ])('%s: one opaque error, the rest is readable, verify names the row', async (_, change) => {
    const { read, problems, index } = await forged(change);
    expect(read).toEqual(['no error', 'no error', 'no error', 'row_broken']);
    expect(problems).toContainEqual({ table: 'token', index, why: 'does not verify' });
  });

  test('a change of any byte of a row is noticed', async () => {
    const { store } = await filled();
    const { outer } = layers();
    const [row] = await rowsOf(store, 'value');
    expect(outer.open('value', row!)).not.toBeNull();
    for (let i = 0; i < row!.body.length; i++) {
      const body = row!.body.map((byte, k) => (k === i ? byte ^ 0x80 : byte));
      expect(outer.open('value', { ...row!, body })).toBeNull();
    }
    expect(outer.open('token', row!)).toBeNull();
    expect(outer.open('subject', row!)).toBeNull();
  });

  test('changed metadata are refused', async () => {
    const { store } = await filled();
    const { text, generation } = (await store.meta())!;
    const changed = JSON.parse(text) as { inner: string[] };
    changed.inner = [...changed.inner, changed.inner[0]!];
    await store.setMeta({ generation: generation + 1, text: JSON.stringify(changed) });
    expect(await code(phones.open(keys, { main: store }))).toBe('store_broken');
    await store.setMeta({ generation: generation + 2, text: text.replace('vault-v1', 'vault-v2') });
    expect(await code(phones.open(keys, { main: store }))).toBe('store_version');
  });

  test('an old row in place of a newer one is not noticed, as the security page says', async () => {
    const { store, open, tokens } = await filled();
    const before = await rowsOf(store, 'token');
    await open.forget(tokens[0]!);
    const now = await rowsOf(store, 'token');
    const { generation } = (await store.meta())!;
    for (const [i, row] of now.entries()) {
      await store.change(generation, [{ table: 'token', index: row.index, from: row.version, to: before[i]! }]);
    }
    expect(await open.reveal(tokens[0]!)).toBe(people[0]);
  });
});

describe('backups', () => {
  test('a subject stays shredded after an old backup of the mappings is restored, if the table of subjects is newer', async () => {
    const store = memoryStore();
    const rule = vault({ scope: 'person.phone', store: 'main', subject: 'id' });
    const open = await rule.open(keys, { main: store }, revealAccess);
    const token = await open.protect('0042', { subject: 7 });
    const backup = { value: await rowsOf(store, 'value'), token: await rowsOf(store, 'token') };
    await open.shred(7);

    const restored = memoryStore();
    await restored.setMeta((await store.meta())!);
    const subjects = (await rowsOf(store, 'subject')).map((row) => ({ row }));
    await restored.create(1, 'subject', subjects);
    const tokens = new Map(backup.token.map((row, i) => [i, row]));
    await restored.create(
      1,
      'value',
      backup.value.map((row, i) => ({ row, with: tokens.get(i) })),
    );
    const again = await rule.open(keys, { main: restored }, revealAccess);
    expect(await code(again.reveal(token))).toBe('forgotten');
    expect(await code(again.protect('0042', { subject: 7 }))).toBe('erased');
  });
});
