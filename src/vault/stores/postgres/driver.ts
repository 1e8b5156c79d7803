/**
 * A PostgreSQL client as a vault's store uses it: the shapes of the two clients, one interface for both, transactions,
 * retries, and the errors that the driver's failures become.
 */

import { badType, isArgumentError, typeName } from '../../../core/checks.ts';
import { readHex, writeHex } from '../../../core/hex.ts';
import { type IssueCode, TrefoilError } from '../../../errors.ts';

/** A result of both clients. */
export interface PostgresResult {
  readonly rows: readonly unknown[];
}

/** A connection that was taken from a pool. */
export interface PostgresConnection {
  readonly query: (text: string, values?: unknown[]) => Promise<PostgresResult>;
  readonly release: (destroy?: boolean) => void;
  readonly on?: (event: 'error', listener: () => void) => unknown;
  readonly removeListener?: (event: 'error', listener: () => void) => unknown;
}

/** The parts of a `Pool` of `pg` that are used. */
export interface PostgresPool {
  readonly query: (text: string, values?: unknown[]) => Promise<PostgresResult>;
  readonly connect: () => Promise<PostgresConnection>;
}

/** Functions that convert values of a type to text and back, by the number (OID) of the type. */
export interface PgliteTypes {
  readonly serializers: Readonly<Record<number, (value: Uint8Array) => string>>;
  readonly parsers: Readonly<Record<number, (text: string) => Uint8Array>>;
}

/** The parts of a transaction of PGlite that are used. */
export interface PgliteTransaction {
  readonly query: (text: string, values?: unknown[], types?: PgliteTypes) => Promise<PostgresResult>;
  readonly exec: (text: string) => Promise<readonly PostgresResult[]>;
}

/** The parts of a `PGlite` of `@electric-sql/pglite` that are used. */
export interface PgliteDatabase {
  readonly query: (text: string, values?: unknown[], types?: PgliteTypes) => Promise<PostgresResult>;
  readonly transaction: <T>(work: (transaction: PgliteTransaction) => Promise<T>) => Promise<T>;
}

/** A client: a `Pool` of `pg` or a `PGlite`. */
export type PostgresClient = PostgresPool | PgliteDatabase;

/** How often a transaction is repeated that the server aborted. Locks are taken in one order, so even one is rare. */
const RETRIES = 5;

/** Errors by PostgreSQL's SQLSTATE; every other one is `store_failed`. */
const STATES: Readonly<Record<string, readonly [IssueCode, string]>> = {
  '40001': ['store_busy', 'other connections keep changing the same rows; try again'],
  '40P01': ['store_busy', 'other connections keep changing the same rows; try again'],
  '53300': ['store_busy', 'the server accepts no more connections; try again'],
  '55P03': ['store_busy', 'another connection holds a lock that is needed; try again'],
  '57014': ['store_busy', 'the server cancelled the statement; try again'],
  '57P03': ['store_busy', 'the server is starting or stopping; try again'],
  '53100': ['no_space', "the server's disk is full"],
  '23505': ['store_failed', 'the index of a new row is taken by another row; nothing was written'],
  '25006': ['store_failed', 'the server is read-only'],
  '25P03': ['store_failed', 'the server ended the connection; try again'],
  '42501': ['store_failed', 'the role lacks a privilege that this needs'],
  '42P01': ['store_failed', 'the tables of the vault do not exist; open the store first'],
  '57P01': ['store_failed', 'the server ended the connection; try again'],
  '57P02': ['store_failed', 'the server ended the connection; try again'],
};

/** A row as the client returns it, by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** Runs a statement and returns its rows. */
export type Query = (text: string, values?: unknown[]) => Promise<readonly SqlRow[]>;

/** One interface for both clients. Errors of the client are thrown as they are. */
export interface Driver {
  readonly query: Query;
  /**
   * Runs a transaction, which is rolled back if `work` throws.
   *
   * @param head statements without parameters that are run first; `work` gets the first row of the last one.
   */
  readonly transaction: <T>(head: string, work: (query: Query, row: SqlRow | undefined) => Promise<T>) => Promise<T>;
}

/** Thrown to roll back a transaction that did not fail. */
export const UNDO: unique symbol = Symbol('undo');

