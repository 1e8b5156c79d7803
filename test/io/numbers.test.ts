/** Numbers of JSON: `keep` writes a number as it was read, and no rule sees a rounded number. */

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeExactWriter, putNumbers } from '../../src/core/json/exact.ts';
import { asNumber, jsonNumber } from '../../src/core/json/number.ts';
import { scanJson } from '../../src/core/json/scan.ts';
import { protectCsv } from '../../src/csv.ts';
import type { Issue } from '../../src/errors.ts';
import { digits } from '../../src/format.ts';
import {
  coarsen,
  constant,
  drop,
  each,
  fpe,
  keep,
  mask,
  optional,
  policy,
  seal,
  shiftDate,
  token,
} from '../../src/index.ts';
import { makeApply } from '../../src/io/apply.ts';
import { protectNdjson, revealNdjson } from '../../src/ndjson.ts';
import { openBound } from '../../src/policy/bound.ts';
import { revealAccess } from '../../src/reveal.ts';
import { Digits, readJson } from '../reference/json.ts';
import { brief, errorOf, keys, textOf } from './helpers.ts';

const ODD = [
  '0.1234567890123456789',
  '12.50',
  '1.0',
  '-0',
  '-0.0',
  '0.0',
  '0e5',
  '1e3',
  '1E3',
  '1e+3',
  '1E400',
  '-1e400',
  '1e-400',
  '1e-7',
  '0.0000001',
  '0.0001230',
  '100000000000000000000',
  '1e20',
  '1e21',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '6150769120280496265',
  '18446744073709551615',
  '340282366920938463463374607431768211456',
  '0.1',
  '5e-324',
  '1.7976931348623157e308',
  `${'9'.repeat(400)}.5`,
  '7',
  '-7',
  '123456789012345',
];

const kept = policy({ a: keep, deep: { b: keep }, list: each(keep), rows: each({ c: keep }), x: optional(drop) }).bind(
  keys,
  revealAccess,
);

test.each(ODD)('%s is kept as it was read, at any place, in both directions, and by lines', async (number) => {
  const line = `{"a":${number},"deep":{"b":${number}},"list":[1,${number},"${number}"],"rows":[{"c":2},{"c":${number}}]}\n`;
  const loose = line.replaceAll(':', ' :\t').replaceAll(',', ', ').replace('}\n', `, "x":{"y":[${number}]} }\r\n`);
  for (const text of [line, loose]) {
    for (const batchSize of [1, 7]) {
      expect(
        await textOf(
          protectNdjson(
            [text, '{"a":1}\n'],
            policy({ a: keep, deep: optional(drop) }, { unnamed: 'drop' }).bind(keys),
            { batchSize },
          ),
        ),
      ).toBe(`{"a":${number}}\n{"a":1}\n`);
      expect(await textOf(protectNdjson([text], kept, { batchSize }))).toBe(line);
    }
  }
  expect(await textOf(revealNdjson([line], kept))).toBe(line);
  for (const direction of ['protect', 'reveal'] as const) {
    const apply = makeApply(openBound(kept), {
      direction,
      fileFormat: 'ndjson',
      columns: null,
      errorsInline: false,
      maxRecord: 1 << 20,
    });
    expect(apply.push(Buffer.from(line))).toEqual({ text: line, failure: null });
  }
});

test('names with escapes, white space, integers as names and __proto__ keep their own numbers', async () => {
  const bound = policy({ 'a"b': keep, '1': keep, '0': keep, ü: keep, c: each({ d: keep }) }).bind(keys);
  const text = '{"1":1.0,"\\u00fc":2.0,"a\\"b":3.0,"0":4.0,"c":[{"d":5.0},{"d":"x"},{"d":-0}]}';
  const want = '{"0":4.0,"1":1.0,"ü":2.0,"a\\"b":3.0,"c":[{"d":5.0},{"d":"x"},{"d":-0}]}\n';
  expect(await textOf(protectNdjson([text], bound))).toBe(want);
  const polluted = '{"__proto__":{"a":1.0},"a":2.0}';
  const value = JSON.parse(polluted);
  putNumbers(polluted, value);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(makeExactWriter()(value)).toBe(polluted);
  const own = '{"__proto__":1.0,"a":[{"__proto__":2.0}]}';
  const read = JSON.parse(own);
  putNumbers(own, read);
  expect(makeExactWriter()(read)).toBe(own);
});

