/**
 * Parquet with LISTs: a path of the policy leads into a LIST as it leads into an array of NDJSON, and the LIST is
 * written back with the types of what is kept.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, makePlace, type Place } from '../cli/harness.ts';
import { query as queryIn } from './query.ts';

let place: Place;
const P = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet', '--force'];

beforeAll(async () => {
  place = makePlace();
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

const query = (sql: string) => queryIn(place.dir, sql);
const parquet = (name: string, select: string) => query(`COPY (${select}) TO '@${name}' (FORMAT parquet)`);
const policy = (fields: string, more = '') =>
  place.write('p.yaml', `trefoil: 1\ndomain: sql\n${more}fields:\n${fields}`);
const run = (command: string, input: string, output: string, ...more: string[]): Promise<Ended> =>
  place.run([command, input, ...P, ...(output === '' ? [] : ['--out', output]), ...more]);

async function good(command: string, input: string, output: string): Promise<void> {
  const ended = await run(command, input, output);
  expect(ended, ended.err).toMatchObject({ code: 0, err: '' });
}

/** Records with LISTs at every depth, and with each kind of nothing. */
const ROWS = `SELECT * FROM (VALUES
  (1, ['x', NULL, ''], [{'sku': 'a', 'price': 1.50::DECIMAL(9,2), 'at': TIMESTAMPTZ '2024-01-31 08:00:00+00', 'note': 'n'},
                        {'sku': NULL, 'price': NULL, 'at': NULL, 'note': 'n'}, NULL],
      {'mails': ['ada@example.com']}, [['p', 'q'], [], NULL]),
  (2, [], [], {'mails': []}, []),
  (3, NULL, NULL, NULL, NULL),
  (4, ['x'], [{'sku': 'a', 'price': 9.00::DECIMAL(9,2), 'at': TIMESTAMPTZ '2024-01-31 08:00:00+00', 'note': 'n'}],
      {'mails': NULL}, [[NULL]]))
  AS t(id, tags, items, home, grid)`;

const FIELDS =
  '  id: keep\n  tags[]: { rule: token, scope: tag }\n  items[].sku: { rule: seal, scope: sku }\n  items[].price: keep\n' +
  '  items[].at: keep\n  items[].note: drop\n  home.mails[]: { rule: seal, scope: mail }\n  grid[][]: { rule: seal, scope: g }\n';

