import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Issue, TrefoilError } from '../../src/errors.ts';
import { constant, drop, keep, mask, optional, policy, token } from '../../src/index.ts';
import { readCells, writeCells } from '../../src/io/tsv/cells.ts';
import { revealAccess } from '../../src/reveal.ts';
import { protectTsv, protectTsvStream, revealTsv, revealTsvStream, type TsvOptions } from '../../src/tsv.ts';
import { abc, collect, cut, errorOf, keys, people, textOf, wayBack } from './helpers.ts';

const HEADER = ['a', 'b', 'c'];

const protect = (text: string | Uint8Array, bound: object = abc, options?: TsvOptions): Promise<string> =>
  textOf(protectTsv([text], bound as never, options));

const place = ({ code, row, line, column, field }: Issue): string =>
  [code, `row ${row}`, `line ${line}`, `column ${column}`, field].filter((part) => part !== undefined).join(' ');

const issuesOf = async (text: string | Uint8Array, bound: object = abc, options?: TsvOptions): Promise<string[]> =>
  (await errorOf(protectTsv([text], bound as never, options))).issues.map(place);

// ---- the output ----

test('columns keep their order, dropped columns are left out, and null and empty stay as they are', async () => {
  const out = await protect('notes\tborn\tcity\tid\tname\nx\t1984-03-12\tUlm\t7\tAda\n\\N\t\\N\t\t\\N\t\n', people);
  expect(out).toMatch(/^born\tcity\tid\tname\n1984\tUlm\t[0-9a-z_]+\t[0-9a-z_]+\n\\N\t\t\\N\t\n$/);
});

test.each([
  ['plain', 'a\tb\tc\n1\t2\t3\n'],
  ['no last newline', 'a\tb\tc\n1\t2\t3'],
  ['carriage return and line feed', 'a\tb\tc\r\n1\t2\t3\r\n\t\t\r\n'],
  ['carriage return and line feed, not at the end', 'a\tb\tc\r\n1\t2\t3\r\n1\t2\t3'],
  ['byte order mark', '\ufeffa\tb\tc\n1\t2\t3\n'],
  ['every escape', 'a\tb\tc\n\\b\\f\\n\t\\r\\t\\v\t\\\\\n'],
  ['null, the empty text, the text \\N and the end marker as text', 'a\tb\tc\n\\N\t\t\\\\N\n\\\\.\t\\\\.\tNULL\n'],
  ['quotes', 'a\tb\tc\n"1\t"2"\t\'\n'],
  ['spaces stay', 'a\tb\tc\n 1 \t  \t\u00a0\n'],
  ['scripts', 'a\tb\tc\nZoë\tΩμέγα\t山田 👩‍👩‍👧\n'],
  ['what other readers take for a line end', 'a\tb\tc\n\u2028\t\u0085\t\u001e\n'],
  ['header only', 'a\tb\tc\n'],
  ['header only, no newline', 'a\tb\tc'],
])('byte for byte: %s', async (_, text) => {
  expect(await protect(text)).toBe(text);
  // The same as rows without a header line.
  const [, rows = ''] = /^[^\n]*\n([\s\S]+)$/.exec(text) ?? [];
  if (rows !== '') expect(await protect(rows, abc, { header: HEADER })).toBe(rows);
});

test('escapes in another spelling are written as COPY writes them', async () => {
  expect(await protect("it\\'s\t\b\f\t\v\n", abc, { header: HEADER })).toBe("it's\t\\b\\f\t\\v\n");
});

test('a name is escaped like a cell', async () => {
  const bound = policy({ 'a\tb': keep, 'c\\': drop, '\\N': keep }).bind(keys);
  expect(await protect('a\\tb\tc\\\\\t\\\\N\n1\t2\t3\n', bound)).toBe('a\\tb\t\\\\N\n1\t3\n');
});

