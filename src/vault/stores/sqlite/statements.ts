/** The SQL of a store in SQLite: its tables, its statements, and the rows that their results hold. */

import { INDEX, type Row, TABLES, type Table } from '../store.ts';
import type { SqlRow } from './driver.ts';

const COLUMNS = 'idx, key, version, expires, body';

/**
 * Each entry makes the tables of a version from those of the version before.
 *
 * Tables have a rowid, with the index of rows beside them: bodies are appended, and only the index is written at random
 * places. Tables `WITHOUT ROWID` took 2.0 to 3.5 times as long to write the same rows, in batches of 1,000, and as long
 * to read them (measured).
 */
export const MIGRATIONS: readonly string[] = [
  [
    'CREATE TABLE trefoil_meta (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL, text TEXT NOT NULL) STRICT;',
    ...TABLES.map(
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

/** Records the version of the tables. */
export const SET_VERSION: string = `CREATE TABLE IF NOT EXISTS trefoil_schema (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
  ) STRICT;
  REPLACE INTO trefoil_schema VALUES (1, ${MIGRATIONS.length})`;

export const HAS_VERSION = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'trefoil_schema'";
export const GET_VERSION = 'SELECT version FROM trefoil_schema';
export const COUNT_OWN_TABLES =
  "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('trefoil_schema', 'trefoil_meta')";

export const HAS_META = 'SELECT 1 FROM trefoil_meta';
export const GET_META = 'SELECT generation, text FROM trefoil_meta';
export const GET_GENERATION = 'SELECT generation FROM trefoil_meta';
export const FIRST_META = 'INSERT INTO trefoil_meta VALUES (1, 1, ?) ON CONFLICT DO NOTHING';
export const NEXT_META = 'UPDATE trefoil_meta SET generation = ?, text = ? WHERE generation = ?';

/**
 * Reads rows by their indexes, which are one blob that the statement cuts up: one call for any number of indexes. One
 * statement for each index took 1.3 times as long, `IN (?, …)` 1.1 times (measured), and that has a limit.
 */
export function getStatement(table: Table): string {
  return `WITH RECURSIVE place(at) AS (SELECT 1 UNION ALL SELECT at + ${INDEX} FROM place LIMIT ?)
    SELECT ${COLUMNS} FROM place CROSS JOIN trefoil_${table} ON idx = substr(?, at, ${INDEX})`;
}

export function existsStatement(table: Table): string {
  return `SELECT 1 FROM trefoil_${table} WHERE idx = ?`;
}

/** Writes a row, unless its index is taken. */
export function insertStatement(table: Table): string {
  return `${insertOrFailStatement(table)} ON CONFLICT (idx) DO NOTHING`;
}

/** Writes a row, and fails if its index is taken: a mapping must never be mistaken for another one. */
export function insertOrFailStatement(table: Table): string {
  return `INSERT INTO trefoil_${table} (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`;
}

export function deleteStatement(table: Table): string {
  return `DELETE FROM trefoil_${table} WHERE idx = ? AND version = ?`;
}

export function updateStatement(table: Table): string {
  return `UPDATE trefoil_${table} SET key = ?, version = ?, expires = ?, body = ? WHERE idx = ? AND version = ?`;
}

export function scanStatement(table: Table, withNotKey: boolean): string {
  const where = `idx > ?${withNotKey ? ' AND key <> ?' : ''}`;
  return `SELECT ${COLUMNS} FROM trefoil_${table} WHERE ${where} ORDER BY idx LIMIT ?`;
}

export function sweepStatement(table: Table): string {
  return `DELETE FROM trefoil_${table} WHERE expires <= ?`;
}

/** All sizes in one statement, so that they are of one moment. */
export const SIZES: string = `SELECT ${TABLES.map(
  (table) => `(SELECT count(*) FROM trefoil_${table}) AS ${table}_rows,
    (SELECT total(length(body)) FROM trefoil_${table}) AS ${table}_bytes`,
).join(', ')}`;

/** Returns the row of a result. */
export function readRow({ idx, key, version, expires, body }: SqlRow): Row {
  return {
    index: readBytes(idx),
    key: typeof key === 'string' ? key : '',
    version: Number(version),
    expires: expires === null ? null : Number(expires),
    body: readBytes(body),
  };
}

/**
 * Returns the bytes of a column, or no bytes if damage has given it another type. The result is never a `Buffer`, whose
 * `slice` does not copy.
 */
function readBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) return new Uint8Array(0);
  return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.length);
}
