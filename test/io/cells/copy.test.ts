/**
 * A table of PostgreSQL with jsonb, arrays, bigint, timestamptz and NULLs: COPY out, protect, COPY into a table of the
 * same types, COPY out again, reveal, COPY in again. PGlite is PostgreSQL's code.
 */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyset } from '../../../src/index.ts';
import { parsePolicy } from '../../../src/policy.ts';
import { emailAddress } from '../../../src/prepare.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { token } from '../../../src/rule/token.ts';
import { protectTsv, revealTsv } from '../../../src/tsv.ts';
import { textOf } from '../helpers.ts';

const keys = keyset.generate().domain('pg');
const sheet = parsePolicy({
  trefoil: 1,
  domain: 'pg',
  fields: {
    id: 'keep',
    at: 'keep',
    'mails[]': { rule: 'token', scope: 'person.email', prepare: 'emailAddress' },
    'names[]': { rule: 'seal', scope: 'person.name' },
    'grid[][]': { rule: 'seal', scope: 'grid', value: 'integer' },
    'data.name': { rule: 'seal', scope: 'person.name' },
    'data.balance': 'keep',
    'data.orders[].who': { rule: 'seal', scope: 'person.name' },
    'data.orders[].n': 'keep',
    'docs[].name': { rule: 'seal', scope: 'person.name' },
    'docs[].tags[]': 'keep',
  },
});
const bound = sheet.bind(keys, revealAccess);
const header = ['id', 'at', 'mails', 'names', 'grid', 'data', 'docs'];

const TYPES = 'id bigint, at timestamptz, mails text[], names text[], grid jsonb, data jsonb, docs jsonb[]';
const ROWS = `
  (6150769120280496265, '2024-03-31 10:00:00+02', '{A@x.de,b@x.de,NULL}', '{"Zoë, \\"X\\"","{}","",NULL,"\\\\","a b"}',
   '[[1, 2], [3]]', '{"name": "Zoë \\"X\\" \\\\ \\n\\t", "balance": 12.50,
     "orders": [{"n": 9007199254740993, "who": "Ada"}, {"n": 1E3, "who": null}]}',
   ARRAY['{"name": "Ada", "tags": ["x", "y,z"]}'::jsonb, NULL]),
  (-1, NULL, '{}', NULL, '[]', '{"name": null, "balance": 0.10, "orders": []}', '{}'),
  (0, NULL, NULL, '{NULL}', NULL, NULL, NULL)`;

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
  await db.exec("SET standard_conforming_strings = on; SET TimeZone = 'UTC'");
  for (const table of ['source', 'safe', 'back']) await db.exec(`CREATE TABLE ${table} (${TYPES})`);
  await db.exec(`INSERT INTO source VALUES ${ROWS}`);
}, 60_000);
afterAll(() => db.close());

const copyOut = async (table: string): Promise<string> => {
  const { blob } = await db.query(`COPY (SELECT * FROM ${table} ORDER BY id) TO '/dev/blob'`);
  return blob!.text();
};
const copyIn = (table: string, text: string) =>
  db.query(`COPY ${table} FROM '/dev/blob'`, [], { blob: new Blob([text]) });
const rowsOf = async (sql: string): Promise<unknown> => (await db.query(sql)).rows;

test('a table goes out, is protected, goes in, and comes back as it was', async () => {
  const text = await copyOut('source');
  expect(text).toContain('{"name": "Zoë');
  const safe = await textOf(protectTsv([text], bound, { header }));
  expect(safe).not.toMatch(/Zoë|Ada|x\.de/);
  await copyIn('safe', safe);
  // The server has read what we wrote, and writes the same text. It sorts names, and a name keeps its place.
  expect(await copyOut('safe')).toBe(safe);
  const mail = token({ scope: 'person.email', prepare: emailAddress }).bind(keys);
  expect(await rowsOf('SELECT mails[1] AS a, mails[3] AS c FROM safe WHERE mails[1] IS NOT NULL')).toEqual([
    { a: mail.protect('a@x.de'), c: null },
  ]);
  expect(await rowsOf("SELECT data ->> 'balance' AS b, data #>> '{orders,0,n}' AS n FROM safe WHERE id > 0")).toEqual([
    { b: '12.50', n: '9007199254740993' },
  ]);

  const revealed = await textOf(revealTsv([await copyOut('safe')], bound, { header }));
  await copyIn('back', revealed);
  // Tokens stay; all other columns are equal, letter by letter.
  const rest = 'id, at, names::text, grid::text, data::text, docs::text';
  expect(await rowsOf(`SELECT ${rest} FROM back ORDER BY id`)).toEqual(
    await rowsOf(`SELECT ${rest} FROM source ORDER BY id`),
  );
});

test('the same table as CSV', async () => {
  const { protectCsv } = await import('../../../src/csv.ts');
  const { blob } = await db.query("COPY source TO '/dev/blob' WITH (FORMAT csv, HEADER)");
  const safe = await textOf(protectCsv([await blob!.text()], bound));
  await db.exec('TRUNCATE safe');
  await db.query("COPY safe FROM '/dev/blob' WITH (FORMAT csv, HEADER)", [], { blob: new Blob([safe]) });
  const none = 'SELECT count(*)::int AS n FROM safe WHERE names IS NULL OR data IS NULL';
  expect(await rowsOf(none)).toEqual([{ n: 2 }]);
});
