/// <reference types="node" />
/**
 * Opens the stores of a run: a SQLite file with the driver that this machine has, or PostgreSQL with `pg`. Drivers are
 * optional peer dependencies, and only the run that needs one loads it.
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

/** How long to wait for other processes when a store is opened and when it is closed, in milliseconds. */
const WAIT_AT_BEGIN = 5_000;
const WAIT_AT_END = 1_000;

/**
 * Opens the stores that a policy names. They are closed when the command ends, however it ends.
 *
 * @param options the arguments of `--vault`.
 * @param create whether a missing store is made. Only `protect` and `import` make one: for any other command a missing
 *   store is a mistyped name or a copy without its rows, and work on an empty store would seem to succeed.
 * @throws TrefoilError `store_missing`, `store_failed`.
 */
export async function openStores(
  names: readonly string[],
  options: readonly string[],
  { create }: { readonly create: boolean },
): Promise<Stores> {
  const stores: Record<string, VaultStore> = {};
  for (const [name, place] of placesOf(names, options)) {
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
    throw new UsageError('--vault expected a file or postgres://…, got an address that pg cannot read');
  }
  // An idle connection may be lost. The next statement then fails or takes another one.
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

const NO_VAULT = 'the database contains no vault; protect into it first, or set another place with --vault';

/** Ends the connections of a pool. If the server does not answer within a second, they are abandoned. */
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

/**
 * Opens a SQLite file. From Node 24 on the driver is Node's own. That of Node 22.13 writes a warning, so two packages
 * are tried before it.
 */
async function openSqlite(path: string, create: boolean): Promise<VaultStore> {
  if (!create && !existsSync(path))
    fail('store_missing', 'the vault does not exist; check the path in --vault', {
      file: path,
    });
  const Handle =
    nodeSqlite(24) ??
    (await packageOf('@photostructure/sqlite', 'DatabaseSync')) ??
    (await packageOf('better-sqlite3', 'default')) ??
    nodeSqlite(22);
  if (Handle === null) {
    fail('store_missing', 'a vault in a file needs Node 22.13 or later, or npm install @photostructure/sqlite');
  }
  // Drivers do not read `:memory:`, `file:…` and the empty text as files. An absolute path is always a file.
  const whole = resolve(path);
  let handle: Handle;
  try {
    if (!existsSync(whole)) makePrivate(whole);
    handle = new Handle(whole);
  } catch {
    return fail('store_failed', 'the vault file cannot be opened', { file: path });
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

/** Makes an empty file that only its owner can read. SQLite makes the files beside it with the same mode. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

/** Closes a SQLite file so that it contains the whole store, without a log beside it, unless others have it open. */
function closerOf(handle: Handle, path: string, whole: string) {
  const isVault = () => hasVault(handle, WAIT_AT_END);
  function close(warn: (text: string) => void): void {
    try {
      // A database without a vault belongs to somebody else and is left as it is.
      if (isVault()) removeLog(handle, WAIT_AT_END);
    } catch (error) {
      const reason = error instanceof TrefoilError ? error.message : 'it cannot be written';
      // Without a log the file is complete, and the command has reported what is wrong with it.
      if (existsSync(`${whole}-wal`)) {
        warn(`${path}: part of the vault is still in ${path}-wal, so a copy needs both files: ${reason}`);
      }
    }
    try {
      handle.close();
    } catch {
      // The driver has already closed it after an error.
    }
  }
  return { close: async (voice: Voice) => close(voice.warning), closeNow: () => close(() => {}) };
}

/** A store whose errors name its file. The adapter has only a handle and does not know the path. */
function withFile(store: VaultStore, file: string): VaultStore {
  const verb =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await work(...args);
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

/** Node's own SQLite, if this is Node `from` or later; `null` if it is not, or before 22.13. */
function nodeSqlite(from: number): OpenSqlite | null {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < from || (major === 22 && minor < 13)) return null;
  // Not by an import: the build strips `node:`, and this module has no name without it.
  const ask = (process as { getBuiltinModule?: (name: string) => unknown }).getBuiltinModule;
  return (ask?.('node:sqlite') as { DatabaseSync: OpenSqlite } | undefined)?.DatabaseSync ?? null;
}

/** The driver that a package exports; `null` if the package is not installed or does not load. */
async function packageOf(name: string, member: string): Promise<OpenSqlite | null> {
  try {
    return ((await import(name)) as Record<string, OpenSqlite>)[member] ?? null;
  } catch {
    return null;
  }
}
