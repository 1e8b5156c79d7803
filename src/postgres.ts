/**
 * A vault's store in PostgreSQL 12 or newer (`trefoil/postgres`): the client is the caller's, a `Pool` of `pg` or a
 * `PGlite` of `@electric-sql/pglite`, and is known by its shape.
 *
 * Each write is one transaction at READ COMMITTED. Its first round trip takes an advisory lock and then, by a statement
 * of its own and so with a snapshot of its own, reads the generation; both are held until it ends. Locks are taken in
 * one order everywhere, so that no two writes wait for each other: rows that are there before keys of rows that are
 * not, each by table (value, token, subject) and then by index.
 */

import { concat } from './core/bytes.ts';
import { badRange, badType, checkOptions, isArgumentError, typeName } from './core/checks.ts';
import { readHex, writeHex } from './core/hex.ts';
import { fail, type IssueCode, TrefoilError } from './errors.ts';
import { nameOf } from './vault/names.ts';
import type { Change, Entry, Meta, Row, Stale, Table, TableSize, VaultStore } from './vault/store.ts';

/** What both clients answer. */
export interface PostgresResult {
  readonly rows: readonly unknown[];
}

/** A connection that a pool lent. */
export interface PostgresConnection {
  readonly query: (text: string, values?: unknown[]) => Promise<PostgresResult>;
  readonly release: (destroy?: boolean) => void;
  readonly on?: (event: 'error', listener: () => void) => unknown;
  readonly removeListener?: (event: 'error', listener: () => void) => unknown;
}

/** A `Pool` of `pg`, as far as it is used. */
export interface PostgresPool {
  readonly query: (text: string, values?: unknown[]) => Promise<PostgresResult>;
  readonly connect: () => Promise<PostgresConnection>;
}

/** How values of a type, by its number, become text and come out of it. */
export interface PgliteTypes {
  readonly serializers: Readonly<Record<number, (value: Uint8Array) => string>>;
  readonly parsers: Readonly<Record<number, (text: string) => Uint8Array>>;
}

/** A transaction of PGlite. */
export interface PgliteTransaction {
  readonly query: (text: string, values?: unknown[], types?: PgliteTypes) => Promise<PostgresResult>;
  readonly exec: (text: string) => Promise<readonly PostgresResult[]>;
}

/** A `PGlite` of `@electric-sql/pglite`, as far as it is used. */
export interface PgliteDatabase {
  readonly query: (text: string, values?: unknown[], types?: PgliteTypes) => Promise<PostgresResult>;
  readonly transaction: <T>(work: (transaction: PgliteTransaction) => Promise<T>) => Promise<T>;
}

/** A client: a `Pool` of `pg` or a `PGlite`. */
export type PostgresClient = PostgresPool | PgliteDatabase;

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** Schema of the tables, made if it is not there; by default the first of the connection's `search_path`. */
  readonly schema?: string | undefined;
}

const TABLES: readonly Table[] = ['value', 'token', 'subject'];

const COLUMNS = 'idx, key, version, expires, body';

/** Bytes of an index. */
const INDEX = 16;

/**
 * "tref": the first half of every advisory lock taken here. The second is 0 while tables are made, else the store's.
 */
const LOCKS = 0x74726566;

/** Bodies of one statement, in bytes. A message of the protocol ends at 1 GiB; this keeps both sides' memory small. */
const PIECE = 16 * 1024 * 1024;

/** Rows of one statement: for more of them the planner begins to prefer reading a whole table. */
const PIECE_ROWS = 1_000;

/** How often a transaction is begun again that the server broke off. Locks have one order, so once is rare. */
const RETRIES = 5;

/** What makes the tables of a version out of those of the version before. */
const MIGRATIONS: readonly ((at: string) => readonly string[])[] = [
  (at) => [
    ...TABLES.flatMap((table) => [
      `create table ${at}trefoil_${table} (
        idx bytea primary key,
        key text not null,
        version integer not null,
        expires integer,
        body bytea not null
      )`,
      // Sealed bodies do not compress: this spares the large ones the attempt.
      `alter table ${at}trefoil_${table} alter column body set storage external`,
    ]),
    ...['value', 'token'].map(
      (table) => `create index trefoil_${table}_expires on ${at}trefoil_${table} (expires) where expires is not null`,
    ),
  ],
];

