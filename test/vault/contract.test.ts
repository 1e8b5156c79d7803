/** The contract over the stores that need no server, and over stores that break it, which the suite has to notice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { memoryStore, type VaultStore } from 'trefoil/vault';
import { contractCases } from 'trefoil/vault-contract';
import { type SqliteHandle, sqliteStore } from 'trefoil/vault-sqlite';
import { describe, expect, test } from 'vitest';
import { runContract } from './run-contract.ts';

runContract('memory', async () => {
  const store = memoryStore();
  return { store, again: async () => store, drop: async () => {} };
});

type Closable = SqliteHandle & { readonly close: () => unknown };

function runSqlite(driver: string, open: (file: string) => Closable): void {
  runContract(`sqlite, ${driver}`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'trefoil-vault-'));
    const handles: Closable[] = [];
    const again = async (): Promise<VaultStore> => {
      const handle = open(join(dir, 'vault.db'));
      handles.push(handle);
      return sqliteStore(handle);
    };
    const drop = async (): Promise<void> => {
      for (const handle of handles) handle.close();
      rmSync(dir, { recursive: true });
    };
    return { store: await again(), again, drop };
  });
}

runSqlite('@photostructure/sqlite', (file) => new DatabaseSync(file));

// Node 22.5 and newer.
const node = process.getBuiltinModule?.('node:sqlite' as 'node:fs') as unknown as
  | { readonly DatabaseSync: new (file: string) => Closable }
  | undefined;
if (node !== undefined) runSqlite('node:sqlite', (file) => new node.DatabaseSync(file));

// The folder of the package, which is not a dependency because it needs a compiler.
const better = process.env.TREFOIL_BETTER_SQLITE;
if (better !== undefined) {
  const Database = createRequire(import.meta.url)(better) as new (file: string) => Closable;
  runSqlite('better-sqlite3', (file) => new Database(file));
}

/** Each of these stores breaks one guarantee of the contract. */
const BROKEN: Readonly<Record<string, (good: VaultStore) => Partial<VaultStore>>> = {
  'meta of any generation': (good) => ({
    setMeta: async (meta) => (await good.setMeta(meta)) || (await good.meta()) !== null,
  }),
  'create that forgets `with`': (good) => ({
    create: (generation, table, entries) =>
      good.create(
        generation,
        table,
        entries.map(({ row, unless }) => ({ row, unless })),
      ),
  }),
  'create that overwrites by `with`': (good) => ({
    async create(generation, table, entries) {
      const taken = await good.get(
        'token',
        entries.flatMap((entry) => entry.with?.index ?? []),
      );
      const gone = taken.map(({ index, version }) => ({ table: 'token' as const, index, from: version, to: null }));
      await good.change(generation, gone);
      return good.create(generation, table, entries);
    },
  }),
  'create that keeps half a batch': (good) => ({
    async create(generation, table, entries) {
      const won: number[] = [];
      for (const [i, entry] of entries.entries()) {
        const told = await good.create(generation, table, [entry]);
        if (told === 'stale') return told;
        if (told.length === 1) won.push(i);
      }
      return won;
    },
  }),
  'create that forgets `unless`': (good) => ({
    create: (generation, table, entries) =>
      good.create(
        generation,
        table,
        entries.map((entry) => ({ ...entry, unless: [] })),
      ),
  }),
  'create that knows no stale': (good) => ({
    create: async (_, table, entries) => good.create((await good.meta())!.generation, table, entries),
  }),
  'create that tells all positions': (good) => ({
    async create(generation, table, entries) {
      const told = await good.create(generation, table, entries);
      return told === 'stale' ? told : entries.map((_, i) => i);
    },
  }),
  'create row by row': (good) => ({
    async create(generation, table, entries) {
      const won: number[] = [];
      for (const [i, entry] of entries.entries()) {
        const told = await good.create(generation, table, [entry]);
        if (told === 'stale') return told;
        if (told.length === 1) won.push(i);
        await new Promise((done) => setImmediate(done));
      }
      return won;
    },
  }),
  'create that looks first and writes later': (good) => ({
    async create(generation, table, entries) {
      const there = await good.get(
        table,
        entries.map(({ row }) => row.index),
      );
      const taken = new Set(there.map(({ index }) => String(index)));
      const free = entries.flatMap((entry, i) => (taken.has(String(entry.row.index)) ? [] : [i]));
      await new Promise((done) => setImmediate(done));
      const told = await good.create(
        generation,
        table,
        free.map((i) => entries[i]!),
      );
      return told === 'stale' ? told : free;
    },
  }),
  'create that checks the generation first and writes later': (good) => ({
    async create(generation, table, entries) {
      if (generation !== (await good.meta())?.generation) return 'stale';
      await new Promise((done) => setImmediate(done));
      return good.create((await good.meta())!.generation, table, entries);
    },
  }),
  'create that keeps the first of two rows under one index': (good) => ({
    async create(generation, table, entries) {
      const seen = new Set<string>();
      const first = entries.filter(({ row }) => !seen.has(String(row.index)) && seen.add(String(row.index)));
      const told = await good.create(generation, table, first);
      return told === 'stale' ? told : told.map((i) => entries.indexOf(first[i]!));
    },
  }),
  'change that keeps the last of two rows under one index': (good) => ({
    async change(generation, changes) {
      const last = new Map(changes.map((one) => [one.table + String(one.index), one]));
      return good.change(generation, [...last.values()]);
    },
  }),
  'change that makes one after the other': (good) => ({
    async change(generation, changes) {
      const versions = new Map<string, number>();
      const folded = new Map<string, (typeof changes)[number]>();
      for (const one of changes) {
        const name = one.table + String(one.index);
        const before = folded.get(name);
        if (before !== undefined && versions.get(name) !== one.from) return false;
        versions.set(name, one.to?.version ?? 0);
        folded.set(name, { ...one, from: before?.from ?? one.from });
      }
      return good.change(generation, [...folded.values()]);
    },
  }),
  'change row by row': (good) => ({
    async change(generation, changes) {
      let all: boolean | 'stale' = true;
      for (const one of changes) all = (await good.change(generation, [one])) && all;
      return all;
    },
  }),
  'change whatever is there': (good) => ({
    async change(generation, changes) {
      const anyway = changes.map(async (one) => {
        const [row] = await good.get(one.table, [one.index]);
        return { ...one, from: row?.version ?? 0 };
      });
      return good.change(generation, await Promise.all(anyway));
    },
  }),
  'get of 1,000 at most': (good) => ({ get: (table, indexes) => good.get(table, indexes.slice(0, 1_000)) }),
  'bodies with what lies around them': (good) => ({
    create: (generation, table, entries) =>
      good.create(
        generation,
        table,
        entries.map((entry) => ({ ...entry, row: { ...entry.row, body: new Uint8Array(entry.row.body.buffer) } })),
      ),
  }),
  'bodies that end at a zero': (good) => ({
    async get(table, indexes) {
      const rows = await good.get(table, indexes);
      return rows.map((row) => ({
        ...row,
        body: row.body.subarray(0, row.body.indexOf(0) + 1 || Number.POSITIVE_INFINITY),
      }));
    },
  }),
  'bigint versions': (good) => ({
    async get(table, indexes) {
      const rows = await good.get(table, indexes);
      return rows.map((row) => ({ ...row, version: BigInt(row.version) as unknown as number }));
    },
  }),
  'scan in the order of signed bytes': (good) => ({
    async scan(table, { after, limit, notKey }) {
      const sign = ({ index }: { readonly index: Uint8Array }) => (index[0]! + 0x80) % 0x100;
      const all = await good.scan(table, { after: null, limit: 100_000, notKey });
      const at = all.sort((a, b) => sign(a) - sign(b)).findIndex(({ index }) => String(index) === String(after));
      return all.slice(at + 1, at + 1 + limit);
    },
  }),
  'scan that counts rows it leaves out': (good) => ({
    async scan(table, { after, limit, notKey }) {
      return (await good.scan(table, { after, limit })).filter(({ key }) => key !== notKey);
    },
  }),
  'scan with the row at `after`': (good) => ({
    async scan(table, options) {
      const [first] = options.after === null ? [] : await good.get(table, [options.after]);
      const rest = await good.scan(table, options);
      return first === undefined ? rest : [first, ...rest].slice(0, options.limit);
    },
  }),
  'sweep a day early': (good) => ({ sweep: (generation, day) => good.sweep(generation, day + 1) }),
  'sweep a day late': (good) => ({ sweep: (generation, day) => good.sweep(generation, day - 1) }),
  'sweep of one table after the other': (good) => ({
    async sweep(generation, day) {
      let swept = 0;
      for (const table of ['value', 'token'] as const) {
        const rows = await good.scan(table, { after: null, limit: 100_000 });
        for (const { index, version, expires } of rows) {
          if (expires === null || expires > day) continue;
          const done = await good.change(generation, [{ table, index, from: version, to: null }]);
          if (done === 'stale') return done;
          swept += Number(done);
        }
        await new Promise((done) => setTimeout(done, 2));
      }
      return swept;
    },
  }),
  'sizes without bytes': (good) => ({
    async sizes() {
      const { value, token, subject } = await good.sizes();
      return { value: { ...value, bytes: 0 }, token, subject };
    },
  }),
};

describe('the suite notices', () => {
  test.each(Object.keys(BROKEN))('%s', async (name) => {
    const cases = contractCases(async () => {
      const good = memoryStore();
      const store = { ...good, ...BROKEN[name]!(good) };
      return { store, again: async () => store, drop: async () => {} };
    });
    const failures: string[] = [];
    for (const { run } of cases) await run().catch((error: Error) => failures.push(error.message));
    // Some make a store throw an error of its own. At least one failure must be a message of the suite.
    expect(failures).toContainEqual(expect.stringMatching(/^\S.*: expected .*, got /));
  });
});

test('each case drops its store, even if it fails', async () => {
  let drops = 0;
  const cases = contractCases(async () => {
    const store = { ...memoryStore(), meta: () => Promise.reject(new Error('no')) };
    return { store, again: async () => store, drop: async () => void drops++ };
  });
  for (const { run } of cases) await run().catch(() => {});
  expect(drops).toBe(cases.length);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});
