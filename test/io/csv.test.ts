import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsvOptions, protectCsv, revealCsv } from '../../src/csv.ts';
import { type Issue, TrefoilError } from '../../src/errors.ts';
import { card } from '../../src/format.ts';
import { coarsen, constant, drop, fpe, keep, optional, policy, seal, token } from '../../src/index.ts';
import { trim } from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import { abc, brief, collect, cut, errorOf, keys, people, textOf, wayBack } from './helpers.ts';

const protect = (text: string | Uint8Array, bound: object, options?: CsvOptions): Promise<string> =>
  textOf(protectCsv([text], bound as never, options));

const issuesOf = async (text: string | Uint8Array, bound: object, options?: CsvOptions): Promise<string[]> =>
  (await errorOf(protectCsv([text], bound as never, options))).issues.map(brief);

// ---- the output ----

test('columns keep their order, and dropped columns are left out', async () => {
  const out = await protect('notes,born,city,id,name\nx,1984-03-12,Ulm,7,Ada\n', people);
  expect(out).toMatch(/^born,city,id,name\n1984,Ulm,[0-9a-z_]+,[0-9a-z_]+\n$/);
});

test.each([
  ['plain', 'a,b,c\n1,2,3\n', 'minimal'],
  ['no last newline', 'a,b,c\n1,2,3', 'minimal'],
  ['carriage return and line feed', 'a,b,c\r\n1,2,3\r\n', 'minimal'],
  ['carriage return', 'a,b,c\r1,2,3\r', 'minimal'],
  ['carriage return, no last newline', 'a,b,c\r1,2,3', 'minimal'],
  ['byte order mark', '\ufeffa,b,c\r\n1,2,3\r\n', 'minimal'],
  ['byte order mark and quotes', '\ufeff"a","b","c"\n"1","","3"', 'all'],
  ['all quoted', '"a","b","c"\r\n"1","","x ""y"""\r\n', 'all'],
  ['what must be quoted', 'a,b,c\n"1,5","line\nbreak","say ""hi"""\n', 'minimal'],
  ['line feed in a file of carriage returns', 'a,b,c\r\n"1\n2","3\r4",5\r\n', 'minimal'],
  ['line feed, quoted, before the first line end', '"a","b","c"\r\n"1\n2","3\r4","5"\r\n', 'all'],
  ['spaces stay', 'a,b,c\n 1 ,  ,\t3\n', 'minimal'],
  ['scripts', 'a,b,c\nZoë,Ωμέγα,山田 👩‍👩‍👧\n', 'minimal'],
  ['header only', 'a,b,c\n', 'minimal'],
  ['header only, no newline', 'a,b,c', 'minimal'],
  ['empty cells', 'a,b,c\n,,\n', 'minimal'],
  ['what a spreadsheet would run', 'a,b,c\n=1+1,+2,-3@x\n', 'minimal'],
  ['what looks like a number', 'a,b,c\n007,1e5,-0.0\n', 'minimal'],
] as const)('byte for byte: %s', async (_, text, quoting) => {
  expect(await protect(text, abc, { quoting })).toBe(text);
});

test.each(['a\n1\n\n2\n', 'a\n\n', 'a\n\n\n', 'a\r\n\r\n', 'a\n""'])('one column, empty cells: %j', async (text) => {
  const bound = policy({ a: keep }).bind(keys);
  expect(await protect(text, bound)).toBe(text);
  expect(await protect(text, bound, { batchSize: 1 })).toBe(text);
});

test('mixed newlines all end a row, and are written as the first one', async () => {
  expect(await protect('a,b,c\r\n1,2,3\n4,5,6\r7,8,9\r\n', abc)).toBe('a,b,c\r\n1,2,3\r\n4,5,6\r\n7,8,9\r\n');
});

test('another delimiter', async () => {
  expect(await protect('a;b;c\n1,5;"2;5";3\n', abc, { delimiter: ';' })).toBe('a;b;c\n1,5;"2;5";3\n');
  expect(await protect('a\tb\tc\n1\t2\t3\n', abc, { delimiter: '\t' })).toBe('a\tb\tc\n1\t2\t3\n');
  for (const delimiter of ['', ',,', '"', '\n', '\r', 'é', '\0']) {
    expect(() => protectCsv('', abc, { delimiter })).toThrow(RangeError);
  }
});

