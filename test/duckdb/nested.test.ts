/**
 * Parquet with nested types. Every rule except drop refuses types with inner values, and a path of the policy leads
 * into a STRUCT as it leads into an object of NDJSON.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, makePlace, type Place } from '../cli/harness.ts';
import { query as queryIn } from './query.ts';

let place: Place;
const P = ['--keys', 'k.json', '--quiet', '--force'];

beforeAll(async () => {
  place = makePlace();
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

const query = (sql: string) => queryIn(place.dir, sql);

const parquet = (name: string, select: string) => query(`COPY (${select}) TO '@${name}' (FORMAT parquet)`);

/** Writes the policy and runs it. */
function protect(fields: string, input: string, output: string, ...more: string[]): Promise<Ended> {
  place.write(
    'p.yaml',
    `trefoil: 1\ndomain: sql\n${more.includes('--drop-unnamed') ? 'unnamed: drop\n' : ''}fields:\n${fields}`,
  );
  const flags = more.filter((flag) => flag !== '--drop-unnamed');
  return place.run(['protect', input, '--policy', 'p.yaml', ...P, '--out', output, ...flags]);
}

describe('a type with inner values', () => {
  const TYPES = [
    [
      'STRUCT',
      "{'country': 'NO', 'street': 'Elm Road 5'}",
      (name: string) => `STRUCT; name the fields inside it \\(${name}\\.FIELD\\)`,
    ],
    ['LIST', "['Elm Road 5']", (name: string) => `LIST; name what is inside it \\(${name}\\[\\]\\)`],
    [
      'LIST of STRUCT',
      "[{'street': 'Elm Road 5'}]",
      (name: string) => `LIST; name what is inside it \\(${name}\\[\\]\\.FIELD\\)`,
    ],
    ['ARRAY', "['Elm Road 5']::VARCHAR[1]", () => 'LIST'],
    ['MAP', "MAP {'street': 'Elm Road 5'}", () => 'MAP'],
    ['UNION', "union_value(street := 'Elm Road 5')", () => 'STRUCT'],
    ['JSON', `'{"street":"Elm Road 5"}'::JSON`, () => 'JSON'],
    ['VARIANT', "'Elm Road 5'::VARIANT", () => 'VARIANT'],
    ['GEOMETRY', "'POINT (10.75 59.91)'::GEOMETRY", () => 'GEOMETRY'],
    ['BLOB', "'Elm Road 5'::BLOB", () => 'BLOB, whose bytes no rule can read'],
  ] as const;
  const RULES = [
    'keep',
    '{ rule: token, scope: s }',
    '{ rule: seal, scope: s }',
    '{ rule: mask, last: 2 }',
    "{ rule: constant, value: 'x' }",
    '{ rule: coarsen, prefix: 2 }',
  ];

  test.each(TYPES)('%s is refused by every rule except drop, before the first row', async (_, sql, said) => {
    const names = RULES.map((_, i) => `v${i}`);
    const columns = names.map((name) => `${sql} AS ${name}`).join(', ');
    await parquet('in.parquet', `SELECT 1 AS id, ${columns}`);
    const fields = names.map((name, i) => `  ${name}: ${RULES[i]}\n`).join('');
    const ended = await protect(`  id: keep\n${fields}`, 'in.parquet', 'never.csv');
    expect(ended).toMatchObject({ code: 1, out: '' });
    for (const name of names) {
      expect(ended.err).toMatch(new RegExp(`field ${name}: the column is (a )?${said(name)}.*drop`));
    }
    expect(ended.err).not.toContain('Elm');
    expect(place.files().filter((name) => /never|trefoil-/.test(name))).toEqual([]);
    const dropped = names.map((name) => `  ${name}: drop\n`).join('');
    expect(await protect(`  id: keep\n${dropped}`, 'in.parquet', 'gone.csv')).toMatchObject({ code: 0, err: '' });
    expect(place.read('gone.csv')).toBe('id\n1\n');
  });

  test('is an unnamed field if no rule names it', async () => {
    await parquet('in.parquet', "SELECT 1 AS id, {'street': 'Elm Road 5'} AS home");
    const ended = await protect('  id: keep\n', 'in.parquet', 'never.csv');
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.err).toContain('column 2, "home", is not named in the policy');
    expect(await protect('  id: keep\n', 'in.parquet', 'gone.csv', '--drop-unnamed')).toMatchObject({ code: 0 });
    expect(place.read('gone.csv')).toBe('id\n1\n');
  });

  test('a field that another rule looks at is refused as well, if it is nested or a binary fraction', async () => {
    const fields = '  id: drop\n  seen: { rule: shiftDate, scope: s, subject: id, days: 30 }\n';
    for (const [id, said] of [
      ["{'a': 1}", 'the column is a STRUCT'],
      ['[1]', 'the column is a LIST'],
      ['1.0::DOUBLE', 'the column is a DOUBLE, whose text is not exact'],
    ] as const) {
      await parquet('in.parquet', `SELECT ${id} AS id, '2024-01-31' AS seen`);
      const ended = await protect(fields, 'in.parquet', 'never.csv');
      expect(ended).toMatchObject({ code: 1 });
      expect(ended.err).toContain(`field id: ${said}`);
    }
  });
});

