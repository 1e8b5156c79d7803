/**
 * A handle of SQLite as a vault's store uses it, known by its shape: how a connection is set up, what a transaction is,
 * which tables there are, and what a failure is called.
 */

import { fail, TrefoilError } from '../../../errors.ts';

/** A prepared statement, as all three packages have it. */
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
 * What a connection is set to. The log is written back every 32 MB instead of every 4, and the cache is 16 MB: rows
 * go to random places of the index, and pages are written back once that were changed often. At 500,000 mappings a
 * batch of 1,000 took 74 ms instead of 134 (median, measured); more cache and smaller pages gave nothing.
 *
 * At 2,000,000 mappings neither (64, 256 and 512 MB; pages of 512 and 1,024 bytes; rows in the order of their
 * indexes), and `mmap_size` made reads twice as long: a batch of 1,000 new mappings changes some 2,000 pages of the
 * two indexes, each of which is read, written to the log, and written back.
 */
const PRAGMAS =
  'PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000';

/**
 * What makes the tables of a version out of those of the version before.
 *
 * A table with a rowid and an index beside it: bodies are appended and only the index is written at random places. The
 * same rows `WITHOUT ROWID` took 2.0 to 3.5 times as long to write, in batches of 1,000, and as long to read
 * (measured).
 */
const MIGRATIONS: readonly string[] = [
  [
    'CREATE TABLE trefoil_meta (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL, text TEXT NOT NULL) STRICT;',
    ...['value', 'token', 'subject'].map(
      (table) => `CREATE TABLE trefoil_${table} (
        idx BLOB NOT NULL UNIQUE,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        expires INTEGER,
        body BLOB NOT NULL
      ) STRICT;
      CREATE INDEX trefoil_${table}_expires ON trefoil_${table} (expires) WHERE expires IS NOT NULL;`,
    ),
  ].join('\n'),
];

/** The primary result codes that are told apart (https://sqlite.org/rescode.html), by number. */
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
  SQLITE_CONSTRAINT: 'a new row is under the index of another; nothing was written',
  SQLITE_NOTADB: 'the file is no database, or a damaged one',
  SQLITE_IOERR: 'the file of the database cannot be read or written',
  SQLITE_CANTOPEN:
    'the file of the database cannot be opened, or nothing can be made beside it; copy it to a folder of your own',
};

type Value = Uint8Array | string | number | null;
export type Found = Readonly<Record<string, unknown>>;

/** A statement as it is used here. */
export interface Statement {
  readonly run: (...values: Value[]) => { readonly changes: number | bigint };
  readonly get: (...values: Value[]) => Found | undefined;
  readonly all: (...values: Value[]) => Found[];
}

export interface Database {
  /** Sets the connection up and makes the tables. */
  readonly prepare: () => void;
  /** A statement, prepared once. */
  readonly sql: (text: string) => Statement;
  readonly read: <T>(work: () => T) => T;
  /** A transaction. `undo` takes back what was done in it, and gives its argument back. */
  readonly write: <T>(work: (undo: <R>(result: R) => R) => T) => T;
  readonly forget: () => void;
}

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

  function transaction<T>(work: (undo: <R>(result: R) => R) => T): T {
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
        // After a full disk or a failed write SQLite has rolled back by itself.
      }
      throw error;
    }
  }

  /** Version of the tables; 0 for none. */
  function version(): number {
    const there = sql("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'trefoil_schema'").get();
    return there === undefined ? 0 : Number(sql('SELECT version FROM trefoil_schema').get()?.version ?? 0);
  }

  function isCurrent(): boolean {
    const found = version();
    const known = MIGRATIONS.length;
    if (found > known) {
      fail('store_version', 'the tables of the vault are of a newer version of trefoil; bring this one up to date', {
        actual: found,
        maximum: known,
      });
    }
    return found === known;
  }

  return {
    sql,
    prepare() {
      handle.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
      // Read before it is written: a store that is only read may be on a read-only handle.
      let mode = sql('PRAGMA journal_mode').get()?.journal_mode;
      if (mode !== 'wal' && mode !== 'memory') {
        try {
          mode = sql('PRAGMA journal_mode = WAL').get()?.journal_mode;
        } catch (error) {
          // A file that may only be read needs no log: it is read as it is, and a write to it is refused by SQLite.
          if (!isUnwritable(error) || !isCurrent()) throw error;
          handle.exec(PRAGMAS);
          return;
        }
      }
      if (mode !== 'wal' && mode !== 'memory') {
        fail(
          'store_failed',
          'the database cannot have a write-ahead log: it is read-only, or on a file system without',
        );
      }
      handle.exec(PRAGMAS);
      if (isCurrent()) return;
      transaction(() => {
        // Another process may have been first.
        if (isCurrent()) return;
        for (const step of MIGRATIONS.slice(version())) handle.exec(step);
        handle.exec(`CREATE TABLE IF NOT EXISTS trefoil_schema (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            version INTEGER NOT NULL
          ) STRICT;
          REPLACE INTO trefoil_schema VALUES (1, ${MIGRATIONS.length})`);
      });
    },
    read(work) {
      try {
        return work();
      } catch (error) {
        throw sqliteError(error, busyTimeout);
      }
    },
    write(work) {
      try {
        return transaction(work);
      } catch (error) {
        throw sqliteError(error, busyTimeout);
      }
    },
    forget: () => statements.clear(),
  };
}

