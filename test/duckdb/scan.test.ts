/** Parquet that is scanned: values in columns of every kind, also inside nested types. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, type Place } from '../cli/harness.ts';
import { query as queryIn } from './query.ts';

let place: Place;
let token: string;
let keyId: string;

beforeAll(async () => {
  place = makePlace();
  await place.run(['keys', 'new', '--out', 'k.json']);
  place.write('p.yaml', 'trefoil: 1\ndomain: sql\nfields: { id: { rule: token, scope: person, label: cust } }\n');
  const { out } = await place.run(['protect', '--format', 'csv', '--policy', 'p.yaml', '--keys', 'k.json'], 'id\n7\n');
  token = out.split('\n')[1]!;
  keyId = token.slice(5, 10);
});
afterAll(() => place.remove());

const parquet = (name: string, select: string) => queryIn(place.dir, `COPY (${select}) TO '@${name}' (FORMAT parquet)`);

test('tokens are counted in columns, structs, lists and maps, with the row of the first', async () => {
  await parquet(
    'in.parquet',
    `SELECT '${token}' AS plain, {'a': '${token}', 'n': 1} AS inside, ['x', '${token}'] AS list,
       MAP {'k': '${token}'} AS map, 'see' || chr(10) || '${token}.' AS note, NULL AS none, i
     FROM range(3000) t(i) WHERE i <> 0`,
  );
  const { code, out } = await place.run(['scan', 'in.parquet', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(out).files).toMatchObject([
    { file: 'in.parquet', keys: { [keyId]: { tokens: { cust: 5 * 2999 }, sealed: 0, rejects: 0, first: 1 } } },
  ]);
  await parquet(
    'late.parquet',
    `SELECT CASE i WHEN 2500 THEN '${token}' ELSE 'a' || chr(10) END AS t FROM range(3000) t(i)`,
  );
  const late = await place.run(['scan', 'late.parquet', '--json']);
  expect(JSON.parse(late.out).files[0].keys).toEqual({
    [keyId]: { tokens: { cust: 1 }, sealed: 0, rejects: 0, first: 2501 },
  });
});

test('a file that is not Parquet is refused, and no value is shown', async () => {
  place.write('bad.parquet', `PAR1 ${token} PAR1`);
  const ended = await place.run(['scan', 'bad.parquet']);
  expect(ended).toMatchObject({ code: 5, out: '' });
  expect(ended.err).toContain('bad.parquet: DuckDB cannot read the file as Parquet');
  expect(ended.err).not.toContain(token);
});