describe('paths into a STRUCT', () => {
  const PEOPLE = `SELECT * FROM (VALUES
    (1, {'city': 'Oslo', 'street': 'Elm Road 5', 'geo': {'lat': 59.91, 'zone': 'n'}}),
    (2, NULL),
    (3, {'city': NULL, 'street': '', 'geo': NULL})) AS t(id, address)`;
  const FIELDS =
    '  id: keep\n  address.city: keep\n  address.street: { rule: token, scope: street }\n' +
    '  address.geo.lat: drop\n  address.geo.zone: keep\n';

  test('in CSV each field is a column; in Parquet it stays a STRUCT without what was dropped', async () => {
    await parquet('in.parquet', PEOPLE);
    expect(await protect(FIELDS, 'in.parquet', 'out.csv')).toMatchObject({ code: 0, err: '' });
    const [header, first, ...rest] = place.read('out.csv').trimEnd().split('\n');
    expect(header).toBe('id,address.city,address.street,address.geo.zone');
    expect(first).toMatch(/^1,Oslo,[0-9a-z]{35},n$/);
    expect(rest).toEqual(['2,,,', '3,,"",']);

    expect(await protect(FIELDS, 'in.parquet', 'out.parquet')).toMatchObject({ code: 0, err: '' });
    const rows = await query("SELECT id, address FROM read_parquet('@out.parquet') ORDER BY id");
    expect(rows).toEqual([
      [1, { city: 'Oslo', street: first!.split(',')[2], geo: { zone: 'n' } }],
      [2, null],
      [3, { city: null, street: '', geo: null }],
    ]);
  });

  test('the fields have the same values as in NDJSON', async () => {
    await parquet('in.parquet', PEOPLE);
    await query(`COPY (${PEOPLE}) TO '@in.ndjson' (FORMAT json)`);
    expect(await protect(FIELDS, 'in.parquet', 'out.parquet')).toMatchObject({ code: 0 });
    expect(await protect(FIELDS, 'in.ndjson', 'out.ndjson')).toMatchObject({ code: 0 });
    const rows = await query("SELECT to_json(t) FROM read_parquet('@out.parquet') AS t ORDER BY id");
    const lines = place.read('out.ndjson').trimEnd().split('\n');
    expect(rows.map(([json]) => JSON.parse(String(json)))).toEqual(lines.map((line) => JSON.parse(line)));
  });

  test('a STRUCT that is NULL stays NULL, and no rule sees its fields', async () => {
    await parquet('in.parquet', PEOPLE);
    const fields =
      "  id: keep\n  address.city: { rule: constant, value: 'x' }\n  address.street: drop\n" + '  address.geo: drop\n';
    expect(await protect(fields, 'in.parquet', 'out.csv')).toMatchObject({ code: 0, err: '' });
    expect(place.read('out.csv')).toBe('id,address.city\n1,x\n2,\n3,x\n');
    expect(await protect(fields, 'in.parquet', 'out.parquet')).toMatchObject({ code: 0 });
    expect((await query("SELECT address FROM read_parquet('@out.parquet') ORDER BY id")).flat()).toEqual([
      { city: 'x' },
      null,
      { city: 'x' },
    ]);
  });

  test('a field inside that no rule names follows unnamed, and its name is shown', async () => {
    await parquet('in.parquet', PEOPLE);
    const fields = '  id: keep\n  address.city: keep\n';
    const ended = await protect(fields, 'in.parquet', 'never.parquet');
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.err).toContain('field address.street: the policy does not name this field');
    expect(ended.err).toContain('field address.geo: the policy does not name this field');
    expect(await protect(fields, 'in.parquet', 'out.parquet', '--drop-unnamed')).toMatchObject({ code: 0 });
    expect((await query("SELECT address FROM read_parquet('@out.parquet') ORDER BY id")).flat()).toEqual([
      { city: 'Oslo' },
      null,
      { city: null },
    ]);
  });

  test('a STRUCT whose fields are all dropped is left out', async () => {
    await parquet('in.parquet', "SELECT 1 AS id, {'a': 'x'} AS s");
    expect(await protect('  id: keep\n  s.a: drop\n', 'in.parquet', 'out.parquet')).toMatchObject({ code: 0 });
    expect(await query("SELECT * FROM read_parquet('@out.parquet')")).toEqual([[1]]);
  });

  test('a missing field, or a column without fields inside, is reported with its path', async () => {
    await parquet('in.parquet', "SELECT 1 AS id, {'a': 'x'} AS s, 2::INTEGER AS t");
    const fields = '  id: keep\n  s.a: keep\n  s.b: keep\n  t.c: keep\n  u.d: { rule: mask, optional: true }\n';
    const ended = await protect(fields, 'in.parquet', 'never.csv');
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.err).toContain('field s.b: the input does not have the field');
    expect(ended.err).toContain(
      'field t: the policy names fields inside the column, which is INTEGER; expected a STRUCT or text with JSON',
    );
    expect(ended.err).not.toMatch(/field (t\.c|u\.d)/);
  });

  test('a column whose name is the whole path comes first; if both exist, one is too many', async () => {
    await parquet('in.parquet', `SELECT 1 AS id, 'Oslo' AS "s.a"`);
    expect(await protect('  id: keep\n  s.a: keep\n', 'in.parquet', 'out.csv')).toMatchObject({ code: 0 });
    expect(place.read('out.csv')).toBe('id,s.a\n1,Oslo\n');
    await parquet('in.parquet', `SELECT 1 AS id, 'Oslo' AS "s.a", {'a': 'Bergen'} AS s`);
    const ended = await protect('  id: keep\n  s.a: keep\n', 'in.parquet', 'never.csv');
    expect(ended.err).toContain('field s.a: more than one column of the input belongs to this field');
  });

  test('protects and reveals', async () => {
    await parquet('in.parquet', PEOPLE);
    const fields =
      '  id: keep\n  address.city: keep\n  address.street: { rule: seal, scope: s }\n  address.geo: drop\n';
    expect(await protect(fields, 'in.parquet', 'safe.parquet')).toMatchObject({ code: 0 });
    const check = await place.run(['keys', 'inspect', '--keys', 'k.json', '--domain', 'sql']);
    const pin = /keyCheck: .*/.exec(check.out + check.err)![0];
    place.write('p.yaml', `trefoil: 1\ndomain: sql\n${pin}\nfields:\n${fields}`);
    const reveal = ['reveal', 'safe.parquet', '--policy', 'p.yaml', ...P];
    expect(await place.run([...reveal, '--out', 'back.parquet'])).toMatchObject({ code: 0, err: '' });
    const rows = await query("SELECT address FROM read_parquet('@back.parquet') ORDER BY id");
    expect(rows.flat()).toEqual([{ city: 'Oslo', street: 'Elm Road 5' }, null, { city: null, street: '' }]);
  });

  test('values that do not fit are reported by row and path, and none in a STRUCT that is NULL', async () => {
    await parquet(
      'in.parquet',
      "SELECT i AS id, CASE WHEN i = 3 THEN {'born': 'Lovelace'} WHEN i > 0 THEN {'born': '1999-01-31'} END AS s FROM range(5) AS t(i)",
    );
    const ended = await protect('  id: keep\n  s.born: { rule: coarsen, date: year }\n', 'in.parquet', 'never.csv');
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.err).toContain('row 4, field s.born: ');
    expect(ended.err).not.toContain('Lovelace');
  });
});

