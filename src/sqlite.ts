/**
 * A vault's store in SQLite (`trefoil/sqlite`): the handle is the caller's, of `node:sqlite`, `better-sqlite3` or
 * `@photostructure/sqlite`, and is known by its shape. Any number of processes may work on one file.
 *
 * Each verb is one synchronous transaction: nothing is awaited between `BEGIN` and `COMMIT`, so that two stores in one
 * thread never wait for each other.
 */

import { badType, checkInteger, checkOptions, typeName } from './core/checks.ts';
import { fail, TrefoilError } from './errors.ts';
import type { Change, Row, Stale, Table, TableSize, VaultStore } from './vault/store.ts';

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

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** Milliseconds to wait for a lock of another connection, 0 to 3,600,000; 5,000 by default. The thread waits. */
  readonly busyTimeout?: number | undefined;
}

const BUSY_TIMEOUT = 5_000;

/**
 * What a connection is set to. The log is written back every 32 MB instead of every 4, and the cache is 16 MB: rows go to
 * random places of the index, and pages are written back once that were changed often. At 500,000 mappings a batch of
 * 1,000 took 74 ms instead of 134 (median, measured); more cache and smaller pages gave nothing.
 *
 * At 2,000,000 mappings neither (64, 256 and 512 MB; pages of 512 and 1,024 bytes; rows in the order of their indexes), and
 * `mmap_size` made reads twice as long: a batch of 1,000 new mappings changes some 2,000 pages of the two indexes, each of
 * which is read, written to the log, and written back.
 */
const PRAGMAS =
  'PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000';

