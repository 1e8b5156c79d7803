/**
 * A vault's store in SQLite (`trefoil/vault-sqlite`). The caller passes a handle of `node:sqlite`, `better-sqlite3` or
 * `@photostructure/sqlite`, which is recognised by its methods. Any number of processes may use one file.
 *
 * Each verb is one synchronous transaction. Nothing is awaited between `BEGIN` and `COMMIT`, so two stores in one
 * thread never wait for each other.
 */

import { badType, checkInteger, checkOptions, typeName } from '../../../core/checks.ts';
import { fail } from '../../../errors.ts';
import { checkChanges, checkEntries } from '../batch.ts';
import {
  type Change,
  type Entry,
  INDEX,
  type Meta,
  type Row,
  type Stale,
  type Table,
  type TableSize,
  type VaultStore,
} from '../store.ts';
import {
  configure,
  type Database,
  isBusy,
  openDatabase,
  type Sql,
  type SqliteHandle,
  type SqlRow,
  sqliteError,
  transaction,
} from './driver.ts';
import {
  COUNT_OWN_TABLES,
  deleteStatement,
  existsStatement,
  FIRST_META,
  GET_GENERATION,
  GET_META,
  GET_VERSION,
  getStatement,
  HAS_META,
  HAS_VERSION,
  insertOrFailStatement,
  insertStatement,
  MIGRATIONS,
  NEXT_META,
  readRow,
  SET_VERSION,
  SIZES,
  scanStatement,
  sweepStatement,
  updateStatement,
} from './statements.ts';

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * Milliseconds to wait for a lock of another connection, from 0 to 3,600,000; 5,000 by default. The thread is blocked
   * while it waits.
   */
  readonly busyTimeout?: number | undefined;
}

const BUSY_TIMEOUT = 5_000;

/**
 * Returns a store in a SQLite database. It uses the tables `trefoil_value`, `trefoil_token`, `trefoil_subject`,
 * `trefoil_meta` and `trefoil_schema` and leaves other tables alone. Give the store a handle of its own: no verb works
 * inside a transaction of yours. The store sets the handle to a write-ahead log, `synchronous=FULL` and
 * `secure_delete=ON`. When a verb has returned, its writes survive a crash of the process and of the machine. The verbs
 * block the thread while they run, also while they wait for a lock.
 *
 * **Destroyed rows.** `scrub` writes the log back into the file and empties it. With `secure_delete`, SQLite overwrites
 * replaced and deleted content in the file with zeros. Of 45,000 bodies that were replaced by others of the same
 * length, as the vault does when it erases, nothing was left (measured). Of 20,000 deleted bodies, a piece of one was
 * left: SQLite moves rows between pages and does not wipe the old place. `VACUUM` removes such pieces, too. Copies of
 * the file, snapshots of the file system, and blocks that the disk has remapped cannot be reached.
 *
 * **The file and its log.** While the handle is open, some rows are in the log beside the file (`-wal`). The store's
 * `close` writes them into the file. The handle remains yours, and SQLite removes `-wal` and `-shm` when the last
 * handle of the file is closed. So close the store, then the handle, before you copy the file. The file gets its mode
 * from your driver (0644 with a umask of 022). To keep it private, create it with mode 0600 first; the log gets the
 * same mode.
 *
 * If a row is damaged in the file, the store returns what it can read, and the vault notices that it does not verify.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws RangeError for a timeout outside its limits.
 * @throws TrefoilError from its verbs: `store_busy` if another connection kept its lock for longer than the timeout;
 * `no_space`; `store_version`; and `store_failed` with the name of SQLite's result code. Messages of the driver are not
 * passed on.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from '@photostructure/sqlite'; // or node:sqlite, or better-sqlite3
 * import { sqliteStore } from 'trefoil/vault-sqlite';
 *
 * const store = sqliteStore(new DatabaseSync(':memory:'));
 * await store.open();
 * await store.meta(); // → null
 * ```
 */
