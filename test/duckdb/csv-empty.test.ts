/**
 * CSV through DuckDB has the same bytes as through our own reader and writer. An empty cell is written as it was read,
 * with or without quotes, and a file of one column keeps its rows.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place } from '../cli/harness.ts';

let place: Place;
const P = ['--keys', 'k.json', '--quiet', '--force'];

beforeAll(async () => {
  place = makePlace();
  place.write(
    'four.yaml',
    'trefoil: 1\ndomain: sql\nfields:\n  a: keep\n  b: { rule: token, scope: p }\n' +
      "  c: { rule: constant, value: '' }\n  d: { rule: seal, scope: n, missing: [] }\n",
  );
  place.write('one.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  a: keep\n');
  place.write('masked.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  a: { rule: mask, first: 1 }\n');
  place.write('gone.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  a: keep\n  b: drop\n');
  place.write(
    'nothing-and-kept.yaml',
    'trefoil: 1\ndomain: sql\nfields:\n  b: { rule: constant, value: null }\n  k: keep\n',
  );
  place.write('nothing.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  a: { rule: constant, value: null }\n');
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

async function both(policy: string, input: string, more: readonly string[] = []): Promise<readonly [string, string]> {
  place.write('in.csv', input);
  const args = ['protect', 'in.csv', '--policy', policy, ...P, ...more];
  const own = await place.run([...args, '--out', 'own.csv']);
  const duckdb = await place.run([...args, '--out', 'duckdb.csv', '--engine', 'duckdb']);
  expect([own.err, duckdb.err]).toEqual(['', '']);
  return [place.read('own.csv'), place.read('duckdb.csv')];
}

/** Every pair of cells that may be confused. */
const CELLS = ['', '""', 'x', '"x"', '" "', ' ', '"a,b"', '"say ""x"""', '"two\nlines"', '""""', 'NULL', '\\N', 'Zoë'];
const pairs = CELLS.flatMap((a) => CELLS.map((b) => [a, b]));

describe('CSV to CSV has the bytes of the other engine', () => {
  test.each([
    ['minimal', []],
    ['all', ['--quoting', 'all']],
    ['pipes between cells', ['--delimiter', 'pipe']],
  ])('quoting: %s', async (_, more) => {
    const delimiter = more.includes('pipe') ? '|' : ',';
    const rows = pairs.map(([a, b]) => [a, b, b, a].join(delimiter));
    const [own, duckdb] = await both(
      'four.yaml',
      `${['a,b,c,d'.replaceAll(',', delimiter), ...rows].join('\n')}\n`,
      more,
    );
    expect(duckdb).toBe(own);
    expect(own.split('\n').length).toBeGreaterThan(pairs.length);
  });

  test('lines that end with a carriage return and a newline', async () => {
    const [own, duckdb] = await both('gone.yaml', 'a,b\r\n,x\r\n"",y\r\n"two\r\nlines",z\r\n');
    expect(duckdb).toBe(own);
    expect(own).toBe('a\r\n""\r\n""\r\n"two\r\nlines"\r\n');
  });

  test.each(['one.yaml', 'masked.yaml', 'nothing.yaml'])('a file of one column keeps its rows: %s', async (policy) => {
    const [own, duckdb] = await both(policy, 'a\nZoë\n\n""\nMax\n\n');
    expect(duckdb).toBe(own);
    expect(own.split('\n')).toHaveLength(7);
  });

  test('a blank line among rows of several cells is refused by both, and never skipped', async () => {
    for (const input of ['a,b\nx,1\n\ny,2\n', 'a,b\r\nx,1\r\n\r\n']) {
      place.write('in.csv', input);
      const args = ['protect', 'in.csv', '--policy', 'gone.yaml', ...P, '--out', 'never.csv'];
      for (const more of [[], ['--engine', 'duckdb']]) {
        const ended = await place.run([...args, ...more]);
        expect(ended).toMatchObject({ code: 1, out: '' });
        expect(ended.err).toContain('row 2, line 3, column 1: the line is blank; expected 2 cells');
      }
    }
    expect(place.files()).not.toContain('never.csv');
  });

  test('a kept empty cell is written as it was read', async () => {
    expect((await both('one.yaml', 'a\n\n""\nx\n'))[1]).toBe('a\n\n""\nx\n');
    expect((await both('gone.yaml', 'a,b\n,1\n"",2\n'))[1]).toBe('a\n""\n""\n');
  });
});

test('CSV to Parquet and back to CSV: nothing is NULL, and "" is the empty text', async () => {
  const input = 'a,b\n,\n"",""\nx,y\n"a ""b""",z\n';
  place.write('in.csv', input);
  place.write('both.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  a: keep\n  b: keep\n');
  const run = (from: string, to: string) =>
    place.run(['protect', from, '--policy', 'both.yaml', ...P, '--out', to]).then(({ err }) => expect(err).toBe(''));
  await run('in.csv', 'mid.parquet');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const found = await connection.runAndReadAll(`SELECT a, b FROM read_parquet('${place.path('mid.parquet')}')`);
  expect(found.getRows().slice(0, 2)).toEqual([
    [null, null],
    ['', ''],
  ]);
  await run('mid.parquet', 'out.csv');
  expect(place.read('out.csv')).toBe(input);
});