test('a constant is written, a missing value is empty, and an optional column may be missing', async () => {
  const bound = policy({ a: constant({ value: 5 }), b: optional(keep), c: token({ scope: 'x' }) }).bind(keys);
  expect(await protect('a,c\n1,\n', bound)).toBe('a,c\n5,\n');
});

test('integers are read, sealed, and revealed', async () => {
  const text = 'name,pan,age,city\nAda,4111 1111 1111 1111,36,Ulm\nZoë,,,\nBo,,-9007199254740991,\n';
  const safe = await collect(protectCsv(text, wayBack));
  expect(safe.toString()).not.toContain(',36,');
  expect(await textOf(revealCsv([safe], wayBack))).toBe(text);
  for (const cell of ['07', '1.0', '+1', '-0', ' 1', '1e3', 'x', '9007199254740992', '0x10', '١']) {
    const options = { batchSize: 7 };
    expect(await issuesOf(`name,pan,age,city\nA,,1,\nB,,${cell},\n`, wayBack, options)).toEqual([
      'not_an_integer row 2 line 3 age',
    ]);
  }
});

const cells = fc.string({
  unit: fc.constantFrom('a', 'é', '👩', ' ', ',', '"', '""', '\n', '\r', '\r\n', '=', ';'),
  maxLength: 6,
});
const file = fc.record({
  rows: fc.array(fc.tuple(cells, fc.constantFrom('', '4111 1111 1111 1111', '378282246310005'), fc.integer(), cells), {
    maxLength: 8,
  }),
  newline: fc.constantFrom('\n', '\r\n', '\r'),
  all: fc.boolean(),
  mark: fc.boolean(),
  last: fc.boolean(),
});

type FileShape = typeof file extends fc.Arbitrary<infer T> ? T : never;

test('property: any file that is quoted in one way is revealed byte for byte, whatever the chunks and batches', async () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 });
  const run = async ({ rows, newline, all, mark, last }: FileShape, lengths: number[], batchSize: number) => {
    const quote = (cell: unknown): string =>
      all || /[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell);
    const lines = [['name', 'pan', 'age', 'city'], ...rows].map((row: unknown[]) => row.map(quote).join(','));
    const bytes = Buffer.from((mark ? '\ufeff' : '') + lines.join(newline) + (last ? newline : ''));
    const quoting = all ? 'all' : 'minimal';
    const safe = await collect(protectCsv(cut(bytes, lengths), wayBack, { quoting, batchSize }));
    expect(safe.equals(await collect(protectCsv([bytes], wayBack, { quoting })))).toBe(true);
    const back = await collect(revealCsv(cut(safe, lengths), wayBack, { quoting, batchSize }));
    expect(back.toString()).toBe(bytes.toString());
  };
  await fc.assert(fc.asyncProperty(file, cuts, fc.integer({ min: 1, max: 3 }), run), { numRuns: 300 });
});

test('property: batches do not change what is read, whatever the text', async () => {
  const pieces = fc.constantFrom('a', ',', '"', '""', '\n', '\r', '\r\n', '1,2,3\n', '"x\ny",', ' ');
  const read = async (text: string, batchSize: number): Promise<unknown> => {
    const rejects: string[] = [];
    try {
      const out = await protect(`a,b,c\n${text}`, abc, { batchSize, onReject: (issue) => rejects.push(brief(issue)) });
      return [out, rejects];
    } catch (error) {
      return (error as TrefoilError).issues.map(brief);
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 20 }), async (parts) => {
      const text = parts.join('');
      expect(await read(text, 1)).toEqual(await read(text, 1000));
    }),
    { numRuns: 1000 },
  );
});

// ---- the header ----

test('everything that is wrong with a header is reported at once', async () => {
  const error = await errorOf(protectCsv('id,secret,id,name,other,secret\n', people));
  expect(error.issues.map(brief)).toEqual([
    'unnamed_field line 1',
    'header_duplicate line 1 id',
    'unnamed_field line 1',
    'header_duplicate line 1',
    'missing_field line 1 born',
    'missing_field line 1 notes',
  ]);
  expect(error.message).toContain('column 2, "secret", is not named in the policy');
});

