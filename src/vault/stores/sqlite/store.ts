/**
 * A vault's store in SQLite (`trefoil/vault-sqlite`): the handle is the caller's, of `node:sqlite`, `better-sqlite3` or
 * `@photostructure/sqlite`, and is known by its shape. Any number of processes may work on one file.
 *
 * Each verb is one synchronous transaction: nothing is awaited between `BEGIN` and `COMMIT`, so that two stores in one
 * thread never wait for each other.
 */

import { badType, checkInteger, checkOptions, typeName } from '../../../core/checks.ts';
import { fail } from '../../../errors.ts';
import { checkChanges, checkEntries } from '../batch.ts';
import type { Change, Row, Stale, Table, TableSize, VaultStore } from '../store.ts';
import { type Database, type Found, isBusy, openDatabase, type SqliteHandle, sqliteError } from './driver.ts';

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** Milliseconds to wait for a lock of another connection, 0 to 3,600,000; 5,000 by default. The thread waits. */
  readonly busyTimeout?: number | undefined;
}

const BUSY_TIMEOUT = 5_000;

const TABLES: readonly Table[] = ['value', 'token', 'subject'];

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
 * **The file and its log.** While the handle is open, rows are in the log beside the file (`-wal`) as well. `close`
 * of the store writes them into the file; the handle stays yours, and SQLite takes `-wal` and `-shm` away when the
 * last handle of the file is closed. So close the store, then the handle, before you copy the file. The file has the
 * mode that your driver gives it (0644 with a umask of 022): make it first with mode 0600, and the log follows.
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
          if (!isBusy(error) || Date.now() >= until) throw sqliteError(error, busyTimeout);
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
      checkEntries(entries);
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
      checkChanges(changes);
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
      // One statement, and so one moment.
      const selects = TABLES.map(
        (table) => `(SELECT count(*) FROM trefoil_${table}) AS ${table}_rows,
          (SELECT total(length(body)) FROM trefoil_${table}) AS ${table}_bytes`,
      );
      const found = read(() => sql(`SELECT ${selects.join(', ')}`).get());
      const sizeOf = (table: Table): TableSize => ({
        rows: Number(found?.[`${table}_rows`]),
        bytes: Number(found?.[`${table}_bytes`]),
      });
      return { value: sizeOf('value'), token: sizeOf('token'), subject: sizeOf('subject') };
    },

    async scrub() {
      const done = read(() => sql('PRAGMA wal_checkpoint(TRUNCATE)').get());
      if (Number(done?.busy) === 1) {
        fail('store_busy', 'others are reading: what was destroyed stays in the write-ahead log until the next scrub');
      }
    },

    async close() {
      try {
        // As much of the log as others let us: it waits for nobody.
        sql('PRAGMA wal_checkpoint(PASSIVE)').get();
      } catch {
        // The handle is closed already, or the disk is full: the log stays, and nothing is lost.
      }
      // @photostructure/sqlite lets go of a file only when its handle is closed and all statements have been collected.
      database.forget();
    },
  };
}

const COLUMNS = 'idx, key, version, expires, body';

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
