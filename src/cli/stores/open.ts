/// <reference types="node" />
/**
 * Opens the stores of a run: a file of SQLite by what this Node has, or PostgreSQL by `pg`. Drivers are optional peers and
 * loaded when they are asked for.
 */

import { closeSync, existsSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail, TrefoilError } from '../../errors.ts';
import type { Stores } from '../../vault/session.ts';
import { storeError } from '../../vault/stores/postgres/driver.ts';
import { removeLog } from '../../vault/stores/sqlite/driver.ts';
import { hasVault } from '../../vault/stores/sqlite/store.ts';
import type { VaultStore } from '../../vault/stores/store.ts';
import { type PostgresClient, postgresStore } from '../../vault-postgres.ts';
import { type SqliteHandle, sqliteStore } from '../../vault-sqlite.ts';
import { atEnd } from '../at-end.ts';
import { UsageError } from '../exit.ts';
import { checkFileName } from '../options.ts';
import type { Voice } from '../voice.ts';
import { isServer, placesOf } from './places.ts';

type Handle = SqliteHandle & { readonly close: () => void };
type OpenSqlite = new (path: string) => Handle;

/** Milliseconds to wait for others when a store is looked at first, and when it is closed. */
const WAIT_AT_BEGIN = 5_000;
const WAIT_AT_END = 1_000;

/**
 * Opens the stores that a policy names. They are closed when the command ends, however it ends.
 *
 * @param create whether a store that is not there is made. Where nothing is protected it is a name that was mistyped, or
 *   a copy without its rows: a command would work on an empty store, and say that all is well.
 * @throws TrefoilError `store_missing`, `store_failed`.
 */
export async function openStores(
  names: readonly string[],
  given: readonly string[],
  { create }: { readonly create: boolean },
): Promise<Stores> {
  const stores: Record<string, VaultStore> = {};
  for (const [name, place] of placesOf(names, given)) {
    stores[name] = await (isServer(place)
      ? openPostgres(place, create)
      : openSqlite(checkFileName('--vault', place), create));
  }
  return stores;
}

async function openPostgres(url: string, create: boolean): Promise<VaultStore> {
  const pg = 'pg';
  type Pool = PostgresClient & {
    readonly on: (name: 'error', listener: () => void) => unknown;
    readonly end: () => Promise<void>;
  };
  let found: { readonly default: { readonly Pool: new (options: object) => Pool } };
  try {
    found = (await import(pg)) as typeof found;
  } catch {
    return fail('store_missing', 'PostgreSQL needs the package pg: npm install pg');
  }
  let pool: Pool;
  try {
    pool = new found.default.Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
  } catch {
    throw new UsageError('--vault expected a file or postgres://…, got what pg cannot read as the place of a server');
  }
  // A connection that is lost while nobody uses it: the next statement says so, or takes another.
  pool.on('error', () => {});
  atEnd({ close: () => endOrLeave(pool) });
  const store = postgresStore(pool);
  if (create) return store;
  return {
    ...store,
    async open() {
      const { rows } = await pool
        .query("select to_regclass('trefoil_meta') is not null as there")
        .catch((error: unknown) => Promise.reject(storeError(error)));
      if ((rows[0] as { readonly there: boolean }).there) await store.open();
      else fail('store_missing', NO_VAULT);
      if ((await store.meta()) === null) fail('store_missing', NO_VAULT);
    },
  };
}

const NO_VAULT = 'there is no vault in this database: protect into it first, or name another place with --vault';

/** Ends the connections of a pool; a server that does not answer any more is not waited for. */
function endOrLeave(pool: { readonly end: () => Promise<void> }): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, WAIT_AT_END);
    pool
      .end()
      .catch(() => {})
      .finally(() => {
        clearTimeout(timer);
        done();
      });
  });
}

/** Node's own SQLite from 24 on. In 22.13 it is there and warns of itself, so either of two packages comes first. */
async function openSqlite(path: string, create: boolean): Promise<VaultStore> {
  if (!create && !existsSync(path)) fail('store_missing', 'there is no such vault', { file: path });
  const Handle =
    nodeSqlite(24) ??
    (await packageOf('@photostructure/sqlite', 'DatabaseSync')) ??
    (await packageOf('better-sqlite3', 'default')) ??
    nodeSqlite(22);
  if (Handle === null) {
    fail('store_missing', 'a vault in a file needs Node 22.13 or later, or npm install @photostructure/sqlite');
  }
  // An absolute path: drivers read `:memory:`, `file:…` and the empty text as something else than a file.
  const whole = resolve(path);
  let handle: Handle;
  try {
    if (!existsSync(whole)) makePrivate(whole);
    handle = new Handle(whole);
  } catch {
    return fail('store_failed', 'the file of the vault cannot be opened', { file: path });
  }
  const closing = closerOf(handle, path, whole);
  atEnd(closing);
  try {
    if (!create && !hasVault(handle, WAIT_AT_BEGIN)) fail('store_missing', NO_VAULT);
  } catch (error) {
    throw named(error, path);
  }
  return withFile(sqliteStore(handle), path);
}

/** Makes an empty file that its owner alone reads. SQLite gives the files beside it the same mode. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

/** Afterwards the file alone is the store, unless others have it open. */
function closerOf(handle: Handle, path: string, whole: string) {
  const isVault = () => hasVault(handle, WAIT_AT_END);
  function close(warn: (text: string) => void): void {
    try {
      // What has no vault is somebody else's database, and stays as it is.
      if (isVault()) removeLog(handle, WAIT_AT_END);
    } catch (error) {
      const why = error instanceof TrefoilError ? error.message : 'it cannot be written';
      // Without a log the file is all that there is, and what is wrong with it has been said.
      if (existsSync(`${whole}-wal`))
        warn(`${path}: the log of the vault stays beside the file (${path}-wal), and a copy needs both: ${why}`);
    }
    try {
      handle.close();
    } catch {
      // It was closed by a failure of its own.
    }
  }
  return { close: async (voice: Voice) => close(voice.warning), closeNow: () => close(() => {}) };
}

/** The store with its file named in what it refuses: an adapter gets a handle and does not know where it leads. */
function withFile(store: VaultStore, file: string): VaultStore {
  const verb =
    <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      try {
        return await work(...given);
      } catch (error) {
        throw named(error, file);
      }
    };
  const { kind, open, meta, setMeta, get, create, change, scan, sweep, sizes, scrub, close } = store;
  return {
    kind,
    open: verb(open),
    meta: verb(meta),
    setMeta: verb(setMeta),
    get: verb(get),
    create: verb(create),
    change: verb(change),
    scan: verb(scan),
    sweep: verb(sweep),
    sizes: verb(sizes),
    scrub: verb(scrub),
    close: verb(close),
  };
}

function named(error: unknown, file: string): unknown {
  if (!(error instanceof TrefoilError)) return error;
  return new TrefoilError(
    error.issues.map((issue) => ({ file, ...issue })),
    error.total,
  );
}

function nodeSqlite(from: number): OpenSqlite | null {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < from || (major === 22 && minor < 13)) return null;
  // Not by an import: the build takes `node:` away, and this module has no other name.
  const ask = (process as { getBuiltinModule?: (name: string) => unknown }).getBuiltinModule;
  return (ask?.('node:sqlite') as { DatabaseSync: OpenSqlite } | undefined)?.DatabaseSync ?? null;
}

async function packageOf(name: string, member: string): Promise<OpenSqlite | null> {
  try {
    return ((await import(name)) as Record<string, OpenSqlite>)[member] ?? null;
  } catch {
    return null;
  }
}
