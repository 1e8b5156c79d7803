/**
 * DuckDB (`trefoil/duckdb`): the fields of a policy as functions of SQL, which work on whole vectors. Needs
 * `@duckdb/node-api` 1.5 or newer, an optional peer dependency.
 */

import type { RevealAccess } from '../core/capability.ts';
import { badType, checkOptions, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import { openBound } from '../policy/bound.ts';
import type { RevealOptions } from '../policy/types.ts';
import { fieldFunctions, registerFields } from './functions.ts';
import { type DuckdbConnection, loadDuckdb } from './module.ts';

/** A policy, as returned by `policy(…)` and `parsePolicy(…)`. */
export interface CanBind {
  readonly bind: (keys: DomainKeys, access: RevealAccess, options?: RevealOptions) => unknown;
}

/** Options of {@link register}. */
export interface RegisterOptions {
  readonly policy: CanBind;
  readonly keys: DomainKeys;
  /** `revealAccess` of `trefoil/reveal`. With it, functions that reveal are registered as well. */
  readonly access?: RevealAccess | undefined;
  /**
   * Shown id of the key that made the `fpe` ciphertext which is revealed. It is needed if the keys are more than one: a
   * function sees no other field of the record that could show the key.
   */
  readonly fromKey?: string | undefined;
}

/**
 * Registers a function `trefoil_protect_<field>(text)` for each field of a policy that is not dropped, and with
 * `access` also `trefoil_reveal_<field>(text)`. The functions are available on all connections of the instance.
 *
 * The functions take VARCHAR and return VARCHAR. Cast values of other types: `CAST(born AS VARCHAR)`. In the name of a
 * function, every character of the field's name that is not a letter, a digit or `_` is replaced by `_`. NULL is a
 * missing value, as in a record. If a rule looks at another field, that field is the next argument:
 * `trefoil_protect_visit(visit, patient)` for `shiftDate`, and
 * `trefoil_protect_id(id, tenant)` for a `token` with `per`.
 *
 * DuckDB calls the functions with up to 2,048 values at once, on the JavaScript thread of this process. So run
 * statements asynchronously, as the functions of the package do.
 *
 * If a rule refuses a value, the statement ends with an error that names the field and the code, and never a value.
 *
 * *Warning*: anyone who can run SQL on the instance can call the functions. Register the functions that reveal only if
 * all of them may see the revealed values.
 *
 * *Warning*: you are responsible for what the instance writes to the disk. If memory runs short, DuckDB writes
 * intermediate rows in clear to `temp_directory`, which is `.tmp` in the working directory unless you set it. Setting
 * it to `''` turns that off.
 *
 * @throws TypeError for arguments of a wrong type.
 * @throws TrefoilError `not_tabular`; `path_conflict` if two fields have the same name in SQL; `engine_failed` without
 * the package; and as `policy.bind` does.
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
  const { policy, keys, access, fromKey } = checkOptions('options', options, [
    'policy',
    'keys',
    'access',
    'fromKey',
  ]) as Partial<RegisterOptions>;
  if (typeof policy?.bind !== 'function') badType('policy', `expected a policy, got ${typeName(policy)}`);
  const inside = openBound(policy.bind(keys as DomainKeys, access as RevealAccess, given({ fromKey })));
  const duckdb = await loadDuckdb();
  for (const direction of access === undefined ? (['protect'] as const) : (['protect', 'reveal'] as const)) {
    registerFields(duckdb, connection, inside, direction, fieldFunctions(inside, direction));
  }
}