test.each(['a\n1\n\n2\n', 'a\n\n', 'a\n\n\n', 'a\r\n\r\n', 'a\n\\N\n'])('one column, empty cells: %j', async (text) => {
  const bound = policy({ a: keep }).bind(keys);
  expect(await protect(text, bound)).toBe(text);
  expect(await protect(text, bound, { batchSize: 1 })).toBe(text);
});

test('a last line that becomes empty stays a line', async () => {
  const bound = policy({ a: constant({ value: '' }), b: drop }).bind(keys);
  expect(await protect('a\tb\n1\t2\n1\t2', bound)).toBe('a\n\n\n');
  expect(await protect('1\t2', bound, { header: ['a', 'b'] })).toBe('\n');
});

test('without a header line an empty table is a table', async () => {
  const seen: unknown[] = [];
  expect(await protect('', abc, { header: HEADER, onProgress: (progress) => seen.push(progress) })).toBe('');
  expect(seen).toEqual([{ rows: 0, rejected: 0, bytesIn: 0, bytesOut: 0 }]);
  expect((await errorOf(protectTsv([], abc))).code).toBe('empty_input');
  await expect(collect(protectTsv([], abc, { header: HEADER, signal: AbortSignal.abort() }))).rejects.toThrow('abort');
});

test('a constant is written, null and empty pass every rule, and an optional column may be missing', async () => {
  const bound = policy({
    a: constant({ value: 5 }),
    b: optional(keep),
    c: token({ scope: 'x' }),
    d: mask({ last: 1 }),
  }).bind(keys);
  expect(await protect('a\tc\td\n1\t\t\\N\n\\N\t\\N\t\n', bound)).toBe('a\tc\td\n5\t\t\\N\n5\t\\N\t\n');
});

test('integers are read, sealed, and revealed', async () => {
  const text = 'Ada\t4111 1111 1111 1111\t36\tUlm\nZoë\t\t\\N\t\\N\nBo\t\\N\t-9007199254740991\t\n';
  const header = ['name', 'pan', 'age', 'city'];
  const safe = await collect(protectTsv(text, wayBack, { header }));
  expect(safe.toString()).not.toContain('\t36\t');
  expect(await textOf(revealTsv([safe], wayBack, { header }))).toBe(text);
  for (const cell of ['07', '1.0', '+1', '-0', ' 1', '1e3', 'x', '9007199254740992']) {
    expect(await issuesOf(`A\t\t1\t\nBé👩\t\t${cell}\t\n`, wayBack, { header, batchSize: 7 })).toEqual([
      'not_an_integer row 2 line 2 column 7 age',
    ]);
  }
});

const cell = fc.oneof(
  fc.constant(null),
  fc.string({ unit: fc.constantFrom('a', 'é', '👩', ' ', '\t', '\n', '\r', '\\', 'N', '\v', '"'), maxLength: 5 }),
);

test('property: any table is revealed byte for byte, whatever the chunks and batches', async () => {
  const header = ['name', 'pan', 'age', 'city'];
  const pan = fc.constantFrom(null, '', '4111 1111 1111 1111', '378282246310005');
  const rows = fc.array(fc.tuple(cell, pan, fc.oneof(fc.constant(null), fc.integer().map(String)), cell), {
    maxLength: 8,
  });
  const spelling = fc.record({ newline: fc.constantFrom('\n', '\r\n'), last: fc.boolean(), named: fc.boolean() });
  const cuts = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      rows,
      spelling,
      cuts,
      fc.integer({ min: 1, max: 9 }),
      async (table, { newline, last, named }, lengths, batchSize) => {
        const lines = [...(named ? [header] : []), ...table].map(writeCells);
        if (lines.length === 0) return;
        const text = lines.join(newline) + (last ? newline : '');
        const options = { batchSize, ...(named ? {} : { header }) };
        const safe = await collect(protectTsv(cut(Buffer.from(text), lengths), wayBack, options));
        expect(safe.equals(await collect(protectTsv(text, wayBack, named ? {} : { header })))).toBe(true);
        // Every cell stays null, empty or full.
        const kinds = (bytes: string): (string | undefined)[][] =>
          bytes
            .split(newline)
            .filter((_, i, all) => i < all.length - 1 || !last)
            .map((line) => (readCells(line) as (string | null)[]).map((one) => (one === null ? '0' : one && '1')));
        expect(kinds(safe.toString())).toEqual(kinds(text));
        expect(await textOf(revealTsv(cut(safe, lengths), wayBack, options))).toBe(text);
      },
    ),
    { numRuns: 300 },
  );
});