describe('a path into a LIST', () => {
  test('protects the same values as in NDJSON, and keeps the types of what is kept', async () => {
    policy(FIELDS);
    await parquet('in.parquet', ROWS);
    await good('protect', 'in.parquet', 'safe.parquet');
    // A timestamp in JSON has no type, and a decimal loses its zeros, so they are left out of this comparison.
    const plain = ROWS.replaceAll(/, 'price': (NULL|\d\.\d\d::DECIMAL\(9,2\)), 'at': (NULL|TIMESTAMPTZ '[^']*')/g, '');
    await query(`COPY (${plain}) TO '@in.ndjson' (FORMAT json)`);
    policy(FIELDS.replace(/ {2}items\[\]\.(price|at): keep\n/g, ''));
    const ended = await run('protect', 'in.ndjson', 'safe.ndjson');
    expect(ended, ended.err).toMatchObject({ code: 0 });
    const rows = await query(`SELECT to_json({'id': id, 'tags': tags, 'items': list_transform(items, lambda x:
      CASE WHEN x IS NULL THEN NULL ELSE {'sku': x.sku} END), 'home': home, 'grid': grid}) FROM '@safe.parquet' ORDER BY id`);
    const lines = place.read('safe.ndjson').trimEnd().split('\n');
    expect(rows.map(([json]) => JSON.parse(String(json)))).toEqual(lines.map((line) => JSON.parse(line)));
    expect(rows).toHaveLength(4);
    const [[type, items] = []] = await query("SELECT typeof(items), items[1] FROM '@safe.parquet' WHERE id = 1");
    expect(type).toBe('STRUCT(sku VARCHAR, price DECIMAL(9,2), "at" TIMESTAMP WITH TIME ZONE)[]');
    expect(items).toMatchObject({ price: '1.50' });
  });

  test('and back', async () => {
    policy(FIELDS.replace('token, scope: tag', 'seal, scope: tag'));
    await parquet('in.parquet', ROWS);
    await good('protect', 'in.parquet', 'safe.parquet');
    const safe = JSON.stringify(await query("SELECT * FROM '@safe.parquet'"));
    expect(safe).not.toContain('ada@example.com');
    await good('reveal', 'safe.parquet', 'back.parquet');
    const columns = `id, tags, list_transform(items, lambda x: {'sku': x.sku, 'price': x.price, 'at': x.at}), home, grid`;
    const select = (from: string) => query(`SELECT ${columns} FROM ${from} ORDER BY id`);
    expect(await select("'@back.parquet'")).toEqual(await select(`(${ROWS})`));
  });

  test('over more elements than fit into one vector, and more rows', async () => {
    policy('  id: keep\n  tags[]: { rule: seal, scope: tag }\n  items[].n: { rule: seal, scope: n }\n');
    await parquet(
      'in.parquet',
      `SELECT i AS id, list_transform(range(CASE WHEN i < 20 THEN i % 7 * 900 ELSE i % 3 END), lambda x: 'tag ' || x) AS tags,
        list_transform(range(i % 3), lambda x: {'n': i || '-' || x}) AS items FROM range(3000) AS t(i)`,
    );
    await good('protect', 'in.parquet', 'safe.parquet');
    await good('reveal', 'safe.parquet', 'back.parquet');
    const same = async (other: string, column: string) => {
      const join = `'@in.parquet' a JOIN '@${other}.parquet' b ON a.id = b.id`;
      const [[count] = []] = await query(`SELECT count(*) FROM ${join} WHERE a.${column} = b.${column}`);
      return Number(count);
    };
    expect([await same('back', 'tags'), await same('back', 'items')]).toEqual([3000, 3000]);
    // Only what is empty is the same: of the first 20 rows every seventh, and of the others every third.
    expect([await same('safe', 'tags'), await same('safe', 'items')]).toEqual([3 + 993, 1000]);
  }, 60_000);

  test('a rule looks at a field of the record, whatever its column is called', async () => {
    policy(
      '  element0: drop\n  visits[].day: { rule: shiftDate, scope: p, subject: element0, days: 30 }\n' +
        '  codes[]: { rule: token, scope: c, per: element0 }\n',
    );
    const rows = `SELECT 'p' || (i % 2) AS element0, [{'day': '2024-01-31'}, {'day': '2024-02-29'}] AS visits, ['a'] AS codes
      FROM range(4) AS t(i)`;
    await parquet('in.parquet', rows);
    await query(`COPY (${rows}) TO '@in.ndjson' (FORMAT json)`);
    await good('protect', 'in.parquet', 'safe.parquet');
    await good('protect', 'in.ndjson', 'safe.ndjson');
    const safe = await query("SELECT to_json(t) FROM '@safe.parquet' AS t");
    const lines = place.read('safe.ndjson').trimEnd().split('\n');
    expect(safe.map(([json]) => JSON.parse(String(json)))).toEqual(lines.map((line) => JSON.parse(line)));
    expect(new Set(lines).size).toBe(2);
  });

  test('a LIST of which nothing is left is left out, and so is one that no field names', async () => {
    policy('  id: keep\n  items[].note: drop\n', 'unnamed: drop\n');
    await parquet('in.parquet', ROWS);
    await good('protect', 'in.parquet', 'safe.csv');
    expect(place.read('safe.csv')).toBe('id\n1\n2\n3\n4\n');
  });

  test('text with JSON in a LIST', async () => {
    policy('  docs[].name: { rule: seal, scope: n }\n');
    await parquet('in.parquet', `SELECT ['{"name":"Ada","age":1}', NULL] AS docs`);
    const refused = await run('protect', 'in.parquet', 'never.parquet');
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/age/);
    policy('  docs[].name: { rule: seal, scope: n }\n  docs[].age: keep\n');
    await good('protect', 'in.parquet', 'safe.parquet');
    await good('reveal', 'safe.parquet', 'back.parquet');
    expect(await query("SELECT docs FROM '@back.parquet'")).toEqual([[['{"name":"Ada","age":1}', null]]]);
  });
});

