/**
 * Failures of the store in SQLite, with real files, real locks, and real processes that are killed. With TREFOIL_LONG=1
 * it kills thirty times.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { TrefoilError } from 'trefoil/errors';
import type { Entry, Row, VaultStore } from 'trefoil/vault';
import { type SqliteHandle, sqliteStore } from 'trefoil/vault-sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rejection } from '../helpers/errors.ts';
import { hex } from '../helpers/hex.ts';
import { random } from '../reference/random.ts';

const KILLS = process.env.TREFOIL_LONG === '1' ? 30 : 6;

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(`${root}dist/vault-sqlite.js`))
  throw new Error('dist/vault-sqlite.js is not there: npm run build:js first');

type Handle = InstanceType<typeof DatabaseSync>;

let dir: string;
let file: string;
let handles: Handle[];
let children: ChildProcess[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trefoil-sqlite-'));
  file = join(dir, 'vault.db');
  handles = [];
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const handle of handles) if (handle.isOpen) handle.close();
  rmSync(dir, { recursive: true });
});

function openHandle(path: string = file, options: { readonly readOnly?: boolean } = {}): Handle {
  const handle = new DatabaseSync(path, options);
  handles.push(handle);
  return handle;
}

/** A store with metadata of generation 1 and these rows in `value`, each with the row of the next number in `token`. */
async function storeWith(handle: SqliteHandle, count: number, busyTimeout = 5_000): Promise<VaultStore> {
  const store = sqliteStore(handle, { busyTimeout });
  await store.open();
  await store.setMeta({ generation: 1, text: 'x' });
  await store.create(1, 'value', entries(0, count));
  return store;
}

function row(n: number, more: Partial<Row> = {}): Row {
  const index = new Uint8Array(16);
  new DataView(index.buffer).setUint32(0, Math.imul(n, 0x9e3779b1));
  new DataView(index.buffer).setUint32(12, n);
  // A body that is nowhere else in the file.
  const body = new Uint8Array(random(`row ${n}`).bytes(64));
  return { index, key: 'k3m7a', version: 1, expires: null, body, ...more };
}

function entries(first: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({ row: row(first + i), with: row(1_000_000 + first + i) }));
}

const indexesOf = (list: readonly Entry[]): Uint8Array[] => list.map((entry) => entry.row.index);