test('a file without a header', async () => {
  const error = await errorOf(protectCsv('7,Ada Lovelace,1815-12-10,x\n', people));
  expect(error.issues.map(brief)).toEqual(['header_missing line 1']);
  expect(error.message).not.toContain('Ada');
  expect(await issuesOf('\n', people)).toEqual(['header_missing line 1']);
});

test('unnamed: drop leaves columns out, and the header must still have the others', async () => {
  const bound = policy({ a: keep, b: keep }, { unnamed: 'drop' }).bind(keys);
  expect(await protect('x,a,y,b\n1,2,3,4\n', bound)).toBe('a,b\n2,4\n');
  expect(await issuesOf('x,a\n1,2\n', bound)).toEqual(['missing_field line 1 b']);
});

test('a dropped column is not expected when a file is revealed', async () => {
  const safe = await protect('id,name,born,notes\n7,Ada,1815-12-10,x\n', people);
  expect(await textOf(revealCsv(safe, people))).toMatch(/^id,name,born\n[^,]+,Ada,1815\n$/);
  const error = await errorOf(revealCsv('id,name,born,notes\n', people));
  expect(error.issues.map(brief)).toEqual(['unnamed_field line 1']);
});

test('a policy whose records do not fit into a table', async () => {
  const twice = policy({ 'u.a': keep, u: { a: keep } }).bind(keys);
  expect((await errorOf(protectCsv('a\n', twice))).code).toBe('not_tabular');
  const nested = policy({ u: { a: keep, b: drop } }).bind(keys);
  expect(await protect('u.a,u.b\n1,2\n', nested)).toBe('u.a\n1\n');
});

// ---- rows ----

test('ragged rows, a blank line, a trailing blank line', async () => {
  const error = await errorOf(protectCsv('a,b,c\n1,2\n1,"\n\n",3\n\n1,2,3,4\n1,2,3\n\n', abc));
  expect(error.issues.map(brief)).toEqual(
    ['row 1 line 2', 'row 3 line 6', 'row 4 line 7', 'row 6 line 9'].map((at) => `ragged_row ${at}`),
  );
  expect(error.issues[0]).toMatchObject({ expected: 3, actual: 2 });
  expect(error.issues[1]!.message).toBe('the line is blank; expected 3 cells');
});

test.each([
  ['unclosed quote', 'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n', 'unclosed_quote row 2 line 3'],
  ['unclosed quote in the header', '"a,b,c\n1,2,3\n', 'unclosed_quote line 1'],
  ['stray quote in the header', 'a,b"x,c\n1,2,3\n', 'stray_quote line 1'],
  ['text behind a quote', 'a,b,c\n1,"2" ,3\n', 'stray_quote row 1 line 2'],
  ['NUL', 'a,b,c\n"\n1",2,3\n4,\0,6\n', 'nul_byte line 4'],
  ['long record', `a,b,c\n1,2,3\n4,${'x'.repeat(99)},5\n6,7,8\n`, 'record_too_large row 2 line 3'],
  ['long header', `a,b,${'c'.repeat(99)}\n`, 'record_too_large line 1'],
  ['long because never closed', `a,b,c\n1,"2,3\n${'4,5,6\n'.repeat(30)}`, 'record_too_large row 1 line 2'],
  ['long because of a quote', `a,b,c\n1,"2\n${'4,5,6\n'.repeat(30)}3" x\n`, 'record_too_large row 1 line 2'],
  ['empty', '', 'empty_input line 1'],
  ['only a byte order mark', '\ufeff', 'empty_input line 1'],
])('%s ends the run, with onReject too', async (_, text, expected) => {
  const options = { maxRecord: 99 };
  expect(await issuesOf(text, abc, options)).toEqual([expected]);
  expect(await issuesOf(text, abc, { ...options, onReject: () => {} })).toEqual([expected]);
  const bytes = [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));
  expect((await errorOf(protectCsv(bytes, abc, options))).issues.map(brief)).toEqual([expected]);
});