/** What the codes of PostgreSQL mean here; all others are `store_failed`. */
const STATES: Readonly<Record<string, readonly [IssueCode, string]>> = {
  '40001': ['store_busy', 'others change the same rows all the time; try again'],
  '40P01': ['store_busy', 'others change the same rows all the time; try again'],
  '53300': ['store_busy', 'the server has no connection left; try again'],
  '55P03': ['store_busy', 'others hold what was to be locked; try again'],
  '57014': ['store_busy', 'the server broke the statement off; try again'],
  '57P03': ['store_busy', 'the server is starting or stopping; try again'],
  '53100': ['no_space', "the server's disk is full"],
  '23505': ['store_failed', 'a new row is under the index of another; nothing was written'],
  '25006': ['store_failed', 'the server only reads'],
  '25P03': ['store_failed', 'the server ended the connection; try again'],
  '42501': ['store_failed', 'the role has no right to do this'],
  '42P01': ['store_failed', 'the tables of the vault are not there; open the store first'],
  '57P01': ['store_failed', 'the server ended the connection; try again'],
  '57P02': ['store_failed', 'the server ended the connection; try again'],
};

/**
 * A store in a PostgreSQL database, 12 or newer: tables `trefoil_value`, `trefoil_token`, `trefoil_subject` and
 * `trefoil_meta` beside whatever else is there. Any number of processes may work on it. The role needs SELECT, INSERT,
 * UPDATE and DELETE on them, and CREATE in the schema when the tables are made.
 *
 * A verb uses one connection of the pool while it runs. Writes wait at most 60 s for those of others, and a writer that
 * stands still for 60 s inside a transaction loses its connection. A pool of `pg` emits `error` when an idle connection
 * is lost: without a listener of yours that ends the process.
 *
 * *After a lost connection* (`store_failed`) call the verb again. The batch is there as a whole or not at all; where
 * only the answer was lost, the second call finds it done: `create` tells no position and `get` shows the rows that it
 * wrote, `change` and `setMeta` answer `false` and what is there is what was to be, `sweep` counts none.
 *
 * *Warning*: PostgreSQL keeps what was destroyed. `scrub` runs VACUUM where the role may, which frees dead rows that no
 * transaction can see any more but overwrites nothing; their bytes stay in the free space of pages until new rows take
 * it (`VACUUM FULL` writes the tables anew). The write-ahead log and its archive, replicas, snapshots and backups keep
 * them for as long as they are kept themselves.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws RangeError for a schema that cannot be one.
 * @throws TrefoilError from its verbs: `store_busy` where waiting or six attempts did not help, `no_space`,
 * `store_version`, `store_broken`, and `store_failed` with PostgreSQL's SQLSTATE. No message of the driver is passed
 * on.
 *
 * @example
 * ```ts
 * import { PGlite } from '@electric-sql/pglite'; // or Pool of pg
 * import { postgresStore } from 'trefoil/postgres';
 *
 * const store = postgresStore(new PGlite(), { schema: 'vault' });
 * await store.open();
 * await store.meta(); // → null
 * ```
 */