/** Runs a module in a process of its own, in this repository: `store` is over the file, from the build in dist/. */
function start(source: string, args: readonly string[] = []): { child: ChildProcess; lines: () => string[] } {
  const head = `
    import { writeSync } from 'node:fs';
    import { DatabaseSync } from '@photostructure/sqlite';
    import { sqliteStore } from './dist/vault-sqlite.js';
    const [file, ...args] = process.argv.slice(1);
    const handle = new DatabaseSync(file);
    const store = sqliteStore(handle);
    const say = (line) => writeSync(1, line + '\\n');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + source, file, ...args], { cwd: root });
  children.push(child);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    out += `stderr ${chunk}`;
  });
  // The last line may be cut off when the process is killed.
  return { child, lines: () => out.split('\n').slice(0, -1) };
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((done) => child.once('close', done))
    : Promise.resolve();

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 5));
}

/** Returns the error with which a verb rejects. It must be one of the library, without a word of the driver. */
async function refusal(work: Promise<unknown>): Promise<TrefoilError> {
  const error = await rejection(work);
  const { message, cause } = error;
  expect(message).toMatch(/^[a-z][^.\n]*$/);
  expect(message).not.toMatch(/trefoil_|UNIQUE|constraint|near|malformed/);
  expect(cause).toBeUndefined();
  return error;
}

describe('open', () => {
  test('sets the connection up', async () => {
    const handle = openHandle();
    await storeWith(handle, 1, 1_234);
    const pragma = (name: string): unknown => Object.values(handle.prepare(`PRAGMA ${name}`).get())[0];
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(2);
    expect(pragma('secure_delete')).toBe(1);
    expect(pragma('wal_autocheckpoint')).toBe(8_000);
    expect(pragma('cache_size')).toBe(-16_000);
    expect(pragma('busy_timeout')).toBe(1_234);
  });

  test('refuses tables of a newer version, and makes those of an older one', async () => {
    const handle = openHandle();
    // Version 0: only its number.
    handle.exec('CREATE TABLE trefoil_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)');
    handle.exec('INSERT INTO trefoil_schema VALUES (1, 0); CREATE TABLE mine (x); INSERT INTO mine VALUES (7)');
    await storeWith(handle, 3);
    expect(handle.prepare('SELECT version FROM trefoil_schema').all()).toEqual([{ version: 1 }]);
    expect(handle.prepare('SELECT x FROM mine').get()).toEqual({ x: 7 });

    handle.exec('UPDATE trefoil_schema SET version = 2');
    const error = await refusal(sqliteStore(handle).open());
    expect(error.issues).toMatchObject([{ code: 'store_version', actual: 2, maximum: 1 }]);
    handle.exec('UPDATE trefoil_schema SET version = 1');
    await sqliteStore(handle).open();
  });

  test('may be called by several processes at once, also for a new file', async () => {
    const source = `
      await store.open();
      say(String(await store.setMeta({ generation: 1, text: args[0] })));
    `;
    for (let round = 0; round < 3; round++) {
      const all = Array.from({ length: 4 }, (_, i) => start(source, [String(i)]));
      await Promise.all(all.map(({ child }) => ended(child)));
      expect(all.flatMap(({ lines }) => lines()).sort()).toEqual(['false', 'false', 'false', 'true']);
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    }
  });

  test('refuses values that are not handles, and unknown options', async () => {
    expect(() => sqliteStore(null as never)).toThrow(TypeError);
    expect(() => sqliteStore('vault.db' as never)).toThrow(TypeError);
    expect(() => sqliteStore({ exec() {} } as never)).toThrow(TypeError);
    const handle = openHandle();
    expect(() => sqliteStore(handle, { timeout: 3 } as never)).toThrow(TypeError);
    expect(() => sqliteStore(handle, { busyTimeout: -1 })).toThrow(RangeError);
    expect(() => sqliteStore(handle, { busyTimeout: '5' as never })).toThrow(TypeError);
  });
});

describe('a lock of another process', () => {
  const hold = `
    handle.exec('BEGIN EXCLUSIVE');
    say('locked');
    // A reference, so that the handle is not garbage-collected and thereby closed.
    setInterval(() => handle.isOpen, 1000);
  `;

  test('is waited for, and reported after the timeout', async () => {
    const store = await storeWith(openHandle(), 10, 300);
    const { child, lines } = start(hold);
    await until(() => lines().length > 0);
    expect(lines()).toEqual(['locked']);
    for (const work of [
      () => store.create(1, 'value', entries(10, 5)),
      () => store.change(1, [{ table: 'value', index: row(1).index, from: 1, to: null }]),
      () => store.sweep(1, 5),
      () => store.setMeta({ generation: 2, text: 'y' }),
    ]) {
      const begin = performance.now();
      expect((await refusal(work())).code).toBe('store_busy');
      expect(performance.now() - begin).toBeGreaterThan(290);
    }
    // Readers do not wait.
    expect(await store.get('value', indexesOf(entries(0, 20)))).toHaveLength(10);
    child.kill('SIGKILL');
    await ended(child);
    expect(await store.create(1, 'value', entries(10, 5))).toEqual([0, 1, 2, 3, 4]);
  });

  test('is waited for also when a new file is opened', async () => {
    const { child, lines } = start(hold);
    await until(() => lines().length > 0);
    expect((await refusal(sqliteStore(openHandle(), { busyTimeout: 100 }).open())).code).toBe('store_busy');
    const waiting = sqliteStore(openHandle(), { busyTimeout: 10_000 });
    child.kill('SIGKILL');
    await waiting.open();
  });
});

describe('close', () => {
  test('writes the log into the file: a copy of the file has all rows while the handle is still open', async () => {
    const store = await storeWith(openHandle(), 300);
    await store.close();
    const alone = join(dir, 'alone.db');
    writeFileSync(alone, readFileSync(file));
    const copy = sqliteStore(openHandle(alone));
    await copy.open();
    expect(await copy.get('value', indexesOf(entries(0, 300)))).toHaveLength(300);
    expect(await copy.meta()).toEqual(await store.meta());
  });

  test('does not wait: what a reader still uses stays in the log and is not lost', async () => {
    const store = await storeWith(openHandle(), 10, 60_000);
    const reader = openHandle();
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM trefoil_value').get();
    await store.create(1, 'value', entries(10, 5));
    await store.close();
    reader.exec('COMMIT');
    expect(await sqliteStore(openHandle()).get('value', indexesOf(entries(0, 15)))).toHaveLength(15);
  });

  test('is not an error if the handle is closed already', async () => {
    const handle = openHandle();
    const store = await storeWith(handle, 3);
    handle.close();
    await store.close();
    await store.close();
  });
});

describe('a read-only file without a log', () => {
  test('can be read, and is not written', async () => {
    const handle = openHandle();
    const store = await storeWith(handle, 10);
    await store.close();
    handle.exec('PRAGMA journal_mode = DELETE');
    const only = sqliteStore(openHandle(file, { readOnly: true }));
    await only.open();
    expect(await only.get('value', indexesOf(entries(0, 10)))).toHaveLength(10);
    expect((await refusal(only.create(1, 'value', entries(10, 1)))).message).toContain('(SQLITE_READONLY)');
  });
});

describe('errors of SQLite', () => {
  test('a read-only file can be read but not written', async () => {
    await storeWith(openHandle(), 10);
    const store = sqliteStore(openHandle(file, { readOnly: true }));
    await store.open();
    expect(await store.get('value', indexesOf(entries(0, 10)))).toHaveLength(10);
    const error = await refusal(store.create(1, 'value', entries(10, 1)));
    expect(error.code).toBe('store_failed');
    expect(error.message).toContain('the database is read-only (SQLITE_READONLY)');
  });

  test('a read-only file without tables is not opened', async () => {
    openHandle().exec('CREATE TABLE mine (x)');
    const store = sqliteStore(openHandle(file, { readOnly: true }));
    expect((await refusal(store.open())).code).toBe('store_failed');
  });

  test('a file that is not a database', async () => {
    writeFileSync(file, 'name,born\nAda Lovelace,1815-12-10\n'.repeat(500));
    const error = await refusal(sqliteStore(openHandle()).open());
    expect(error.code).toBe('store_failed');
    expect(error.message).toContain('SQLITE_NOTADB');
  });

  test('a handle that is closed, or inside a transaction', async () => {
    const handle = openHandle();
    const store = await storeWith(handle, 10);
    handle.exec('BEGIN');
    const inside = await refusal(store.create(1, 'value', entries(10, 1)));
    expect(inside.message).toContain('(SQLITE_ERROR)');
    handle.exec('COMMIT');
    handle.close();
    for (const work of [store.meta(), store.scrub(), store.create(1, 'value', entries(10, 1)), store.open()]) {
      expect((await refusal(work)).code).toBe('store_failed');
    }
  });

  test('if the index of a row of `with` is taken, nothing is written', async () => {
    const store = await storeWith(openHandle(), 10);
    const batch = entries(10, 5);
    const taken = { ...batch[3]!, with: row(1_000_004) };
    const error = await refusal(store.create(1, 'value', batch.toSpliced(3, 1, taken)));
    expect(error.message).toContain('(SQLITE_CONSTRAINT)');
    expect((await store.sizes()).value.rows).toBe(10);
    expect((await store.sizes()).token.rows).toBe(10);
  });

  test('a full disk: nothing is lost, and the store works again when there is space', async () => {
    const handle = openHandle();
    const store = await storeWith(handle, 500);
    const { page_count } = handle.prepare('PRAGMA page_count').get();
    handle.exec(`PRAGMA max_page_count = ${page_count + 8}`);
    const error = await refusal(store.create(1, 'value', entries(500, 2_000)));
    expect(error.code).toBe('no_space');
    expect(await store.get('value', indexesOf(entries(0, 2_500)))).toHaveLength(500);
    const both = await store.sizes();
    expect([both.value.rows, both.token.rows]).toEqual([500, 500]);
    expect(await store.create(1, 'value', entries(500, 3))).toEqual([0, 1, 2]);
    handle.exec('PRAGMA max_page_count = 1000000');
    expect(await store.create(1, 'value', entries(500, 2_000))).toHaveLength(1_997);
    expect(handle.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });
});

describe('a damaged file', () => {
  let copies = 0;

  /** A closed file with 300 rows. */
  async function closed(): Promise<Buffer> {
    const handle = openHandle();
    const store = await storeWith(handle, 300);
    await store.scrub();
    handle.close();
    return readFileSync(file);
  }

  /** Calls every verb on a copy of the file. It must return rows of the right types, or an error of the library. */
  async function readable(bytes: Uint8Array): Promise<Row[]> {
    // Each copy has a new name: this driver releases a file only when all statements have been garbage-collected.
    const path = join(dir, `damaged-${copies++}.db`);
    writeFileSync(path, bytes);
    const handle = openHandle(path);
    const store = sqliteStore(handle);
    let rows: Row[] = [];
    const verbs = [
      () => store.open(),
      () => store.meta(),
      async () => {
        rows = await store.get('value', indexesOf(entries(0, 300)));
      },
      () => store.scan('value', { after: null, limit: 1_000 }),
      () => store.scan('token', { after: null, limit: 1_000, notKey: 'other' }),
      () => store.sizes(),
      () => store.create(1, 'value', entries(300, 20)),
      () => store.sweep(1, 5),
    ];
    for (const verb of verbs) {
      const said = await verb().catch((error: unknown) => error);
      if (said instanceof Error) expect(said).toBeInstanceOf(TrefoilError);
      if (said instanceof TrefoilError) expect(said.code).toMatch(/^store_(failed|version)$/);
    }
    handle.close();
    for (const { index, key, version, body } of rows) {
      expect([index.constructor, body.constructor]).toEqual([Uint8Array, Uint8Array]);
      expect([typeof key, typeof version]).toEqual(['string', 'number']);
    }
    return rows;
  }

  test('a body with a flipped bit is returned as it is, and the other rows are unchanged', async () => {
    const bytes = await closed();
    const at = bytes.indexOf(Buffer.from(row(7).body));
    expect(at).toBeGreaterThan(0);
    bytes[at + 20]! ^= 0x10;
    const rows = await readable(bytes);
    expect(rows).toHaveLength(300);
    const other = rows.filter(({ body }, i) => Buffer.compare(body, row(i).body) !== 0);
    expect(other.map(({ index }) => index)).toEqual([row(7).index]);
    expect(other[0]!.body[20]! ^ row(7).body[20]!).toBe(0x10);
  });

  test('a body of another type is returned as an empty one', async () => {
    // Tables without types accept what damage can make of a row.
    const handle = openHandle();
    handle.exec('CREATE TABLE trefoil_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)');
    handle.exec('INSERT INTO trefoil_schema VALUES (1, 1)');
    handle.exec('CREATE TABLE trefoil_value (idx, key, version, expires, body)');
    const store = sqliteStore(handle);
    await store.open();
    const { index } = row(1);
    handle.prepare("INSERT INTO trefoil_value VALUES (?, x'00', 'x', NULL, 'text')").run(index);
    handle.exec("INSERT INTO trefoil_value VALUES (x'01', 'k3m7a', 1, NULL, NULL)");
    const none = new Uint8Array();
    const damaged = { index, key: '', version: Number.NaN, expires: null, body: none };
    expect(await store.get('value', [index])).toEqual([damaged]);
    const other = { index: Uint8Array.of(1), key: 'k3m7a', version: 1, expires: null, body: none };
    expect(await store.scan('value', { after: null, limit: 10 })).toContainEqual(other);
  });

  test('bits flipped anywhere: rows or an error, no crash', async () => {
    const bytes = await closed();
    const numbers = random('bits of a vault');
    let good = 0;
    for (let i = 0; i < 120; i++) {
      const copy = Buffer.from(bytes);
      // A third of them in the header of a page, where a bit does most damage.
      const at = numbers.below(copy.length);
      copy[i % 3 === 0 ? at - (at % 4096) + (at % 12) : at]! ^= 1 << numbers.below(8);
      if ((await readable(copy)).length === 300) good++;
    }
    expect(good).toBeGreaterThan(60);
  });

  test('a file that was cut off: rows or an error, no crash', async () => {
    const bytes = await closed();
    for (const length of [0, 1, 99, 4_095, 4_096, 8_192, 20_000, bytes.length >> 1, bytes.length - 1]) {
      const rows = await readable(bytes.subarray(0, length));
      expect(rows.length).toBeLessThan(301);
    }
    // Also while a handle is open.
    const path = join(dir, 'cut.db');
    copyFileSync(file, path);
    const store = sqliteStore(openHandle(path));
    await store.open();
    truncateSync(path, 12_000);
    const said = await store.scan('value', { after: null, limit: 1_000 }).catch((error: unknown) => error);
    if (!Array.isArray(said)) expect(said).toBeInstanceOf(TrefoilError);
  });
});

describe('a destroyed row', () => {
  const inFiles = (bytes: Uint8Array): boolean =>
    [file, `${file}-wal`].some((path) => existsSync(path) && readFileSync(path).includes(Buffer.from(bytes)));

  test('is in no file after scrub', async () => {
    const store = await storeWith(openHandle(), 2_000);
    await store.scrub();
    // Also a body of several pages.
    const large = row(9_999, { body: Uint8Array.from({ length: 20_000 }, (_, i) => (i * i) >>> 7) });
    await store.create(1, 'value', [{ row: large }]);
    const numbers = Array.from({ length: 300 }, (_, i) => 3 * i);
    const before = numbers.filter((n) => inFiles(row(n).body)).length;
    expect(before).toBe(300);
    const zeros = (n: number): Row => row(n, { version: 2, body: new Uint8Array(64) });
    const replaced = numbers.map((n) => ({ table: 'value' as const, index: row(n).index, from: 1, to: zeros(n) }));
    const removed = numbers.map((n) => ({
      table: 'token' as const,
      index: row(1_000_000 + n).index,
      from: 1,
      to: null,
    }));
    const whole = { table: 'value' as const, index: large.index, from: 1, to: null };
    expect(await store.change(1, [...replaced, ...removed, whole])).toBe(true);
    expect(inFiles(row(0).body)).toBe(true);
    await store.scrub();
    for (const n of numbers) {
      expect(inFiles(row(n).body.subarray(0, 16)), `value ${n}`).toBe(false);
      expect(inFiles(row(1_000_000 + n).body.subarray(0, 16)), `token ${n}`).toBe(false);
    }
    for (let at = 0; at < 20_000; at += 1_000) expect(inFiles(large.body.subarray(at, at + 32))).toBe(false);
    expect(inFiles(row(1).body)).toBe(true);
  });

  test('scrub fails with store_busy if a reader still uses the old rows', async () => {
    const store = await storeWith(openHandle(), 10, 50);
    const reader = openHandle();
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM trefoil_value').get();
    await store.change(1, [{ table: 'value', index: row(1).index, from: 1, to: null }]);
    expect((await refusal(store.scrub())).code).toBe('store_busy');
    reader.exec('COMMIT');
    await store.scrub();
    expect(inFiles(row(1).body)).toBe(false);
  });
});

describe('kill -9', () => {
  /**
   * Both writers create the same indexes, each with its own row of `with`. Now and then they change rows that they
   * wrote.
   */
  const WRITER = `
    const [who, from] = args.map(Number);
    const bytes = (...words) => {
      const out = new Uint8Array(16);
      words.forEach((word, i) => new DataView(out.buffer).setUint32(4 * i, word));
      return out;
    };
    const row = (index, body, version) => ({ index, key: 'k3m7a', version, expires: null, body });
    await store.open();
    for (let batch = from; ; batch++) {
      const pairs = Array.from({ length: 40 }, (_, i) => {
        const n = 30 * batch + i;
        return [bytes(Math.imul(n, 0x9e3779b1), n), bytes(Math.imul(n, 0x85ebca6b), n, who, batch)];
      });
      const won = await store.create(1, 'value', pairs.map(([value, token]) => (
        { row: row(value, token, 1), with: row(token, value, 1) }
      )));
      say(JSON.stringify({ batch, won }));
      if (batch % 3 !== 0 || won.length === 0) continue;
      const changes = won.flatMap((i) => {
        const [value, token] = pairs[i];
        return [
          { table: 'value', index: value, from: 1, to: row(value, token, 2) },
          { table: 'token', index: token, from: 1, to: row(token, value, 2) },
        ];
      });
      say(JSON.stringify({ batch, changed: await store.change(1, changes) }));
    }
  `;

  test('of two writers: all acknowledged rows are in the store, and no batch is written partly', async () => {
    const handle = openHandle();
    await storeWith(handle, 0);
    handle.close();
    const numbers = random(`kill ${process.env.TREFOIL_SEED ?? ''}`);
    // The lowest version that each row may have, by writer, batch and position.
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      // Each round has its own batches.
      const writers = [1, 2].map((who) => ({ who, ...start(WRITER, [String(who), String(100_000 * (round + 1))]) }));
      await until(() => writers.every(({ lines, child }) => lines().length > 2 || child.exitCode !== null));
      for (const { child } of writers) {
        await new Promise((done) => setTimeout(done, numbers.below(150)));
        child.kill('SIGKILL');
      }
      await Promise.all(writers.map(({ child }) => ended(child)));
      for (const { who, lines } of writers) {
        let last: readonly string[] = [];
        for (const line of lines()) {
          const { batch, won, changed } = JSON.parse(line) as { batch: number; won?: number[]; changed?: boolean };
          if (won === undefined) expect(changed).toBe(true);
          else last = won.map((i) => `${who} ${batch} ${i}`);
          for (const name of last) acknowledged.set(name, won === undefined ? 2 : 1);
        }
      }

      const open = openHandle();
      const now = sqliteStore(open);
      await now.open();
      expect(open.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      const values = await now.scan('value', { after: null, limit: 10_000_000 });
      const tokenRows = await now.scan('token', { after: null, limit: 10_000_000 });
      const tokens = new Map(tokenRows.map((one) => [hex(one.index), one]));
      expect(tokens.size).toBe(values.length);
      const there = new Map<string, number>();
      for (const { index, body, version } of values) {
        const token = tokens.get(hex(body));
        if (token?.version !== version || hex(token.body) !== hex(index)) {
          expect({ value: hex(index), version, token: hex(body), there: token?.version }).toBe('a whole pair');
        }
        const view = new DataView(body.buffer, body.byteOffset, 16);
        const [n, who, batch] = [view.getUint32(4), view.getUint32(8), view.getUint32(12)];
        there.set(`${who} ${batch} ${n - 30 * batch}`, version);
      }
      const lost = [...acknowledged].filter(([name, version]) => (there.get(name) ?? 0) < version);
      expect(lost).toEqual([]);
      open.close();
    }
    expect(acknowledged.size).toBeGreaterThan(40 * KILLS);
  }, 240_000);
});
