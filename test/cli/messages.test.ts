/** Messages about many rows, and about input of another kind: one line for each field, exact numbers, no value. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectVoice, makePlace, type Place } from './harness.ts';

let place: Place;
const KEYS = ['--policy', 'p.yaml', '--keys', 'keys.json'];
const DATE =
  'expected a date such as 2024-03-31, or a date followed by a time; if all dates have another form, name it in read';
const VALUES = ['31.03', 'Ada'];

/** Records, some with a date that is wrong. */
const records = (count: number, isWrong: (row: number) => boolean): string =>
  Array.from({ length: count }, (_, i) => {
    const born = isWrong(i + 1) ? '31.03.2024' : '2024-03-31';
    return `${JSON.stringify({ id: i, GEBDAT: born, tags: [] })}\n`;
  }).join('');

beforeAll(async () => {
  place = makePlace();
  await place.run(['keys', 'new', '--out', 'keys.json']);
  place.write(
    'p.yaml',
    `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person }
  GEBDAT: { rule: coarsen, date: year }
  tags[].born: { rule: coarsen, date: year }
`,
  );
  place.write(
    'v.yaml',
    `trefoil: 1
domain: eu-enclave
fields:
  id: { rule: token, scope: person }
  name: { rule: vault, scope: person.name, store: people, subject: id }
  GEBDAT: { rule: coarsen, date: year }
`,
  );
});

afterAll(() => place.remove());

describe('many rows with one problem have one line', () => {
  const errorOf = async (content: string, more: readonly string[] = []): Promise<string> => {
    place.write('in.ndjson', content);
    const ended = await place.run(['protect', 'in.ndjson', ...KEYS, '--out', 'out.ndjson', ...more]);
    expect(ended.code).toBe(1);
    expectVoice(ended, VALUES);
    return ended.err;
  };

  test('all rows of an input that was read to its end', async () => {
    const err = await errorOf(records(100, () => true));
    expect(err).toBe(`trefoil: error: field GEBDAT in 100 of 100 rows, first in row 1, line 1: ${DATE}\n`);
  });

  test.each([['1'], ['2']])('some of the first rows of a longer one, with %s workers', async (workers) => {
    // A batch has 1,024 rows at most, and the first chunk of a file has 64 KiB.
    const err = await errorOf(
      records(3000, (row) => row > 1000 && row % 2 === 0),
      ['--workers', workers],
    );
    expect(err).toBe(
      `trefoil: error: field GEBDAT in 12 of the first 1,024 rows, first in row 1002, line 1002: ${DATE}\n`,
    );
  });

  test('three of a field or fewer have a line each', async () => {
    const err = await errorOf(records(10, (row) => row % 3 === 0));
    expect(err).toBe(
      `trefoil: error: 3 problems\n${[3, 6, 9].map((row) => `  row ${row}, line ${row}, field GEBDAT: ${DATE}\n`).join('')}`,
    );
  });

  test('more than a hundred, and several fields', async () => {
    const line = (row: number) => `${JSON.stringify({ id: {}, GEBDAT: row === 200 ? 'x' : '31.03.2024', tags: [] })}\n`;
    const err = await errorOf(Array.from({ length: 200 }, (_, i) => line(i + 1)).join(''));
    expect(err.split('\n')).toEqual([
      'trefoil: error: 400 problems',
      expect.stringMatching(/^ {2}field id in 200 of 200 rows, first in row 1, line 1: /),
      `  field GEBDAT in 200 of 200 rows, first in row 1, line 1: ${DATE}`,
      '',
    ]);
  });

  test('elements of arrays: the rows, how many times, the first element, and how they are counted', async () => {
    const tags = [{ born: '2024-03-31' }, { born: '31.03.2024' }, { born: '31.03.2024' }];
    const err = await errorOf(`${JSON.stringify({ id: 1, GEBDAT: '2024-03-31', tags })}\n`.repeat(5));
    expect(err).toBe(
      `trefoil: error: field tags[].born in 5 of 5 rows (10 times), first in row 1, line 1, field tags[1].born: ${DATE}\n` +
        'trefoil: hint: elements of arrays count from 0, as in jq and JavaScript\n',
    );
  });

  test('CSV, in check, --dry-run and protect', async () => {
    place.write('flat.yaml', 'trefoil: 1\ndomain: eu\nfields: { GEBDAT: { rule: coarsen, date: year } }\n');
    place.write('in.csv', `GEBDAT\n${'31.03.2024\n'.repeat(250)}`);
    const line = (of: string) => `trefoil: error: field GEBDAT in ${of} rows, first in row 1, line 2: ${DATE}\n`;
    const check = await place.run(['check', '--policy', 'flat.yaml', '--input', 'in.csv']);
    expect(check).toEqual({ code: 1, out: '', err: line('100 of the first 100') });
    const dry = await place.run(['protect', 'in.csv', '--policy', 'flat.yaml', '--dry-run']);
    expect(dry).toEqual({ code: 1, out: '', err: line('5 of the first 5') });
    const run = await place.run(['protect', 'in.csv', '--policy', 'flat.yaml', '--out', 'out.csv']);
    expect(run).toEqual({ code: 1, out: '', err: line('250 of 250') });
    const json = await place.run(['check', '--policy', 'flat.yaml', '--input', 'in.csv', '--json']);
    expect(JSON.parse(json.out).issues).toHaveLength(100);
  });
});