test.each([
  ['Latin-1', Buffer.from('a,b,c\r\n"x\r\ny",2,3\r\nZo\xeb,5,6\r\n', 'latin1'), 'not_utf8 line 4'],
  ['cut character at the end', Buffer.from('a,b,c\n1,2,é').subarray(0, -1), 'not_utf8 line 2'],
  ['encoded surrogate', Buffer.from('a,b,c\n1,2,\xed\xa0\x80\n', 'latin1'), 'not_utf8 line 2'],
  ['UTF-16', Buffer.from('\ufeffa,b,c\n', 'utf16le'), 'not_utf8 line 1'],
  ['UTF-16 without mark', Buffer.from('a,b,c\n', 'utf16le'), 'nul_byte line 1'],
])('not UTF-8: %s', async (_, bytes, expected) => {
  expect(await issuesOf(bytes, abc)).toEqual([expected]);
});

test('a record of exactly the limit passes', async () => {
  const row = `1,2,${'é'.repeat(48)}`;
  expect(Buffer.byteLength(row)).toBe(100);
  expect(await protect(`a,b,c\r\n${row}\r\n`, abc, { maxRecord: 100 })).toContain(row);
  expect(await issuesOf(`a,b,c\r\n${row}\r\n`, abc, { maxRecord: 99 })).toEqual(['record_too_large row 1 line 2']);
});

test('with onReject the row is left out, and the run continues', async () => {
  const rejects: Issue[] = [];
  let last = {};
  const out = await protect('id,name,born,notes\n1,Ada,1815-12-10\n2,Bo,x,y\n3,Cy,1900-01-01,z\n4,Di,x,z', people, {
    onReject: (issue) => rejects.push(issue),
    onProgress: (progress) => {
      last = progress;
    },
    batchSize: 2,
  });
  expect(rejects.map(brief)).toEqual([
    'ragged_row row 1 line 2',
    'not_a_date row 2 line 3 born',
    'not_a_date row 4 line 5 born',
  ]);
  // The last record is left out, and with it the missing line end.
  expect(out.split('\n').map((line) => line.split(',').length)).toEqual([3, 3, 1]);
  expect(last).toMatchObject({ rows: 4, rejected: 3, bytesOut: out.length });
});

test('without onReject nothing of the batch is written, but the batches before it are', async () => {
  const parts: string[] = [];
  const run = async (): Promise<void> => {
    for await (const part of protectCsv('a,b,c\n1,2,3\n4,5,6\n7,8,9\n0\n', abc, { batchSize: 2 }))
      parts.push(Buffer.from(part).toString());
  };
  await expect(run()).rejects.toThrow(TrefoilError);
  expect(parts).toEqual(['a,b,c\n1,2,3\n4,5,6\n']);
});

test('an error keeps a hundred issues, in the order of rows, and counts them all', async () => {
  const error = await errorOf(protectCsv(`id,name,born,notes\n${'1,A,x,y\n1\n'.repeat(300)}`, people));
  expect([error.issues.length, error.total]).toEqual([100, 600]);
  expect(error.issues.slice(0, 3).map(brief)).toEqual([
    'not_a_date row 1 line 2 born',
    'ragged_row row 2 line 3',
    'not_a_date row 3 line 4 born',
  ]);
});

test('limit, samples', async () => {
  const seen: unknown[] = [];
  const onSample = (before: unknown, after: unknown): void => void seen.push([before, after]);
  expect(await protect('a,b,c\n1,2,3\n4,5,6\n7,8\n', abc, { limit: 2, onSample })).toBe('a,b,c\n1,2,3\n4,5,6\n');
  expect(await protect('a,b,c\n1,2,3\n4,5,6', abc, { limit: 2 })).toBe('a,b,c\n1,2,3\n4,5,6');
  const row = { a: '1', b: '2', c: '3' };
  expect(seen[0]).toEqual([row, row]);
  expect(seen.length).toBe(2);
});

test('arguments', () => {
  expect(() => protectCsv('', {} as never)).toThrow(TypeError);
  expect(() => protectCsv('', abc, { delimeter: ';' } as never)).toThrow(TypeError);
  expect(() => protectCsv('', abc, { quoting: 'some' } as never)).toThrow(RangeError);
  expect(() => protectCsv('', abc, { batchSize: 0 })).toThrow(RangeError);
  expect(() => protectCsv('', abc, { limit: 1.5 })).toThrow(RangeError);
  expect(() => protectCsv('', abc, { onReject: 1 } as never)).toThrow(TypeError);
  expect(() => protectCsv('', abc, { signal: {} } as never)).toThrow(TypeError);
});

