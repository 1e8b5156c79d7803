/**
 * The contract over PGlite, and over a real PostgreSQL if TREFOIL_PG is set (`.ci/postgres` starts one). In addition,
 * what only a real server can show: concurrent processes, killed connections, and statements at the same moment.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { TrefoilError } from 'trefoil/errors';
import type { Entry, Row, Stale, VaultStore } from 'trefoil/vault';
import type { FreshStore } from 'trefoil/vault-contract';
import { type PostgresClient, type PostgresPool, postgresStore } from 'trefoil/vault-postgres';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rejection } from '../helpers/errors.ts';
import { random } from '../reference/random.ts';
import { runContract } from './run-contract.ts';

type Pool = PostgresPool & { readonly end: () => Promise<void>; readonly on: (event: 'error', f: () => void) => void };

const { Pool } = pg as unknown as { readonly Pool: new (options: object) => Pool };

const url = process.env.TREFOIL_PG;
const CODE = expect.stringMatching(/^[a-z0-9 ,;:'-]+\(SQLSTATE [0-9A-Z]{5}\)$/i);

/** Settings of a server that a store must not depend on. */
const HOSTILE =
  '-c default_transaction_isolation=serializable -c bytea_output=escape -c standard_conforming_strings=off';

const pools: Pool[] = [];

function poolOf(options: object = {}): Pool {
  const pool = new Pool({ connectionString: url, max: 8, ...options });
  // The connection is killed while it is idle.
  pool.on('error', () => {});
  pools.push(pool);
  return pool;
}

function row(n: number, more: Partial<Row> = {}): Row {
  const index = new Uint8Array(16);
  new DataView(index.buffer).setUint32(0, Math.imul(n, 0x9e3779b1));
  new DataView(index.buffer).setUint32(12, n);
  return { index, key: 'k3m7a', version: 1, expires: null, body: Uint8Array.from({ length: 60 }, () => n), ...more };
}

const span = (first: number, count: number): Row[] => Array.from({ length: count }, (_, i) => row(first + i));

const indexesOf = (rows: readonly Row[]): Uint8Array[] => rows.map(({ index }) => index);

function won(told: readonly number[] | Stale): readonly number[] {
  if (told === 'stale') throw new Error('stale');
  return told;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await what()); ) {
    if (Date.now() > end) throw new Error('it never came to be');
    await new Promise((done) => setTimeout(done, 5));
  }
}

let lite: PGlite;

beforeAll(async () => {
  lite = await PGlite.create();
});

afterAll(async () => {
  await lite.close();
  for (const pool of pools) await pool.end();
});

let made = 0;

/** A store in a schema of its own. */
async function freshIn(client: PostgresClient, other: PostgresClient): Promise<FreshStore> {
  const schema = `it's "${randomUUID().slice(0, 8)}" \\ ${made++}`;
  return {
    store: postgresStore(client, { schema }),
    again: async () => postgresStore(other, { schema }),
    drop: async () => {
      await client.query(`drop schema if exists "${schema.replaceAll('"', '""')}" cascade`);
    },
  };
}

runContract('postgres, PGlite', () => freshIn(lite, lite));