/** JSON text with numbers in any spelling and white space anywhere; the second text is the same without white space. */
const spaced = (): fc.Arbitrary<readonly [string, string]> => {
  const space = fc.constantFrom('', '', ' ', '\t', ' \r ');
  const number = fc.oneof(
    fc.constantFrom(...ODD),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
    fc.bigInt().map(String),
  );
  const string = fc
    .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('1.0', '"', '\\', '{"a":1.0}', ':', ',', '\ud800', '\\"'))
    .map((text) => JSON.stringify(text));
  const word = fc.constantFrom('null', 'true', 'false');
  const join = (open: string, parts: readonly (readonly [string, string])[], close: string, gap: string) =>
    [
      `${open}${gap}${parts.map(([loose]) => loose).join(`${gap},${gap}`)}${gap}${close}`,
      `${open}${parts.map(([, tight]) => tight).join(',')}${close}`,
    ] as const;
  const { object } = fc.letrec<{ value: readonly [string, string]; object: readonly [string, string] }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(number, string, word).map((text) => [text, text] as const),
      tie('object'),
      fc.tuple(fc.array(tie('value'), { maxLength: 3 }), space).map(([items, gap]) => join('[', items, ']', gap)),
    ),
    object: fc
      .tuple(
        fc.uniqueArray(
          fc.tuple(
            fc.string({ minLength: 1 }).filter((n) => !/^\d+$/.test(n)),
            tie('value'),
          ),
          { selector: ([n]) => n, maxLength: 4 },
        ),
        space,
      )
      .map(([members, gap]) =>
        join(
          '{',
          members.map(([name, [loose, tight]]) => {
            const quoted = JSON.stringify(name);
            return [`${quoted}${gap}:${gap}${loose}`, `${quoted}:${tight}`] as const;
          }),
          '}',
          gap,
        ),
      ),
  }));
  return object;
};

test('property: a number is written as it was read, and only white space changes', () => {
  const write = makeExactWriter();
  fc.assert(
    fc.property(spaced(), ([loose, tight]) => {
      const value = JSON.parse(loose);
      const found = scanJson(loose, value);
      expect([null, 'inexact']).toContain(found);
      if (found === null) expect(JSON.stringify(value)).toBe(tight);
      else putNumbers(loose, value);
      expect(write(value)).toBe(tight);
    }),
    { numRuns: 1000 },
  );
});

test('property: a rule gets a number only if it is exactly the number of the text', () => {
  const exact = (text: string): string => {
    const [mantissa = '', exponent = '0'] = text.replace(/^-/, '').toLowerCase().split('e');
    const [whole = '', fraction = ''] = mantissa.split('.');
    const all = `${whole}${fraction}`;
    const stripped = all.replace(/^0+/, '').replace(/0+$/, '');
    const zeros = all.length - all.replace(/0+$/, '').length;
    return stripped === '' ? '0' : `${stripped}e${Number(exponent) - fraction.length + zeros}`;
  };
  const part = fc.stringMatching(/^-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?$/);
  fc.assert(
    fc.property(part, (text) => {
      const value = asNumber(jsonNumber(text));
      const number = Number(text);
      const same = Number.isFinite(number) && exact(String(number)) === exact(text);
      const safe = !Number.isInteger(number) || Number.isSafeInteger(number);
      if (same && safe) expect(Object.is(value, number)).toBe(true);
      else expect(typeof value).toBe('object');
    }),
    { numRuns: 2000 },
  );
});