export function sqliteStore(handle: SqliteHandle, options: SqliteStoreOptions = {}): VaultStore {
  if (typeof handle?.exec !== 'function' || typeof handle.prepare !== 'function') {
    badType(
      'handle',
      `expected a database of node:sqlite, better-sqlite3 or @photostructure/sqlite, got ${typeName(handle)}`,
    );
  }
  const { busyTimeout: timeout } = checkOptions('options', options, ['busyTimeout']);
  const busyTimeout = checkInteger('busyTimeout', timeout ?? BUSY_TIMEOUT, 0, 3_600_000);
  const database = openDatabase(handle, busyTimeout);
  return {
    kind: 'sqlite',
    open: () => open(database, busyTimeout),
    meta: async () => getMeta(database),
    setMeta: async (meta) => setMeta(database, meta),
    get: async (table, indexes) => get(database, table, indexes),
    create: async (generation, table, entries) => create(database, generation, table, entries),
    change: async (generation, changes) => change(database, generation, changes),
    scan: async (table, { after, limit, notKey }) => scan(database, table, after, limit, notKey),
    sweep: async (generation, day) => sweep(database, generation, day),
    sizes: async () => sizes(database),
    scrub: async () => scrub(database),
    close: async () => close(database),
  };
}

async function open(database: Database, busyTimeout: number): Promise<void> {
  const until = Date.now() + busyTimeout;
  for (;;) {
    try {
      configure(database, busyTimeout, () => isCurrent(database.sql));
      return makeTables(database);
    } catch (error) {
      // SQLite does not wait for the lock that a change to a write-ahead log needs: it fails at once if others hold it.
      if (!isBusy(error) || Date.now() >= until) throw sqliteError(error, busyTimeout);
    }
    await new Promise((done) => setTimeout(done, 5 + 20 * Math.random()));
  }
}

function makeTables({ handle, sql }: Database): void {
  if (isCurrent(sql)) return;
  transaction(handle, () => {
    // Another process may have made them meanwhile.
    if (isCurrent(sql)) return;
    for (const step of MIGRATIONS.slice(versionOf(sql))) handle.exec(step);
    handle.exec(SET_VERSION);
  });
}

/** Returns the version of the tables, or 0 if there are no tables. */
function versionOf(sql: Sql): number {
  return sql(HAS_VERSION).get() === undefined ? 0 : Number(sql(GET_VERSION).get()?.version ?? 0);
}

function isCurrent(sql: Sql): boolean {
  const version = versionOf(sql);
  const known = MIGRATIONS.length;
  if (version > known) {
    fail('store_version', 'the tables of the vault are of a newer version of trefoil; update trefoil', {
      actual: version,
      maximum: known,
    });
  }
  return version === known;
}

/** Whether a database holds a vault: its tables, and metadata in them. Nothing is written. */
export function hasVault(handle: SqliteHandle, busyTimeout: number): boolean {
  try {
    handle.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    if (Number((handle.prepare(COUNT_OWN_TABLES).get() as SqlRow).n) < 2) return false;
    return handle.prepare(HAS_META).get() !== undefined;
  } catch (error) {
    throw sqliteError(error, busyTimeout);
  }
}

function getMeta({ sql, read }: Database): Meta | null {
  return read(() => {
    const row = sql(GET_META).get();
    return row === undefined ? null : { generation: Number(row.generation), text: String(row.text) };
  });
}

function setMeta({ sql, write }: Database, { generation, text }: Meta): boolean {
  return write(() => {
    const { changes } =
      generation === 1 ? sql(FIRST_META).run(text) : sql(NEXT_META).run(generation, text, generation - 1);
    return Number(changes) === 1;
  });
}

function isStale(sql: Sql, generation: number): boolean {
  return generation !== Number(sql(GET_GENERATION).get()?.generation ?? 0);
}

