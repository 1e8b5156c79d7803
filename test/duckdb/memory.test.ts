/**
 * DuckDB and memory: rows of any width need little, nothing is swapped to the disk, and running out has its own error.
 */
import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DuckdbRun, runDuckdb } from '../../src/duckdb/run.ts';
import { keep, keyset, policy, seal } from '../../src/index.ts';
import { csvDialect } from '../../src/io/csv/codec.ts';
import { type Direction, openReady } from '../../src/policy/bound.ts';
import { revealAccess } from '../../src/reveal.ts';
import { makePlace, type Place } from '../cli/harness.ts';
import { query as queryIn } from './query.ts';

let place: Place;
const keys = keyset.generate().domain('memory');
const people = policy({ id: keep, name: seal({ scope: 'n' }) }, { domain: 'memory', keyCheck: keys.keyCheck });
const inside = openReady(people.bind(keys, revealAccess));
const kept = openReady(policy({ id: keep, name: keep }, { domain: 'memory' }).bind(keys));

beforeAll(() => {
  place = makePlace();
});
afterAll(() => place.remove());

const query = (sql: string) => queryIn(place.dir, sql);

function run(direction: Direction, input: string, output: string, memoryLimit?: string, own = inside) {
  const formatOf = (name: string) => (name.endsWith('.parquet') ? 'parquet' : 'csv');
  const run: DuckdbRun = {
    direction,
    inside: own,
    inputs: [place.path(input)],
    output: place.path(output),
    inputFormat: formatOf(input),
    outputFormat: formatOf(output),
    dialect: csvDialect({}),
    force: true,
    others: [],
    signal: undefined,
    memoryLimit,
  };
  return runDuckdb(run);
}

/** Text that cannot be compressed. */
const random = (pieces: number) =>
  Array.from({ length: pieces }, (_, i) => `md5((i * ${i + 3})::VARCHAR)`).join(' || ');

test('a Parquet file that trefoil wrote is read by it, in less memory than two of its row groups', async () => {
  await query(`COPY (SELECT i AS id, ${random(6)} AS name FROM range(150000) AS t(i)) TO '@names.csv' (HEADER)`);
  await run('protect', 'names.csv', 'safe.parquet', '100MB');
  const [size] = await query("SELECT max(row_group_bytes) FROM parquet_metadata('@safe.parquet')");
  expect(Number(size![0])).toBeLessThan(32 << 20);
  for (const output of ['back.csv', 'back.parquet']) {
    expect(await run('reveal', 'safe.parquet', output, '100MB')).toMatchObject({ rows: 150_000 });
  }
  const same = "SELECT count(*) FROM read_csv('@names.csv', all_varchar = true) JOIN '@back.parquet' USING (id, name)";
  expect(await query(same)).toEqual([['150000']]);
  expect(place.files().filter((name) => name.startsWith('.'))).toEqual([]);
}, 120_000);

test('any number of rows of 60 KB are written to Parquet in 100 MB', async () => {
  const wide = `repeat(md5(i::VARCHAR), 1900)`;
  await query(
    `COPY (SELECT i AS id, ${wide} AS name FROM range(3000) AS t(i)) TO '@wide.parquet' (ROW_GROUP_SIZE 2048)`,
  );
  await query("COPY (FROM '@wide.parquet') TO '@wide.csv' (HEADER)");
  expect(statSync(place.path('wide.csv')).size).toBeGreaterThan(150e6);
  expect(await run('protect', 'wide.csv', 'wide.safe.parquet', '100MB', kept)).toMatchObject({ rows: 3000 });
}, 120_000);

test('running out of memory is reported with advice, and leaves no file', async () => {
  await query(
    `COPY (SELECT i AS id, ${random(12)} AS name FROM range(200000) AS t(i)) TO '@big.parquet' (ROW_GROUP_SIZE 500000)`,
  );
  const error = await run('protect', 'big.parquet', 'never.csv', '20MB').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'out_of_memory', kind: 'io' });
  expect(String(error)).toContain('DuckDB ran out of memory');
  expect(String(error)).toContain('write the input in smaller row groups');
  expect(place.files().filter((name) => /never|^\./.test(name))).toEqual([]);
  expect(await run('protect', 'big.parquet', 'big.csv')).toMatchObject({ rows: 200_000 });
}, 120_000);

test('a limit on the size of files is reported, and leaves no file', async () => {
  place.write('keep.yaml', 'trefoil: 1\ndomain: d\nfields:\n  id: keep\n  name: keep\n');
  for (const output of ['full.csv', 'full.parquet']) {
    const ended = await place.bash(
      `ulimit -f 100; $T protect names.csv --policy keep.yaml --engine duckdb --quiet --out ${output}`,
    );
    expect(ended).toMatchObject({ code: 5, out: '' });
    expect(ended.err).toContain(`${output}: cannot be written: the file would be larger than the limit (EFBIG)`);
  }
  expect(place.files().filter((name) => /^full|^\./.test(name))).toEqual([]);
});
