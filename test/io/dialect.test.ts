/** How CSV is quoted: `quote`, `escape`, `sep=`, and quotes in the wrong place. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvOptions, protectCsv, revealCsv } from '../../src/csv.ts';
import type { Issue } from '../../src/errors.ts';
import { constant, keep, policy, seal, token } from '../../src/index.ts';
import { readCsv } from '../../src/io/csv/records.ts';
import { revealAccess } from '../../src/reveal.ts';
import { abc, brief, cut, errorOf, keys, textOf } from './helpers.ts';

const protect = (text: string, options: CsvOptions = {}, bound: object = abc): Promise<string> =>
  textOf(protectCsv([text], bound as never, options));

/** The output and the issues of a run that rejects. */
async function rejecting(text: string, options: CsvOptions = {}, bound: object = abc) {
  const issues: Issue[] = [];
  const out = await protect(text, { ...options, onReject: (issue) => issues.push(issue) }, bound);
  return { out, issues: issues.map(brief), messages: issues.map(({ message }) => message) };
}

describe('a stray quote', () => {
  test('in an unquoted cell leaves out its row, and nothing else', async () => {
    const text = 'a,b,c\n1,5" pipe,3\n4,"5\n,",6\n7,x"y"z,"9\n9"\n"8",,9\n';
    for (const batchSize of [1, 2, 1024]) {
      const { out, issues } = await rejecting(text, { batchSize });
      expect(out).toBe('a,b,c\n4,"5\n,",6\n8,,9\n');
      expect(issues).toEqual(['stray_quote row 1 line 2', 'stray_quote row 3 line 5']);
    }
    const error = await errorOf(protectCsv([text], abc));
    expect(error.issues[0]).toMatchObject({ code: 'stray_quote', row: 1, line: 2, column: 4 });
    expect(error.issues[1]).toMatchObject({ code: 'stray_quote', row: 3, line: 5, column: 4 });
    expect(error.message).toContain('--quote none');
  });

  test('before the end of a row that has two lines', async () => {
    const error = await errorOf(protectCsv(['a,b,c\n"1\n2",x,3"\n4,5,6\n'], abc));
    expect(error.issues).toMatchObject([{ code: 'stray_quote', row: 1, line: 3, column: 7 }]);
  });

  test('after a closing quote ends the run, because nobody knows where the cell ends', async () => {
    for (const row of ['1,"2"x,3', '1,"a "b" c",3', '1,"2" ,3', '"5" nails,2,3']) {
      const error = await errorOf(protectCsv([`a,b,c\n0,0,0\n${row}\n4,5,6\n`], abc, { onReject: () => {} }));
      expect(error.issues.map(brief)).toEqual(['stray_quote row 2 line 3']);
      expect(error.message).toMatch(/--escape.*--quote none/);
    }
  });

  test('hides no row: lines inside a broken cell are never taken for rows', async () => {
    // The cell is meant to go over three lines, and its inner quotes are not doubled.
    const text = 'a,b,c\n1,2,3\n4,"she said "no"\n7,8,9\nand left",6\n';
    const issues: Issue[] = [];
    const error = await errorOf(protectCsv([text], abc, { onReject: (issue) => issues.push(issue), batchSize: 1 }));
    expect(error.issues.map(brief)).toEqual(['stray_quote row 2 line 3']);
    expect(issues).toEqual([]);
  });

  const cells = fc.constantFrom('', 'x', '"q"', '"a,b"', '"n\nl"', '"d""d"', 's"s', 't"', '5" x"', ' "y"');

  test('property: good rows beside bad ones are those of a file without the bad ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cells, cells, cells), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        fc.integer({ min: 1, max: 4 }),
        async (rows, lengths, batchSize) => {
          const isBad = (row: readonly string[]): boolean => row.some((cell) => /^[^"].*"/.test(cell));
          const lines = (all: readonly (readonly string[])[]): string =>
            `a,b,c\n${all.map((row) => `${row.join(',')}\n`).join('')}`;
          const issues: Issue[] = [];
          const source = cut(Buffer.from(lines(rows)), lengths);
          const onReject = (issue: Issue) => issues.push(issue);
          const out = await textOf(protectCsv(source, abc, { batchSize, onReject }));
          expect(out).toBe(await protect(lines(rows.filter((row) => !isBad(row)))));
          const bad = rows.flatMap((row, i) => (isBad(row) ? [i + 1] : []));
          expect(issues.map(({ row }) => row)).toEqual(bad);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('quote none', () => {
  const quote = 'none';

  test('quotes are characters like any other, and the output has none', async () => {
    const text = 'a,b,c\n1,5" pipe,"x\n"",",\'\r\n,,\n"';
    const { out, issues } = await rejecting(text, { quote });
    expect(out).toBe('a,b,c\n1,5" pipe,"x\n"",",\'\n,,\n');
    expect(issues).toEqual(['ragged_row row 4 line 5']);
    expect(await protect('a\n\n"\n\n', { quote }, policy({ a: keep }).bind(keys))).toBe('a\n\n"\n\n');
    expect(await protect('a\n\n', { quote, batchSize: 1 }, policy({ a: keep }).bind(keys))).toBe('a\n\n');
  });

  test('a cell that needs quotes rejects its row', async () => {
    const sealed = policy({ id: keep, note: seal({ scope: 'note' }) }, { keyCheck: keys.keyCheck }).bind(
      keys,
      revealAccess,
    );
    const safe = await protect('id,note\n1,"a,b"\n2,plain\n3,"c\nd"\n4,"e""f"', {}, sealed);
    const issues: Issue[] = [];
    const back = await textOf(revealCsv([safe], sealed, { quote, onReject: (issue) => issues.push(issue) }));
    expect(back).toBe('id,note\n2,plain\n4,e"f');
    expect(issues.map(brief)).toEqual(['needs_quotes row 1 line 2 note', 'needs_quotes row 3 line 4 note']);
    expect(issues[0]!.message).not.toContain('a,b');
    expect((await errorOf(revealCsv([safe], sealed, { quote }))).code).toBe('needs_quotes');
    const fixed = policy({ a: constant({ value: 'x,y' }) }).bind(keys);
    expect((await errorOf(protectCsv(['a\n1\n'], fixed, { quote }))).code).toBe('needs_quotes');
    expect(await protect('a\n1\n', { quote, delimiter: ';' }, fixed)).toBe('a\nx,y\n');
  });
});

describe('another quote, and an escape', () => {
  test('another quote is read, and the output is RFC 4180', async () => {
    const text = "a,'b','c'\n'1,5','it''s','say \"hi\"'\n'','\n',x\n";
    expect(await protect(text, { quote: "'" })).toBe('a,b,c\n"1,5",it\'s,"say ""hi"""\n"","\n",x\n');
    expect((await errorOf(protectCsv(['a|b,c\n'], abc, { quote: '|' }))).issues.map(brief)).toEqual([
      'stray_quote line 1',
    ]);
    expect(await protect('a$b$c\n%x%$%1$%%%$\n', { delimiter: '$', quote: '%' })).toBe('a$b$c\nx$"1$%"$\n');
    expect(await protect('a,b,c\n$1,$$x$,2,3\n', { quote: '$' })).toBe('a,b,c\n"1,$x",2,3\n');
  });

  test('an escape stands before a quote and before itself', async () => {
    const options = { escape: '\\' };
    const text = 'a,"b",c\n"say \\"hi\\"","C:\\\\temp\\\\","\\\\"\n"a""b","\\"\\\\","\n"\n';
    expect(await protect(text, options)).toBe('a,b,c\n"say ""hi""",C:\\temp\\,\\\n"a""b","""\\","\n"\n');
    expect(await protect("a,b,c\n'it^'s','^^',3\n", { quote: "'", escape: '^' })).toBe("a,b,c\nit's,^,3\n");
    // A quote that escapes a quote is a doubled one.
    expect(await protect('a,b,c\n"1""2",,\n', { escape: '"' })).toBe('a,b,c\n"1""2",,\n');
  });

  test('where programs disagree about an escape, the row is rejected', async () => {
    const text = 'a,b,c\n1,"C:\\new",3\n2,C:\\new,3\n3,\\N,\n4,"x\\\ny",\n5,"\\\\",6\n"\\"",\\,\n';
    const { out, issues, messages } = await rejecting(text, { escape: '\\' });
    expect(out).toBe('a,b,c\n5,\\,6\n');
    const rows = ['row 1 line 2', 'row 2 line 3', 'row 3 line 4', 'row 4 line 5', 'row 6 line 8'];
    expect(issues).toEqual(rows.map((at) => `bad_escape ${at}`));
    expect(new Set(messages).size).toBe(1);
    const error = await errorOf(protectCsv(['a,b,c\n1,"C:\\new",3\n'], abc, { escape: '\\' }));
    expect(error.issues[0]).toMatchObject({ line: 2, column: 6 });
    expect((await errorOf(protectCsv(['a,\\b,c\n'], abc, { escape: '\\' }))).issues.map(brief)).toEqual([
      'bad_escape line 1',
    ]);
  });

  test('property: what is written in a dialect is read, whatever the chunks and batches', async () => {
    const unit = fc.constantFrom('a', ',', ';', '"', "'", '\\', '\n', '\r', ' ', '$');
    const cell = fc.string({ unit, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 8 }),
        fc.constantFrom(['"', undefined], ["'", undefined], ['"', '\\'], ["'", '$'], ['$', '"']),
        fc.constantFrom(',', ';'),
        fc.array(fc.integer({ min: 1, max: 9 })),
        fc.integer({ min: 1, max: 4 }),
        async (rows, [quote, by], delimiter, lengths, batchSize) => {
          const marked = (one: string): string => (one === quote || one === by ? (by ?? quote) + one : one);
          const written = (text: string): string => `${quote}${[...text].map(marked).join('')}${quote}`;
          const lines = [['a', 'b', 'c'], ...rows].map((row) => `${row.map(written).join(delimiter)}\n`);
          const text = lines.join('');
          const options = { quote: quote!, escape: by, delimiter, batchSize };
          const out = await textOf(protectCsv(cut(Buffer.from(text), lengths), abc, options));
          const read = readCsv(out, { delimiter, quote: '"', escapedBy: null });
          expect(read.fault).toBeNull();
          expect(read.rows.slice(1)).toEqual(rows);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('wrong arguments', () => {
    for (const quote of ['', 'None', ',', '\n', '\r', '\0', 'é', 7, null]) {
      expect(() => protectCsv([], abc, { quote: quote as never })).toThrow(/quote.*expected none, or one ASCII/);
    }
    for (const by of ['', 'none', ',', '\n', 'é', 7]) {
      expect(() => protectCsv([], abc, { escape: by as never })).toThrow(/escape.*expected one ASCII/);
    }
    expect(() => protectCsv([], abc, { quote: ';', delimiter: ';' })).toThrow(/quote/);
    expect(() => protectCsv([], abc, { quote: 'none', escape: '\\' })).toThrow(/escape/);
    expect(() => protectCsv([], abc, { quote: 'none', quoting: 'all' })).toThrow(/quoting/);
  });
});

describe('sep=', () => {
  test('a first line names the delimiter, and comes out as it went in', async () => {
    for (const [line, d] of [
      ['sep=;', ';'],
      ['SEP=\t', '\t'],
      ['"sep=|"', '|'],
      ['sep=,', ','],
    ] as const) {
      for (const end of ['\n', '\r\n', '\r']) {
        const text = `${line}${end}a${d}b${d}c${end}1${d}"2${d}2"${d}3${end}`;
        expect(await protect(text)).toBe(text);
        expect(await protect(text, { delimiter: d, batchSize: 1 })).toBe(text);
        expect(await protect(`\ufeff${text}`)).toBe(`\ufeff${text}`);
        const bytes = [...Buffer.from(`\ufeff${text}`)].map((byte) => Uint8Array.of(byte));
        expect(await textOf(protectCsv(bytes, abc))).toBe(`\ufeff${text}`);
        const bare = `${line}${end}1${d}"2${d}2"${d}3${end}`;
        expect(await protect(bare, { header: ['a', 'b', 'c'] })).toBe(bare);
      }
    }
  });

  test('the option must not name another one', async () => {
    const error = await errorOf(protectCsv(['sep=;\na;b;c\n'], abc, { delimiter: ',' }));
    expect(error.issues.map(brief)).toEqual(['delimiter_mismatch line 1']);
  });

  test('places count the line', async () => {
    const text = 'sep=;\na;b;c\n1;2\n3;x"y;3\n';
    expect((await errorOf(protectCsv([text], abc))).issues.map(brief)).toEqual([
      'ragged_row row 1 line 3',
      'stray_quote row 2 line 4',
    ]);
    const ids = policy({ a: token({ scope: 'a' }), z: keep }).bind(keys);
    const { issues } = await errorOf(protectCsv(['sep=;\na;b;c\n'], ids));
    expect(issues.map(({ line }) => line)).toEqual(issues.map(() => 2));
  });

  test('only the first line, and only that', async () => {
    const one = policy({ a: keep }).bind(keys);
    expect(await protect('a\nsep=;\n', {}, one)).toBe('a\nsep=;\n');
    const names = policy({ 'sep=;;': keep }).bind(keys);
    expect(await protect('sep=;;\n1\n', {}, names)).toBe('sep=;;\n1\n');
    for (const line of ['sep=;x', 'sep=', 'sep=é', ' sep=;']) {
      const error = await errorOf(protectCsv([`${line}\na;b;c\n`], abc));
      expect(error.issues.map(brief)).toEqual(['header_missing line 1']);
    }
    expect((await errorOf(protectCsv(['sep=;\n'], abc))).issues.map(brief)).toEqual(['empty_input line 1']);
    expect(await protect('sep=;\n', { header: ['a', 'b', 'c'] })).toBe('sep=;\n');
  });
});
