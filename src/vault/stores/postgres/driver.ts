/**
 * The clients of a store in PostgreSQL, known by their shapes and made alike: what asks, what runs a transaction, what
 * does it again, and what a failure is called.
 */

import { badType, isArgumentError, typeName } from '../../../core/checks.ts';
import { readHex, writeHex } from '../../../core/hex.ts';
import { type IssueCode, TrefoilError } from '../../../errors.ts';

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

/** How often a transaction is begun again that the server broke off. Locks have one order, so once is rare. */
const RETRIES = 5;

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

export type Found = Readonly<Record<string, unknown>>;

/** Asks the server something. */
export type Ask = (text: string, values?: unknown[]) => Promise<readonly Found[]>;

/** Both clients, alike. Errors pass as they are. */
export interface Driver {
  readonly ask: Ask;
  /**
   * A transaction that is taken back when `work` throws.
   *
   * @param head statements without parameters; `work` gets the first row of the last.
   */
  readonly transaction: <T>(head: string, work: (ask: Ask, found: Found | undefined) => Promise<T>) => Promise<T>;
}

/** Thrown to take a transaction back that did not fail. */
export const UNDO: unique symbol = Symbol('undo');

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

export function driverOf(client: PostgresClient): Driver {
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
  parsers: { 17: (text) => readHex(text.slice(2), text.length / 2 - 1) ?? new Uint8Array(0) },
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
export async function steady<T>(work: () => Promise<T>): Promise<T> {
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

/** PostgreSQL's SQLSTATE: five digits and capitals, not all of them letters as in `EPIPE`; `null` for other errors. */
export function stateOf(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null ? (error as Found).code : undefined;
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** What a failure is called here. The driver's text stays behind: its DETAIL quotes rows. */
export function storeError(error: unknown): unknown {
  if (error instanceof TrefoilError || isArgumentError(error)) return error;
  const state = stateOf(error);
  if (state === null) {
    const message = 'the connection to PostgreSQL was lost or could not be made; what was asked may be asked again';
    return new TrefoilError([{ code: 'store_failed', message }]);
  }
  const [code, message] = STATES[state] ?? (['store_failed', 'PostgreSQL refused the work'] as const);
  return new TrefoilError([{ code, message: `${message} (SQLSTATE ${state})` }]);
}