test('reveal without the capability, and with keys that are not pinned', async () => {
  const plain = policy({ a: keep }).bind(keys);
  expect((await errorOf(revealCsv('a\n1\n', plain as never))).code).toBe('reveal_access_required');
  // It is refused before anything is read.
  const source = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('read')) }) };
  expect((await errorOf(revealCsv(source, plain as never))).code).toBe('reveal_access_required');
  expect(() => policy({ a: keep }).bind(keys, revealAccess)).not.toThrow();
});

const HEADER_CODES: readonly string[] = ['unnamed_field', 'missing_field', 'header_duplicate'];
const NAMES: Readonly<Record<string, true>> = { id: true, name: true, born: true, notes: true };

test('property: no message holds a piece of the input', async () => {
  const secret = 'Zwqxj';
  const pieces = fc.constantFrom(
    secret,
    `${secret},`,
    '"',
    '\n',
    ',',
    '\r\n',
    '\0',
    'id',
    'id,name,born,notes\n',
    '\ud800',
    '1,',
    `"${secret}"`,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 25 }), fc.boolean(), async (parts, valid) => {
      const text = (valid ? 'id,name,born,notes\n' : '') + parts.join('');
      const messages: string[] = [];
      try {
        await collect(
          protectCsv([text], people, { maxRecord: 60, onReject: (issue) => messages.push(JSON.stringify(issue)) }),
        );
      } catch (error) {
        if (!(error instanceof TrefoilError)) throw error;
        // A first line that has a name of the policy is a header, and names of a header are shown.
        const cells = text.split(/[\r\n]/)[0]!.split(',');
        if (HEADER_CODES.includes(error.code) && cells.some((cell) => cell in NAMES)) return;
        messages.push(
          error.message,
          String(error.stack),
          JSON.stringify(error.issues),
          JSON.stringify(error, Object.getOwnPropertyNames(error)),
        );
      }
      for (const message of messages) expect(message).not.toContain(secret);
    }),
    { numRuns: 500 },
  );
});

test('a missing header is reported even if every field is optional and others are dropped', async () => {
  const bound = policy({ country: optional(keep) }, { unnamed: 'drop' }).bind(keys);
  expect((await errorOf(protectCsv('Ada,DE\nZoe,NO\n', bound))).issues.map(brief)).toEqual(['header_missing line 1']);
});

// ---- a quoted empty cell is the empty text, a bare one is NULL ----

const nullable = policy(
  {
    id: keep,
    name: seal({ scope: 'person.name' }),
    mail: token({ scope: 'person.mail' }),
    note: keep,
    pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }),
    notes: optional(drop),
  },
  { keyCheck: keys.keyCheck },
).bind(keys, revealAccess);

test('an empty cell is written as it was read, with every rule and in both directions', async () => {
  const text = 'id,name,mail,note,pan\n1,"","","",""\n2,,,,\n"",,"",,""\n,"",,"",\n';
  const safe = await protect(text, nullable);
  expect(safe).toBe(text);
  expect(await textOf(revealCsv([safe], nullable))).toBe(text);
  for (const batchSize of [1, 2, 3]) expect(await protect(text, nullable, { batchSize })).toBe(text);
});

test('if all cells are quoted, NULL is not', async () => {
  const text = '"id","name","mail","note","pan"\n"1","","","",""\n"2",,,,\n';
  expect(await protect(text, nullable, { quoting: 'all' })).toBe(text);
  expect(await textOf(revealCsv([text], nullable, { quoting: 'all' }))).toBe(text);
});

test('an empty cell is written as it was read, even if other records are rejected', async () => {
  const issues: Issue[] = [];
  const text = 'id,name,mail,note,pan\n1,"",,"",\n2,,,,not a card\n3\n4,,"",,""\n';
  const out = await protect(text, nullable, { onReject: (issue) => issues.push(issue) });
  expect(out).toBe('id,name,mail,note,pan\n1,"",,"",\n4,,"",,""\n');
  expect(issues.map(({ row }) => row)).toEqual([2, 3]);
});