export function postgresStore(client: PostgresClient, options: PostgresStoreOptions = {}): VaultStore {
  const { ask, transaction } = driverOf(client);
  const { schema } = checkOptions('options', options, ['schema']);
  const at = schema === undefined ? '' : `${identifier('schema', schema)}.`;
  const nameOfTable = (table: Table): string => `${at}trefoil_${table}`;
  const regclass = literal(`${at}trefoil_meta`);

  /** A write: `work` sees the metadata, which do not change before it ends. */
  function write<T>(mode: '' | '_shared', work: (ask: Ask, generation: number) => Promise<T>): Promise<T> {
    const head = `select pg_advisory_xact_lock${mode}(${LOCKS}, ${regclass}::regclass::oid::integer);
      select tables, generation from ${at}trefoil_meta`;
    return steady(() =>
      transaction(head, (ask, found) => {
        checkTables(found);
        return work(ask, Number(found?.generation));
      }),
    );
  }

  /** A write that is refused when the caller knows another generation. */
  function writeAt<T>(generation: number, work: (ask: Ask) => Promise<T>): Promise<T | Stale> {
    return write('_shared', async (ask, found) => (found === generation ? work(ask) : 'stale'));
  }

  return {
    kind: 'postgres',

    async open() {
      await steady(async () => {
        const [there] = await ask('select to_regclass($1) is not null as there', [`${at}trefoil_meta`]);
        if (there?.there === true) {
          // Needs no more than SELECT when there is nothing to do.
          const [found] = await ask(`select tables from ${at}trefoil_meta`);
          if (checkTables(found, true) === MIGRATIONS.length) return;
        }
        await transaction(`select pg_advisory_xact_lock(${LOCKS}, 0)`, async (ask) => {
          if (schema !== undefined) await makeSchema(ask, String(schema));
          // Another process may have been first. Not to_regclass: it may still know what was before the lock was had.
          await ask(`create table if not exists ${at}trefoil_meta (
            one boolean primary key default true check (one),
            tables integer not null,
            generation integer not null,
            text text not null
          )`);
          await ask(
            `insert into ${at}trefoil_meta (tables, generation, text) values (0, 0, '') on conflict do nothing`,
          );
          const [found] = await ask(`select tables from ${at}trefoil_meta`);
          const version = checkTables(found, true);
          for (const step of MIGRATIONS.slice(version).flatMap((migration) => migration(at))) await ask(step);
          await ask(`update ${at}trefoil_meta set tables = ${MIGRATIONS.length}`);
        });
      });
    },

    async meta(): Promise<Meta | null> {
      const [found] = await steady(() => ask(`select tables, generation, text from ${at}trefoil_meta`));
      checkTables(found);
      const generation = Number(found?.generation);
      return generation === 0 ? null : { generation, text: String(found?.text) };
    },

    async setMeta({ generation, text }) {
      // The lock is had when all writes of older generations have ended, and those behind it read what stands here.
      return write('', async (ask, found) => {
        if (found !== generation - 1) return false;
        await ask(`update ${at}trefoil_meta set generation = $1, text = $2`, [generation, text]);
        return true;
      });
    },

    async get(table, indexes) {
      if (indexes.length === 0) return [];
      // LATERAL with LIMIT looks each one up. "= any" is free to read the whole table instead, and did so for 5,000 of
      // a million rows: 181 ms against 53 to 71 (measured).
      const text = `select found.* from generate_series(0, $2::integer - 1) as n cross join lateral (
          select ${COLUMNS} from ${nameOfTable(table)} where idx = substr($1::bytea, ${INDEX} * n + 1, ${INDEX}) limit 1
        ) as found`;
      const values = [joined(indexes), indexes.length];
      return (await steady(() => ask(text, values))).map(readRow);
    },

    async create(generation, table, entries): Promise<readonly number[] | Stale> {
      const pieces = piecesOf(entries, ({ row }) => row.index, createSize);
      const statements = pieces.map((piece) => createStatement(nameOfTable(table), nameOfTable('token'), piece));
      const won = await writeAt(generation, async (ask) => {
        const names = new Set<string>();
        for (const { text, values } of statements) {
          const [found] = await ask(text, values);
          for (const index of split(found?.won)) names.add(nameOf(index));
        }
        return names;
      });
      if (won === 'stale') return won;
      if (won.size === entries.length) return entries.map((_, i) => i);
      return entries.flatMap(({ row }, i) => (won.has(nameOf(row.index)) ? [i] : []));
    },

    async change(generation, changes): Promise<boolean | Stale> {
      const steps = TABLES.flatMap((table) => {
        const own = changes.filter((change) => change.table === table);
        if (own.length === 0) return [];
        const pieces = piecesOf(own, ({ index }) => index, changeSize);
        return {
          lock: lockStatement(nameOfTable(table), own),
          apply: pieces.map((piece) => changeStatement(nameOfTable(table), piece)),
        };
      });
      const done = writeAt(generation, async (ask) => {
        for (const { lock } of steps) {
          const [found] = await ask(lock.text, lock.values);
          if (Number(found?.wrong) > 0) return false;
        }
        for (const { text, values, made } of steps.flatMap(({ apply }) => apply)) {
          const [found] = await ask(text, values);
          // Somebody made a row meanwhile where none was.
          if (Number(found?.made) !== made) throw UNDO;
        }
        return true;
      });
      return done.catch((error: unknown) => {
        if (error === UNDO) return false;
        throw error;
      });
    },

    async scan(table, { after, limit, notKey }) {
      // The empty bytea is before all others.
      const text = `select ${COLUMNS} from ${nameOfTable(table)}
        where idx > $1::bytea ${notKey === undefined ? '' : 'and key <> $3::text'} order by idx limit $2::integer`;
      const values = [after ?? new Uint8Array(0), limit, ...(notKey === undefined ? [] : [notKey])];
      return (await steady(() => ask(text, values))).map(readRow);
    },

    async sweep(generation, day): Promise<number | Stale> {
      return writeAt(generation, async (ask) => {
        let swept = 0;
        for (const name of [nameOfTable('value'), nameOfTable('token')]) {
          const [found] = await ask(
            `with old as materialized (select idx from ${name} where expires <= $1 order by idx for update),
              gone as (delete from ${name} as t using old where t.idx = old.idx returning 1)
            select count(*) as gone from gone`,
            [day],
          );
          swept += Number(found?.gone);
        }
        return swept;
      });
    },

    async sizes() {
      // The length of a body is told without reading it.
      const selects = TABLES.map(
        (table) => `(select count(*) from ${nameOfTable(table)}) as ${table}_rows,
          (select coalesce(sum(length(body)), 0) from ${nameOfTable(table)}) as ${table}_bytes`,
      );
      const [found] = await steady(() => ask(`select ${selects.join(', ')}`));
      const sizeOf = (table: Table): TableSize => ({
        rows: Number(found?.[`${table}_rows`]),
        bytes: Number(found?.[`${table}_bytes`]),
      });
      return { value: sizeOf('value'), token: sizeOf('token'), subject: sizeOf('subject') };
    },

    async scrub() {
      try {
        await ask(`vacuum ${TABLES.map(nameOfTable).join(', ')}`);
      } catch (error) {
        // A refusal changes nothing of what is promised.
        if (stateOf(error) === null) throw storeError(error);
      }
    },

    async close() {},
  };
}