describe('one field with several causes', () => {
  test('has a line for each cause', async () => {
    place.write('flat.yaml', 'trefoil: 1\ndomain: eu\nfields: { d: { rule: coarsen, date: year }, n: keep }\n');
    const rows = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0 ? 'spring,1' : i % 3 === 1 ? '2024-02-31,1' : '1984,1,1',
    );
    place.write('in.csv', `d,n\n${rows.join('\n')}\n`);
    const ended = await place.run(['check', '--policy', 'flat.yaml', '--input', 'in.csv']);
    expect(ended.code).toBe(1);
    expect(ended.err.split('\n')).toEqual([
      'trefoil: error: 60 problems',
      `  field d in 20 of 60 rows, first in row 1, line 2: ${DATE}`,
      '  field d in 20 of 60 rows, first in row 2, line 3: the calendar has no such date',
      '  in 20 of 60 rows, first in row 3, line 4, column 1: expected 2 cells as in the header, got 3',
      '',
    ]);
  });
});

describe('rejects', () => {
  test('are counted by field, code and message, on standard error and in the summary', async () => {
    place.write(
      'a.ndjson',
      records(3000, (row) => row % 3 === 0),
    );
    place.write('b.ndjson', `${records(10, (row) => row === 10)}{"id":1\n`);
    const files = ['--on-error', 'reject', '--rejects', 'r.ndjson', '--summary', 's.json', '--force'];
    for (const workers of ['1', '2']) {
      const args = ['protect', 'a.ndjson', 'b.ndjson', ...KEYS, '--out', 'out.ndjson', '--workers', workers, ...files];
      const ended = await place.run(args);
      expect(ended.code).toBe(9);
      expectVoice(ended, VALUES);
      expect(ended.err.split('\n').slice(-4)).toEqual([
        'trefoil: warning: 1,002 rows rejected and left out; r.ndjson contains them, sealed',
        `  field GEBDAT in 1,001 of 3,011 rows, first in a.ndjson: row 3, line 3: ${DATE}`,
        '  in 1 of 3,011 rows, first in b.ndjson: row 11, line 11, column 8: the line is not valid JSON',
        '',
      ]);
      expect(JSON.parse(place.read('s.json'))).toMatchObject({
        rowsRejected: 1002,
        issues: [
          {
            field: 'GEBDAT',
            code: 'not_a_date',
            message: DATE,
            rows: 1001,
            issues: 1001,
            first: { file: 'a.ndjson', row: 3, line: 3 },
          },
          { code: 'invalid_json', rows: 1, issues: 1, first: { file: 'b.ndjson', row: 11, line: 11 } },
        ],
      });
    }
  });
});

