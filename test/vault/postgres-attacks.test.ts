/**
 * The attacker of docs/security.md who may SELECT on a vault's tables in PostgreSQL and holds no key: what the system
 * column `xmin` shows them, and what removes it.
 */
import { PGlite } from '@electric-sql/pglite';
import { type PostgresClient, postgresStore } from 'trefoil/vault-postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { vault } from '../../src/vault.ts';

const keys = keyset.generate().domain('eu-enclave');
const people = vault({ scope: 'person.name', store: 'main' });

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
});
afterAll(() => database.close());

const storeIn = (schema: string) => postgresStore(database as unknown as PostgresClient, { schema });

/**
 * Number of transactions that wrote at most two rows of values and tokens, in a vault that is filled by batches of 50.
 */
async function smallTransactions(schema: string): Promise<number> {
  const { rows } = await database.query<{ rows: number }>(`
    select count(*)::integer as rows from (
      select xmin::text as writer from ${schema}.trefoil_value
      union all select xmin::text from ${schema}.trefoil_token
    ) as both_tables group by writer`);
  return rows.filter((one) => one.rows <= 2).length;
}

describe('an attacker who may SELECT on the tables', () => {
  test('can count the erased mappings, even after VACUUM FULL and CLUSTER, but not in a store that has imported them', async () => {
    const vaulted = await people.open(keys, { main: storeIn('stolen') }, revealAccess);
    const names = Array.from({ length: 200 }, (_, i) => `person ${i}`);
    const tokens: string[] = [];
    for (let i = 0; i < names.length; i += 50) {
      tokens.push(...((await vaulted.protectMany(names.slice(i, i + 50))) as string[]));
    }
    expect(await smallTransactions('stolen')).toBe(0);
    for (const i of [7, 42, 199]) await vaulted.forget(tokens[i]!);
    expect(await smallTransactions('stolen')).toBe(3);

    for (const table of ['value', 'token']) {
      await database.exec(`vacuum full stolen.trefoil_${table}`);
      await database.exec(`cluster stolen.trefoil_${table} using trefoil_${table}_pkey`);
    }
    expect(await smallTransactions('stolen')).toBe(3);

    const fresh = { main: storeIn('fresh') };
    await people.import(keys, fresh, vaulted.export());
    expect(await smallTransactions('fresh')).toBe(0);
    const moved = await people.open(keys, fresh, revealAccess);
    expect(await moved.reveal(tokens[0] as never)).toBe(names[0]);
    await expect(moved.reveal(tokens[7] as never)).rejects.toMatchObject({ code: 'forgotten' });
  });
});