describe('types with a single value', () => {
  const TYPED = `SELECT TRUE AS flag, 7::UTINYINT AS small, 9223372036854775807 AS big, 1.50::DECIMAL(9, 2) AS price,
    'b'::ENUM ('a', 'b') AS kind, UUID '6f1c8c1e-9f5b-4b0e-8f6e-2f6b6f6b6f6b' AS uid, DATE '1999-01-31' AS day,
    TIME '10:20:30' AS hour, TIMESTAMP '1999-01-31 10:20:30' AS at, TIMESTAMPTZ '1999-01-31 10:20:30+02' AS moment,
    INTERVAL '3 days' AS span, '1011'::BIT AS bits`;
  const NAMES = ['flag', 'small', 'big', 'price', 'kind', 'uid', 'day', 'hour', 'at', 'moment', 'span', 'bits'];
  const TEXTS = [
    ...['true', '7', '9223372036854775807', '1.50', 'b', '6f1c8c1e-9f5b-4b0e-8f6e-2f6b6f6b6f6b', '1999-01-31'],
    ...['10:20:30', '1999-01-31 10:20:30', '1999-01-31 08:20:30+00', '3 days', '1011'],
  ];

  test.each(['UTC', 'Asia/Tokyo'])(
    'each has the same text under every rule, whatever the time zone (%s)',
    async (TZ) => {
      await parquet('in.parquet', TYPED);
      const run = async (rule: string, input: string, output: string) => {
        place.write(
          'p.yaml',
          `trefoil: 1\ndomain: sql\nfields:\n${NAMES.map((name) => `  ${name}: ${rule}\n`).join('')}`,
        );
        const args = ['protect', input, '--policy', 'p.yaml', ...P, '--out', output];
        expect(await place.run(args, '', { TZ })).toMatchObject({ code: 0, err: '' });
        return place.read(output).split('\n')[1];
      };
      expect(await run('keep', 'in.parquet', 'out.csv')).toBe(TEXTS.join(','));
      place.write('same.csv', `${NAMES.join(',')}\n${TEXTS.join(',')}\n`);
      const token = '{ rule: token, scope: s }';
      expect(await run(token, 'in.parquet', 'out.csv')).toBe(await run(token, 'same.csv', 'same.out.csv'));
    },
  );

  test('a binary fraction is kept or coarsened, and refused by rules that need an exact text', async () => {
    await parquet('in.parquet', 'SELECT 10017.0::DOUBLE AS id, 1.5::FLOAT AS score');
    for (const rule of ['{ rule: token, scope: s }', '{ rule: seal, scope: s }', '{ rule: mask, last: 2 }']) {
      const ended = await protect(`  id: ${rule}\n  score: keep\n`, 'in.parquet', 'never.csv');
      expect(ended).toMatchObject({ code: 1 });
      expect(ended.err).toContain('field id: the column is a DOUBLE, whose text is not exact; write it as BIGINT');
    }
    const fields = '  id: { rule: coarsen, number: 1000 }\n  score: keep\n';
    expect(await protect(fields, 'in.parquet', 'out.csv')).toMatchObject({ code: 0, err: '' });
    expect(place.read('out.csv')).toBe('id,score\n10000,1.5\n');
  });
});