test('an empty cell is written as it was read, even if a column is left out', async () => {
  const text = 'notes,id,name,mail,note,pan\n"",1,,"",,""\nx,2,"",,"",\n';
  expect(await protect(text, nullable)).toBe('id,name,mail,note,pan\n1,,"",,""\n2,"",,"",\n');
});

test('an empty text from a rule is written as "", and a null from a rule as nothing', async () => {
  const bound = policy({ a: constant({ value: '' }), b: constant({ value: null }), c: keep }).bind(keys);
  expect(await protect('a,b,c\n1,"",x\n,2,\n', bound)).toBe('a,b,c\n"",,x\n"",,\n');
  const trimmed = policy({ a: token({ scope: 'x', prepare: trim }), b: keep }).bind(keys);
  expect(await protect('a,b\n   ,1\n', trimmed)).toBe('a,b\n"",1\n');
});

test('missing: [] seals both kinds of empty cell, and reveals the empty text', async () => {
  const bound = policy({ a: seal({ scope: 'x', missing: [] }), b: keep }).bind(keys, revealAccess);
  const safe = await protect('a,b\n,1\n"",2\n', bound);
  const cells = safe.split('\n').map((line) => line.split(',')[0]);
  expect(cells[1]).toHaveLength(85);
  expect(cells[2]).toBe(cells[1]);
  expect(await textOf(revealCsv([safe], bound))).toBe('a,b\n"",1\n"",2\n');
});

test.each([
  ['a\nx\n""\n\ny\n', 'a\nx\n""\n\ny\n'],
  ['a\r\n""\r\n', 'a\r\n""\r\n'],
  ['a\n\n""', 'a\n\n""'],
  ['\ufeffa\n""\n\n', '\ufeffa\n""\n\n'],
])('a file of one column keeps its empty rows as they came: %j', async (text, expected) => {
  const bound = policy({ a: keep }).bind(keys, revealAccess);
  for (const quoting of ['minimal', 'all'] as const) {
    const want = quoting === 'all' ? expected.replace(/[axy]/g, '"$&"') : expected;
    expect(await protect(text, bound, { quoting })).toBe(want);
    expect(await textOf(revealCsv([want], bound, { quoting }))).toBe(want);
  }
});

test('a record with one empty cell is not written as a blank line, which readers skip', async () => {
  const bound = policy({ a: keep, b: drop }).bind(keys);
  expect(await protect('a,b\n,1\n"",2\nx,3\n', bound)).toBe('a\n""\n""\nx\n');
  expect(await protect('a,b\nx,3\n,1', bound)).toBe('a\nx\n""');
  const nothing = policy({ a: constant({ value: null }) }).bind(keys);
  expect(await protect('a\nx\n\n', nothing)).toBe('a\n""\n""\n');
});

test('a blank line before a rejected last record without a line end is still a record', async () => {
  const bound = policy({ a: coarsen({ number: 10 }) }).bind(keys);
  expect(await protect('a\n15\n\nx', bound, { onReject: () => {} })).toBe('a\n10\n\n');
});

test('property: any table of both kinds of empty cell is revealed byte for byte', async () => {
  const cell = fc.constantFrom('', '""', 'x', '"a,b"');
  const tables = fc.integer({ min: 1, max: 4 }).chain((width) => {
    const rows = fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 12 });
    return fc.record({ width: fc.constant(width), rows, batchSize: fc.integer({ min: 1, max: 5 }) });
  });
  await fc.assert(
    fc.asyncProperty(tables, async ({ width, rows, batchSize }) => {
      const names = ['a', 'b', 'c', 'd'].slice(0, width);
      const bound = policy(Object.fromEntries(names.map((name) => [name, keep]))).bind(keys, revealAccess);
      const text = [names, ...rows].map((row) => `${row.join(',')}\n`).join('');
      expect(await protect(text, bound, { batchSize })).toBe(text);
      expect(await textOf(revealCsv([text], bound, { batchSize }))).toBe(text);
    }),
  );
});
