/**
 * A vault's store in PostgreSQL 12 or newer (`trefoil/vault-postgres`). It takes a `Pool` of `pg` or a `PGlite` of
 * `@electric-sql/pglite`.
 */

export type {
  PgliteDatabase,
  PgliteTransaction,
  PgliteTypes,
  PostgresClient,
  PostgresConnection,
  PostgresPool,
  PostgresResult,
} from './vault/stores/postgres/driver.ts';
export { type PostgresStoreOptions, postgresStore } from './vault/stores/postgres/store.ts';