// ---- numbers in rules ----

const one = async (rule: object, number: string): Promise<string> => {
  const bound = policy({ v: rule as never }, { keyCheck: keys.keyCheck }).bind(keys);
  return (await textOf(protectNdjson([`{"v":${number}}`], bound))).slice(5, -2);
};
const codeOf = async (rule: object, number: string): Promise<string[]> => {
  const bound = policy({ v: rule as never }, { keyCheck: keys.keyCheck }).bind(keys);
  return (await errorOf(protectNdjson([`{"v":${number}}`], bound))).issues.map(brief);
};

const id = token({ scope: 'person' });

test.each(['6150769120280496265', '-9007199254740993', '9007199254740992', '100000000000000000000', '9'.repeat(500)])(
  'the token of %s is that of its text, as in CSV and for a bigint',
  async (number) => {
    const csv = await textOf(protectCsv([`v\n${number}\n`], policy({ v: id }).bind(keys)));
    const token = csv.split('\n')[1];
    expect(await one(id, number)).toBe(`"${token}"`);
    expect(
      policy({ v: id })
        .bind(keys)
        .protect({ v: BigInt(number) }),
    ).toEqual({ v: token });
    expect(
      policy({ v: keep })
        .bind(keys)
        .protect({ v: BigInt(number) }),
    ).toEqual({ v: BigInt(number) });
  },
);

test.each([
  ['1.0', '1'],
  ['1e3', '1000'],
  ['12.5e1', '125'],
  ['-0', '0'],
  ['0.0', '0'],
])('the token of %s stays that of the number %s', async (number, same) => {
  expect(await one(id, number)).toBe(await one(id, same));
  expect(await one(id, number)).toBe(`"${id.bind(keys).protect(Number(number))}"`);
});

test.each(['0.5', '0.1234567890123456789', '1e20', '1E400', '1e-400', '6150769120280496265.0', '9007199254740993e0'])(
  'no token of %s, and the field is named',
  async (number) => {
    expect(await codeOf(id, number)).toEqual(['unsafe_integer row 1 line 1 v']);
  },
);

test('numbers that a rule cannot hold are refused with the field, never rounded', async () => {
  const long = '6150769120280496265';
  expect(await codeOf(seal({ scope: 's', value: 'integer' }), long)).toEqual(['unsafe_integer row 1 line 1 v']);
  expect(await codeOf(seal({ scope: 's', value: 'integer' }), '12.50')).toEqual(['unsafe_integer row 1 line 1 v']);
  expect(await codeOf(seal({ scope: 's' }), long)).toEqual(['wrong_type row 1 line 1 v']);
  expect(await codeOf(fpe({ scope: 's', format: digits({ min: 6, max: 20 }) }), long)).toEqual([
    'wrong_type row 1 line 1 v',
  ]);
  expect(await codeOf(mask({ last: 3 }), long)).toEqual(['wrong_type row 1 line 1 v']);
  expect(await codeOf(coarsen({ date: 'year' }), long)).toEqual(['wrong_type row 1 line 1 v']);
  expect(await codeOf({ ...policy({ inner: keep }).fields } as never, long)).toEqual(['wrong_type row 1 line 1 v']);
  expect(await codeOf(each(keep), '1.0')).toEqual(['wrong_type row 1 line 1 v']);
  const bound = policy({ v: seal({ scope: 's' }) }).bind(keys);
  const { issues } = await errorOf(protectNdjson([`{"v":${long}}`], bound));
  expect(issues[0]!.message).toBe(
    'expected text, got number; to seal numbers, true and false as well, set value: json',
  );
  expect(JSON.stringify(issues)).not.toContain(long);
});