type Found = Readonly<Record<string, unknown>>;

/** Asks the server something. */
type Ask = (text: string, values?: unknown[]) => Promise<readonly Found[]>;

/** Both clients, alike. Errors pass as they are. */
interface Driver {
  readonly ask: Ask;
  /**
   * A transaction that is taken back when `work` throws.
   *
   * @param head statements without parameters; `work` gets the first row of the last.
   */
  readonly transaction: <T>(head: string, work: (ask: Ask, found: Found | undefined) => Promise<T>) => Promise<T>;
}

/** Thrown to take a transaction back that did not fail. */
const UNDO = Symbol('undo');

/**
 * At READ COMMITTED every statement has a snapshot of its own, whatever the server's default is. Rows are looked up by
 * index: to change 5,000 of a million, the planner would read the table twice. What must be scanned all the same then
 * seems dear enough to be compiled, which halved the speed of `create` (measured): hence no `jit`.
 */
const SETTINGS = `set transaction isolation level read committed;
  set local enable_seqscan = off;
  set local jit = off;
  set local lock_timeout = '60s';
  set local idle_in_transaction_session_timeout = '60s'`;

function driverOf(client: PostgresClient): Driver {
  const { query, connect, transaction } = (client ?? {}) as Partial<PostgresPool & PgliteDatabase>;
  if (typeof query !== 'function' || (typeof connect !== 'function' && typeof transaction !== 'function')) {
    badType('client', `expected a Pool of pg or a PGlite, got ${typeName(client)}`);
  }
  if (typeof transaction !== 'function') {
    const pool = client as PostgresPool;
    return { ask: askOf(pool), transaction: (head, work) => lent(pool, head, work) };
  }
  const database = client as PgliteDatabase;
  const askLite =
    (asked: Pick<PgliteDatabase, 'query'>): Ask =>
    async (text, values) =>
      (await asked.query(text, values, BYTES_AS_HEX)).rows as Found[];
  return {
    ask: askLite(database),
    transaction: (head, work) =>
      database.transaction(async (inside) => {
        const heads = await inside.exec(`${SETTINGS}; ${head}`);
        return work(askLite(inside), heads.at(-1)?.rows[0] as Found | undefined);
      }),
  };
}