describe('several files', () => {
  test('must have the same columns and types; nothing is cast or skipped without an error', async () => {
    await parquet('a.parquet', "SELECT 1 AS id, {'city': 'Oslo'} AS s");
    for (const other of [
      "SELECT 2 AS id, {'city': 'Oslo', 'street': 'Elm Road 5'} AS s",
      "SELECT '0012' AS id, {'city': 'Oslo'} AS s",
      "SELECT 2 AS id, {'city': 'Oslo'} AS s, 'Elm Road 5' AS street",
      "SELECT {'city': 'Oslo'} AS s, 2 AS id",
    ]) {
      await parquet('b.parquet', other);
      place.write('p.yaml', 'trefoil: 1\ndomain: sql\nunnamed: drop\nfields:\n  id: keep\n  s.city: keep\n');
      const args = ['protect', 'a.parquet', 'b.parquet', '--policy', 'p.yaml', ...P, '--out', 'never.csv'];
      const ended = await place.run(args);
      expect(ended, other).toMatchObject({ code: 1 });
      expect(ended.err).toContain('b.parquet: the columns or their types differ from those of the first input');
    }
  });

  test('are named if one of them does not fit, and row numbers count in their own file', async () => {
    await parquet('a.parquet', "SELECT 1 AS id, '1999-01-31' AS born");
    const refused = async (other: string, ...more: string[]) => {
      await parquet('b.parquet', other);
      const fields = 'fields:\n  id: keep\n  born: { rule: coarsen, date: year }\n';
      place.write('p.yaml', `trefoil: 1\ndomain: sql\n${fields}`);
      const args = ['protect', 'a.parquet', 'b.parquet', '--policy', 'p.yaml', ...P, '--out', 'never.csv'];
      const ended = await place.run([...args, ...more]);
      expect(ended).toMatchObject({ code: 1 });
      return ended.err;
    };
    expect(await refused("SELECT 2 AS id, '1999-01-31' AS born, 3 AS more")).toMatch(
      /b\.parquet[:,].*not named in the/,
    );
    expect(await refused('SELECT 2 AS id')).toMatch(/b\.parquet[:,].*field born.*does not have the field/);
    expect(await refused("SELECT 2 AS id, ['1999-01-31'] AS born")).toMatch(/b\.parquet[:,].*field born.*LIST/);
    expect(await refused("SELECT 2 AS id, 'Lovelace' AS born")).toMatch(/b\.parquet[:,] row 1,.*field born/);
    place.write('a.csv', 'id,born\n1,1999-01-31\n');
    place.write('b.csv', 'id,born,more\n1,1999-01-31,x\n');
    const args = ['protect', 'a.csv', 'b.csv', '--policy', 'p.yaml', ...P, '--out', 'never.csv'];
    expect((await place.run([...args, '--engine', 'duckdb'])).err).toMatch(/b\.csv[:,].*not named in the/);
  });

  test('with a field inside an array in the policy: no other format is named', async () => {
    await parquet('in.parquet', "SELECT MAP {'a': 1} AS l");
    const ended = await protect('  "l[]": keep\n', 'in.parquet', 'never.csv');
    expect(ended.err).toContain('field l: the policy names fields inside the column, which is MAP; expected a LIST or');
    expect(ended.err).not.toContain('CSV');
  });

  test('a folder whose name looks like a partition is not a column', async () => {
    await query('SELECT 1');
    const { mkdirSync, renameSync } = await import('node:fs');
    mkdirSync(place.path('name=Lovelace'), { recursive: true });
    await parquet('in.parquet', 'SELECT 1 AS id');
    renameSync(place.path('in.parquet'), place.path('name=Lovelace/in.parquet'));
    expect(await protect('  id: keep\n', 'name=Lovelace/in.parquet', 'out.csv')).toMatchObject({ code: 0, err: '' });
    expect(place.read('out.csv')).toBe('id\n1\n');
  });
});

