/**
 * The text of PostgreSQL's arrays, against PostgreSQL itself (PGlite is its code) and against a reader that follows the
 * words of the manual, section 8.15.6.
 */
import { PGlite } from '@electric-sql/pglite';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { looksLikePgArray, type PgElement, readPgArray, writePgArray } from '../../../src/io/cells/pg-array.ts';

/** A reader of what `array_out` writes, character by character. It throws if the text is anything else. */
function literal(text: string): unknown {
  let at = 0;
  const take = (): string => text[at++]!;
  function array(): unknown[] {
    if (take() !== '{') throw new Error('no brace');
    const items: unknown[] = [];
    if (text[at] === '}') {
      at++;
      return items;
    }
    for (;;) {
      items.push(text[at] === '{' ? array() : item());
      const next = take();
      if (next === '}') return items;
      if (next !== ',') throw new Error('no comma');
    }
  }
  function item(): string | null {
    let out = '';
    if (text[at] === '"') {
      at++;
      for (let next = take(); next !== '"'; next = take()) {
        if (next === undefined) throw new Error('no quote');
        out += next === '\\' ? take() : next;
      }
      return out;
    }
    while (at < text.length && !',}'.includes(text[at]!)) out += take();
    if (out === '' || /[ \t\n\v\f\r"\\{]/.test(out)) throw new Error('should be quoted');
    return out === 'NULL' ? null : out;
  }
  const found = array();
  if (at !== text.length) throw new Error('more text');
  return found;
}

const elements = fc.oneof(
  fc.constantFrom(
    null,
    '',
    'null',
    'NULL',
    'Null',
    '"',
    '\\',
    '{',
    '}',
    ',',
    ' ',
    ' a ',
    '\t',
    '\n',
    '\v',
    '\f',
    '\\"',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.toWellFormed().replaceAll('\0', '')),
);
const flat = fc.array(elements, { maxLength: 5 });
/** PostgreSQL's arrays of several dimensions have parts of equal length. */
const deep = fc
  .integer({ min: 1, max: 3 })
  .chain((width) =>
    fc.array(fc.array(elements, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 3 }),
  );

const read = (text: string): readonly PgElement[] => {
  const found = readPgArray(text);
  if ('wrong' in found) throw new Error(found.wrong);
  return found.elements;
};

describe('with a literal reader', () => {
  test('property: what is written is read again, by both readers', () => {
    fc.assert(
      fc.property(fc.oneof(flat, deep), (array) => {
        const text = writePgArray(array);
        expect(literal(text)).toEqual(array);
        expect(read(text)).toEqual(array);
        expect(looksLikePgArray(text)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('property: a text of braces, quotes and letters is read as the literal reader does, or refused by one of them', () => {
    const pieces = fc.array(fc.constantFrom('{', '}', ',', '"', '\\', 'a', 'NULL', ' ', '\\"', '{a}', '"b,c"'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = `{${parts.join('')}}`;
        const found = readPgArray(text);
        let expected: unknown;
        try {
          expected = literal(text);
        } catch {
          return;
        }
        // What array_out can write, our reader reads.
        expect(found).toEqual({ elements: expected });
      }),
      { numRuns: 5000 },
    );
  });
});

describe('with PostgreSQL', () => {
  let db: PGlite;
  beforeAll(async () => {
    db = await PGlite.create();
  }, 60_000);
  afterAll(() => db.close());

  const query = async (sql: string, values: readonly unknown[]): Promise<unknown> =>
    Object.values((await db.query(sql, [...values])).rows[0] as object)[0];

  test('property: texts are those of array_out, and are read as array_in reads them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(flat, deep), async (array) => {
        const text = writePgArray(array);
        // PostgreSQL reads our text, and writes the same text.
        expect(await query('SELECT ($1::text)::text[]::text', [text])).toBe(text);
        expect(await query('SELECT array_to_json(($1::text)::text[])', [text])).toEqual(array);
      }),
      { numRuns: 300 },
    );
  });

  test('property: what PostgreSQL refuses is refused, and what it reads is read alike', async () => {
    const pieces = fc.array(
      fc.constantFrom('{', '}', ',', '"', '\\', 'a', 'NULL', 'null', ' ', '\\"', '{a}', '"b,c"', '\t', 'a b', '""'),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const text = `{${parts.join('')}}`;
        const found = readPgArray(text);
        let expected: unknown;
        try {
          expected = await query('SELECT array_to_json(($1::text)::text[])', [text]);
        } catch {
          // Our reader does not compare the lengths of the parts of an array: it reads each as it is.
          if (!('wrong' in found)) expect(text).toMatch(/\{.*\{|\{\}/s);
          return;
        }
        if ('wrong' in found) expect.fail(`refused: ${JSON.stringify(text)}`);
        // Arrays without elements are one and the same for PostgreSQL.
        const isEmpty = JSON.stringify(expected) === '[]';
        if (isEmpty) expect(JSON.stringify(found.elements)).toMatch(/^[[\],]*$/);
        else expect(found.elements).toEqual(expected);
      }),
      { numRuns: 1500 },
    );
  });

  test('numbers, dates and JSON as elements', async () => {
    for (const [type, values] of [
      ['int[]', '{1,-2,NULL}'],
      ['numeric[]', '{1.50,NaN}'],
      ['timestamptz[]', '{"2024-03-31 10:00:00+00"}'],
      ['jsonb[]', '{"{\\"a\\": [1, 2]}",NULL}'],
      ['bool[]', '{t,f}'],
      ['int[]', '{{1,2},{3,4}}'],
    ] as const) {
      const text = (await query(`SELECT ($1::text)::${type}::text`, [values])) as string;
      expect(writePgArray(read(text))).toBe(text);
    }
  });
});

describe('what is refused', () => {
  test.each([
    '{a',
    'a}',
    '{a,}',
    '{,a}',
    '{a,,b}',
    '{a}b',
    '{"a"b}',
    '{a"b"}',
    '{{a}b}',
    '{a{b}}',
    '{"a}',
    '{a\\',
    '{\\',
    '{"\\',
    '{{{{{{{a}}}}}}}',
    '',
    'a',
    '[0:1]={a,b}',
    '[1:1][2:2]={{a}}',
  ])('%s', (text) => {
    expect(readPgArray(text)).toEqual({ wrong: expect.any(String) });
  });

  test('the message has nothing of the text', () => {
    for (const text of ['{secret', '{"secret"x}', '[0:1]={secret}']) {
      expect(JSON.stringify(readPgArray(text))).not.toMatch(/secret/);
    }
  });

  test('hostile texts are refused quickly and without recursion', () => {
    for (const text of ['{'.repeat(1e6), `{${'"a",'.repeat(1e6)}`, `{"${'\\'.repeat(1e6)}`, `{${' '.repeat(1e6)}`]) {
      const start = performance.now();
      expect(readPgArray(text)).toEqual({ wrong: expect.any(String) });
      expect(performance.now() - start).toBeLessThan(2000);
    }
  });
});

test('white space around elements, and a backslash outside quotes, are read', () => {
  expect(read(' { a , "b" ,\tNULL } ')).toEqual(['a', 'b', null]);
  expect(read('{\\{,a\\ ,\\NULL, a b }')).toEqual(['{', 'a ', 'NULL', 'a b']);
  expect(read('{}')).toEqual([]);
  expect(read('{ }')).toEqual([]);
});

test('which texts are arrays of PostgreSQL', () => {
  for (const text of ['{}', ' {a}', '[0:2]={a,b,c}', '[-1:0][1:1]={{a},{b}}', '[2]={a}']) {
    expect(looksLikePgArray(text)).toBe(true);
  }
  for (const text of ['[]', '[1]', '[1, 2]', ' [{"a": "="}]', 'a', '[[1]]']) expect(looksLikePgArray(text)).toBe(false);
});
