/**
 * Table to table through a real PostgreSQL, with the example of docs/examples. `.ci/postgres` starts a server and sets
 * TREFOIL_PG to its address. Without a server the tests are skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyset } from '../../src/index.ts';
import { parsePolicy } from '../../src/policy.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { revealTsv } from '../../src/tsv.ts';

const url = process.env.TREFOIL_PG;
const example = fileURLToPath(new URL('../../docs/examples/postgres-copy.mjs', import.meta.url));

const SHEET = {
  trefoil: 1,
  domain: 'pg',
  fields: {
    id: { rule: 'token', scope: 'person' },
    name: { rule: 'seal', scope: 'person.name' },
    note: 'keep',
    born: { rule: 'coarsen', date: 'year' },
    gone: 'drop',
  },
};

/** Texts that COPY writes with a backslash, missing values, and texts that look like the end of the data. */
const NOTES: readonly (string | null)[] = [
  null,
  '',
  'plain',
  'tab\there',
  'line\nfeed',
  'carriage\rreturn',
  'back\\slash',
  '\\N',
  '\\.',
  '\b\f\v',
  "it's",
  'Ελένη 😀 京都',
  ' spaces ',
  '"quotes"',
];

describe.skipIf(url === undefined)('PostgreSQL', () => {
  const keys = keyset.generate();
  const bound = parsePolicy(SHEET).bind(keys.domain('pg'), revealAccess);
  let folder = '';
  let client: Client;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trefoil-pg-'));
    writeFileSync(join(folder, 'keys.json'), keys.export(secretAccess));
    writeFileSync(join(folder, 'policy.json'), JSON.stringify(SHEET));
    client = new Client(url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    rmSync(folder, { recursive: true });
  });

  async function tables(rows: readonly (readonly (string | null)[])[]): Promise<void> {
    await client.query('DROP TABLE IF EXISTS people, people_safe');
    await client.query('CREATE TABLE people (id int, name text, note text, born date, gone text)');
    await client.query('CREATE TABLE people_safe (id text, name text, note text, born text)');
    const values = [0, 1, 2, 3, 4].map((column) => rows.map((row) => row[column]));
    const arrays = '$1::int[], $2::text[], $3::text[], $4::date[], $5::text[]';
    await client.query(`INSERT INTO people SELECT * FROM unnest(${arrays})`, values);
  }

  function copy(): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [example, join(folder, 'policy.json'), 'people', 'people_safe'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, DATABASE_URL: url, TREFOIL_KEYS_FILE: join(folder, 'keys.json') },
    });
  }

  const safe = async (): Promise<Record<string, string | null>[]> =>
    (await client.query('SELECT id, name, note, born FROM people_safe')).rows;

  test('nulls, empty texts and escapes arrive unchanged, and all other values as the policy says', async () => {
    const rows = NOTES.map((note, i) => [
      `${i}`,
      i % 3 === 0 ? null : note,
      note,
      i % 2 === 0 ? null : '1999-01-31',
      'x',
    ]);
    await tables(rows);
    const ended = copy();
    expect(ended).toMatchObject({ status: 0, stdout: `${NOTES.length} rows\n`, stderr: '' });
    const found = await safe();
    expect(found.map(({ note }) => note)).toEqual(NOTES);
    const records = rows.map(([id, name, note, born, gone]) => ({ id, name, note, born, gone }));
    expect(found).toEqual(bound.protectMany(records as never));
    const back = bound.revealMany(found as never) as unknown as { name: string | null }[];
    expect(back.map(({ name }) => name)).toEqual(rows.map(([, name]) => name));
  });

  test('a hundred thousand rows', async () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => [
      `${i}`,
      `Name ${i}`,
      NOTES[i % NOTES.length]!,
      '2001-02-03',
      null,
    ]);
    await tables(rows);
    expect(copy()).toMatchObject({ status: 0, stdout: '100000 rows\n' });
    const found = await safe();
    expect(found).toHaveLength(100_000);
    const records = rows.map(([id, name, note, born, gone]) => ({ id, name, note, born, gone }));
    expect(found).toEqual(bound.protectMany(records as never));
  });

  test('jsonb and arrays keep their type, and what is inside them is protected and revealed', async () => {
    const types = 'id bigint, at timestamptz, mails text[], grid int[], data jsonb';
    await client.query('DROP TABLE IF EXISTS nested, nested_safe, nested_back');
    for (const table of ['nested', 'nested_safe', 'nested_back'])
      await client.query(`CREATE TABLE ${table} (${types})`);
    await client.query(`INSERT INTO nested VALUES
      (6150769120280496265, '2024-03-31 10:00:00+02', ARRAY['a,b', NULL, '', '{"x"}', E'back\\\\ "q" '], '{{1,2},{3,4}}',
       '{"name": "Zoë \\"X\\"", "balance": 12.50, "orders": [{"n": 9007199254740993, "who": "Ada"}]}'),
      (2, NULL, '{}', NULL, '{"name": null, "balance": 1e3, "orders": []}'),
      (3, NULL, NULL, NULL, NULL)`);
    const sheet = {
      trefoil: 1,
      domain: 'pg',
      fields: {
        id: 'keep',
        at: 'keep',
        'mails[]': { rule: 'seal', scope: 'mail' },
        'grid[][]': 'keep',
        'data.name': { rule: 'seal', scope: 'person.name' },
        'data.balance': 'keep',
        'data.orders[].who': { rule: 'seal', scope: 'person.name' },
        'data.orders[].n': 'keep',
      },
    };
    writeFileSync(join(folder, 'nested.json'), JSON.stringify(sheet));
    const ended = spawnSync(process.execPath, [example, join(folder, 'nested.json'), 'nested', 'nested_safe'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, DATABASE_URL: url, TREFOIL_KEYS_FILE: join(folder, 'keys.json') },
    });
    expect(ended).toMatchObject({ status: 0, stdout: '3 rows\n', stderr: '' });
    const all = 'id::text, at::text, mails::text, grid::text, data::text';
    const safe = (await client.query(`SELECT ${all} FROM nested_safe ORDER BY id`)).rows;
    expect(JSON.stringify(safe)).not.toMatch(/Zoë|Ada|back/);
    const found = await client.query(
      "SELECT data ->> 'balance' AS b, cardinality(mails) AS n FROM nested_safe WHERE id > 9",
    );
    expect(found.rows).toEqual([{ b: '12.50', n: 5 }]);

    const nested = parsePolicy(sheet).bind(keys.domain('pg'), revealAccess);
    const out = client.query(copyTo('COPY nested_safe TO STDOUT'));
    const text: Buffer[] = [];
    for await (const bytes of revealTsv(out, nested, { header: ['id', 'at', 'mails', 'grid', 'data'] })) {
      text.push(Buffer.from(bytes));
    }
    await pipeline(Readable.from(text), client.query(copyFrom('COPY nested_back FROM STDIN')));
    const rowsOf = async (table: string) => (await client.query(`SELECT ${all} FROM ${table} ORDER BY id`)).rows;
    expect(await rowsOf('nested_back')).toEqual(await rowsOf('nested'));
  });

  test('if one row does not fit, no row arrives, and the message has the row and no value', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [`${i}`, 'Ada', 'x', '2001-02-03', null]);
    await tables(rows);
    await client.query("ALTER TABLE people ALTER born TYPE text; UPDATE people SET born = 'Lovelace' WHERE id = 4321");
    const ended = copy();
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/row \d+, line \d+, column \d+, field born/);
    expect(ended.stderr).not.toContain('Lovelace');
    expect(await safe()).toEqual([]);
  });

  test('an error of the database is not repeated', async () => {
    await tables([['1', 'Ada', 'x', null, null]]);
    await client.query('ALTER TABLE people_safe ADD CHECK (length(note) > 5)');
    const ended = copy();
    expect(ended).toMatchObject({ status: 1, stderr: 'database error 23514\n' });
    expect(await safe()).toEqual([]);
  });
});