describe('what does not fit', () => {
  test('a value is named by row and element, without the value', async () => {
    policy('  id: keep\n  items[].days[]: { rule: coarsen, date: year }\n');
    await parquet(
      'in.parquet',
      `SELECT i AS id, [{'days': ['2024-01-31']}, {'days': CASE WHEN i = 5 THEN ['2024-01-31', 'Lovelace'] END}] AS items
        FROM range(9) AS t(i)`,
    );
    const ended = await run('protect', 'in.parquet', 'never.parquet');
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toMatch(/row 6, field items\[1\]\.days\[1\]: expected a date/);
    expect(ended.err).not.toContain('Lovelace');
    expect(place.files().filter((name) => /never|trefoil-/.test(name))).toEqual([]);
    const check = await place.run(['check', '--policy', 'p.yaml', '--input', 'in.parquet', '--json']);
    expect(JSON.parse(check.out).issues).toMatchObject([{ row: 6, element: 'items[1].days[1]', code: 'not_a_date' }]);
  });

  test.each([
    [
      "[MAP {'a': 1}]",
      'field l[]: the column is a MAP, and no rule would see the values inside it; set drop, or make a list of it',
    ],
    ["['a'::BLOB]", 'field l[]: the column is a BLOB'],
    ['[1.5::DOUBLE]', 'field l[]: the column is a DOUBLE, whose text is not exact'],
    ["[['a']]", 'field l[]: the column is a LIST; name what is inside it (l[][]), or set drop'],
    ["[{'a': 1}]", 'field l[]: the column is a STRUCT; name the fields inside it (l[].FIELD), or set drop'],
    ["'a'::VARIANT", 'field l: the policy names fields inside the column, which is VARIANT; expected a LIST or text'],
    ['1', 'field l: the policy names fields inside the column, which is INTEGER; expected a LIST or text'],
  ])('%s', async (sql, message) => {
    policy('  id: keep\n  l[]: { rule: token, scope: l }\n');
    await parquet('in.parquet', `SELECT 1 AS id, ${sql} AS l`);
    const ended = await run('protect', 'in.parquet', 'never.parquet');
    expect(ended.code).toBe(1);
    expect(ended.err).toContain(message);
  });

  test('a field of an element that the policy does not name is an error, with its path', async () => {
    policy('  items[].sku: keep\n');
    await parquet('in.parquet', "SELECT [{'sku': 'a', 'buyer': 'Lovelace'}] AS items");
    const ended = await run('protect', 'in.parquet', 'never.parquet');
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('items[].buyer');
    expect(ended.err).not.toContain('Lovelace');
  });

  test('CSV', async () => {
    policy('  id: keep\n  tags[]: keep\n');
    await parquet('in.parquet', "SELECT 1 AS id, ['a'] AS tags");
    const ended = await run('protect', 'in.parquet', 'never.csv');
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('field tags[]: CSV has no form for a LIST; write Parquet (--out FILE.parquet)');
  });
});

test('a dry run shows each path into a LIST, before and after', async () => {
  policy('  id: keep\n  items[].day: { rule: coarsen, date: year }\n  tags[]: keep\n');
  await parquet(
    'in.parquet',
    "SELECT 1 AS id, [{'day': '2024-01-31'}, NULL, {'day': NULL}] AS items, ['a', 'b'] AS tags",
  );
  const ended = await run('protect', 'in.parquet', '', '--dry-run');
  expect(ended, ended.err).toMatchObject({ code: 0 });
  expect(ended.out).toContain('["2024-01-31",null,null]');
  expect(ended.out).toMatch(/items\[\]\.day +\["2024-01-31",null,null\] +\["2024",null,null\] +coarsen/);
  expect(ended.out).toMatch(/tags\[\] +\["a","b"\] +\["a","b"\] +keep/);
});