function get({ sql, read }: Database, table: Table, indexes: readonly Uint8Array[]): Row[] {
  if (indexes.length === 0) return [];
  const column = new Uint8Array(INDEX * indexes.length);
  for (const [i, index] of indexes.entries()) column.set(index, INDEX * i);
  return read(() => sql(getStatement(table)).all(indexes.length, column).map(readRow));
}

function create(
  { sql, write }: Database,
  generation: number,
  table: 'value' | 'subject',
  entries: readonly Entry[],
): readonly number[] | Stale {
  checkEntries(entries);
  return write(() => {
    if (isStale(sql, generation)) return 'stale';
    const exists = sql(existsStatement(table));
    const insert = sql(insertStatement(table));
    const insertWith = sql(insertOrFailStatement('token'));
    const won: number[] = [];
    for (const [i, { row, with: other, unless }] of entries.entries()) {
      if (unless?.some((index) => exists.get(index) !== undefined) === true) continue;
      if (Number(insert.run(row.index, row.key, row.version, row.expires, row.body).changes) !== 1) continue;
      if (other !== undefined) insertWith.run(other.index, other.key, other.version, other.expires, other.body);
      won.push(i);
    }
    return won;
  });
}

function change({ sql, write }: Database, generation: number, changes: readonly Change[]): boolean | Stale {
  checkChanges(changes);
  return write((undo) => {
    if (isStale(sql, generation)) return 'stale';
    return changes.every((one) => changeOne(sql, one)) || undo(false);
  });
}

/** Makes one change, if the row has the expected version. */
function changeOne(sql: Sql, { table, index, from, to }: Change): boolean {
  if (from === 0) {
    if (to === null) return sql(existsStatement(table)).get(index) === undefined;
    const { changes } = sql(insertStatement(table)).run(index, to.key, to.version, to.expires, to.body);
    return Number(changes) === 1;
  }
  const { changes } =
    to === null
      ? sql(deleteStatement(table)).run(index, from)
      : sql(updateStatement(table)).run(to.key, to.version, to.expires, to.body, index, from);
  return Number(changes) === 1;
}

function scan(
  { sql, read }: Database,
  table: Table,
  after: Uint8Array | null,
  limit: number,
  notKey: string | undefined,
): Row[] {
  // The empty blob sorts before all others.
  const from = after ?? new Uint8Array(0);
  const rows = read(() =>
    notKey === undefined
      ? sql(scanStatement(table, false)).all(from, limit)
      : sql(scanStatement(table, true)).all(from, notKey, limit),
  );
  return rows.map(readRow);
}

function sweep({ sql, write }: Database, generation: number, day: number): number | Stale {
  return write(() => {
    if (isStale(sql, generation)) return 'stale';
    const values = sql(sweepStatement('value')).run(day);
    const tokens = sql(sweepStatement('token')).run(day);
    return Number(values.changes) + Number(tokens.changes);
  });
}

function sizes({ sql, read }: Database): Readonly<Record<Table, TableSize>> {
  const row = read(() => sql(SIZES).get());
  const sizeOf = (table: Table): TableSize => ({
    rows: Number(row?.[`${table}_rows`]),
    bytes: Number(row?.[`${table}_bytes`]),
  });
  return { value: sizeOf('value'), token: sizeOf('token'), subject: sizeOf('subject') };
}

function scrub({ sql, read }: Database): void {
  const done = read(() => sql('PRAGMA wal_checkpoint(TRUNCATE)').get());
  if (Number(done?.busy) === 1) {
    const message = 'other connections are reading, so erased rows stay in the write-ahead log until the next erasure';
    fail('store_busy', message);
  }
}

function close({ sql, forget }: Database): void {
  try {
    // Writes back as much of the log as other connections allow, and waits for none of them.
    sql('PRAGMA wal_checkpoint(PASSIVE)').get();
  } catch {
    // The handle is closed already, or the disk is full: the log stays, and nothing is lost.
  }
  // @photostructure/sqlite releases a file only when its handle is closed and all statements have been
  // garbage-collected.
  forget();
}
