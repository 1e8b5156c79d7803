/** Messages that tell what to do, for mistakes that newcomers have made. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place } from '../harness.ts';

const POLICY = `trefoil: 1
domain: eu
fields:
  id: keep
  name: { rule: seal, scope: name }
  born: { rule: coarsen, date: year }
`;

let place: Place;

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', POLICY);
  place.write('list.yaml', POLICY.replace('  id', '  id').replace('born:', "'Preis €':"));
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

const KEYS = '--policy p.yaml --keys k.json';
const run = (line: string): ReturnType<Place['bash']> => place.bash(line);

test('a run with too many rejects says which', async () => {
  place.write('in.csv', `id,name,born\n${'1,Ada,never\n'.repeat(7)}`);
  for (const [limit, due] of [
    [
      '5',
      /^trefoil: error: 7 records were rejected; the limit is 5 records\n {2}field born in 7 of .*7 rows, first in row 1, line 2: expected a date/,
    ],
    [
      '1%',
      /^trefoil: error: 7 records were rejected; the limit is 1 % of 7 records\n {2}field born in 7 of 7 rows, first in row 1/,
    ],
  ] as const) {
    for (const workers of ['', '--workers 2']) {
      const { code, err } = await run(
        `$T protect in.csv ${KEYS} --out o.csv --on-error reject --rejects r --max-rejects ${limit} ${workers}`,
      );
      expect([code, err]).toEqual([1, expect.stringMatching(due)]);
    }
  }
});

test('one rejected row is one', async () => {
  place.write('in.csv', 'id,name,born\n1,Ada,never\n');
  const { code, err } = await run(`$T protect in.csv ${KEYS} --out o.csv --force --on-error reject --rejects r`);
  expect([code, err]).toEqual([9, expect.stringContaining('1 row rejected and left out; r contains it, sealed')]);
});

test('a short list of problems says which rows were not looked at', async () => {
  const rows = (count: number): string => '1,Ada,1980-01-01\n'.repeat(count);
  place.write('in.csv', `id,name,born\n1,Ada,never\n2,Zoe,never\n${rows(5000)}`);
  const { err } = await run(`$T protect in.csv ${KEYS} --out o.csv --force`);
  expect(err).toMatch(/^trefoil: error: 2 problems; the rows after 1,024 were not looked at\n/);
  const checked = await run('$T check --policy p.yaml --input in.csv');
  expect(checked.err).toMatch(/^trefoil: error: 2 problems; the rows after 100 were not looked at\n/m);
  place.write('in.csv', `id,name,born\n1,Ada,never\n2,Zoe,never\n${rows(50)}`);
  expect((await run(`$T protect in.csv ${KEYS} --out o.csv --force`)).err).toMatch(/^trefoil: error: 2 problems\n/);
  place.write('in.csv', `id,name,born\n${rows(500)}`);
  expect((await run('$T check --policy p.yaml --input in.csv')).err).toContain('no problems, the first 100 rows tried');
});

test('one JSON document: how to make lines of it', async () => {
  for (const name of ['doc.json', 'doc.json.gz']) {
    const { code, err } = await run(`$T protect ${name} ${KEYS}`);
    expect([code, err]).toEqual([2, expect.stringContaining("make lines of it: jq -c '.[]' FILE for one array")]);
  }
  const list = '{"count":2,"rows":[{"id":1,"name":"Ada","born":"1980-01-01"}]}';
  for (const content of [list, `${list}\n`]) {
    place.write('doc.json', content);
    const { code, err } = await run(`$T protect doc.json --format ndjson ${KEYS}`);
    expect([code, err.split('\n').length]).toEqual([1, 2]);
    expect(err).toContain("jq -c '.NAME[]' FILE");
    expect(err).not.toContain('Ada');
  }
  // Records with a list of their own are records.
  place.write('in.ndjson', '{"id":1,"name":"Ada","born":"1980-01-01","rows":[{"a":1}]}\n');
  expect((await run(`$T protect in.ndjson ${KEYS}`)).err).toMatch(/field rows: the policy does not name this field/);
  // And two lines are no document.
  place.write('in.ndjson', '{"rows":[{"a":1}]}\n{"rows":[{"a":1}]}\n');
  expect((await run(`$T protect in.ndjson ${KEYS}`)).err).not.toContain('jq');
});

describe('a header beyond ASCII', () => {
  test.each(['windows-1252', 'iso-8859-1', 'iso-8859-15'])(
    'that is UTF-8 and read as %s is told as such',
    async (encoding) => {
      place.write('in.csv', 'id,name,Preis €\n1,Ada,1980-01-01\n');
      // € has a byte that is no character of ISO/IEC 8859-15.
      if (encoding === 'iso-8859-15') place.write('in.csv', 'id,name,Preis für\n1,Ada,1980-01-01\n');
      const { code, err } = await run(`$T protect in.csv --policy list.yaml --keys k.json --encoding ${encoding}`);
      expect([code, err.split('\n').length]).toEqual([1, 2]);
      const name = encoding === 'iso-8859-1' ? 'windows-1252' : encoding;
      expect(err).toContain(
        `in the first line are UTF-8, so the input is not ${name}; leave out the encoding (--encoding)`,
      );
    },
  );
});

test('a headerless file with another delimiter', async () => {
  for (const row of ['"1";"Ada";"1980-01-01"', '1;"Ada";1980-01-01', '1;Ada;"1980-01-01"']) {
    place.write('in.csv', `${row}\n${row}\n`);
    const { code, err } = await run(`$T protect in.csv ${KEYS} --header id,name,born`);
    expect([code, err]).toEqual([1, expect.stringContaining('set it (--delimiter semicolon)')]);
  }
  place.write('in.csv', '1,Ada;"x",1980-01-01\n');
  expect((await run(`$T protect in.csv ${KEYS} --header id,name,born`)).err).not.toContain('--delimiter');
});

test('numbers and long numbers can be sealed', async () => {
  place.write('in.ndjson', '{"id":1,"name":7,"born":"1980-01-01"}\n');
  expect((await run(`$T protect in.ndjson ${KEYS}`)).err).toContain('set value: json');
  place.write('integer.yaml', POLICY.replace('scope: name', 'scope: name, value: integer'));
  place.write('in.ndjson', '{"id":1,"name":6150769120280496265,"born":"1980-01-01"}\n');
  expect((await run('$T protect in.ndjson --policy integer.yaml --keys k.json')).err).toContain('set value: json');
  place.write('json.yaml', POLICY.replace('scope: name', 'scope: name, value: json'));
  expect((await run('$T protect in.ndjson --policy json.yaml --keys k.json')).code).toBe(0);
});

test('mistakes on the command line', async () => {
  const unnamed = await run(`$T protect in.csv ${KEYS} --header ,id,name`);
  expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringMatching(/a name is empty\n.*hint: choose a name/)]);
  const file = await run('$T check --policy p.yaml in.csv');
  expect([file.code, file.err]).toEqual([2, expect.stringContaining('--input FILE')]);
  const short = await run('$T protect in.csv -p p.yaml');
  expect([short.code, short.err]).toEqual([2, expect.stringContaining('did you mean --policy?')]);
  const parquet = await run(`$T protect in.parquet ${KEYS} --out o.parquet --on-error reject --rejects r`);
  expect([parquet.code, parquet.err]).toEqual([2, expect.stringContaining('let DuckDB make Parquet of it')]);
});
