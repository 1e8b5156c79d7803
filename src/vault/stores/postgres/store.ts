/**
 * A vault's store in PostgreSQL 12 or newer (`trefoil/vault-postgres`). The caller passes a `Pool` of `pg` or a
 * `PGlite` of `@electric-sql/pglite`, which is recognised by its methods.
 *
 * Each write is one transaction at READ COMMITTED. Its first round trip takes an advisory lock and then reads the
 * generation, by a second statement, which has a snapshot of its own. The lock is held until the transaction ends, so
 * the generation cannot change before. Every write takes its locks in one order, so that no two writes wait for each
 * other: first the rows that exist, then the indexes of rows that do not, each by table (value, token, subject) and
 * then by index.
 */

import { checkOptions } from '../../../core/checks.ts';
import { fail } from '../../../errors.ts';
import { mapKey } from '../../map-key.ts';
import { checkChanges, checkEntries } from '../batch.ts';
import {
  type Change,
  type Entry,
  type Meta,
  type Row,
  type Stale,
  TABLES,
  type Table,
  type TableSize,
  type VaultStore,
} from '../store.ts';
import {
  type Driver,
  driverOf,
  type PostgresClient,
  type Query,
  type SqlRow,
  stateOf,
  storeError,
  UNDO,
  withRetries,
} from './driver.ts';
import {
  changeSize,
  changeStatement,
  createSize,
  createStatement,
  cutIndexes,
  getStatement,
  identifier,
  LOCK_TABLES,
  lockStatement,
  lockText,
  MIGRATIONS,
  makeMetaTexts,
  piecesOf,
  readRow,
  scanStatement,
  sizesText,
  sweepStatement,
  type TableNames,
  tableNames,
} from './statements.ts';

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** Schema of the tables, created if it does not exist; by default the first of the connection's `search_path`. */
  readonly schema?: string | undefined;
}

/**
 * Returns a store in a PostgreSQL database, version 12 or newer. It uses the tables `trefoil_value`, `trefoil_token`,
 * `trefoil_subject` and `trefoil_meta` and leaves other tables alone. Any number of processes may use them. The role
 * needs SELECT, INSERT, UPDATE and DELETE on these tables, and CREATE in the schema when the tables are made.
 *
 * A verb of the store uses one connection of the pool while it runs. A caller that protects or reveals many values has
 * two connections in use at once. A write waits at most 60 s for other writes, and a writer that is idle for 60 s
 * inside a transaction loses its connection. While `setMeta` or `sweep` runs, all other writes wait: a sweep of 600,000
 * rows took 1.2 s (measured). A pool of `pg` emits `error` when an idle connection is lost; if you do not listen for
 * it, that ends the process.
 *
 * *After a lost connection* (`store_failed`) call the verb again. The batch was written as a whole or not at all. If
 * only the answer was lost, the second call finds the work done: `create` returns no positions, and `get` shows the
 * rows that it wrote; `change` and `setMeta` return `false`, and the store holds what they wrote; `sweep` returns 0.
 *
 * *Warning*: PostgreSQL keeps destroyed data. `scrub` runs VACUUM if the role may. VACUUM frees dead rows that no
 * transaction can see any more but overwrites nothing; their bytes stay in the free space of pages until new rows are
 * written there (`VACUUM FULL` rewrites the tables). The write-ahead log and its archive, replicas, snapshots and
 * backups keep the data for as long as they are kept themselves.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws RangeError for a schema that is not a valid name.
 * @throws TrefoilError from its verbs: `store_busy` if neither waiting nor six attempts helped; `no_space`;
 * `store_version`; `store_broken`; and `store_failed` with PostgreSQL's SQLSTATE. Messages of the client are not passed
 * on.
 *
 * @example
 * ```ts
 * import { PGlite } from '@electric-sql/pglite'; // or Pool of pg
 * import { postgresStore } from 'trefoil/vault-postgres';
 *
 * const store = postgresStore(new PGlite(), { schema: 'vault' });
 * await store.open();
 * await store.meta(); // → null
 * ```
 */