describe('check and --dry-run', () => {
  test('check tries the first records, and finds nested types and values that do not fit', async () => {
    place.write('p.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  id: keep\n  s.born: { rule: coarsen, date: year }\n');
    const check = (...more: string[]) => place.run(['check', '--policy', 'p.yaml', '--input', 'in.parquet', ...more]);
    await parquet('in.parquet', "SELECT i AS id, {'born': '1999-01-31'} AS s FROM range(300) AS t(i)");
    const well = await check();
    expect(well).toMatchObject({ code: 0 });
    expect(well.err).toContain('no problems, the first 100 rows tried');
    await parquet('in.parquet', "SELECT i AS id, {'born': 'Lovelace'} AS s FROM range(2) AS t(i)");
    const bad = await check('--json');
    expect(bad.code).toBe(1);
    const issues = (JSON.parse(bad.out) as { issues: { row: number; field: string; code: string }[] }).issues;
    expect(issues.map(({ row, field, code }) => [row, field, code])).toEqual([
      [1, 's.born', 'not_a_date'],
      [2, 's.born', 'not_a_date'],
    ]);
    expect(bad.out).not.toContain('Lovelace');
    await parquet('in.parquet', "SELECT 1 AS id, {'born': ['1999-01-31']} AS s");
    expect((await check()).err).toContain(
      'field s.born: the column is a LIST; name what is inside it (s.born[]), or set drop',
    );
    expect(await check('--format', 'csv')).toMatchObject({ code: 2 });
  });

  test('--dry-run shows the first records and writes nothing', async () => {
    await parquet('in.parquet', "SELECT i AS id, {'city': 'Oslo', 'gone': 'x'} AS s FROM range(9) AS t(i)");
    place.write(
      'p.yaml',
      'trefoil: 1\ndomain: sql\nfields:\n  id: keep\n  s.city: { rule: mask, first: 1 }\n  s.gone: drop\n',
    );
    const before = place.files();
    const ended = await place.run(['protect', 'in.parquet', '--policy', 'p.yaml', ...P, '--dry-run', '--limit', '2']);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toMatch(/row 1\n/);
    expect(ended.out).toMatch(/s\.city +Oslo +O\*\*\* +mask/);
    expect(ended.out).toMatch(/s\.gone +x +drop/);
    expect(ended.out).not.toContain('row 3');
    expect(place.files()).toEqual(before);
  });

  test('--dry-run of CSV to Parquet shows what CSV shows', async () => {
    place.write('in.csv', 'id\n1\n');
    place.write('p.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  id: keep\n');
    const ended = await place.run(['protect', 'in.csv', '--policy', 'p.yaml', ...P, '--dry-run', '--out', 'x.parquet']);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.out).toMatch(/row 1\n/);
    expect(place.files()).not.toContain('x.parquet');
  });
});