describe('JSON that is one document', () => {
  const array = "the input is one JSON array, and not one object a line; make lines of it: jq -c '.[]' FILE";
  const lines = 'the input is JSON over several lines, and not one object a line; make lines of it: jq -c . FILE';
  const record = { id: 1, GEBDAT: '2024-03-31', tags: [] };
  test.each([
    ['an array on one line', JSON.stringify([record, record]), array],
    ['an array over several lines', JSON.stringify([record, record], null, 2), array],
    ['an array that begins with a record', `[${JSON.stringify(record)},\n${JSON.stringify(record)}]\n`, array],
    ['an array after a byte order mark', `\ufeff[\n{}\n]\n`, array],
    ['an object over several lines', JSON.stringify(record, null, 2), lines],
    ['an object with a name on its first line', '{ "id": 1,\r\n  "tags": [] }\r\n', lines],
  ])('%s', async (_, content, message) => {
    place.write('doc.ndjson', content);
    const ended = await place.run(['protect', 'doc.ndjson', ...KEYS, '--out', 'never.ndjson']);
    expect(ended.code).toBe(1);
    expect(ended.err).toContain(message);
    expect(ended.err).toContain('row 1, line 1, column');
    expectVoice(ended, VALUES);
  });

  // A line is answered before the next one is read.
  const cut =
    'the line ends inside a JSON object; if the object continues on the next line, make one line of it: jq -c . FILE';
  const applied = (input: string, ...more: string[]) => place.run(['apply', '--ndjson', ...KEYS, ...more], input);

  test.each([
    ['an array on one line', JSON.stringify([record, record]), array],
    ['an array over several lines', JSON.stringify([record, record], null, 2), array],
    ['an array that is longer than a line may be', `[${'{},'.repeat(500)}{}]\n`, array],
    ['an object over several lines', JSON.stringify(record, null, 2), cut],
  ])('%s, in apply', async (_, content, message) => {
    for (const end of ['', '\n']) {
      const ended = await applied(content + end, '--max-record', '1000');
      expect(ended).toMatchObject({ code: 1, out: '' });
      expect(ended.err).toMatch(/^trefoil: error: line 1/);
      expect(ended.err).toContain(message);
      expectVoice(ended, VALUES);
      const inline = await applied(content + end, '--max-record', '1000', '--errors-inline');
      expect(inline.code).toBe(0);
      expect(JSON.parse(inline.out.split('\n')[0]!).issues[0].message).toContain(message);
      expect(inline.out.split(message)).toHaveLength(2);
    }
  });

  test('a line of apply that has another mistake, or that is not the first, is only not valid JSON', async () => {
    for (const input of [
      '{"id":x',
      '{"id":1,}\n',
      `${JSON.stringify(record)}\n[\n`,
      `${JSON.stringify(record)}\n{\n`,
    ]) {
      const { err } = await applied(input);
      expect(err).toMatch(/not valid JSON/);
      expect(err).not.toContain('jq');
    }
    // A cell of TSV may begin with a bracket.
    const tsv = await place.run(['apply', '--tsv', ...KEYS, '--max-record', '10'], `[${'x'.repeat(20)}\n`);
    expect(tsv.err).toContain('longer than 10 bytes');
    expect(tsv.err).not.toContain('jq');
  });

  test('that is longer than a record may be', async () => {
    place.write('doc.ndjson', JSON.stringify(Array.from({ length: 100 }, () => record)));
    const ended = await place.run(['protect', 'doc.ndjson', ...KEYS, '--out', 'never.ndjson', '--max-record', '1000']);
    expect(ended.err).toContain(`the record is longer than 1000 bytes; ${array}`);
  });

  test.each([
    ['a line that is cut, alone', '{"id":1,\n', 'column 9: the line is not valid JSON'],
    ['a line that is wrong', '{"id":1,}\n{}\n', 'column 9: the line is not valid JSON'],
    ['an array later on', `${JSON.stringify(record)}\n[]\n`, 'expected a JSON object, got array'],
  ])('not: %s', async (_, content, message) => {
    place.write('doc.ndjson', content);
    const ended = await place.run(['protect', 'doc.ndjson', ...KEYS, '--out', 'never.ndjson']);
    expect(ended.err).toContain(message);
  });
});