/** For bytea (17). PGlite's own took 5 times as long on the way in and 2 times on the way out (measured). */
const BYTES_AS_HEX: PgliteTypes = {
  serializers: { 17: (bytes) => `\\x${writeHex(bytes)}` },
  parsers: { 17: (text) => readHex(text.slice(2), text.length / 2 - 1) ?? NOTHING },
};

/** A transaction on a connection of a pool. */
async function lent<T>(
  pool: PostgresPool,
  head: string,
  work: (ask: Ask, found: Found | undefined) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect();
  if (typeof connection?.release !== 'function') {
    badType('client', 'expected a Pool of pg or a PGlite, got a single connection');
  }
  // A connection that is lost between two statements emits an error, which without a listener ends the process.
  connection.on?.('error', ignore);
  let usable = false;
  try {
    // Statements without parameters may travel together: one round trip.
    const heads = (await connection.query(`begin; ${SETTINGS}; ${head}`)) as unknown as readonly PostgresResult[];
    const done = await work(askOf(connection), heads.at(-1)?.rows[0] as Found | undefined);
    await connection.query('commit');
    usable = true;
    return done;
  } catch (error) {
    // After anything but an answer of the server the connection may hang; it is closed, which takes all back as well.
    if (error === UNDO || error instanceof TrefoilError || stateOf(error) !== null) {
      usable = await connection.query('rollback').then(
        () => true,
        () => false,
      );
    }
    throw error;
  } finally {
    connection.removeListener?.('error', ignore);
    connection.release(!usable);
  }
}

function ignore(): void {}

function askOf(client: Pick<PostgresPool, 'query'>): Ask {
  // Without parameters: `pg` sends that as a simple query, which VACUUM needs.
  return async (text, values) =>
    (await (values === undefined ? client.query(text) : client.query(text, values))).rows as Found[];
}

/** Does it again where the server broke off one of several that were in each other's way. */
async function steady<T>(work: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await work();
    } catch (error) {
      const state = stateOf(error);
      if ((state !== '40P01' && state !== '40001') || i === RETRIES) throw error === UNDO ? error : storeError(error);
      await new Promise((done) => setTimeout(done, 5 * 2 ** i));
    }
  }
}

/** Version of the tables, of which this code knows all up to its own. */
function checkTables(found: Found | undefined, older = false): number {
  if (found === undefined) fail('store_broken', 'the metadata of the vault are gone; restore them from a backup');
  const version = Number(found.tables);
  const known = MIGRATIONS.length;
  if (version > known) {
    fail('store_version', 'the tables of the vault are of a newer version of trefoil; bring this one up to date', {
      actual: version,
      maximum: known,
    });
  }
  if (version < known && !older) {
    fail('store_version', 'the tables of the vault are of an older version; open the store first', {
      actual: version,
      expected: known,
    });
  }
  return version;
}

async function makeSchema(ask: Ask, schema: string): Promise<void> {
  // "if not exists" asks for the right to make schemas even where there is one.
  const [there] = await ask('select 1 as there from pg_namespace where nspname = $1', [schema]);
  if (there === undefined) await ask(`create schema ${identifier('schema', schema)}`);
}

