/**
 * A SQLite database as a vault's store uses it: the shape of the handle, the settings of the connection, transactions,
 * and the errors that the driver's failures become.
 */

import { fail, TrefoilError } from '../../../errors.ts';

/** A prepared statement, with the methods that all three packages have. */
export interface SqliteStatement {
  readonly run: (...values: never[]) => { readonly changes: number | bigint };
  readonly get: (...values: never[]) => unknown;
  readonly all: (...values: never[]) => unknown[];
}

/** A handle: a `DatabaseSync` of `node:sqlite` or `@photostructure/sqlite`, or a `Database` of `better-sqlite3`. */
export interface SqliteHandle {
  readonly exec: (sql: string) => unknown;
  readonly prepare: (sql: string) => SqliteStatement;
}

/**
 * Settings of a connection. The log is written back every 32 MB instead of every 4 MB, and the cache is 16 MB: rows go
 * to random places of the index, so a page that changes often is written back once. At 500,000 mappings a batch of
 * 1,000 took 74 ms instead of 134 ms (median, measured); a larger cache and smaller pages brought nothing.
 *
 * At 2,000,000 mappings they brought nothing either (caches of 64, 256 and 512 MB; pages of 512 and 1,024 bytes; rows
 * in the order of their indexes), and `mmap_size` doubled the time of reads. A batch of 1,000 new mappings changes some
 * 2,000 pages of the two indexes, each of which is read, written to the log, and written back.
 */
const PRAGMAS =
  'PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000';

/** The primary result codes that are distinguished (https://sqlite.org/rescode.html), by number. */
const CODES: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  9: 'SQLITE_INTERRUPT',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  17: 'SQLITE_SCHEMA',
  18: 'SQLITE_TOOBIG',
  19: 'SQLITE_CONSTRAINT',
  20: 'SQLITE_MISMATCH',
  21: 'SQLITE_MISUSE',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
};

const REASONS: Readonly<Record<string, string>> = {
  SQLITE_READONLY: 'the database is read-only',
  SQLITE_CORRUPT: 'the database is damaged',
  SQLITE_CONSTRAINT: 'the index of a new row is taken by another row; nothing was written',
  SQLITE_NOTADB: 'the file is not a database, or it is damaged',
  SQLITE_IOERR: 'the database file cannot be read or written',
  SQLITE_CANTOPEN:
    'the database file cannot be opened, or no file can be made in its folder; copy it to a folder that you can write to',
};

type Value = Uint8Array | string | number | null;

/** A row as the driver returns it, by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A statement with the types that the store uses. */
export interface Statement {
  readonly run: (...values: Value[]) => { readonly changes: number | bigint };
  readonly get: (...values: Value[]) => SqlRow | undefined;
  readonly all: (...values: Value[]) => SqlRow[];
}

/** Returns the prepared statement of an SQL text. */
export type Sql = (text: string) => Statement;

/** A connection. */
export interface Database {
  readonly handle: SqliteHandle;
  /** Each text is prepared once. */
  readonly sql: Sql;
  /** Runs a read. Failures of the driver become errors of the library, here and in `write`. */
  readonly read: <T>(work: () => T) => T;
  /** Runs a transaction. `work` may call `undo` to roll it back; `undo` returns its argument. */
  readonly write: <T>(work: (undo: <R>(result: R) => R) => T) => T;
  /** Drops all prepared statements. */
  readonly forget: () => void;
}

/** Wraps a handle. Nothing is read or written yet. */
export function openDatabase(handle: SqliteHandle, busyTimeout: number): Database {
  const statements = new Map<string, Statement>();

  function sql(text: string): Statement {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = handle.prepare(text) as unknown as Statement;
      statements.set(text, statement);
    }
    return statement;
  }

  return {
    handle,
    sql,
    read(work) {
      try {
        return work();
      } catch (error) {
        throw sqliteError(error, busyTimeout);
      }
    },
    write(work) {
      try {
        return transaction(handle, work);
      } catch (error) {
        throw sqliteError(error, busyTimeout);
      }
    },
    forget: () => statements.clear(),
  };
}

