/// <reference types="node" />
/**
 * Opens the stores of a run: a file of SQLite by what this Node has, or PostgreSQL by `pg`. Drivers are optional peers and
 * loaded when they are asked for.
 */

import { existsSync } from 'node:fs';
import { fail, TrefoilError } from '../errors.ts';
import { type PostgresClient, postgresStore } from '../postgres.ts';
import { type SqliteHandle, sqliteStore } from '../sqlite.ts';
import type { Stores } from '../vault/session.ts';
import type { VaultStore } from '../vault/store.ts';
import { checkFileName } from './options.ts';
import { isServer, placesOf } from './vault-stores.ts';

type OpenSqlite = new (path: string) => SqliteHandle;

/**
 * @param create whether a file that is not there is made. Where nothing is protected it is a name that was mistyped: of a new
 * vault `shred` would certify that nothing is left.
 */
export async function openStores(
  names: readonly string[],
  given: readonly string[],
  { create }: { readonly create: boolean },
): Promise<Stores> {
  const stores: Record<string, VaultStore> = {};
  for (const [name, place] of placesOf(names, given)) {
    stores[name] = await (isServer(place) ? openPostgres(place) : openSqlite(checkFileName('--vault', place), create));
  }
  return stores;
}

async function openPostgres(url: string): Promise<VaultStore> {
  const pg = 'pg';
  type Pool = PostgresClient & { readonly on: (name: 'error', listener: () => void) => unknown };
  let found: { readonly default: { readonly Pool: new (options: object) => Pool } };
  try {
    found = (await import(pg)) as typeof found;
  } catch {
    return fail('store_missing', 'PostgreSQL needs the package pg: npm install pg');
  }
  const pool = new found.default.Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
  // A connection that is lost while nobody uses it: the next statement says so, or takes another.
  pool.on('error', () => {});
  return postgresStore(pool);
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
  let handle: SqliteHandle;
  try {
    handle = new Handle(path);
  } catch {
    return fail('store_failed', 'the file of the vault cannot be opened', { file: path });
  }
  return withFile(sqliteStore(handle), path);
}

/** The store with its file named in what it refuses: an adapter gets a handle and does not know where it leads. */
function withFile(store: VaultStore, file: string): VaultStore {
  const verb =
    <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      try {
        return await work(...given);
      } catch (error) {
        if (!(error instanceof TrefoilError)) throw error;
        throw new TrefoilError(
          error.issues.map((issue) => ({ file, ...issue })),
          error.total,
        );
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