/** The name of SQLite's primary code; `null` when the error is not SQLite's. */
function codeOf(error: unknown): string | null {
  const { errcode, code } = (typeof error === 'object' && error !== null ? error : {}) as Found;
  // node:sqlite and its twin give the extended number, better-sqlite3 the extended name.
  if (typeof errcode === 'number') return CODES[errcode & 0xff] ?? 'SQLITE_ERROR';
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return null;
  return Object.values(CODES).find((name) => code === name || code.startsWith(`${name}_`)) ?? 'SQLITE_ERROR';
}

export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED';
}

/** Whether nothing can be written: the file, or its folder, is read-only. */
function isUnwritable(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'SQLITE_READONLY' || code === 'SQLITE_CANTOPEN' || code === 'SQLITE_PERM';
}

/** Whether a database has a vault: the tables, and metadata in them. Nothing is made. */
export function hasVault(handle: SqliteHandle, busyTimeout: number): boolean {
  try {
    handle.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    const tables =
      "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('trefoil_schema', 'trefoil_meta')";
    if (Number((handle.prepare(tables).get() as Found).n) < 2) return false;
    return handle.prepare('SELECT 1 FROM trefoil_meta').get() !== undefined;
  } catch (error) {
    throw sqliteError(error, busyTimeout);
  }
}

/**
 * Writes the log back into the file and takes the log away: afterwards the file alone is the store. While others have
 * it open the log stays, and the last of them takes it away.
 *
 * `journal_mode = DELETE` and not only the closing of the handle: a driver that keeps statements until they are
 * collected keeps the log for as long. The file can then be read where nothing can be written, too.
 *
 * @throws TrefoilError when the log cannot be written back, as on a full disk. Nothing is lost by that: the log stays.
 */
export function settle(handle: SqliteHandle, busyTimeout: number): void {
  try {
    handle.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    handle.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    handle.prepare('PRAGMA journal_mode = DELETE').get();
  } catch (error) {
    if (!isBusy(error) && !isUnwritable(error)) throw sqliteError(error, busyTimeout);
  }
}

/** What a failure of the driver is called here. Its text stays behind: it may quote a statement or a path. */
export function sqliteError(error: unknown, busyTimeout: number): unknown {
  if (error instanceof TrefoilError) return error;
  const code = codeOf(error);
  const issue = (name: 'store_failed' | 'store_busy' | 'no_space', message: string) =>
    new TrefoilError([{ code: name, message }]);
  if (code === null) return issue('store_failed', 'the handle of the database does not work; is it closed?');
  if (isBusy(error))
    return issue('store_busy', `the database is locked by another connection for over ${busyTimeout} ms`);
  if (code === 'SQLITE_FULL') return issue('no_space', 'the disk is full, or the database at its limit (SQLITE_FULL)');
  return issue('store_failed', `${REASONS[code] ?? 'the database refused the work'} (${code})`);
}
