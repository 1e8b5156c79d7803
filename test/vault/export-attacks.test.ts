/**
 * Attacks on exports, by the names of the programs that once showed them: somebody without keys cuts, mixes or repeats
 * lines. What an import does of such a file is what its beginning does, and it erases nothing.
 */
import { describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, type RevealingVault, type Table, type VaultStore, vault } from '../../src/vault.ts';
import { rejection } from '../helpers/errors.ts';

const keys = keyset.generate().domain('eu');
const people = vault({ scope: 's', store: 'main', subject: 'id', onErased: 'new' });
const names = vault({ scope: 'p', store: 'main', onErased: 'new' });

const said = (open: Pick<RevealingVault, 'reveal'>, token: string) =>
  open.reveal(token as never).catch((error) => `! ${error.code}`);
const linesOf = async (open: Pick<RevealingVault, 'export'>) => {
  const lines: string[] = [];
  for await (const line of open.export()) lines.push(line);
  return lines;
};
const open = (store: VaultStore) => people.open(keys, { main: store }, revealAccess);
const into = (store: VaultStore, lines: readonly string[]) => people.import(keys, { main: store }, [lines.join('')]);
const refusal = async (store: VaultStore, lines: readonly string[]) => (await rejection(into(store, lines))).issues[0]!;
const rowsOf = (store: VaultStore, table: Table) => store.scan(table, { after: null, limit: 1e6 });
const rowsIn = async (store: VaultStore) => {
  const counts = await Promise.all((['value', 'token', 'subject'] as const).map((table) => rowsOf(store, table)));
  return counts.map(({ length }) => length);
};

/** Rows by subject are the short ones of their table, which can be seen without a key. */
const isBySubject = (line: string) => {
  const { table, body } = JSON.parse(line);
  return table === 'subject' && Buffer.from(body, 'base64url').length === 47;
};
const isPart = (line: string) => line.startsWith('{"part"');

/** Makes a store with a number of people, each with one mapping: four rows a person. */
async function filled(count: number) {
  const store = memoryStore();
  const vault = await open(store);
  const values = Array.from({ length: count }, (_, i) => `Person ${i}`);
  const tokens = await vault.protectMany(values, { subjects: values.map((_, i) => i) });
  return { store, vault, values, tokens };
}

describe('import-unshreddable', () => {
  test('an export in which rows by subject were replaced by others is refused, and nothing is written', async () => {
    const { vault } = await filled(2);
    const lines = await linesOf(vault);
    const rows = lines.slice(1, -1);
    const keep = rows.filter((line) => !isBySubject(line));
    expect(rows.length - keep.length).toBe(2);
    const target = memoryStore();
    const forged = [lines[0]!, ...keep, ...keep.slice(0, 2), lines.at(-1)!];
    expect(await refusal(target, forged)).toEqual({
      code: 'export_refused',
      message: expect.stringMatching(/^rows before this line were left out or changed.*; nothing was written$/),
      line: lines.length,
    });
    expect(await rowsIn(target)).toEqual([0, 0, 0]);
  });

  test('a part has each key together with its row, so an export that was cut off has no key without its row', async () => {
    const { vault, tokens } = await filled(800);
    const lines = await linesOf(vault);
    const ends = lines.flatMap((line, i) => (isPart(line) ? [i] : []));
    // 1,600 rows of subjects: the first part has some of them.
    expect(ends.length).toBe(4);
    const target = memoryStore();
    const cut = lines.slice(0, ends[0]! + 1);
    expect(await refusal(target, cut)).toEqual({
      code: 'export_refused',
      message:
        'the end of the export is missing; import the complete export; before that, 1,000 rows were written and 0 erased',
    });
    const there = await open(target);
    const subjects = await rowsOf(target, 'subject');
    const bySubject = subjects.filter(({ body }) => body.length === 47).length;
    const byHandle = subjects.filter(({ body }) => body.length === 127).length;
    expect([bySubject, byHandle]).toEqual([500, 500]);
    expect((await there.verify()).problems).toEqual([]);
    for (const i of [0, 400, 799]) await there.protect('Somebody else', { subject: i });
    // The complete export can be imported afterwards.
    await into(target, lines);
    expect((await there.verify()).broken).toBe(0);
    expect(await said(there, tokens[5]!)).toBe('Person 5');
    await there.shred(5);
    expect(await said(there, tokens[5]!)).toBe('! forgotten');
  });
});