// ---- what is refused ----

describe('refused and rejectable, with line and column', () => {
  test.each<[string, string, string]>([
    ['one cell too few', 'a\tb\tc\n1\t2\t3\n1\t2\n', 'ragged_row row 2 line 3 column 4'],
    ['one cell too many', 'a\tb\tc\n1\t2\t3\t4\n', 'ragged_row row 1 line 2 column 7'],
    ['a blank line', 'a\tb\tc\n1\t2\t3\n\n1\t2\t3\n', 'ragged_row row 2 line 3 column 1'],
    ['a blank line of Windows', 'a\tb\tc\r\n\r\n1\t2\t3\r\n', 'ragged_row row 1 line 2 column 1'],
    ['cut', 'a\tb\tc\n1\t2\t3\n1\t', 'ragged_row row 2 line 3 column 3'],
    ['a path of Windows', 'a\tb\tc\n1\tC:\\docs\t3\n', 'bad_escape row 1 line 2 column 5'],
    ['octal', 'a\tb\tc\n1\t2\t\\063\n', 'bad_escape row 1 line 2 column 5'],
    ['the end marker', 'a\tb\tc\n1\t2\t3\n\\.\n', 'bad_escape row 2 line 3 column 1'],
    ['a tab after a backslash', 'a\tb\tc\n1\\\t2\t3\n', 'bad_escape row 1 line 2 column 2'],
    ['a line feed after a backslash', 'a\tb\tc\n1\t2\t3\\\n4\n', 'bad_escape row 1 line 2 column 6'],
    ['a carriage return in a cell', 'a\tb\tc\n1\r\t2\t3\n', 'bad_escape row 1 line 2 column 2'],
    ['a line of Windows in a file that is not', 'a\tb\tc\n1\t2\t3\r\n', 'bad_escape row 1 line 2 column 6'],
    ['the other way round', 'a\tb\tc\r\n1\t2\t3\n4\t5\t6\r\n', 'bad_escape row 1 line 2 column 6'],
    ['half an end of line at the end', 'a\tb\tc\r\n1\t2\t3\r', 'bad_escape row 1 line 2 column 6'],
    ['a long record', `a\tb\tc\n1\t${'x'.repeat(1000)}\t3\n`, 'record_too_large row 1 line 2 column 1'],
  ])('%s', async (_, text, expected) => {
    const options = { maxRecord: 500 };
    const issues = await issuesOf(text, abc, options);
    expect(issues[0]).toBe(expected);
    // Only the record itself is left out.
    const taken: string[] = [];
    const good = await protect(`${text}${/\n$/.test(text) ? '' : '\n'}`, abc, {
      ...options,
      onReject: (issue) => taken.push(place(issue)),
    });
    if (!expected.includes('column 6') || !text.endsWith('\r')) expect(taken[0]).toBe(expected);
    expect(
      good
        .split('\n')
        .slice(0, -1)
        .every((line) => line.split('\t').length === 3),
    ).toBe(true);
  });

  test('an issue of a rule has the column of its cell', async () => {
    const text = 'x\tcafé 👩\t1\n"\t\\\\\t4111 1111 1111 1112\n';
    const bound = policy({ a: keep, b: keep, c: keep, pan: drop }).bind(keys);
    expect(await protect(text.replaceAll('\n', '\t\n'), bound, { header: [...HEADER, 'pan'] })).toBe(text);
    const issues = await issuesOf('\t\t\t\nAda\t\\N\\\t\t\nZ\\\\\tno card\t\\N\tUlm\n', wayBack, {
      header: ['name', 'pan', 'age', 'city'],
    });
    expect(issues).toEqual(['bad_escape row 2 line 2 column 5', 'outside_format row 3 line 3 column 5 pan']);
  });
});