/** An identifier in SQL: at most 63 bytes, or PostgreSQL would cut it. */
function identifier(argument: string, name: unknown): string {
  if (typeof name !== 'string') badType(argument, `expected text, got ${typeName(name)}`);
  if (name === '' || name.includes('\0') || !name.isWellFormed() || new TextEncoder().encode(name).length > 63) {
    badRange(argument, 'expected 1 to 63 bytes, none of them zero');
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in SQL. `E` makes backslashes mean the same under every setting. */
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A statement with its parameters. */
interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** A row, or what stands in its place where there is none. */
interface Packed {
  readonly index: Uint8Array;
  readonly row: Row | null | undefined;
}

/**
 * Rows as seven parameters from `$first` on: all indexes in one bytea, all bodies in another, cut up on the server.
 * `pg` sends bytes as they are but turns an array of them into text: 58,000 to 96,000 rows/s against 32,000 to 40,000
 * with bytea[] (measured, batches of 1,000). Where there is no row, `key` is null.
 */
function packed(first: number, rows: readonly Packed[]): Statement {
  const bodies = rows.map(({ row }) => row?.body ?? NOTHING);
  let start = 1;
  const starts = bodies.map(({ length }) => {
    start += length;
    return start - length;
  });
  const p = (i: number): string => `$${first + i}`;
  return {
    text: `select n::integer as n, substr(${p(0)}::bytea, ${INDEX} * n::integer - ${INDEX - 1}, ${INDEX}) as idx,
        key, version, expires, substr(${p(1)}::bytea, start, size) as body
      from unnest(${p(2)}::text[], ${p(3)}::integer[], ${p(4)}::integer[], ${p(5)}::integer[], ${p(6)}::integer[])
        with ordinality as packed (key, version, expires, start, size, n)`,
    values: [
      joined(rows.map(({ index }) => index)),
      concat(bodies),
      rows.map(({ row }) => row?.key ?? null),
      integers(rows.map(({ row }) => row?.version)),
      integers(rows.map(({ row }) => row?.expires)),
      integers(starts),
      integers(bodies.map(({ length }) => length)),
    ],
  };
}

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

const NOWHERE: Uint8Array = /* @__PURE__ */ new Uint8Array(INDEX);

function createStatement(into: string, token: string, entries: readonly Entry[]): Statement {
  const rows = packed(
    1,
    entries.map(({ row }) => ({ index: row.index, row })),
  );
  const values = [...rows.values];
  let free = '';
  const unless = entries.flatMap(({ unless = [] }, i) => unless.map((index) => ({ n: i + 1, index })));
  if (unless.length > 0) {
    const [owners, indexes] = [values.length + 1, values.length + 2];
    const index = `substr($${indexes}::bytea, ${INDEX} * m::integer - ${INDEX - 1}, ${INDEX})`;
    values.push(integers(unless.map(({ n }) => n)), joined(unless.map(({ index }) => index)));
    free = `where not exists (
        select from unnest($${owners}::integer[]) with ordinality as u (owner, m) cross join lateral (
          select from ${into} where idx = ${index} limit 1
        ) as taken where u.owner = input.n
      )`;
  }
  let linked = '';
  if (entries.some((entry) => entry.with !== undefined)) {
    const others = packed(
      values.length + 1,
      entries.map(({ with: row }) => ({ index: row?.index ?? NOWHERE, row })),
    );
    values.push(...others.values);
    // No "on conflict" here: a mapping is never taken to be another's.
    linked = `, linked as (
        insert into ${token} (${COLUMNS})
        select other.idx, other.key, other.version, other.expires, other.body
        from (${others.text}) as other join input using (n) join won on won.idx = input.idx
        where other.key is not null order by other.idx
      )`;
  }
  const text = `with input as materialized (${rows.text}),
      won as (
        insert into ${into} (${COLUMNS}) select ${COLUMNS} from input ${free} order by idx
        on conflict (idx) do nothing returning idx
      )${linked}
    select string_agg(idx, '') as won from won`;
  return { text, values };
}

/** Locks the rows that are there, in order, and counts those that are not as expected. */
function lockStatement(table: string, changes: readonly Change[]): Statement {
  return {
    text: `with expected as materialized (
        select substr($1::bytea, ${INDEX} * n::integer - ${INDEX - 1}, ${INDEX}) as idx, before
        from unnest($2::integer[]) with ordinality as e (before, n) order by 1
      ), there as materialized (
        select t.idx, t.version from expected cross join lateral (
          select idx, version from ${table} where idx = expected.idx for update
        ) as t
      )
      select count(*) as wrong from expected left join there using (idx)
      where coalesce(there.version, 0) <> expected.before`,
    values: [joined(changes.map(({ index }) => index)), integers(changes.map(({ from }) => from))],
  };
}

/** Makes changes whose rows are locked and as expected, and counts the rows that it made. */
function changeStatement(table: string, changes: readonly Change[]): Statement & { readonly made: number } {
  const rows = packed(
    1,
    changes.map(({ index, to }) => ({ index, row: to })),
  );
  const gone = `, gone as (
      delete from ${table} as t using input as i where t.idx = i.idx and i.before > 0 and i.key is null
    )`;
  const changed = `, changed as (
      update ${table} as t set key = i.key, version = i.version, expires = i.expires, body = i.body
      from input as i where t.idx = i.idx and i.before > 0 and i.key is not null
    )`;
  const removes = changes.some(({ from, to }) => from > 0 && to === null);
  const replaces = changes.some(({ from, to }) => from > 0 && to !== null);
  const text = `with input as materialized (
      select * from (${rows.text}) as r
        join unnest($${rows.values.length + 1}::integer[]) with ordinality as e (before, m) on m = n
    )${removes ? gone : ''}${replaces ? changed : ''}, made as (
      insert into ${table} (${COLUMNS}) select ${COLUMNS} from input where before = 0 and key is not null order by idx
      on conflict (idx) do nothing returning 1
    )
    select count(*) as made from made`;
  const made = changes.filter(({ from, to }) => from === 0 && to !== null).length;
  return { text, values: [...rows.values, integers(changes.map(({ from }) => from))], made };
}

/** Items for one statement each; in the order of their indexes where they are several, as locks are taken. */
function piecesOf<T>(items: readonly T[], indexOf: (item: T) => Uint8Array, sizeOf: (item: T) => number): T[][] {
  const pieces: T[][] = [];
  let room = 0;
  const add = (item: T): void => {
    const size = sizeOf(item);
    const last = pieces.at(-1);
    if (last === undefined || size > room || last.length === PIECE_ROWS) {
      pieces.push([item]);
      room = PIECE;
    } else last.push(item);
    room -= size;
  };
  items.forEach(add);
  if (pieces.length < 2) return pieces;
  const ordered = [...items].sort((a, b) => compare(indexOf(a), indexOf(b)));
  pieces.length = 0;
  ordered.forEach(add);
  return pieces;
}

const createSize = ({ row, with: other }: Entry): number => row.body.length + (other?.body.length ?? 0);

const changeSize = ({ to }: Change): number => to?.body.length ?? 0;

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < INDEX; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return 0;
}

/** Indexes one after the other. One of another length would shift all behind it. */
function joined(indexes: readonly Uint8Array[]): Uint8Array {
  if (indexes.some(({ length }) => length !== INDEX)) badRange('index', `expected ${INDEX} bytes`);
  return concat(indexes);
}

/** The inverse of {@link joined}; nothing for null. */
function split(indexes: unknown): Uint8Array[] {
  const bytes = (indexes ?? NOTHING) as Uint8Array;
  return Array.from({ length: bytes.length / INDEX }, (_, i) => bytes.subarray(INDEX * i, INDEX * (i + 1)));
}

/** An integer[] as PostgreSQL reads it: both clients pass a text on, and `pg` would quote each number of an array. */
function integers(numbers: readonly (number | null | undefined)[]): string {
  return `{${numbers.map((number) => number ?? 'null').join()}}`;
}

function readRow({ idx, key, version, expires, body }: Found): Row {
  return {
    index: readBytes(idx),
    key: String(key),
    version: Number(version),
    expires: expires === null ? null : Number(expires),
    body: readBytes(body),
  };
}

/**
 * Never a `Buffer`, whose `slice` does not copy. A view: copies of both fields made `get` 1.2 to 1.6 times as long
 * (measured).
 */
function readBytes(value: unknown): Uint8Array {
  const { buffer, byteOffset, length } = value as Uint8Array;
  return new Uint8Array(buffer, byteOffset, length);
}

/** PostgreSQL's SQLSTATE: five digits and capitals, not all of them letters as in `EPIPE`; `null` for other errors. */
function stateOf(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null ? (error as Found).code : undefined;
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** What a failure is called here. The driver's text stays behind: its DETAIL quotes rows. */
function storeError(error: unknown): unknown {
  if (error instanceof TrefoilError || isArgumentError(error)) return error;
  const state = stateOf(error);
  if (state === null) {
    const message = 'the connection to PostgreSQL was lost or could not be made; what was asked may be asked again';
    return new TrefoilError([{ code: 'store_failed', message }]);
  }
  const [code, message] = STATES[state] ?? (['store_failed', 'PostgreSQL refused the work'] as const);
  return new TrefoilError([{ code, message: `${message} (SQLSTATE ${state})` }]);
}
