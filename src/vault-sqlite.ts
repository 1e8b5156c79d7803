/**
 * A vault's store in SQLite (`trefoil/vault-sqlite`). It takes a handle of `node:sqlite`, `better-sqlite3` or
 * `@photostructure/sqlite`.
 */

export type { SqliteHandle, SqliteStatement } from './vault/stores/sqlite/driver.ts';
export { type SqliteStoreOptions, sqliteStore } from './vault/stores/sqlite/store.ts';