test.each<[string, string | Uint8Array, string]>([
  ['a first line that is a row', '1\t2\t3\n4\t5\t6\n', 'header_missing'],
  ['a null in the header', 'a\tb\t\\N\n', 'header_missing'],
  ['an escape in the header', 'a\tb\t\\c\n', 'bad_escape'],
  ['a name twice', 'a\tb\tb\n', 'header_duplicate'],
  ['a name that the policy has not', 'a\tb\tc\td\n', 'unnamed_field'],
  ['a name that is not there', 'a\tb\n', 'missing_field'],
  ['a header of commas', 'a,b,c\n1,2,3\n', 'header_missing'],
  ['a header that never ends', 'a\tb\tc'.padEnd(3000, 'x'), 'record_too_large'],
  ['UTF-16', new Uint8Array([0xff, 0xfe, 0x61, 0x00, 0x09, 0x00]), 'not_utf8'],
  ['Latin-1 in the header', new Uint8Array([0x61, 0x09, 0x62, 0x09, 0xe9, 0x0a, 0x31, 0x09, 0x09, 0x0a]), 'not_utf8'],
  ['NUL', 'a\tb\tc\n1\t\0\t3\n', 'nul_byte'],
])('refused whatever onReject says: %s', async (_, text, code) => {
  const taken: Issue[] = [];
  const options = { maxRecord: 2000, onReject: (issue: Issue) => taken.push(issue) };
  const error = await errorOf(protectTsv([text], abc, options));
  expect(error.code).toBe(code);
  expect(error.issues[0]!.line).toBeGreaterThan(0);
  expect(taken).toEqual([]);
});

test('names in the option header are compared with the policy before anything is read', () => {
  const read: string[] = [];
  function* source(): Generator<string> {
    read.push('read');
    yield '1\t2\n';
  }
  const start = (header: string[]): Promise<TrefoilError> => errorOf(protectTsv(source(), abc, { header }));
  return Promise.all([
    expect(start(['a', 'b'])).resolves.toMatchObject({ code: 'missing_field' }),
    expect(start(['a', 'b', 'c', 'd'])).resolves.toMatchObject({ code: 'unnamed_field' }),
    expect(start(['a', 'b', 'c', 'c'])).resolves.toMatchObject({ code: 'header_duplicate' }),
  ]).then(() => expect(read).toEqual([]));
});

test('wrong arguments', () => {
  for (const header of ['a', {}, 7] as never[]) expect(() => protectTsv('', abc, { header })).toThrow(TypeError);
  for (const header of [[], [1], ['\ud800']] as never[]) {
    expect(() => protectTsv('', abc, { header })).toThrow(RangeError);
  }
  expect(() => protectTsv('', abc, { delimiter: ';' } as never)).toThrow(TypeError);
  expect(() => protectTsv('', {} as never)).toThrow(TypeError);
  expect(() => protectTsvStream(policy({ 'a.b': keep, a: { b: keep } }).bind(keys))).toThrow(TrefoilError);
});

test('both streams go through pipelines; a preview shows null as null', async () => {
  const seen: object[] = [];
  const chunks: Uint8Array[] = [];
  await pipeline(
    Readable.from([Buffer.from('a\tb\tc\n1\t\\N\t\\\\\n')]),
    protectTsvStream(abc, { onSample: (before, after) => seen.push(before, after) }) as never,
    revealTsvStream(policy({ a: keep, b: keep, c: keep }).bind(keys, revealAccess)) as never,
    (async (source: AsyncIterable<Uint8Array>) => {
      for await (const chunk of source) chunks.push(chunk);
    }) as never,
  );
  expect(Buffer.concat(chunks).toString()).toBe('a\tb\tc\n1\t\\N\t\\\\\n');
  expect(seen).toEqual([
    { a: '1', b: null, c: '\\' },
    { a: '1', b: null, c: '\\' },
  ]);
});