describe('abort', () => {
  test('if the end of a part does not verify, nothing of that part is written', async () => {
    const { vault, tokens } = await filled(1);
    const lines = await linesOf(vault);
    const target = memoryStore();
    expect(
      (
        await refusal(
          target,
          lines.filter((line) => !line.includes('"body"') || !isBySubject(line)),
        )
      ).code,
    ).toBe('export_refused');
    expect(await rowsIn(target)).toEqual([0, 0, 0]);
    expect(await said(await open(target), tokens[0]!)).toBe('! unknown_token');
  });

  test('an older export without its end destroys nothing, whether it was protected again or not', async () => {
    const { store, vault, tokens } = await filled(700);
    const target = memoryStore();
    await into(target, await linesOf(vault));
    const there = await open(target);
    // Erased in this store after the other one has imported them: an export would erase them there.
    for (const i of [0, 1, 2]) await vault.shred(i);
    for (const token of tokens.slice(3, 6)) await vault.forget(token!);
    const lines = await linesOf(vault);
    const before = await rowsIn(target);
    for (let end = 1; end < lines.length; end += end < lines.length - 3 ? 97 : 1) {
      expect((await refusal(target, lines.slice(0, end))).code).toBe('export_refused');
    }
    expect(await rowsIn(target)).toEqual(before);
    for (const [i, token] of tokens.slice(0, 6).entries()) expect(await said(there, token!)).toBe(`Person ${i}`);
    expect((await there.verify()).broken).toBe(0);
    // The complete export erases them: a subject and its key, and three values with their tokens.
    expect((await into(target, lines)).erased).toBe(12);
    for (const token of tokens.slice(0, 6)) expect(await said(there, token!)).toBe('! forgotten');
    // An old export of the same store, cut off or complete, keeps what was protected again.
    const back = await vault.protect('Person 0', { subject: 0 });
    expect((await refusal(store, lines.slice(0, -1))).code).toBe('export_refused');
    expect((await into(store, lines)).erased).toBe(0);
    expect(await said(vault, back)).toBe('Person 0');
  });
});

describe('race2', () => {
  test('a key is never seen without the row that leads to it, so no key of a new subject is removed as an orphan', async () => {
    const base = memoryStore();
    const seen: number[] = [];
    const watched: VaultStore = {
      ...base,
      async create(generation, table, entries) {
        const out = await base.create(generation, table, entries);
        seen.push((await rowsOf(base, 'subject')).length);
        return out;
      },
      async change(generation, changes) {
        const out = await base.change(generation, changes);
        seen.push((await rowsOf(base, 'subject')).length);
        return out;
      },
    };
    const vault = await open(watched);
    for (let i = 0; i < 5; i++) await vault.protect(`Person ${i}`, { subject: i });
    expect(seen.filter((rows) => rows % 2 !== 0)).toEqual([]);
  });

  test('an import takes no keys of others, paired or not, and verify reports those that stay apart', async () => {
    const { store, vault } = await filled(3);
    const other = await filled(2);
    const lines = await linesOf(other.vault);
    // A key is written, and its row never is.
    const [generation, [row]] = [
      (await store.meta())!.generation,
      (await rowsOf(store, 'subject')).filter(({ body }) => body.length === 47),
    ];
    await store.change(generation, [{ table: 'subject', index: row!.index, from: row!.version, to: null }]);
    const [alone] = (await vault.verify()).problems;
    expect(alone).toMatchObject({ table: 'subject', why: 'has no partner' });
    expect((await vault.verify()).broken).toBe(1);
    const count = (await rowsOf(store, 'subject')).length;
    await refusal(store, lines.slice(0, -1));
    await into(store, await linesOf(other.vault));
    expect((await rowsOf(store, 'subject')).length).toBeGreaterThanOrEqual(count);
    expect((await vault.verify()).problems).toContainEqual(alone);
  });

  test('a subject without its key is reported as well, but not a new one that is being written', async () => {
    const { store, vault } = await filled(3);
    const [key] = (await rowsOf(store, 'subject')).filter(({ body }) => body.length === 127);
    let looks = 0;
    const slow: VaultStore = {
      ...store,
      async scan(table, options) {
        const rows = await store.scan(table, options);
        // When the rows are read for the first time, the key of a subject has not been written yet.
        if (table !== 'subject' || options.after !== null || looks++ > 0) return rows;
        return rows.filter(({ index }) => index.join() !== key!.index.join());
      },
    };
    expect((await (await open(slow)).verify()).broken).toBe(0);
    expect(looks).toBeGreaterThan(1);
    const { generation } = (await store.meta())!;
    await store.change(generation, [{ table: 'subject', index: key!.index, from: key!.version, to: null }]);
    expect((await vault.verify()).problems).toMatchObject([{ table: 'subject', why: 'has no partner' }]);
  });
});