/** Runs a transaction. Failures of the driver are thrown as they are. */
export function transaction<T>(handle: SqliteHandle, work: (undo: <R>(result: R) => R) => T): T {
  handle.exec('BEGIN IMMEDIATE');
  let end = 'COMMIT';
  try {
    const result = work((kept) => {
      end = 'ROLLBACK';
      return kept;
    });
    handle.exec(end);
    return result;
  } catch (error) {
    try {
      handle.exec('ROLLBACK');
    } catch {
      // After a full disk or a failed write SQLite has already rolled back.
    }
    throw error;
  }
}

/**
 * Sets a connection up: busy timeout, write-ahead log, pragmas.
 *
 * @param isCurrent whether the tables have the current version. A file that can only be read is accepted if they have.
 */
export function configure({ handle, sql }: Database, busyTimeout: number, isCurrent: () => boolean): void {
  handle.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
  // The mode is read before it is set, because a store that is only read may have a read-only handle.
  let mode = sql('PRAGMA journal_mode').get()?.journal_mode;
  if (mode !== 'wal' && mode !== 'memory') {
    try {
      mode = sql('PRAGMA journal_mode = WAL').get()?.journal_mode;
    } catch (error) {
      // A file that can only be read needs no log: it is read without one, and SQLite refuses writes to it.
      if (!isUnwritable(error) || !isCurrent()) throw error;
      handle.exec(PRAGMAS);
      return;
    }
  }
  if (mode !== 'wal' && mode !== 'memory') {
    fail(
      'store_failed',
      'the database cannot use a write-ahead log: it is read-only, or its file system does not support one',
    );
  }
  handle.exec(PRAGMAS);
}

/** Returns the name of SQLite's primary result code, or `null` if the error is not one of SQLite. */
function codeOf(error: unknown): string | null {
  const { errcode, code } = (typeof error === 'object' && error !== null ? error : {}) as SqlRow;
  // node:sqlite and @photostructure/sqlite give the extended number, better-sqlite3 the extended name.
  if (typeof errcode === 'number') return CODES[errcode & 0xff] ?? 'SQLITE_ERROR';
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return null;
  return Object.values(CODES).find((name) => code === name || code.startsWith(`${name}_`)) ?? 'SQLITE_ERROR';
}

/** Whether another connection holds a lock. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED';
}

/** Whether the file or its folder is read-only. */
function isUnwritable(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'SQLITE_READONLY' || code === 'SQLITE_CANTOPEN' || code === 'SQLITE_PERM';
}

/**
 * Writes the write-ahead log back into the database file and removes the log: afterwards the file alone is the store.
 * While other connections have the file open the log stays, and the last of them removes it.
 *
 * It sets `journal_mode = DELETE` as well, because closing the handle is not enough: a driver that keeps statements
 * until they are garbage-collected keeps the log until then. In this mode the file can also be read from a place that
 * is read-only.
 *
 * @throws TrefoilError if the log cannot be written back, as on a full disk. Then the log stays and nothing is lost.
 */
export function removeLog(handle: SqliteHandle, busyTimeout: number): void {
  try {
    handle.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    handle.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    handle.prepare('PRAGMA journal_mode = DELETE').get();
  } catch (error) {
    if (!isBusy(error) && !isUnwritable(error)) throw sqliteError(error, busyTimeout);
  }
}

/**
 * Returns the library's error for a failure of the driver. The driver's text is dropped: it may quote SQL or a path.
 */
export function sqliteError(error: unknown, busyTimeout: number): unknown {
  if (error instanceof TrefoilError) return error;
  const code = codeOf(error);
  const issue = (name: 'store_failed' | 'store_busy' | 'no_space', message: string) =>
    new TrefoilError([{ code: name, message }]);
  if (code === null) return issue('store_failed', 'the database handle does not work; check that it is open');
  if (isBusy(error)) {
    return issue(
      'store_busy',
      `the database is locked by another connection for more than ${busyTimeout} ms; try again`,
    );
  }
  if (code === 'SQLITE_FULL') {
    return issue('no_space', 'the disk is full, or the database has reached its size limit (SQLITE_FULL)');
  }
  return issue('store_failed', `${REASONS[code] ?? 'the database refused the statement'} (${code})`);
}
