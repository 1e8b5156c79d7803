/**
 * A vault's store in PostgreSQL 12 or newer (`trefoil/vault-postgres`): the client is the caller's, a `Pool` of `pg` or a
 * `PGlite` of `@electric-sql/pglite`, and is known by its shape.
 *
 * Each write is one transaction at READ COMMITTED. Its first round trip takes an advisory lock and then, by a statement
 * of its own and so with a snapshot of its own, reads the generation; both are held until it ends. Locks are taken in
 * one order everywhere, so that no two writes wait for each other: rows that are there before keys of rows that are
 * not, each by table (value, token, subject) and then by index.
 */

import { badRange, badType, checkOptions, typeName } from '../../../core/checks.ts';
import { fail } from '../../../errors.ts';
import { nameOf } from '../../names.ts';
import { checkChanges, checkEntries } from '../batch.ts';
import type { Meta, Stale, Table, TableSize, VaultStore } from '../store.ts';
import { type Ask, driverOf, type Found, type PostgresClient, stateOf, steady, storeError, UNDO } from './driver.ts';
import {
  COLUMNS,
  changeSize,
  changeStatement,
  createSize,
  createStatement,
  INDEX,
  joined,
  lockStatement,
  piecesOf,
  readRow,
  split,
  sweepStatement,
} from './statements.ts';

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** Schema of the tables, made if it is not there; by default the first of the connection's `search_path`. */
  readonly schema?: string | undefined;
}

const TABLES: readonly Table[] = ['value', 'token', 'subject'];

/**
 * "tref": the first half of every advisory lock taken here. The second is 0 while tables are made, else the store's.
 */
const LOCKS = 0x74726566;

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

/**
 * A store in a PostgreSQL database, 12 or newer: tables `trefoil_value`, `trefoil_token`, `trefoil_subject` and
 * `trefoil_meta` beside whatever else is there. Any number of processes may work on it. The role needs SELECT, INSERT,
 * UPDATE and DELETE on them, and CREATE in the schema when the tables are made.
 *
 * A verb of the store uses one connection of the pool while it runs; who reveals or protects many has two of them at once. Writes wait at most 60 s for those of others, and a writer that
 * stands still for 60 s inside a transaction loses its connection. `setMeta` and `sweep` let no
 * other write go on beside them: a sweep of 600,000 rows took 1.2 s (measured), for which others waited. A pool of
 * `pg` emits `error` when an idle connection is lost: without a listener of yours that ends the process.
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
 * import { postgresStore } from 'trefoil/vault-postgres';
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
      checkEntries(entries);
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
      checkChanges(changes);
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
      const { text, values } = sweepStatement(
        ['value', 'token'].map((table) => nameOfTable(table as Table)),
        day,
      );
      // The lock lets no other write begin before this one ends. One statement alone would see a mapping that is made
      // meanwhile whole or not at all, but a row that another process moves or replaces just then would stay without
      // its partner: at READ COMMITTED a row that was waited for is looked at anew, and its partner is not.
      return write('', async (ask, found) => {
        if (found !== generation) return 'stale';
        const [swept] = await ask(text, values);
        return Number(swept?.gone);
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