describe('a client', () => {
  test('must be a pool or a PGlite, and options must be valid', () => {
    const clients = [undefined, null, 7, 'postgres://secret', {}, { query: () => {} }];
    for (const client of clients) expect(() => postgresStore(client as never)).toThrow(TypeError);
    expect(() => postgresStore(lite, { schemas: 'x' } as never)).toThrow(TypeError);
    expect(() => postgresStore(lite, { schema: 7 } as never)).toThrow(TypeError);
    for (const schema of ['', 'a\0b', 'x'.repeat(64), 'é'.repeat(32), '\ud800']) {
      expect(() => postgresStore(lite, { schema })).toThrow(RangeError);
    }
  });

  test('that is a single connection is refused', async () => {
    const client = { query: async () => ({ rows: [] }), connect: async () => undefined };
    await expect(postgresStore(client as never).open()).rejects.toThrow(TypeError);
  });

  test('whose errors quote rows: none of that is passed on', async () => {
    const detail = 'Key (idx)=(\\x736563726574) already exists.';
    const codes = {
      '23505': 'store_failed',
      '53100': 'no_space',
      '53300': 'store_busy',
      '40P01': 'store_busy',
      XX000: 'store_failed',
      ECONNRESET: 'store_failed',
      EPIPE: 'store_failed',
    };
    for (const [code, expected] of Object.entries(codes)) {
      let asked = 0;
      const query = async () => {
        asked++;
        throw Object.assign(new Error(detail), { code, detail });
      };
      const pool = { query, connect: async () => ({ query, release: () => {} }) };
      const store = postgresStore(pool);
      for (const work of [
        () => store.get('value', [row(1).index]),
        () => store.create(1, 'value', [{ row: row(1) }]),
      ]) {
        const error = await rejection(work());
        expect(error.code).toBe(expected);
        expect(JSON.stringify([error.message, error.issues, { ...error }])).not.toMatch(/secret|7365|Key|exists/);
        if (code.length === 5 && code !== 'EPIPE') expect(error.message).toContain(`SQLSTATE ${code}`);
      }
      // Two calls, and their rollbacks. A deadlock is retried five times.
      expect(asked).toBe(code === '40P01' ? 18 : code === 'ECONNRESET' || code === 'EPIPE' ? 2 : 3);
    }
  });

  test('an index of another length is refused, and its neighbours are not shifted', async () => {
    const { store, drop } = await freshIn(lite, lite);
    await store.open();
    await expect(store.get('value', [row(1).index, new Uint8Array(15)])).rejects.toThrow(RangeError);
    await drop();
  });
});

describe.skipIf(url === undefined)('a sweep that has to wait', () => {
  /**
   * A store with two expired mappings, and a connection that makes the sweep wait for the first row by value.
   */
  async function waiting() {
    const [mine, pool] = [poolOf(), poolOf()];
    const schema = `sweep_${randomUUID().slice(0, 8)}`;
    const [store, other] = [postgresStore(mine, { schema }), postgresStore(pool, { schema })];
    await store.open();
    expect(await store.setMeta({ generation: 1, text: 'a' })).toBe(true);
    const both = [1, 3].map((n) => ({ row: row(n, { expires: 5 }), with: row(100 + n, { expires: 5 }) }));
    won(await store.create(1, 'value', both));
    const [, last] = await store.scan('value', { after: null, limit: 2 });
    const holder = await pool.connect();
    await holder.query('begin');
    await holder.query(`select from ${schema}.trefoil_value order by idx limit 1 for update`);
    const swept = store.sweep(1, 10);
    await until(async () => {
      const { rows } = await pool.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%${schema}%delete%'`,
      );
      return rows.length > 0;
    });
    return {
      other,
      last: last!,
      async sweepEnds() {
        await holder.query('commit');
        holder.release();
        return swept;
      },
      async numbers(table: 'value' | 'token') {
        const rows = await store.scan(table, { after: null, limit: 100 });
        return rows.map(({ index }) => new DataView(index.buffer, index.byteOffset).getUint32(12) % 100).sort();
      },
      drop: () => pool.query(`drop schema ${schema} cascade`),
    };
  }

  /** Gives a write enough time to end before the sweep continues, if the store lets it. */
  const chance = (work: Promise<unknown>) => Promise.race([work, new Promise((done) => setTimeout(done, 300))]);

  test('never removes only one row of a mapping that is made meanwhile', async () => {
    const { other, sweepEnds, numbers, drop } = await waiting();
    const create = other.create(1, 'value', [{ row: row(2, { expires: 5 }), with: row(102, { expires: 5 }) }]);
    await chance(create);
    expect(await sweepEnds()).toBe(4);
    expect(won(await create)).toEqual([0]);
    expect([await numbers('value'), await numbers('token')]).toEqual([[2], [2]]);
    await drop();
  });

  test('nor of a mapping whose row is moved meanwhile by a change of keys', async () => {
    const { other, last, sweepEnds, numbers, drop } = await waiting();
    const moved = row(201, { expires: 5 });
    const change = other.change(1, [
      { table: 'value', index: last.index, from: 1, to: null },
      { table: 'value', index: moved.index, from: 0, to: moved },
    ]);
    await chance(change);
    expect(await sweepEnds()).toBe(4);
    // The sweep was first, so there is nothing left to move.
    expect(await change).toBe(false);
    expect([await numbers('value'), await numbers('token')]).toEqual([[], []]);
    await drop();
  });
});