/**
 * At READ COMMITTED every statement has a snapshot of its own; it is set because the server's default may differ.
 * Sequential scans are off because rows are looked up by index: to change 5,000 rows of a million, the planner would
 * read the whole table twice. A statement that has to scan then has such a high estimated cost that the server compiles
 * it, which halved the speed of `create` (measured); so `jit` is off, too.
 */
const SETTINGS = `set transaction isolation level read committed;
  set local enable_seqscan = off;
  set local jit = off;
  set local lock_timeout = '60s';
  set local idle_in_transaction_session_timeout = '60s'`;

/** Returns one interface for either client. */
export function driverOf(client: PostgresClient): Driver {
  const { query, connect, transaction } = (client ?? {}) as Partial<PostgresPool & PgliteDatabase>;
  if (typeof query !== 'function' || (typeof connect !== 'function' && typeof transaction !== 'function')) {
    badType('client', `expected a Pool of pg or a PGlite, got ${typeName(client)}`);
  }
  if (typeof transaction !== 'function') {
    const pool = client as PostgresPool;
    return { query: queryOf(pool), transaction: (head, work) => poolTransaction(pool, head, work) };
  }
  const database = client as PgliteDatabase;
  return {
    query: pgliteQueryOf(database),
    transaction: (head, work) =>
      database.transaction(async (inside) => {
        const heads = await inside.exec(`${SETTINGS}; ${head}`);
        return work(pgliteQueryOf(inside), heads.at(-1)?.rows[0] as SqlRow | undefined);
      }),
  };
}

function pgliteQueryOf(client: Pick<PgliteDatabase, 'query'>): Query {
  return async (text, values) => (await client.query(text, values, BYTES_AS_HEX)).rows as SqlRow[];
}

/**
 * Conversions of bytea (17). Those of PGlite took 5 times as long for parameters and 2 times for results (measured).
 */
const BYTES_AS_HEX: PgliteTypes = {
  serializers: { 17: (bytes) => `\\x${writeHex(bytes)}` },
  parsers: { 17: (text) => readHex(text.slice(2), text.length / 2 - 1) ?? new Uint8Array(0) },
};

/** Runs a transaction on a connection of a pool. */
async function poolTransaction<T>(
  pool: PostgresPool,
  head: string,
  work: (query: Query, row: SqlRow | undefined) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect();
  if (typeof connection?.release !== 'function') {
    badType('client', 'expected a Pool of pg or a PGlite, got a single connection');
  }
  // A connection that is lost between two statements emits an error, which ends the process if nobody listens.
  connection.on?.('error', ignore);
  let usable = false;
  try {
    // Statements without parameters can be sent together, in one round trip.
    const heads = (await connection.query(`begin; ${SETTINGS}; ${head}`)) as unknown as readonly PostgresResult[];
    const done = await work(queryOf(connection), heads.at(-1)?.rows[0] as SqlRow | undefined);
    await connection.query('commit');
    usable = true;
    return done;
  } catch (error) {
    // If the server did not answer, the connection may hang. It is closed instead, which also rolls back.
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

function queryOf(client: Pick<PostgresPool, 'query'>): Query {
  // Without parameters `pg` sends a simple query, which VACUUM needs.
  return async (text, values) =>
    (await (values === undefined ? client.query(text) : client.query(text, values))).rows as SqlRow[];
}

/** Runs `work`, and repeats it if the server aborted it because of a deadlock or a serialisation failure. */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
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

/**
 * Returns PostgreSQL's SQLSTATE, or `null` for any other error. A SQLSTATE is five digits and capitals, of which at
 * least one is a digit: `EPIPE` is not one.
 */
export function stateOf(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null ? (error as SqlRow).code : undefined;
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Returns the library's error for a failure of the client. The client's text is dropped: its DETAIL quotes rows. */
export function storeError(error: unknown): unknown {
  if (error instanceof TrefoilError || isArgumentError(error)) return error;
  const state = stateOf(error);
  if (state === null) {
    const message = 'the connection to PostgreSQL failed or was lost; try again';
    return new TrefoilError([{ code: 'store_failed', message }]);
  }
  const [code, message] = STATES[state] ?? (['store_failed', 'PostgreSQL refused the statement'] as const);
  return new TrefoilError([{ code, message: `${message} (SQLSTATE ${state})` }]);
}
