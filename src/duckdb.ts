/** DuckDB (`trefoil/duckdb`): the fields of a policy as functions of SQL. Needs `@duckdb/node-api` 1.5 or newer. */

export type { DuckdbConnection } from './duckdb/module.ts';
export { type CanBind, type RegisterOptions, register } from './duckdb/register.ts';