describe.each(['PGlite', 'PostgreSQL'])('tables, %s', (kind) => {
  const skip = kind === 'PostgreSQL' && url === undefined;
  const clientOf = (): PostgresClient => (kind === 'PGlite' ? lite : poolOf());

  test.skipIf(skip)('of a newer version are refused, by open and by a store that was opened before', async () => {
    const client = clientOf();
    const schema = `v${randomUUID().slice(0, 8)}`;
    const store = postgresStore(client, { schema });
    await store.open();
    expect(await store.setMeta({ generation: 1, text: 'a' })).toBe(true);
    await client.query(`update ${schema}.trefoil_meta set tables = 2`);
    const works = [
      () => postgresStore(client, { schema }).open(),
      () => store.meta(),
      () => store.setMeta({ generation: 2, text: 'b' }),
      () => store.create(1, 'value', [{ row: row(1) }]),
      () => store.change(1, []),
      () => store.sweep(1, 5),
    ];
    for (const work of works) {
      const error = await rejection(work());
      expect(error).toMatchObject({ code: 'store_version', issues: [{ actual: 2, maximum: 1 }] });
    }
    await client.query(`update ${schema}.trefoil_meta set tables = 1`);
    expect(await store.get('value', [row(1).index])).toEqual([]);
    await client.query(`delete from ${schema}.trefoil_meta`);
    expect((await rejection(store.meta())).code).toBe('store_broken');
    await client.query(`drop schema ${schema} cascade`);
    const gone = await rejection(store.get('value', [row(1).index]));
    expect(gone).toMatchObject({ code: 'store_failed', message: CODE });
  });

  test.skipIf(skip)('if the index of a new token is taken, nothing is written', async () => {
    const { store, drop } = await freshIn(clientOf(), lite);
    await store.open();
    await store.setMeta({ generation: 1, text: 'a' });
    await store.create(1, 'value', [{ row: row(1), with: row(2) }]);
    const error = await rejection(store.create(1, 'value', [{ row: row(3) }, { row: row(4), with: row(2) }]));
    expect(error).toMatchObject({ code: 'store_failed', message: CODE });
    expect(await store.get('value', [row(3).index, row(4).index])).toEqual([]);
    expect(await store.create(1, 'value', [{ row: row(4), with: row(5) }])).toEqual([0]);
    await drop();
  });

  test.skipIf(skip)('batches that need several statements are written as a whole, too', async () => {
    const { store, drop } = await freshIn(clientOf(), lite);
    await store.open();
    await store.setMeta({ generation: 1, text: 'a' });
    const body = (n: number) => new Uint8Array(2 ** 21).fill(n);
    const entries = Array.from({ length: 9 }, (_, n): Entry => ({ row: row(n, { body: body(n) }) }));
    await store.create(1, 'value', [{ row: row(7, { body: Uint8Array.of(1) }) }]);
    expect(await store.create(1, 'value', entries)).toEqual([...entries.keys()].filter((n) => n !== 7));
    const to = (n: number) => row(n, { version: 2, body: body(n + 100) });
    const changes = entries.map(({ row: { index } }, n) => ({ table: 'value' as const, index, from: 1, to: to(n) }));
    expect(await store.change(1, [...changes, { ...changes[0]!, index: row(99).index, to: row(99) }])).toBe(false);
    expect(await store.change(1, changes)).toBe(true);
    const rows = await store.scan('value', { after: null, limit: 100 });
    expect(rows.map((one) => one.body[5]! - 100).sort((a, b) => a - b)).toEqual([...entries.keys()]);
    await drop();
  });

  test.skipIf(skip)('without the option `schema` they are in the first schema of the search path', async () => {
    const client = kind === 'PGlite' ? await PGlite.create() : poolOf({ options: '-c search_path=pg_temp', max: 1 });
    const store = postgresStore(client);
    await store.open();
    await store.open();
    expect(await store.setMeta({ generation: 1, text: 'a' })).toBe(true);
    expect(await store.create(1, 'value', [{ row: row(1) }])).toEqual([0]);
    if (client instanceof PGlite) await client.close();
    // After it was closed, every verb is a failure of the connection.
    if (client instanceof PGlite) expect((await rejection(store.meta())).code).toBe('store_failed');
  });
});