/**
 * What makes the tables of a version out of those of the version before.
 *
 * A table with a rowid and an index beside it: bodies are appended and only the index is written at random places. The
 * same rows `WITHOUT ROWID` took 2.0 to 3.5 times as long to write, in batches of 1,000, and as long to read (measured).
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
  SQLITE_CANTOPEN: 'the file of the database cannot be opened',
};

/**
 * A store in a SQLite database: tables `trefoil_value`, `trefoil_token`, `trefoil_subject`, `trefoil_meta` and
 * `trefoil_schema` beside whatever else is there. Give it a handle of its own: within a transaction of yours no verb
 * works. The handle is set to a write-ahead log, `synchronous=FULL` and `secure_delete=ON`; what a verb has acknowledged
 * outlives the death of the process and of the machine. The verbs keep the thread busy for as long as they take, also
 * while they wait for a lock.
 *
 * After rows were destroyed, `scrub` writes the log back into the file and empties it. With `secure_delete`, what was
 * replaced or deleted is overwritten with zeros in the file. Of 45,000 bodies that were replaced by others of the same
 * length, as the vault does when it erases, nothing was left (measured). Of 20,000 deleted ones, a piece of one was: SQLite
 * moves rows between pages, and does not wipe where they were. `VACUUM` takes these, too. Out of reach are copies of
 * the file, snapshots of the file system, and blocks that the disk has put elsewhere.
 *
 * A row that is damaged in the file comes out as far as it can be read, for its reader to notice.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws RangeError for a timeout outside its limits.
 * @throws TrefoilError from its verbs: `store_busy` where another connection kept its lock for longer than the timeout,
 * `no_space`, `store_version`, and `store_failed` with the name of SQLite's code. No message of the driver is passed on.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from '@photostructure/sqlite'; // or node:sqlite, or better-sqlite3
 * import { sqliteStore } from 'trefoil/sqlite';
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
  const given = checkOptions('options', options, ['busyTimeout']).busyTimeout;
  const busyTimeout = checkInteger('busyTimeout', given ?? BUSY_TIMEOUT, 0, 3_600_000);
  const database = openDatabase(handle, busyTimeout);
  const { sql, read, write } = database;

  const isStale = (generation: number): boolean =>
    generation !== Number(sql('SELECT generation FROM trefoil_meta').get()?.generation ?? 0);

  return {
    kind: 'sqlite',

    async open() {
      const until = Date.now() + busyTimeout;
      for (;;) {
        try {
          return database.prepare();
        } catch (error) {
          // Changing to a write-ahead log fails at once while others do so: SQLite does not wait for that lock.
          if (!isBusy(error) || Date.now() >= until) throw said(error, busyTimeout);
        }
        await new Promise((done) => setTimeout(done, 5 + 20 * Math.random()));
      }
    },

    async meta() {
      return read(() => {
        const found = sql('SELECT generation, text FROM trefoil_meta').get();
        return found === undefined ? null : { generation: Number(found.generation), text: String(found.text) };
      });
    },

    async setMeta({ generation, text }) {
      return write(() => {
        const { changes } =
          generation === 1
            ? sql('INSERT INTO trefoil_meta VALUES (1, 1, ?) ON CONFLICT DO NOTHING').run(text)
            : sql('UPDATE trefoil_meta SET generation = ?, text = ? WHERE generation = ?').run(
                generation,
                text,
                generation - 1,
              );
        return Number(changes) === 1;
      });
    },

    async get(table, indexes) {
      if (indexes.length === 0) return [];
      // All indexes in one blob, cut up inside: one call for any number of them. A statement for each index took 1.3
      // times as long, `IN (?, …)` 1.1 times (measured), and has a limit.
      const joined = new Uint8Array(16 * indexes.length);
      for (const [i, index] of indexes.entries()) joined.set(index, 16 * i);
      return read(() =>
        sql(
          `WITH RECURSIVE place(at) AS (SELECT 1 UNION ALL SELECT at + 16 FROM place LIMIT ?)
          SELECT ${COLUMNS} FROM place CROSS JOIN trefoil_${table} ON idx = substr(?, at, 16)`,
        )
          .all(indexes.length, joined)
          .map(readRow),
      );
    },

    async create(generation, table, entries): Promise<readonly number[] | Stale> {
      return write(() => {
        if (isStale(generation)) return 'stale';
        const isThere = sql(`SELECT 1 FROM trefoil_${table} WHERE idx = ?`);
        const insert = sql(
          `INSERT INTO trefoil_${table} (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (idx) DO NOTHING`,
        );
        // No "on conflict" here: a mapping is never taken to be another's.
        const insertWith = sql(`INSERT INTO trefoil_token (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
        const won: number[] = [];
        for (const [i, { row, with: other, unless }] of entries.entries()) {
          if (unless?.some((index) => isThere.get(index) !== undefined) === true) continue;
          if (Number(insert.run(row.index, row.key, row.version, row.expires, row.body).changes) !== 1) continue;
          if (other !== undefined) insertWith.run(other.index, other.key, other.version, other.expires, other.body);
          won.push(i);
        }
        return won;
      });
    },

    async change(generation, changes): Promise<boolean | Stale> {
      return write((undo) => {
        if (isStale(generation)) return 'stale';
        return changes.every((change) => changeOne(sql, change)) || undo(false);
      });
    },

    async scan(table, { after, limit, notKey }) {
      // The empty blob is before all others.
      const from = after ?? new Uint8Array(0);
      const select = `SELECT ${COLUMNS} FROM trefoil_${table} WHERE idx > ?`;
      const rows = read(() =>
        notKey === undefined
          ? sql(`${select} ORDER BY idx LIMIT ?`).all(from, limit)
          : sql(`${select} AND key <> ? ORDER BY idx LIMIT ?`).all(from, notKey, limit),
      );
      return rows.map(readRow);
    },

    async sweep(generation, day): Promise<number | Stale> {
      return write(() => {
        if (isStale(generation)) return 'stale';
        const values = sql('DELETE FROM trefoil_value WHERE expires <= ?').run(day);
        const tokens = sql('DELETE FROM trefoil_token WHERE expires <= ?').run(day);
        return Number(values.changes) + Number(tokens.changes);
      });
    },

    async sizes() {
      const sizeOf = (table: Table): TableSize => {
        const size = sql(`SELECT count(*) AS n, total(length(body)) AS bytes FROM trefoil_${table}`).get();
        return { rows: Number(size?.n), bytes: Number(size?.bytes) };
      };
      return read(() => ({ value: sizeOf('value'), token: sizeOf('token'), subject: sizeOf('subject') }));
    },

    async scrub() {
      const done = read(() => sql('PRAGMA wal_checkpoint(TRUNCATE)').get());
      if (Number(done?.busy) === 1) {
        fail('store_busy', 'others are reading: what was destroyed stays in the write-ahead log until the next scrub');
      }
    },

    async close() {
      // @photostructure/sqlite lets go of a file only when its handle is closed and all statements have been collected.
      database.forget();
    },
  };
}

const COLUMNS = 'idx, key, version, expires, body';

type Value = Uint8Array | string | number | null;
type Found = Readonly<Record<string, unknown>>;

/** A statement as it is used here. */
interface Statement {
  readonly run: (...values: Value[]) => { readonly changes: number | bigint };
  readonly get: (...values: Value[]) => Found | undefined;
  readonly all: (...values: Value[]) => Found[];
}