test('a sealed integer in another spelling is that integer, as before', async () => {
  const rule = seal({ scope: 's', value: 'integer' });
  expect(await one(rule, '1.0')).toBe(await one(rule, '1'));
  expect(await one(rule, '1e3')).toBe(await one(rule, '1000'));
  expect(await codeOf(rule, '-0')).toEqual(['unsafe_integer row 1 line 1 v']);
});

test.each([
  ['6150769120280496265', 10, '6150769120280496260'],
  ['9.99999999999999999999', 10, '0'],
  ['-0.12345678901234567891', 1, '-1'],
  ['0.99999999999999999999', 1, '0'],
  ['12.50', 0.5, '12.5'],
  ['1.0', 0.1, '1'],
  ['28.5', 10, '20'],
])('coarsen reads all of %s', async (number, width, lower) => {
  expect(await one(coarsen({ number: width }), number)).toBe(lower);
});

const SPELLINGS = [
  ...['0.0000001', '-0.0000001', '1e-7', '-1e-7', '1E+2', '100', '1e2', '100.0', '1e16', '1.5E7', '-0', '-0.0', '0e5'],
  ...['0.30', '12.50', '28.5', '-0.05', '9007199254740993', '6150769120280496265', '9.99999999999999999999', '1e37'],
  ...['1e38', '1E400', '1e-39', `0.${'0'.repeat(38)}`, `0.${'0'.repeat(39)}`, '9'.repeat(38), '9'.repeat(39)],
];

test.each(SPELLINGS)('coarsen treats %s as a number of JSON as it treats it as a text of CSV', async (spelling) => {
  for (const width of [10, 0.1]) {
    const bound = policy({ v: coarsen({ number: width }) }).bind(keys);
    const judge = async (source: AsyncIterable<Uint8Array>): Promise<string> =>
      textOf(source).catch((error: { issues: readonly Issue[] }) => `refused: ${error.issues[0]!.message}`);
    const csv = await judge(protectCsv([`v\n${spelling}\n`], bound));
    const json = await judge(protectNdjson([`{"v":${spelling}}\n`], bound));
    if (/e/i.test(spelling)) {
      // A text has no exponent. A number may have one that JavaScript would not write.
      expect(csv).toMatch(/^refused/);
      expect(/^refused/.test(json)).toBe(/e|I/.test(String(Number(spelling))));
      continue;
    }
    expect(/^refused/.test(json)).toBe(/^refused/.test(csv));
    if (/^refused/.test(csv)) {
      expect(json).toBe(csv);
      continue;
    }
    const [cell, number] = [csv.split('\n')[1]!, json.slice(5, -2)];
    // A cell has as many decimals as the width, and so has a number that a double cannot hold: their digits are equal.
    expect(number.replace(/\.0$/, '')).toBe(cell.replace(/\.0$/, ''));
  }
});

test.each([
  ['0.5', /is not whole;/],
  ['12.50', /is not whole;/],
  ['0.1234567890123456789', /is not whole;/],
  ['1e-400', /is not whole;/],
  ['9007199254740993.5', /is not whole;/],
  ['1e16', /beyond 2\^53 - 1; write it without a point or an exponent, or as text$/],
  ['1E400', /beyond 2\^53 - 1; write it without a point or an exponent, or as text$/],
  ['9007199254740993.0', /beyond 2\^53 - 1; write it without a point or an exponent, or as text$/],
])('what is said of %s as an identifier is true', async (number, said) => {
  const { issues } = await errorOf(protectNdjson([`{"v":${number}}`], policy({ v: id }).bind(keys)));
  expect(issues[0]!.message).toMatch(said);
});

test('a number that may have been rounded is distinguished from one that is not whole', () => {
  const take = (v: number) => () => policy({ v: id }).bind(keys).protect({ v });
  expect(take(2 ** 53)).toThrow(
    'the number is beyond 2^53 - 1 and may have been rounded; pass it as text or as a bigint',
  );
  for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(take(number)).toThrow('is not whole');
});