if (url !== undefined) {
  const [one, two] = [poolOf(), poolOf()];
  runContract('postgres, pg', () => freshIn(one, two));
  const [odd, odder] = [poolOf({ options: HOSTILE }), poolOf({ options: HOSTILE })];
  runContract('postgres, pg with other defaults', () => freshIn(odd, odder));
}

describe.skipIf(url === undefined)('a real server', () => {
  let folder = '';
  let admin: Pool;
  let schema = '';
  let store: VaultStore;
  let count = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trefoil-pg-'));
    admin = poolOf();
    await build({
      entry: { postgres: fileURLToPath(new URL('../../src/vault-postgres.ts', import.meta.url)) },
      outDir: folder,
      outExtension: () => ({ js: '.mjs' }),
      format: 'esm',
      config: false,
      dts: false,
      silent: true,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A store of generation 1, with the name of its connections in pg_stat_activity. */
  async function begun(): Promise<string> {
    const name = `trefoil-${process.pid}-${count++}`;
    schema = `s${randomUUID().slice(0, 8)}`;
    store = postgresStore(poolOf({ application_name: name }), { schema });
    await store.open();
    await store.setMeta({ generation: 1, text: 'a' });
    return name;
  }

  const drop = () => admin.query(`drop schema ${schema} cascade`);

  const connected = async (name: string, and = 'true'): Promise<number> => {
    const text = `select count(*)::integer as n from pg_stat_activity where application_name = $1 and ${and}`;
    return ((await admin.query(text, [name])).rows[0] as { readonly n: number }).n;
  };

  const waiting = (name: string): Promise<number> => connected(name, "wait_event_type = 'Lock'");

  const kill = (name: string, and = 'true') =>
    admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and ${and}`, [
      name,
    ]);

  /** A connection that holds the lock of a row until it is released. */
  async function holding(index: Uint8Array): Promise<() => Promise<void>> {
    const connection = await admin.connect();
    await connection.query('begin');
    await connection.query(`insert into ${schema}.trefoil_value values ($1, 'k3m7a', 1, null, '\\x00')`, [index]);
    return async () => {
      await connection.query('rollback');
      connection.release();
    };
  }

  test('eight processes, overlapping indexes in shuffled order: one succeeds for each index, and there is no deadlock', async () => {
    const name = await begun();
    const [rows, children] = [20_000, 8];
    const starts: (() => void)[] = [];
    let ready = 0;
    writeFileSync(join(folder, 'child.mjs'), CHILD);
    const pg = createRequire(import.meta.url).resolve('pg');
    const before = await deadlocks();
    const ended = await Promise.all(
      Array.from({ length: children }, async (_, i) => {
        const args = [join(folder, 'child.mjs'), pg, url!, schema, `${name}-child`, `${i}`, `${rows}`];
        const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
        let out = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          out += text;
          // All processes are ready before any of them starts.
          if (out === 'ready\n' && ++ready === children) for (const go of starts) go();
        });
        starts.push(() => child.stdin.end('go'));
        expect(await new Promise((done) => child.on('close', done))).toBe(0);
        return JSON.parse(out.slice('ready\n'.length)) as { won: number[]; ms: number };
      }),
    );
    // A connection reports its deadlocks when it ends.
    await until(async () => (await connected(`${name}-child`)) === 0);
    const winners = new Map<number, number>();
    for (const [i, { won }] of ended.entries()) {
      for (const n of won) {
        expect(winners.has(n)).toBe(false);
        winners.set(n, i);
      }
    }
    expect(winners.size).toBe(rows);
    const there = await store.scan('value', { after: null, limit: 2 * rows });
    expect(there.length).toBe(rows);
    for (const { index, body } of there) {
      expect(body[0]).toBe(winners.get(new DataView(index.buffer, index.byteOffset).getUint32(12)));
    }
    expect((await store.sizes()).token).toEqual({ rows, bytes: 60 * rows });
    expect((await deadlocks()) - before).toBe(0);
    const seconds = Math.max(...ended.map(({ ms }) => ms)) / 1000;
    const wins = ended.map(({ won }) => won.length);
    console.log(
      `8 processes: ${children * rows} creates, ${rows} rows and as many tokens in ${seconds.toFixed(1)} s;`,
      `${Math.round((children * rows) / seconds)} creates/s; won ${wins.join(' ')}`,
    );
    await drop();
  }, 120_000);

  async function deadlocks(): Promise<number> {
    const { rows } = await admin.query(
      'select deadlocks::integer as n from pg_stat_database where datname = current_database()',
    );
    return (rows[0] as { readonly n: number }).n;
  }

  test('a connection killed inside a batch, which is then repeated: nothing is written partly, and nothing twice', async () => {
    const name = await begun();
    const rows = span(0, 1_000);
    const entries = rows.map((one, i): Entry => ({ row: one, with: row(5_000 + i) }));
    // This index is in the middle of the order: when the batch has to wait for it, half of the batch is written.
    const middle = indexesOf(rows).sort(Buffer.compare)[500]!;
    const letGo = await holding(middle);
    const first = rejection(store.create(1, 'value', entries));
    await until(async () => (await waiting(name)) === 1);
    await kill(name);
    expect(await first).toMatchObject({ code: 'store_failed', message: CODE });
    await letGo();
    expect((await store.sizes()).value.rows).toBe(0);
    expect(won(await store.create(1, 'value', entries)).length).toBe(1_000);
    expect(won(await store.create(1, 'value', entries)).length).toBe(0);
    expect(await store.sizes()).toMatchObject({ value: { rows: 1_000 }, token: { rows: 1_000 } });
    await drop();
  });

  test('connections killed at any moment, each batch repeated until it is acknowledged', async () => {
    const name = await begun();
    const chance = random(`postgres kills ${process.env.TREFOIL_SEED ?? ''}`);
    let over = false;
    let failures = 0;
    let inRow = 0;
    const killer = (async () => {
      while (!over) {
        // It waits longer after each failure; otherwise the test would never end on a busy machine.
        await new Promise((done) => setTimeout(done, (5 + chance.below(30)) * (1 + inRow)));
        await kill(name, "state <> 'idle'");
      }
    })();
    const again = async <T>(work: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          const done = await work();
          inRow = 0;
          return done;
        } catch (error) {
          expect(error).toBeInstanceOf(TrefoilError);
          expect((error as TrefoilError).code).toMatch(/^store_(failed|busy)$/);
          failures++;
          inRow++;
        }
      }
    };
    for (let batch = 0; batch < 60; batch++) {
      const rows = span(1_000 * batch, 200);
      // The token shows which attempt wrote it: a batch that was written but not acknowledged is not written again.
      await again(() =>
        store.create(
          1,
          'value',
          rows.map((one, i): Entry => ({ row: one, with: row(1_000_000 + 1_000 * batch + i) })),
        ),
      );
      const to = (one: Row): Row => ({ ...one, version: 2, body: Uint8Array.of(batch) });
      await again(async () => {
        const done = await store.change(
          1,
          rows.map((one) => ({ table: 'value' as const, index: one.index, from: 1, to: to(one) })),
        );
        const there = await store.get('value', indexesOf(rows));
        // `false` if only the answer was lost: then everything was written.
        expect(there.map(({ version }) => version)).toEqual(rows.map(() => 2));
        return done;
      });
    }
    over = true;
    await killer;
    expect(await store.sizes()).toMatchObject({ value: { rows: 12_000, bytes: 12_000 }, token: { rows: 12_000 } });
    console.log(`killed connections: ${failures} verbs failed and were repeated`);
    expect(failures).toBeGreaterThan(3);
    await drop();
  });

  test('two creates of one new index at the same moment: one succeeds, and the other finds its row', async () => {
    const name = await begun();
    const other = postgresStore(poolOf({ application_name: name }), { schema });
    await other.open();
    for (let n = 0; n < 20; n++) {
      const gate = await admin.connect();
      await gate.query('begin');
      await gate.query(
        `select pg_advisory_xact_lock(classid::bigint::integer, objid::bigint::integer) from (
          select 1953654118 as classid, '${schema}.trefoil_meta'::regclass::oid as objid
        ) as gate`,
      );
      const told = Promise.all(
        [store, other].map((each, i) =>
          each.create(1, 'value', [{ row: row(n, { body: Uint8Array.of(i) }), with: row(1_000 + 2 * n + i) }]),
        ),
      );
      await until(async () => (await waiting(name)) === 2);
      await gate.query('commit');
      gate.release();
      const wins = (await told).map(won);
      expect(wins.flat()).toEqual([0]);
      const winner = wins.findIndex((each) => each.length === 1);
      for (const each of [store, other]) expect((await each.get('value', [row(n).index]))[0]!.body[0]).toBe(winner);
      const tokens = await store.get('token', indexesOf(span(1_000 + 2 * n, 2)));
      expect(tokens).toEqual([row(1_000 + 2 * n + winner)]);
    }
    await drop();
  });

  test('setMeta waits for a create that had begun, and a later create is stale', async () => {
    const name = await begun();
    const letGo = await holding(row(5).index);
    const order: string[] = [];
    const note = <T>(what: string, work: Promise<T>): Promise<T> => work.finally(() => order.push(what));
    const first = note(
      'create',
      store.create(
        1,
        'value',
        span(0, 10).map((one) => ({ row: one })),
      ),
    );
    await until(async () => (await waiting(name)) === 1);
    const set = note('setMeta', store.setMeta({ generation: 2, text: 'b' }));
    await until(async () => (await waiting(name)) === 2);
    const late = note('late', store.create(1, 'value', [{ row: row(100) }]));
    await until(async () => (await waiting(name)) === 3);
    await letGo();
    expect(won(await first).length).toBe(10);
    expect(await set).toBe(true);
    expect(await late).toBe('stale');
    expect(order.indexOf('setMeta')).toBeLessThan(order.indexOf('late'));
    expect((await store.sizes()).value.rows).toBe(10);
    await drop();
  });

  test('a change does nothing if another connection inserts its row meanwhile', async () => {
    const name = await begun();
    await store.create(1, 'value', [{ row: row(1) }]);
    const connection = await admin.connect();
    await connection.query('begin');
    await connection.query(`insert into ${schema}.trefoil_token values ($1, 'k3m7a', 1, null, '\\x00')`, [
      row(2).index,
    ]);
    const change = store.change(1, [
      { table: 'value', index: row(1).index, from: 1, to: row(1, { version: 2 }) },
      { table: 'token', index: row(2).index, from: 0, to: row(2) },
    ]);
    await until(async () => (await waiting(name)) === 1);
    await connection.query('commit');
    connection.release();
    expect(await change).toBe(false);
    expect((await store.get('value', [row(1).index]))[0]!.version).toBe(1);
    await drop();
  });

  test('a deadlock that another connection causes is retried', async () => {
    const name = await begun();
    const [low, high] = indexesOf(span(0, 2)).sort(Buffer.compare) as [Uint8Array, Uint8Array];
    const letGo = await admin.connect();
    await letGo.query("begin; set local deadlock_timeout = '5s'");
    const insert = `insert into ${schema}.trefoil_value values ($1, 'k3m7a', 1, null, '\\x00') on conflict do nothing`;
    await letGo.query(insert, [high]);
    const told = store.create(
      1,
      'value',
      span(0, 2).map((one) => ({ row: one })),
    );
    await until(async () => (await waiting(name)) === 1);
    // Against the order of locks: now each waits for the other, and the server aborts the store's transaction.
    await letGo.query(insert, [low]).catch(() => {});
    await letGo.query('rollback');
    letGo.release();
    expect(won(await told).length).toBe(2);
    await drop();
  });

  test('a role without privileges, and a read-only server', async () => {
    await begun();
    const reader = postgresStore(poolOf({ options: '-c default_transaction_read_only=on' }), { schema });
    await reader.open();
    expect(await reader.meta()).toEqual({ generation: 1, text: 'a' });
    expect(await reader.get('value', [row(1).index])).toEqual([]);
    const error = await rejection(reader.create(1, 'value', [{ row: row(1) }]));
    expect(error).toMatchObject({ code: 'store_failed', message: CODE });
    expect(error.message).toContain('25006');
    await reader.scrub();
    const role = `trefoil_${randomUUID().slice(0, 8)}`;
    await admin.query(`create role ${role}; grant usage on schema ${schema} to ${role}`);
    const stranger = postgresStore(poolOf({ options: `-c role=${role}` }), { schema });
    expect(await rejection(stranger.open())).toMatchObject({ code: 'store_failed', message: CODE });
    await drop();
    await admin.query(`drop role ${role}`);
  });

  test('a server that does not exist', async () => {
    const pool = new Pool({ host: '/nowhere', user: 'secret', password: 'secret', database: 'secret' });
    const error = await rejection(postgresStore(pool).open());
    expect(error.code).toBe('store_failed');
    expect(error.message).not.toMatch(/secret|nowhere/);
    await pool.end();
  });
});

/** Returns all indexes, in batches of 1,000, in an order that depends on the seed. */
const CHILD = `
import { createRequire } from 'node:module';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { postgresStore } from './postgres.mjs';

const [path, url, schema, name, me, rows] = process.argv.slice(2);
const pg = createRequire(import.meta.url)(path);
const pool = new pg.Pool({ connectionString: url, application_name: name, max: 2 });
const store = postgresStore(pool, { schema });
await store.open();
const numbers = Array.from({ length: Number(rows) }, (_, n) => n);
for (let i = numbers.length - 1; i > 0; i--) {
  const j = Math.floor(Math.random() * (i + 1));
  [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
}
const row = (index) => ({ index, key: 'k3m7a', version: 1, expires: null, body: new Uint8Array(60).fill(Number(me)) });
const indexOf = (n) => {
  const index = new Uint8Array(16);
  new DataView(index.buffer).setUint32(0, Math.imul(n, 0x9e3779b1));
  new DataView(index.buffer).setUint32(12, n);
  return index;
};
process.stdout.write('ready\\n');
await once(process.stdin.resume(), 'end');
const won = [];
const start = performance.now();
for (let at = 0; at < numbers.length; at += 1000) {
  const batch = numbers.slice(at, at + 1000);
  const entries = batch.map((n) => ({ row: row(indexOf(n)), with: row(randomFillSync(new Uint8Array(16))) }));
  for (const i of await store.create(1, 'value', entries)) won.push(batch[i]);
}
process.stdout.write(JSON.stringify({ won, ms: performance.now() - start }));
await pool.end();
`;