test('Parquet to a CSV file of one column: no row is a blank line', async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    `COPY (SELECT * FROM (VALUES ('x'), (NULL), (''), ('y')) AS t(a)) TO '${place.path('one.parquet')}' (FORMAT parquet)`,
  );
  const ended = await place.run(['protect', 'one.parquet', '--policy', 'one.yaml', ...P, '--out', 'one.csv']);
  expect(ended.err).toBe('');
  expect(place.read('one.csv')).toBe('a\nx\n""\n""\ny\n');
});

describe('a cell that a rule does not reveal is written as it was read', () => {
  const RULES = {
    b: '{ rule: constant, value: null }',
    c: "{ rule: constant, value: '' }",
    d: '{ rule: mask, first: 1 }',
    e: '{ rule: coarsen, prefix: 1 }',
    f: '{ rule: token, scope: p }',
    g: 'keep',
    h: '{ rule: seal, scope: n }',
  };
  const names = Object.keys(RULES);
  const bare = names.map(() => '').join(',');
  const quoted = names.map(() => '""').join(',');
  // Records without a cell that is revealed must not change.
  const input = `${names.join(',')}\n${bare}\n${quoted}\n,"",,"",,"",\n"",,"",,"",,""\n`;

  beforeAll(() => {
    const fields = Object.entries(RULES).map(([name, rule]) => `  ${name}: ${rule}\n`);
    place.write('back.yaml', `trefoil: 1\ndomain: sql\nfields:\n${fields.join('')}  z: drop\n`);
  });

  test.each([
    ['our own engine', []],
    ['all cells quoted', ['--quoting', 'all']],
    ['two workers', ['--workers', '2']],
    ['DuckDB', ['--engine', 'duckdb']],
    ['DuckDB, all cells quoted', ['--engine', 'duckdb', '--quoting', 'all']],
  ])('%s', async (_, more) => {
    place.write('safe.csv', input);
    const args = ['--policy', 'back.yaml', ...P, ...more, '--out', 'clear.csv'];
    expect(await place.run(['reveal', 'safe.csv', ...args])).toMatchObject({ code: 0, err: '' });
    const body = (text: string) => text.split('\n').slice(1);
    expect(body(place.read('clear.csv'))).toEqual(body(input));
  });

  test.each([
    ['our own engine', []],
    ['DuckDB', ['--engine', 'duckdb']],
  ])('a constant that writes nothing hides what was there, and is nothing again: %s', async (_, more) => {
    const [own, duckdb] = await both('nothing-and-kept.yaml', 'b,k\n1,\n,""\n"",x\n');
    expect([own, duckdb]).toEqual(['b,k\n,\n,""\n,x\n', own]);
    place.write('safe.csv', own);
    const args = ['--policy', 'nothing-and-kept.yaml', ...P, ...more, '--out', 'clear.csv'];
    expect(await place.run(['reveal', 'safe.csv', ...args])).toMatchObject({ code: 0, err: '' });
    expect(place.read('clear.csv')).toBe(own);
  });

  test.each([
    ['our own engine', []],
    ['DuckDB', ['--engine', 'duckdb']],
  ])('a blank line of a file of one column: %s', async (_, more) => {
    place.write('safe.csv', 'a\n\n""\n');
    const args = ['--policy', 'nothing.yaml', ...P, ...more, '--out', 'clear.csv'];
    expect(await place.run(['reveal', 'safe.csv', ...args])).toMatchObject({ code: 0, err: '' });
    expect(place.read('clear.csv')).toBe('a\n\n""\n');
  });

  test('a constant inside a STRUCT that is NULL, by way of Parquet and CSV', async () => {
    place.write('struct.yaml', "trefoil: 1\ndomain: sql\nfields:\n  id: keep\n  s.b: { rule: constant, value: 'x' }\n");
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const rows = "(1, {'b': 'secret'}), (2, NULL)";
    await connection.run(
      `COPY (SELECT * FROM (VALUES ${rows}) AS t(id, s)) TO '${place.path('struct.parquet')}' (FORMAT parquet)`,
    );
    const run = (verb: string, from: string, ...more: string[]) =>
      place.run([verb, from, '--policy', 'struct.yaml', ...P, ...more]);
    expect((await run('protect', 'struct.parquet', '--out', 'safe.csv')).err).toBe('');
    expect(place.read('safe.csv')).toBe('id,s.b\n1,x\n2,\n');
    for (const more of [[], ['--engine', 'duckdb']]) {
      expect((await run('reveal', 'safe.csv', '--out', 'clear.csv', ...more)).err).toBe('');
      expect(place.read('clear.csv')).toBe('id,s.b\n1,x\n2,\n');
    }
    expect((await run('protect', 'struct.parquet', '--out', 'safe.parquet')).err).toBe('');
    expect((await run('reveal', 'safe.parquet', '--out', 'clear.csv')).err).toBe('');
    expect(place.read('clear.csv')).toBe('id,s.b\n1,x\n2,\n');
  });
});