export function postgresStore(client: PostgresClient, options: PostgresStoreOptions = {}): VaultStore {
  const driver = driverOf(client);
  const { schema } = checkOptions('options', options, ['schema']);
  const database: Database = { ...driver, names: tableNames(schema) };
  return {
    kind: 'postgres',
    open: () => open(database),
    meta: () => getMeta(database),
    setMeta: (meta) => setMeta(database, meta),
    get: async (table, indexes) => get(database, table, indexes),
    create: async (generation, table, entries) => create(database, generation, table, entries),
    change: async (generation, changes) => change(database, generation, changes),
    scan: (table, { after, limit, notKey }) => scan(database, table, after, limit, notKey),
    sweep: (generation, day) => sweep(database, generation, day),
    sizes: () => sizes(database),
    scrub: () => scrub(database),
    async close() {},
  };
}

/** A client, and where the tables are in its database. */
interface Database extends Driver {
  readonly names: TableNames;
}

/** Runs a write, which sees metadata that do not change before it ends. */
function write<T>(
  { names, transaction }: Database,
  mode: 'shared' | 'exclusive',
  work: (query: Query, generation: number) => Promise<T>,
): Promise<T> {
  const head = `${lockText(names, mode)}; select tables, generation from ${names.meta}`;
  return withRetries(() =>
    transaction(head, (query, row) => {
      checkTables(row);
      return work(query, Number(row?.generation));
    }),
  );
}

/** Runs a write, which is refused if the caller knows another generation. */
function writeAt<T>(database: Database, generation: number, work: (query: Query) => Promise<T>): Promise<T | Stale> {
  return write(database, 'shared', async (query, current) => (current === generation ? work(query) : 'stale'));
}

function open(database: Database): Promise<void> {
  const { names, query } = database;
  return withRetries(async () => {
    const [there] = await query('select to_regclass($1) is not null as there', [names.meta]);
    if (there?.there === true) {
      // If there is nothing to do, this needs no privilege but SELECT.
      const [row] = await query(`select tables from ${names.meta}`);
      if (checkTables(row, true) === MIGRATIONS.length) return;
    }
    await makeTables(database);
  });
}

function makeTables({ names, transaction }: Database): Promise<void> {
  return transaction(LOCK_TABLES, async (query) => {
    if (names.schema !== undefined) await makeSchema(query, names.schema);
    // Another process may have made them meanwhile. `to_regclass` would not tell: it may know what was before the lock.
    for (const text of makeMetaTexts(names)) await query(text);
    const [row] = await query(`select tables from ${names.meta}`);
    const version = checkTables(row, true);
    for (const step of MIGRATIONS.slice(version).flatMap((migration) => migration(names))) await query(step);
    await query(`update ${names.meta} set tables = ${MIGRATIONS.length}`);
  });
}

