/**
 * DuckDB (`trefoil/duckdb`): the fields of a policy as functions of SQL, over whole vectors. Needs `@duckdb/node-api` 1.5
 * or newer, an optional peer.
 */

import type { RevealAccess } from '../core/capability.ts';
import { badType, checkOptions, typeName } from '../core/checks.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import { openBound } from '../policy/bound.ts';
import { registerFields } from './functions.ts';
import { type DuckdbConnection, loadDuckdb } from './module.ts';

/** A policy, as `policy(…)` and `parsePolicy(…)` give it. */
export interface CanBind {
  readonly bind: (keys: DomainKeys, access: RevealAccess) => unknown;
}

/** What becomes functions. */
export interface RegisterOptions {
  readonly policy: CanBind;
  readonly keys: DomainKeys;
  /** `revealAccess` of `trefoil/reveal`: with it there are functions to reveal as well. */
  readonly access?: RevealAccess | undefined;
}

/**
 * Registers `trefoil_protect_<field>(text)` for each field of a policy that is kept, and with `access`
 * `trefoil_reveal_<field>(text)`, on a connection and all others of its instance.
 *
 * They take VARCHAR and give VARCHAR: cast other types (`CAST(born AS VARCHAR)`). What is not a letter, digit or `_` in
 * a field's name is a `_`. NULL is a missing value, as in a record. A rule that looks at another field takes it behind
 * its own: `trefoil_protect_visit(visit, patient)` for `shiftDate`. DuckDB calls them with up to 2,048 values at once;
 * it runs them on this process's thread, and the statement must be run asynchronously, as the package's own verbs do.
 *
 * A value that a rule refuses ends the statement with an error that names the field and the code, and no value.
 *
 * *Warning*: whoever may run SQL on the instance may call the functions. Register the ones that reveal where only those
 * can who may see what they give.
 *
 * *Warning*: what the instance writes to the disk is yours. When memory runs short, DuckDB writes intermediate rows in clear
 * into `temp_directory`, which is `.tmp` in the working directory unless you set it; `''` turns that off.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws TrefoilError `not_tabular`, `path_conflict` (two fields with one name in SQL), `engine_failed` without the
 * package, and what binding refuses.
 *
 * @example
 * ```ts
 * import { DuckDBInstance } from '@duckdb/node-api';
 * import { coarsen, keep, keyset, policy } from 'trefoil';
 * import { register } from 'trefoil/duckdb';
 *
 * const instance = await DuckDBInstance.create(':memory:', { temp_directory: '' });
 * const connection = await instance.connect();
 * const people = policy({ born: coarsen({ date: 'year' }), city: keep });
 * await register(connection, { policy: people, keys: keyset.generate().domain('eu-enclave') });
 *
 * const found = await connection.runAndReadAll("SELECT trefoil_protect_born('1815-12-10') AS born");
 * found.getRows(); // → [['1815']]
 * ```
 */
export async function register(connection: DuckdbConnection, options: RegisterOptions): Promise<void> {
  if (typeof connection?.registerScalarFunction !== 'function') {
    badType('connection', `expected a connection of @duckdb/node-api, got ${typeName(connection)}`);
  }
  const { policy, keys, access } = checkOptions('options', options, [
    'policy',
    'keys',
    'access',
  ]) as Partial<RegisterOptions>;
  if (typeof policy?.bind !== 'function') badType('policy', `expected a policy, got ${typeName(policy)}`);
  const inside = openBound(policy.bind(keys as DomainKeys, access as RevealAccess));
  const duckdb = await loadDuckdb();
  registerFields(duckdb, connection, inside, 'protect');
  if (access !== undefined) registerFields(duckdb, connection, inside, 'reveal');
}