describe('lines', () => {
  test('of two exports of one store cannot be mixed', async () => {
    const { vault } = await filled(600);
    const [one, two] = [await linesOf(vault), await linesOf(vault)];
    expect(one.length).toBe(two.length);
    const ends = one.flatMap((line, i) => (isPart(line) ? [i] : []));
    for (const [from, to] of [
      [0, 1],
      [1, ends[0]! + 1],
      [ends[0]!, ends[0]! + 1],
      [ends[0]! + 1, one.length],
      [one.length - 1, one.length],
    ] as const) {
      const mixed = [...one.slice(0, from), ...two.slice(from, to), ...one.slice(to)];
      const isSame = mixed.join('') === one.join('');
      if (isSame) continue;
      expect((await refusal(memoryStore(), mixed)).code).toBe('export_refused');
    }
    // Their rows are equal, so only the rows can be exchanged.
    expect(one.slice(1, 500)).toEqual(two.slice(1, 500));
  });

  test('no part may be left out, repeated, reordered, or without its end', async () => {
    const { vault } = await filled(800);
    const lines = await linesOf(vault);
    const ends = lines.flatMap((line, i) => (isPart(line) ? [i] : []));
    const [head, last] = [lines[0]!, lines.at(-1)!];
    const part = (i: number) => lines.slice(i === 0 ? 1 : ends[i - 1]! + 1, ends[i]! + 1);
    const target = memoryStore();
    for (const forged of [
      [head, ...part(1), ...part(2), last],
      [head, ...part(0), ...part(2), ...part(3)],
      [head, ...part(0), ...part(0), ...part(1), ...part(2), ...part(3)],
      [head, ...part(1), ...part(0), ...part(2), ...part(3)],
      // The end of an export in place of the end of a part, and the reverse.
      [head, ...part(0).slice(0, -1), last],
      [...lines.slice(0, -1), lines[ends[0]!]!],
      // Two parts made one, without an end between them.
      lines.toSpliced(ends[0]!, 1),
    ]) {
      expect((await refusal(target, forged)).code).toBe('export_refused');
    }
    expect(part(0).length).toBe(1001);
    await into(target, lines);
    expect((await (await open(target)).verify()).broken).toBe(0);
  });

  test('a part also ends when it has reached its most bytes, and never has more rows than a part may have', async () => {
    const store = memoryStore();
    const vault = await names.open(keys, { main: store }, revealAccess);
    // 12 values of 1 MiB: a part has 8 MiB and one row.
    const values = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i).repeat(1_000_000));
    const tokens = await vault.protectMany(values);
    const lines = await linesOf(vault);
    const ends = lines.flatMap((line, i) => (isPart(line) ? [i] : []));
    expect(ends.length).toBe(2);
    const target = memoryStore();
    expect(await into(target, lines)).toMatchObject({ rows: 24, written: 24 });
    const there = await names.open(keys, { main: target }, revealAccess);
    expect(await said(there, tokens[11]!)).toBe(values[11]);
    // Somebody without keys makes one endless part of it.
    const endless = [lines[0]!, ...Array(30).fill(lines[1]!)];
    expect(await refusal(memoryStore(), endless)).toMatchObject({ message: expect.stringContaining('has no end') });
  });

  test('a line that has one name twice is refused, however the name is spelt', async () => {
    const { vault } = await filled(1);
    const lines = await linesOf(vault);
    const twice = (i: number, more: string) => lines.with(i, lines[i]!.replace('{', `{${more},`));
    for (const [i, more] of [
      [0, '"domain":"eu"'],
      [0, '"at":"2020-01-01T00:00:00.000Z"'],
      [1, '"table":"subject"'],
      [1, '"t\\u0061ble":"token"'],
      [1, '"version":1'],
      [lines.length - 1, '"part":1'],
      [lines.length - 1, '"mac":""'],
    ] as const) {
      const refused = await refusal(memoryStore(), twice(i, more));
      expect(refused.line).toBe(i + 1);
      expect(['export_refused', 'row_broken']).toContain(refused.code);
    }
    // The spelling of the JSON does not matter: the MAC is computed from the parsed fields.
    const loose = lines.map((line) => `  ${JSON.stringify(JSON.parse(line), null, 1).replaceAll('\n', ' ')}\r\n\r\n`);
    expect(await into(memoryStore(), loose)).toMatchObject({ rows: 4, written: 4 });
    const turned = lines.map(
      (line) => `${JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).toReversed()))}\n`,
    );
    expect(await into(memoryStore(), turned)).toMatchObject({ rows: 4, written: 4 });
  });
});

test('an import that died anywhere is run again, and is then as one that did not', async () => {
  const { vault, tokens } = await filled(60);
  const target = memoryStore();
  await into(target, await linesOf(vault));
  for (const i of [0, 1, 2]) await vault.shred(i);
  for (const token of tokens.slice(3, 9)) await vault.forget(token!);
  await vault.protect('Person 0', { subject: 0 });
  const lines = await linesOf(vault);
  const dead = Error('the process died');
  for (let after = 1; ; after++) {
    let writes = 0;
    const dying: VaultStore = {
      ...target,
      async change(generation, changes) {
        if (++writes > after) throw dead;
        return target.change(generation, changes);
      },
    };
    const done = await into(dying, lines).catch((error) => error);
    if (done !== dead) break;
    // Each time with the store as the last killed import has left it.
    for (const token of tokens.slice(9, 12)) expect(await said(await open(target), token!)).toMatch(/^Person/);
  }
  const there = await open(target);
  expect(await into(target, lines)).toMatchObject({ written: 0, erased: 0, conflicts: 0 });
  for (const token of tokens.slice(0, 9)) expect(await said(there, token!)).toBe('! forgotten');
  expect(await there.lookup('Person 0', { subject: 0 })).not.toBeNull();
  expect((await there.verify()).problems).toEqual([]);
});
