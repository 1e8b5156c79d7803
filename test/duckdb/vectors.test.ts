/** Texts of vectors: the fast functions against the package's own, with any texts at any places in memory. */
import { DuckDBInstance, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Vector } from '../../src/duckdb/module.ts';
import { byItem, makeVectors } from '../../src/duckdb/vectors.ts';

const quick = makeVectors();
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const seen: { own: (string | null)[]; quick: (string | null)[] }[] = [];
/** The package drops a byte order mark at the beginning of every text that it reads; we must not. */
const unmarked = (text: string | null) => text?.replace(/^\ufeff/, '') ?? null;
let answers: (string | null)[] | null = null;

connection.registerScalarFunction(
  DuckDBScalarFunction.create({
    name: 'echo',
    returnType: VARCHAR,
    parameterTypes: [VARCHAR],
    specialHandling: true,
    mainFunction(_, input, output) {
      const vector = input.getColumnVector(0) as unknown as Vector;
      const texts = quick.read(vector, input.rowCount);
      seen.push({ own: byItem.read(vector, input.rowCount), quick: texts });
      const out = answers === null ? texts : answers.slice(0, input.rowCount);
      quick.write(output as unknown as Vector, out);
    },
  }),
);

async function through(sql: string): Promise<unknown[]> {
  seen.length = 0;
  const rows = (await connection.runAndReadAll(sql)).getRows();
  expect(seen.length).toBeGreaterThan(0);
  for (const { own, quick } of seen) expect(quick.map(unmarked)).toEqual(own);
  return rows.map(([value]) => value);
}

const literal = (text: string | null) =>
  text === null ? 'NULL' : `'${text.replaceAll("'", "''").replaceAll('\0', "' || chr(0) || '")}'`;

test('texts of any length and script, with missing ones between them', async () => {
  const alphabet = fc.constantFrom('a', 'Z', "'", '\0', 'ü', '中', '😀', '\ufffd', '\ufeff', '\n');
  const text = fc.string({ unit: alphabet, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text), { minLength: 1, maxLength: 60 }), async (texts) => {
      const values = texts.map((value, i) => `(${i}, ${literal(value)})`).join(', ');
      await connection.run(`CREATE OR REPLACE TABLE t AS SELECT i, x::VARCHAR AS x FROM (VALUES ${values}) v(i, x)`);
      expect(await through('SELECT echo(x) FROM t ORDER BY i')).toEqual(texts.map(unmarked));
      expect(seen.flatMap(({ quick }) => quick).sort()).toEqual([...texts].sort());
      expect(await through('SELECT count(*) FROM t WHERE echo(x) IS DISTINCT FROM x')).toEqual([0n]);
    }),
    { numRuns: 60 },
  );
});

test('many vectors whose texts are in any order, far apart, and in a dictionary', async () => {
  const text = `CASE WHEN i % 11 = 0 THEN NULL ELSE repeat(chr((97 + i % 26)::INTEGER), (i % 37)::INTEGER) || i END`;
  await connection.run(`CREATE OR REPLACE TABLE many AS SELECT i, ${text} AS x FROM range(20000) r(i)`);
  for (const order of ['i', 'hash(i)', 'i % 3, i DESC']) {
    const expected = await connection.runAndReadAll(`SELECT x FROM many ORDER BY ${order}`);
    const got = await through(`SELECT echo(x) FROM (SELECT x FROM many ORDER BY ${order})`);
    expect(got).toEqual(expected.getRows().map(([x]) => x));
  }
  const few = await through(
    `SELECT echo(x) FROM (SELECT 'one of three long texts ' || i % 3 AS x FROM range(5000) r(i))`,
  );
  expect(new Set(few).size).toBe(3);
  // 1 MB each: pieces of one text.
  const long = await through(`SELECT length(echo(repeat('ü', 500000) || i)) FROM range(20) r(i)`);
  expect(new Set(long.map(String))).toEqual(new Set(['500001', '500002']));
});

test('texts are read as they were written, at every length around the edge, and without any text', async () => {
  for (const length of [0, 1, 3, 4, 5, 11, 12, 13, 16, 17]) {
    answers = Array.from({ length: 2048 }, (_, i) => (i % 5 === 0 ? null : 'x'.repeat(length)));
    expect(await through('SELECT echo(CAST(i AS VARCHAR)) FROM range(2048) r(i)')).toEqual(answers);
  }
  answers = new Array<null>(2048).fill(null);
  expect(await through('SELECT echo(CAST(i AS VARCHAR)) FROM range(2048) r(i)')).toEqual(answers);
  answers = Array.from({ length: 2048 }, (_, i) => (i === 2047 ? 'the only long one of all' : ''));
  expect(await through('SELECT echo(CAST(i AS VARCHAR)) FROM range(2048) r(i)')).toEqual(answers);
  answers = null;
});

test('a vector with unknown properties is read item by item', () => {
  const items: (string | null)[] = ['a', null];
  const vector: Vector = {
    getItem: (i) => items[i],
    setItem: (i, value) => {
      items[i] = value;
    },
    flush: () => {},
  };
  expect(quick.read(vector, 2)).toEqual(['a', null]);
  quick.write(vector, [null, 'b']);
  expect(items).toEqual([null, 'b']);
});