/** Returns the version of the tables. This code knows all versions up to its own. */
function checkTables(row: SqlRow | undefined, older = false): number {
  if (row === undefined) fail('store_broken', 'the metadata of the vault are missing; restore them from a backup');
  const version = Number(row.tables);
  const known = MIGRATIONS.length;
  if (version > known) {
    fail('store_version', 'the tables of the vault are of a newer version of trefoil; update trefoil', {
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

async function makeSchema(query: Query, schema: string): Promise<void> {
  // "if not exists" would need the privilege to create schemas even if the schema exists.
  const [there] = await query('select 1 as there from pg_namespace where nspname = $1', [schema]);
  if (there === undefined) await query(`create schema ${identifier('schema', schema)}`);
}

async function getMeta({ names, query }: Database): Promise<Meta | null> {
  const [row] = await withRetries(() => query(`select tables, generation, text from ${names.meta}`));
  checkTables(row);
  const generation = Number(row?.generation);
  return generation === 0 ? null : { generation, text: String(row?.text) };
}

function setMeta(database: Database, { generation, text }: Meta): Promise<boolean> {
  // The exclusive lock waits for all writes of older generations, and later ones read the new generation.
  return write(database, 'exclusive', async (query, current) => {
    if (current !== generation - 1) return false;
    await query(`update ${database.names.meta} set generation = $1, text = $2`, [generation, text]);
    return true;
  });
}

async function get({ names, query }: Database, table: Table, indexes: readonly Uint8Array[]): Promise<Row[]> {
  if (indexes.length === 0) return [];
  const { text, values } = getStatement(names, table, indexes);
  return (await withRetries(() => query(text, values))).map(readRow);
}

async function create(
  database: Database,
  generation: number,
  table: 'value' | 'subject',
  entries: readonly Entry[],
): Promise<readonly number[] | Stale> {
  checkEntries(entries);
  const pieces = piecesOf(entries, ({ row }) => row.index, createSize);
  const statements = pieces.map((piece) => createStatement(database.names, table, piece));
  const won = await writeAt(database, generation, async (query) => {
    const written = new Set<string>();
    for (const { text, values } of statements) {
      const [row] = await query(text, values);
      for (const index of cutIndexes(row?.won)) written.add(mapKey(index));
    }
    return written;
  });
  if (won === 'stale') return won;
  if (won.size === entries.length) return entries.map((_, i) => i);
  return entries.flatMap(({ row }, i) => (won.has(mapKey(row.index)) ? [i] : []));
}

async function change(database: Database, generation: number, changes: readonly Change[]): Promise<boolean | Stale> {
  checkChanges(changes);
  const { names } = database;
  const steps = TABLES.flatMap((table) => {
    const own = changes.filter((one) => one.table === table);
    if (own.length === 0) return [];
    const pieces = piecesOf(own, ({ index }) => index, changeSize);
    return {
      lock: lockStatement(names, table, own),
      apply: pieces.map((piece) => changeStatement(names, table, piece)),
    };
  });
  try {
    return await writeAt(database, generation, async (query) => {
      for (const { lock } of steps) {
        const [row] = await query(lock.text, lock.values);
        if (Number(row?.wrong) > 0) return false;
      }
      for (const { text, values, made } of steps.flatMap(({ apply }) => apply)) {
        const [row] = await query(text, values);
        // Another connection has inserted a row where none was expected.
        if (Number(row?.made) !== made) throw UNDO;
      }
      return true;
    });
  } catch (error) {
    if (error === UNDO) return false;
    throw error;
  }
}

async function scan(
  { names, query }: Database,
  table: Table,
  after: Uint8Array | null,
  limit: number,
  notKey: string | undefined,
): Promise<Row[]> {
  const { text, values } = scanStatement(names, table, after, limit, notKey);
  return (await withRetries(() => query(text, values))).map(readRow);
}

/**
 * The exclusive lock lets no other write begin before this one ends. Without it, a row that another process moves or
 * replaces at that moment could lose its partner: at READ COMMITTED, the statement reads a row again if it had to wait
 * for it, but not the partner of that row. (A mapping that is made meanwhile would be safe: it is removed as a whole or
 * not at all.)
 */
function sweep(database: Database, generation: number, day: number): Promise<number | Stale> {
  const { text, values } = sweepStatement(database.names, ['value', 'token'], day);
  return write(database, 'exclusive', async (query, current) => {
    if (current !== generation) return 'stale';
    const [row] = await query(text, values);
    return Number(row?.gone);
  });
}

async function sizes({ names, query }: Database): Promise<Readonly<Record<Table, TableSize>>> {
  const [row] = await withRetries(() => query(sizesText(names)));
  const sizeOf = (table: Table): TableSize => ({
    rows: Number(row?.[`${table}_rows`]),
    bytes: Number(row?.[`${table}_bytes`]),
  });
  return { value: sizeOf('value'), token: sizeOf('token'), subject: sizeOf('subject') };
}

async function scrub({ names, query }: Database): Promise<void> {
  try {
    await query(`vacuum ${TABLES.map(names.table).join(', ')}`);
  } catch (error) {
    // If the server refuses, nothing changes: VACUUM overwrites nothing anyway.
    if (stateOf(error) === null) throw storeError(error);
  }
}
