/** Paths that reach into cells, through DuckDB: JSON and arrays of PostgreSQL as text in CSV and Parquet. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, makePlace, type Place } from '../cli/harness.ts';
import { query as queryIn } from './query.ts';

let place: Place;

beforeAll(async () => {
  place = makePlace();
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

const query = (sql: string) => queryIn(place.dir, sql);
const parquet = (name: string, select: string) => query(`COPY (${select}) TO '@${name}' (FORMAT parquet)`);
const run = (verb: string, fields: string, from: string, to: string, ...more: string[]): Promise<Ended> => {
  place.write('p.yaml', `trefoil: 1\ndomain: sql\nfields:\n${fields}`);
  const common = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet', '--force'];
  return place.run([verb, from, ...common, ...(to === '' ? [] : ['--out', to]), ...more]);
};
const good = async (...args: Parameters<typeof run>): Promise<void> => {
  expect(await run(...args)).toMatchObject({ code: 0, err: '' });
};

const FIELDS = `  id: { rule: token, scope: person }
  'tags[]': { rule: seal, scope: tag }
  data.name: { rule: seal, scope: person.name }
  data.seen: { rule: shiftDate, scope: visit, subject: id, days: 10 }
  data.who: { rule: token, scope: person }
  data.gone: drop
`;
const CSV = [
  'id,tags,data',
  '7,"{a,""b,c"",NULL}","{""name"": ""Zoe"", ""seen"": ""2024-02-28"", ""who"": 7, ""gone"": [1]}"',
  '8,"[""x""]","{""name"":null,""seen"":null,""who"":""8"",""gone"":1}"',
  '9,,',
  '10,"",""',
  '',
].join('\n');

describe('CSV', () => {
  test('DuckDB writes what our own engine writes, and reveals it', async () => {
    place.write('in.csv', CSV);
    await good('protect', FIELDS, 'in.csv', 'own.csv');
    await good('protect', FIELDS, 'in.csv', 'duck.csv', '--engine', 'duckdb');
    expect(place.read('duck.csv')).toBe(place.read('own.csv'));
    expect(place.read('own.csv')).not.toMatch(/Zoe|gone|b,c/);
    await good('reveal', FIELDS, 'own.csv', 'own-back.csv');
    await good('reveal', FIELDS, 'own.csv', 'duck-back.csv', '--engine', 'duckdb');
    expect(place.read('duck-back.csv')).toBe(place.read('own-back.csv'));
    expect(place.read('own-back.csv')).toMatch(/\{""name"": ""Zoe"", ""seen"": ""2024-/);
  });

  test('a subject inside a cell', async () => {
    const fields = `  at: { rule: shiftDate, scope: v, subject: data.id, days: 10 }\n  data.id: keep\n`;
    place.write('in.csv', 'at,data\n2024-02-28,"{""id"": 7}"\n2024-02-28,"{""id"":""7""}"\n');
    await good('protect', fields, 'in.csv', 'own.csv');
    await good('protect', fields, 'in.csv', 'duck.csv', '--engine', 'duckdb');
    expect(place.read('duck.csv')).toBe(place.read('own.csv'));
    const [, a, b] = place.read('own.csv').split('\n');
    expect(a!.slice(0, 10)).toBe(b!.slice(0, 10));
    expect(a!.slice(0, 10)).not.toBe('2024-02-28');
  });

  test('a cell that cannot be read is named, and never shown', async () => {
    place.write('bad.csv', 'id,tags,data\n7,{},"{}"\n8,secret,"{""secret"":1}"\n');
    const ended = await run('protect', FIELDS, 'bad.csv', 'bad-out.csv', '--engine', 'duckdb');
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/row 1.*data\.name/);
    expect(ended.err).not.toMatch(/secret"/);
    expect(place.files()).not.toContain('bad-out.csv');
  });

  test('a column without a name', async () => {
    const fields = `  '': drop\n  id: keep\n`;
    place.write('in.csv', ',id\n0,7\n');
    const ended = await run('protect', fields, 'in.csv', 'duck.csv', '--engine', 'duckdb');
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(place.read('duck.csv')).toBe('id\n7\n');
    const kept = await run('protect', `  '': keep\n  id: keep\n`, 'in.csv', 'no.csv', '--engine', 'duckdb');
    expect(kept).toMatchObject({ code: 5 });
    expect(kept.err).toContain('DuckDB cannot write a column without a name');
  });
});

describe('Parquet', () => {
  const rows = `SELECT 7 AS id, '{a,NULL}' AS tags, '{"name": "Zoe", "seen": "2024-02-28", "who": 7, "gone": 1}' AS data
    UNION ALL SELECT 8, NULL, NULL`;

  test('text with JSON is turned and revealed', async () => {
    await parquet('in.parquet', rows);
    await good('protect', FIELDS, 'in.parquet', 'safe.parquet');
    const safe = (await query("SELECT tags, data FROM '@safe.parquet'")) as unknown as string[][];
    expect(JSON.stringify(safe)).not.toMatch(/Zoe|gone/);
    await good('reveal', FIELDS, 'safe.parquet', 'back.parquet');
    const back = await query("SELECT tags, data FROM '@back.parquet' ORDER BY tags NULLS LAST");
    expect(JSON.stringify(back)).toContain('{a,NULL}');
    expect(JSON.stringify(back)).toContain('\\"name\\": \\"Zoe\\"');
  });

  test('the type JSON, and text inside a STRUCT', async () => {
    const fields = `  j.a: { rule: mask, last: 1 }\n  s.t.a: { rule: mask, last: 1 }\n  s.u: keep\n`;
    await parquet('in.parquet', `SELECT '{"a":"xy"}'::JSON AS j, {'t': '{"a":"xy"}', 'u': 1} AS s`);
    await good('protect', fields, 'in.parquet', 'safe.parquet');
    const safe = JSON.stringify(await query("SELECT j, s.t, s.u::VARCHAR FROM '@safe.parquet'"));
    expect(safe.match(/\{\\"a\\":\\"\*+y\\"\}/g)).toHaveLength(2);
  });

  test('a dry run shows the column before and after', async () => {
    await parquet('in.parquet', rows);
    const ended = await run('protect', FIELDS, 'in.parquet', '', '--dry-run');
    expect(ended.code).toBe(0);
    expect(ended.out).toMatch(/data/);
  });

  test('other types with inner values are refused', async () => {
    await parquet('in.parquet', "SELECT 7 AS id, MAP {'a': 1} AS tags, {'name': 1} AS data");
    const ended = await run('protect', FIELDS, 'in.parquet', 'no.parquet');
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/field tags: the policy names fields inside the column, which is MAP/);
  });

  test('a field that is found twice', async () => {
    await parquet('in.parquet', `SELECT '{"a":1}' AS j, 2 AS "j.a"`);
    const ended = await run('protect', `  j.a: keep\n`, 'in.parquet', 'no.parquet');
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/more than one column of the input belongs to this field/);
  });
});