describe('a policy with a vault, without its store', () => {
  const rows = 'id,name,GEBDAT\n1,Ada,2024-03-31\n1,Ada,2024-04-01\n';
  /** The bytes of a store, without two numbers in which SQLite counts how often the file was opened for writing. */
  const bytesOf = (file: string): string => {
    const bytes = readFileSync(place.path(file));
    return bytes.fill(0, 24, 28).fill(0, 92, 96).toString('latin1');
  };

  test('check --input protects into memory', async () => {
    place.write('v.csv', rows);
    const before = place.files();
    const ended = await place.run(['check', '--policy', 'v.yaml', '--input', 'v.csv']);
    expect(ended).toEqual({ code: 0, out: '', err: 'trefoil: v.yaml: no problems, 2 rows tried\n' });
    const keyed = await place.run(['check', '--policy', 'v.yaml', '--keys', 'keys.json', '--input', 'v.csv', '--json']);
    expect(keyed).toEqual({ code: 0, out: '{\n  "ok": true,\n  "issues": []\n}\n', err: '' });
    expect(place.files()).toEqual(before);
  });

  test('check --input reports what the vault and the other rules refuse', async () => {
    place.write('v.csv', `${rows}3,Ada,31.03.2024\n,Ada,2024-03-31\n`);
    const ended = await place.run(['check', '--policy', 'v.yaml', '--input', 'v.csv', '--json']);
    expect(ended.code).toBe(1);
    const { issues } = JSON.parse(ended.out);
    expect(issues.map(({ code, row, field }: Record<string, unknown>) => `${row} ${field} ${code}`)).toEqual([
      '3 GEBDAT not_a_date',
      '4 name missing_subject',
    ]);
  });

  test('check --input of Parquet is refused, as protect refuses it', async () => {
    const ended = await place.run(['check', '--policy', 'v.yaml', '--input', 'v.parquet']);
    expect(ended.code).toBe(2);
    expect(ended.err).toContain('the DuckDB engine cannot be combined with a vault');
  });

  test('protect --dry-run shows examples, and neither makes nor changes a store', async () => {
    place.write('v.csv', rows);
    const before = place.files();
    const args = ['protect', '--policy', 'v.yaml', '--keys', 'keys.json', '--dry-run'];
    const made = await place.run([...args, 'v.csv', '--vault', 'people.db']);
    expect(made.err).toBe('trefoil: dry run: the vault is not opened, and tokens of its rules are examples\n');
    expect(made.code).toBe(0);
    const tokens = [...made.out.matchAll(/^ {2}name +Ada +(\S+) +vault$/gm)].map(([, token]) => token);
    expect(tokens).toHaveLength(2);
    expect(tokens[0]).toBe(tokens[1]);
    const piped = await place.run([...args, '-', '--format', 'csv'], rows);
    expect(piped.out.match(/^row /gm)).toHaveLength(2);
    expect(place.files()).toEqual(before);
  });

  test('reveal --dry-run reads the store and does not change it', async () => {
    place.write('v.csv', rows);
    const keys = ['--policy', 'v.yaml', '--keys', 'keys.json', '--vault', 'people.db'];
    expect((await place.run(['protect', 'v.csv', ...keys, '--out', 'v.safe.csv'])).code).toBe(0);
    const [files, store] = [place.files(), bytesOf('people.db')];
    const shown = await place.run(['reveal', 'v.safe.csv', ...keys, '--dry-run']);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/^ {2}name +\S+ +Ada +vault$/m);
    expect(place.files()).toEqual(files);
    expect(bytesOf('people.db') === store).toBe(true);
  });
});