test('numbers of NDJSON join with a text of CSV if they are written in plain digits', async () => {
  const csv = async (text: string) =>
    (await textOf(protectCsv([`v\n${text}\n`], policy({ v: id }).bind(keys)))).split('\n')[1];
  for (const plain of ['0', '7', '-7', '9007199254740993']) expect(await one(id, plain)).toBe(`"${await csv(plain)}"`);
  for (const [other, plain] of [
    ['-0', '0'],
    ['1e2', '100'],
    ['100.0', '100'],
  ] as const) {
    expect(await one(id, other)).toBe(`"${await csv(plain)}"`);
    expect(await csv(other)).not.toBe(await csv(plain));
  }
  expect(await codeOf(id, '1e16')).toEqual(['unsafe_integer row 1 line 1 v']);
});

test('constant and drop do not look at numbers', async () => {
  expect(await one(constant({ value: 1 }), '1E400')).toBe('1');
  const bound = policy({ v: drop, w: keep }).bind(keys);
  expect(await textOf(protectNdjson(['{"v":6150769120280496265,"w":1E400}'], bound))).toBe('{"w":1E400}\n');
});

test('a subject is its decimal text, of any size', async () => {
  const bound = policy({ id: keep, seen: shiftDate({ scope: 'visit', subject: 'id', days: 180 }) }).bind(keys);
  const dates = async (subject: string): Promise<string> =>
    JSON.parse(await textOf(protectNdjson([`{"id":${subject},"seen":"2024-01-31"}`], bound))).seen;
  const near = await Promise.all(
    ['6150769120280496265', '6150769120280496266', '6150769120280496267'].map((subject) => dates(subject)),
  );
  expect(new Set(near).size).toBe(3);
  expect(await dates('"6150769120280496265"')).toBe(near[0]);
  expect(await dates('12.0')).toBe(await dates('"12"'));
  const { issues } = await errorOf(protectNdjson(['{"id":0.5e400,"seen":"2024-01-31"}'], bound));
  expect(issues.map(brief)).toEqual(['unsafe_integer row 1 line 1 seen']);
});

test('the result of a rule that cannot reveal is left as it is when a file is revealed', async () => {
  const bound = policy({ a: coarsen({ number: 10 }), b: constant({ value: 1 }), c: token({ scope: 'x' }) }).bind(
    keys,
    revealAccess,
  );
  const text = '{"a":6150769120280496260,"b":1.0,"c":1E400}\n';
  expect(await textOf(revealNdjson([text], bound))).toBe(text);
});

test('a rejected record names the field, and the other records are written', async () => {
  const bound = policy({ id, n: keep }).bind(keys);
  const issues: Issue[] = [];
  const text = '{"id":1,"n":1.0}\n{"id":1e20,"n":2.0}\n{"id":3,"n":3.0}\n';
  const out = await textOf(protectNdjson([text], bound, { onReject: (issue) => issues.push(issue) }));
  expect(out.match(/"n":[0-9.]+/g)).toEqual(['"n":1.0', '"n":3.0']);
  expect(issues.map(brief)).toEqual(['unsafe_integer row 2 line 2 id']);
});

test('a sample shows a number as it is written', async () => {
  const seen: unknown[] = [];
  const onSample = (before: unknown, after: unknown): void => void seen.push(before, after);
  const bound = policy({ a: keep, b: { c: each(keep) } }).bind(keys);
  await textOf(protectNdjson(['{"a":1E400,"b":{"c":[1,2.50]}}'], bound, { onSample }));
  expect(seen[0]).toEqual({ a: '1E400', b: { c: [1, '2.50'] } });
  expect(seen[1]).toEqual(seen[0]);
});

test('the reference reads the same numbers', () => {
  for (const number of ODD) {
    const read = readJson(`{"a":${number}}`)!.value as { a: Digits };
    expect(read.a).toEqual(new Digits(number));
  }
});
