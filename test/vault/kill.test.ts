/**
 * Repeated `kill -9` of two processes that write through an opened vault. All acknowledged mappings are in the store,
 * no value has two tokens, and no mapping lacks one of its rows. It runs over SQLite, and over a real PostgreSQL if
 * TREFOIL_PG is set. With TREFOIL_LONG=1 it kills thirty times.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';
import { postgresStore } from 'trefoil/vault-postgres';
import { sqliteStore } from 'trefoil/vault-sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { type VaultStore, vault } from '../../src/vault.ts';
import { random } from '../reference/random.ts';

const KILLS = process.env.TREFOIL_LONG === '1' ? 30 : 4;
const url = process.env.TREFOIL_PG;
const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(`${root}dist/vault-sqlite.js`))
  throw new Error('dist/vault-sqlite.js is not there: npm run build:js first');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A store in a process of its own, with the parts that both kinds have. */
const STORES = {
  sqlite: `
    import { DatabaseSync } from '@photostructure/sqlite';
    import { sqliteStore } from './dist/vault-sqlite.js';
    globalThis.handle = new DatabaseSync(place);
    const store = sqliteStore(handle);
  `,
  postgres: `
    import pg from 'pg';
    import { postgresStore } from './dist/vault-postgres.js';
    const pool = new pg.Pool({ connectionString: process.env.TREFOIL_PG, max: 2 });
    const store = postgresStore(pool, { schema: place });
  `,
};

/**
 * Both writers protect overlapping values in opposite orders, with a subject and without. Now and then they forget one.
 */
const WRITER = `
  import { writeSync } from 'node:fs';
  import { keyset } from './dist/index.js';
  import { revealAccess } from './dist/reveal.js';
  import { vault } from './dist/vault.js';
  const keys = keyset.parse(secret).domain('kill');
  const alone = await vault({ scope: 'alone', store: 'main' }).open(keys, { main: store }, revealAccess);
  const owned = await vault({ scope: 'owned', store: 'main', subject: 'id' }).open(keys, { main: store }, revealAccess);
  for (let batch = Number(from); ; batch++) {
    const values = Array.from({ length: 40 }, (_, i) => 'v' + (30 * batch + i));
    if (who === '2') values.reverse();
    const tokens = await alone.protectMany(values);
    writeSync(1, JSON.stringify({ scope: 'alone', values, tokens }) + '\\n');
    const subjects = values.map((value) => value.slice(0, -1));
    const others = await owned.protectMany(values, { subjects });
    writeSync(1, JSON.stringify({ scope: 'owned', values, subjects, tokens: others }) + '\\n');
    const extra = await alone.protect('gone ' + who + ' ' + batch);
    writeSync(1, JSON.stringify({ forgotten: extra, done: await alone.forget(extra) }) + '\\n');
  }
`;

interface Line {
  readonly scope?: 'alone' | 'owned';
  readonly values: readonly string[];
  readonly subjects?: readonly string[];
  readonly tokens: readonly string[];
  readonly forgotten?: string;
}

async function killAgainAndAgain(kind: keyof typeof STORES, at: string, store: VaultStore): Promise<void> {
  const keys = keyset.generate();
  const secret = keys.export(secretAccess);
  const domain = keys.domain('kill');
  const rules = {
    alone: await vault({ scope: 'alone', store: 'main' }).open(domain, { main: store }, revealAccess),
    owned: await vault({ scope: 'owned', store: 'main', subject: 'id' }).open(domain, { main: store }, revealAccess),
  };
  const numbers = random(`vault kills ${kind} ${process.env.TREFOIL_SEED ?? ''}`);
  const acknowledged = { alone: new Map<string, string>(), owned: new Map<string, string>() };
  let forgotten = 0;
  for (let round = 0; round < KILLS; round++) {
    const writers = ['1', '2'].map((who) => {
      const head = `const [place, who, from] = process.argv.slice(1); const secret = process.env.SECRET;`;
      const args = ['--input-type=module', '-e', head + STORES[kind] + WRITER, at, who, String(10_000 * (round + 1))];
      const env = { PATH: process.env.PATH, SECRET: secret, ...(url === undefined ? {} : { TREFOIL_PG: url }) };
      const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      const ended = new Promise((done) => child.once('close', done));
      // The last line may be cut off when the process is killed.
      return { child, ended, lines: () => out.split('\n').slice(0, -1) };
    });
    while (!writers.every(({ lines, child }) => lines().length > 2 || child.exitCode !== null)) {
      await new Promise((done) => setTimeout(done, 5));
    }
    for (const { child } of writers) {
      await new Promise((done) => setTimeout(done, numbers.below(150)));
      child.kill('SIGKILL');
    }
    await Promise.all(writers.map(({ ended }) => ended));
    for (const line of writers.flatMap(({ lines }) => lines())) {
      const { scope, values, tokens, forgotten: token } = JSON.parse(line) as Line;
      if (token !== undefined) {
        forgotten++;
        const said = await rules.alone.reveal(token as never).catch((error) => error.code);
        expect(said).toBe('forgotten');
      }
      if (scope === undefined) continue;
      for (const [i, value] of values.entries()) {
        // Neither writer has ever received another token.
        expect(acknowledged[scope].get(value) ?? tokens[i]).toBe(tokens[i]);
        acknowledged[scope].set(value, tokens[i]!);
      }
    }
    for (const scope of ['alone', 'owned'] as const) {
      const [values, tokens] = [[...acknowledged[scope].keys()], [...acknowledged[scope].values()]];
      const subjects = values.map((value) => value.slice(0, -1));
      expect(await (rules[scope] as typeof rules.alone).revealMany(tokens as never[])).toEqual(values);
      expect(await rules[scope].protectMany(values, scope === 'owned' ? { subjects } : undefined)).toEqual(tokens);
    }
    const verified = await rules.alone.verify();
    expect(verified).toMatchObject({ broken: 0, problems: [] });
    const { value, token } = (await rules.alone.stats()).tables;
    expect(token.rows).toBe(value.rows);
  }
  expect(acknowledged.alone.size).toBeGreaterThan(40 * KILLS);
  expect(acknowledged.owned.size).toBeGreaterThan(40 * KILLS);
  expect(forgotten).toBeGreaterThan(KILLS);
}

describe('kill -9 of two writers', () => {
  test('over SQLite', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'trefoil-kill-'));
    const file = join(dir, 'vault.db');
    const handle = new DatabaseSync(file);
    await killAgainAndAgain('sqlite', file, sqliteStore(handle));
    expect(handle.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    handle.close();
    rmSync(dir, { recursive: true });
  }, 300_000);

  test.skipIf(url === undefined)(
    'over PostgreSQL',
    async () => {
      const { Pool } = pg as unknown as { readonly Pool: new (options: object) => never };
      const pool = new Pool({ connectionString: url, max: 2 }) as never as {
        readonly query: (text: string) => Promise<{ rows: unknown[] }>;
        readonly connect: () => Promise<never>;
        readonly end: () => Promise<void>;
      };
      const schema = `k${randomUUID().slice(0, 8)}`;
      await killAgainAndAgain('postgres', schema, postgresStore(pool, { schema }));
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
    300_000,
  );
});
