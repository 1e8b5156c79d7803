/** A policy with a vault: it is opened, its verbs wait, and it is a file like any other. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coarsen, drop, each, keep, keyset, policy, seal, token, utf8Column, utf8Texts } from '../../src/index.ts';
import { protectFile, revealFile } from '../../src/node.ts';
import { check, explain, parsePolicy } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, type VaultStore, vault } from '../../src/vault.ts';

const keys = keyset.generate().domain('eu-enclave');
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error) => error.code ?? error.message,
  );

const people = policy({
  id: token({ scope: 'person' }),
  name: vault({ scope: 'person.name', store: 'main', subject: 'id' }),
  contact: { phone: vault({ scope: 'person.phone', store: 'main', subject: 'id', optional: true }) },
  tags: each(vault({ scope: 'tag', store: 'other' })),
  born: coarsen({ date: 'year' }),
  city: keep,
});

const row = (id: number, name: string | null, phone?: string) => ({
  id,
  name,
  contact: (phone === undefined ? {} : { phone }) as { phone?: string },
  tags: ['a', `t${id}`],
  born: '1815-12-10',
  city: 'x',
});

describe('open', () => {
  test('protects and reveals rows, nested and in arrays', async () => {
    const stores = { main: memoryStore(), other: memoryStore() };
    const open = await people.open(keys, stores, revealAccess);
    const rows = [row(1, 'Ada', '+1'), row(2, 'Bob'), row(3, null, '+1')];
    const safe = await open.protectMany(rows as never);
    expect(JSON.stringify(safe)).not.toMatch(/Ada|Bob|\+1/);
    const [first, , third] = safe as unknown as ReturnType<typeof row>[];
    expect(first!.contact.phone).not.toBe(third!.contact.phone);
    expect((safe as unknown as { tags: string[] }[])[0]!.tags[0]).toBe(
      (safe as unknown as { tags: string[] }[])[1]!.tags[0],
    );
    const back = await open.revealMany(safe as never);
    expect(back).toEqual(rows.map((one, i) => ({ ...one, id: (safe as { id: string }[])[i]!.id, born: '1815' })));
    expect(await open.protect(rows[0] as never)).toEqual(first);
    expect((await stores.main.sizes()).subject.rows).toBe(6);
  });

  test('columns: as rows have it, and what another rule rejects makes no token', async () => {
    const flat = policy({
      id: token({ scope: 'person' }),
      name: vault({ scope: 'person.name', store: 'main', subject: 'id' }),
      born: coarsen({ date: 'year' }),
      notes: drop,
    });
    const stores = { main: memoryStore() };
    const open = await flat.open(keys, stores);
    const columns = {
      id: [1, 2, 1],
      name: ['Ada', 'Bob', 'Ada'],
      born: ['1815-12-10', '1912-06-23', null],
      notes: [1, 2, 3],
    };
    const bad = { ...columns, born: ['1815-12-10', 'last spring', null] };
    await expect(open.protectColumns(bad)).rejects.toMatchObject({
      code: 'not_a_date',
      issues: [{ field: 'born', row: 2 }],
    });
    const lost = { ...columns, id: [1, 2, null], name: ['Ada', 'Bob', '\ud800'] };
    await expect(open.protectColumns({ ...columns, id: [1, 2] })).rejects.toThrow(RangeError);
    expect((await stores.main.sizes()).value.rows).toBe(0);
    await expect(open.protectColumns(lost)).rejects.toMatchObject({ issues: [{ field: 'name', row: 3 }] });
    const safe = await open.protectColumns(columns);
    const rows = columns.id.map((id, i) => ({ id, name: columns.name[i]!, born: columns.born[i]!, notes: 0 }));
    const byRow = await open.protectMany(rows as never);
    expect(Object.keys(safe)).toEqual(['id', 'name', 'born']);
    for (const field of ['id', 'name', 'born']) {
      expect(safe[field]).toEqual((byRow as unknown as Record<string, unknown>[]).map((one) => one[field]));
    }
    const utf8 = utf8Column(columns.name);
    const again = await open.protectColumns({ ...columns, name: utf8 });
    const { name } = again;
    expect(Array.isArray(name) ? name : utf8Texts(name!)).toEqual(safe.name);
    // Two at once do not take each other's answers.
    const both = await Promise.all([
      open.protectColumns(columns),
      open.protectColumns({ ...columns, name: ['x', 'y', 'x'] }),
    ]);
    expect(both[0]).toEqual(safe);
    expect(both[1]!.name).not.toEqual(safe.name);
  });

  test('a record that another rule rejects makes no token', async () => {
    const stores = { main: memoryStore(), other: memoryStore() };
    const open = await people.open(keys, stores);
    const bad = { ...row(1, 'Ada'), born: 'last spring' };
    expect(await code(open.protect(bad as never))).toBe('not_a_date');
    expect((await stores.main.sizes()).value.rows).toBe(0);
    const seen: unknown[] = [];
    const some = await open.protectMany([bad, row(2, 'Bob'), { ...row(3, 'x'), id: null }] as never, {
      onReject: ({ row, field, code }) => seen.push([row, field, code]),
    });
    expect(some.length).toBe(1);
    expect(seen).toEqual([
      [1, 'born', 'not_a_date'],
      [3, 'name', 'missing_subject'],
    ]);
  });

  test('bind throws, a store that is missing is named', async () => {
    expect(() => (people as unknown as { bind: (keys: unknown) => void }).bind(keys)).toThrow(/policy\.open/);
    await expect(people.open(keys, { main: memoryStore() })).rejects.toThrow(/has no store other/);
    await expect(people.open(keys, { main: memoryStore(), other: {} as never })).rejects.toThrow(TypeError);
    const plain = policy({ name: seal({ scope: 'n' }) });
    expect((await (await plain.open(keys, {})).protect({ name: 'Ada' })).name).toMatch(/^[0-9a-z]{85}$/);
  });
});

describe('files', () => {
  test('two runs over one opened policy at once do not take each other’s tokens', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'trefoil-vault-runs-'));
    const at = (name: string) => join(dir, name);
    const inner = memoryStore();
    // It answers after a while, so that the runs come between each other.
    const store: VaultStore = {
      ...inner,
      async get(table, indexes) {
        await new Promise((done) => setTimeout(done, indexes.length % 3));
        return inner.get(table, indexes);
      },
    };
    const open = await policy({
      name: vault({ scope: 'person.name', store: 'main' }),
      town: vault({ scope: 'town', store: 'main' }),
    }).open(keys, { main: store }, revealAccess);
    const names = ['a', 'b', 'c'];
    for (const name of names) {
      const rows = Array.from({ length: 5000 }, (_, i) => `${name} ${i},${name} town ${i % 70}\n`);
      writeFileSync(at(`${name}.csv`), `name,town\n${rows.join('')}`);
    }
    await Promise.all(names.map((name) => protectFile(at(`${name}.csv`), at(`${name}.safe.csv`), open)));
    await Promise.all(names.map((name) => revealFile(at(`${name}.safe.csv`), at(`${name}.back.csv`), open)));
    for (const name of names) {
      expect(readFileSync(at(`${name}.back.csv`), 'utf8')).toBe(readFileSync(at(`${name}.csv`), 'utf8'));
    }
    rmSync(dir, { recursive: true });
  });
});

describe('as a file', () => {
  const file = {
    trefoil: 1,
    domain: 'eu-enclave',
    fields: {
      id: 'keep',
      name: {
        rule: 'vault',
        scope: 'person.name',
        store: 'main',
        subject: 'id',
        ttl: 400,
        onErased: 'new',
        label: 'n',
      },
    },
  };

  test('is read, written, explained', async () => {
    const sheet = parsePolicy(file);
    expect(parsePolicy(JSON.parse(JSON.stringify(sheet)))).toEqual(sheet);
    const open = await sheet.open(keys, { main: memoryStore() });
    expect((await open.protect({ id: 7, name: 'Ada' })).name).toMatch(/^n_/);
    const page = explain(sheet);
    expect(page).toContain('by a program that has the store `main`, the keyset');
    expect(page).toContain('- random: `name`');
    expect(page).toContain('all values of one `id` can be erased');
  });

  test.each([
    [{ scope: 's' }, 'missing_option'],
    [{ scope: 's', store: 'main', ttl: 0 }, 'wrong_option'],
    [{ scope: 's', store: 'main', subject: 'nobody' }, 'wrong_option'],
    [{ scope: 's', store: 'Main!' }, 'wrong_option'],
    [{ scope: 's', store: 'main', onErased: 'maybe' }, 'wrong_option'],
    [{ scope: 's', store: 'main', label: 'A' }, 'wrong_option'],
    [{ scope: 's', store: 'main', prepare: 'trim' }, 'unknown_option'],
  ])('%j is %s', (rule, expected) => {
    const problems = check({ ...file, fields: { id: 'keep', name: { rule: 'vault', ...rule } } });
    expect(problems.map((issue) => issue.code)).toEqual([expected]);
  });

  test('two rules of one scope with and without a subject join in part', () => {
    const one = vault({ scope: 's', store: 'main' });
    expect(() => policy({ id: keep, a: one, b: vault({ scope: 's', store: 'main', subject: 'id' }) })).toThrow(
      /two tokens/,
    );
  });
});