interface Database {
  /** Sets the connection up and makes the tables. */
  readonly prepare: () => void;
  /** A statement, prepared once. */
  readonly sql: (text: string) => Statement;
  readonly read: <T>(work: () => T) => T;
  /** A transaction. `undo` takes back what was done in it, and gives its argument back. */
  readonly write: <T>(work: (undo: <R>(result: R) => R) => T) => T;
  readonly forget: () => void;
}

function openDatabase(handle: SqliteHandle, busyTimeout: number): Database {
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
      if (mode !== 'wal' && mode !== 'memory') mode = sql('PRAGMA journal_mode = WAL').get()?.journal_mode;
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
        throw said(error, busyTimeout);
      }
    },
    write(work) {
      try {
        return transaction(work);
      } catch (error) {
        throw said(error, busyTimeout);
      }
    },
    forget: () => statements.clear(),
  };
}

/** Makes one change, if the row is as expected. */
function changeOne(sql: Database['sql'], { table, index, from, to }: Change): boolean {
  const name = `trefoil_${table}`;
  if (from === 0) {
    if (to === null) return sql(`SELECT 1 FROM ${name} WHERE idx = ?`).get(index) === undefined;
    const insert = sql(`INSERT INTO ${name} (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (idx) DO NOTHING`);
    return Number(insert.run(index, to.key, to.version, to.expires, to.body).changes) === 1;
  }
  const { changes } =
    to === null
      ? sql(`DELETE FROM ${name} WHERE idx = ? AND version = ?`).run(index, from)
      : sql(`UPDATE ${name} SET key = ?, version = ?, expires = ?, body = ? WHERE idx = ? AND version = ?`).run(
          to.key,
          to.version,
          to.expires,
          to.body,
          index,
          from,
        );
  return Number(changes) === 1;
}

function readRow({ idx, key, version, expires, body }: Found): Row {
  return {
    index: readBytes(idx),
    key: typeof key === 'string' ? key : '',
    version: Number(version),
    expires: expires === null ? null : Number(expires),
    body: readBytes(body),
  };
}

/** Bytes, also where damage has made another type of them; never a `Buffer`, whose `slice` does not copy. */
function readBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) return new Uint8Array(0);
  return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.length);
}

/** The name of SQLite's primary code; `null` when the error is not SQLite's. */
function codeOf(error: unknown): string | null {
  const { errcode, code } = (typeof error === 'object' && error !== null ? error : {}) as Found;
  // node:sqlite and its twin give the extended number, better-sqlite3 the extended name.
  if (typeof errcode === 'number') return CODES[errcode & 0xff] ?? 'SQLITE_ERROR';
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return null;
  return Object.values(CODES).find((name) => code === name || code.startsWith(`${name}_`)) ?? 'SQLITE_ERROR';
}

function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED';
}

/** What a failure of the driver is called here. Its text stays behind: it may quote a statement or a path. */
function said(error: unknown, busyTimeout: number): unknown {
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
