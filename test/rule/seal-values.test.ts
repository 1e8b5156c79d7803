/** `value: json` and `value: date` of `seal`. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { jsonNumber } from '../../src/core/json/number.ts';
import { protectCsv, revealCsv } from '../../src/csv.ts';
import { keep, keyset, policy, type Sealed, seal } from '../../src/index.ts';
import { protectNdjson, revealNdjson } from '../../src/ndjson.ts';
import { explain } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { FROZEN_ROOT, keysetJson } from '../reference/tree.ts';
import { keys } from './keys.ts';

const json = seal({ scope: 'balance', value: 'json' }).bind(keys, revealAccess);
const date = seal({ scope: 'born', value: 'date' }).bind(keys, revealAccess);
const plain = seal({ scope: 'balance' }).bind(keys, revealAccess);

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

describe('the vectors of the specification', () => {
  const page = readFileSync(new URL('../../docs/spec/seal-v1.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(json|date)` \| `` (.+?) `` \| `` (.+?) `` \| `(\w+)` \|$/gm)].map((row) =>
    row.slice(1),
  );
  const spec = keyset.parse(keysetJson(FROZEN_ROOT)).domain('eu-enclave');

  it('are twelve', () => expect(rows).toHaveLength(12));

  test.each(rows)('%s %s', async (kind, value, text, result) => {
    const fields = { a: seal({ scope: 'balance', value: kind as 'json' }) };
    const bound = policy(fields).bind(spec, revealAccess);
    const sealed = `{"a":"${result}"}\n`;
    expect(await read(protectNdjson([`{"a":${value}}\n`], bound))).toBe(sealed);
    expect(await read(revealNdjson([sealed], bound))).toBe(`{"a":${value}}\n`);
    expect(seal({ scope: 'balance' }).bind(spec).protect(text!)).toBe(result);
  });
});

describe('json', () => {
  const scalar = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.constantFrom('true', 'null', '"', '""', '12', '-0', '1e5', '{}', '[1]', '"a"', '007', '+1', '.5', 'NaN'),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n) || Number.isSafeInteger(n)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
  );

  it('property: what goes in comes back with its type, alone, in a column and in a policy', () => {
    const bound = policy({ a: seal({ scope: 'balance', value: 'json' }) }).bind(keys, revealAccess);
    fc.assert(
      fc.property(fc.array(scalar, { minLength: 1, maxLength: 8 }), (values) => {
        const sealed = values.map((value) => json.protect(value));
        expect(json.protectMany(values)).toEqual(sealed);
        expect(sealed.map((text) => json.reveal(text))).toEqual(values);
        expect(json.revealMany(sealed)).toEqual(values);
        const rows = bound.protectMany(values.map((a) => ({ a })));
        expect(rows.map(({ a }) => a)).toEqual(sealed);
        expect(bound.revealMany(rows)).toEqual(values.map((a) => ({ a })));
      }),
      { numRuns: 300 },
    );
  });

  it('property: two values have one sealed text only if they are the same', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        expect(json.protect(a) === json.protect(b)).toBe(Object.is(a, b));
      }),
    );
  });

  const SPELLINGS = ['12.50', '-0', '-0.0', '1E400', '1e+2', '0.1234567890123456789', '6150769120280496265', '0'];
  const TEXTS = ['"12.50"', '"true"', '"\\"x"', '"{"', '"null"', '"Ada \\u0001 \\ud83d\\ude00"', '"007"'];

  it('NDJSON: every spelling of a number, every text, true, false and null come back letter by letter', async () => {
    const bound = policy({
      a: seal({ scope: 'balance', value: 'json' }),
      n: { b: seal({ scope: 'balance', value: 'json' }) },
    });
    const open = bound.bind(keys, revealAccess);
    const values = [...SPELLINGS, '"12.50"', '"true"', '"{"', '"null"', '"007"', 'true', 'false', 'null', '""'];
    const lines = values.map((value) => `{"a":${value},"n":{"b":${value}}}\n`).join('');
    const sealed = await read(protectNdjson([lines], open));
    for (const value of ['12.50', 'true']) expect(sealed).not.toContain(value);
    expect(await read(revealNdjson([sealed], open))).toBe(lines);
    expect(TEXTS.map((text) => json.reveal(json.protect(JSON.parse(text) as string)))).toEqual(
      TEXTS.map((text) => JSON.parse(text)),
    );
  });

  it('CSV: cells come back letter by letter, and a number joins with that of NDJSON', async () => {
    const open = policy({ id: keep, a: seal({ scope: 'balance', value: 'json' }) }).bind(keys, revealAccess);
    const cells = [...SPELLINGS, 'true', 'TRUE', 'null', '007', '1,5', '+1', '{"x":1}', '[1]', '"', 'Ada', ' 1', ''];
    const csv = `id,a\n${cells.map((cell, i) => `${i},${/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell}`).join('\n')}\n`;
    const sealed = await read(protectCsv([csv], open));
    expect(await read(revealCsv([sealed], open))).toBe(csv);
    const ndjson = await read(protectNdjson(['{"id":1,"a":12.50}\n{"id":1,"a":"12.50"}\n'], open));
    const [number, text] = ndjson
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { a: string }).a);
    expect(sealed).toContain(`\n0,${number}\n`);
    expect(sealed).not.toContain(text);
  });

  it('in code a number of a file is a number if one holds it, a bigint if that does, or an issue', () => {
    const of = (text: string) => json.protect(jsonNumber(text) as never) as Sealed<'balance', string>;
    expect(json.reveal(of('12.50'))).toBe(12.5);
    expect(json.reveal(of('-0'))).toBe(-0);
    expect(json.reveal(of('6150769120280496265'))).toBe(6150769120280496265n);
    expect(codeOf(() => json.reveal(of('0.1234567890123456789')))).toBe('unsafe_integer');
    const error = thrown(() => json.revealMany([of('1'), of('1e400')]));
    expect(error.issues).toEqual([expect.objectContaining({ code: 'unsafe_integer', row: 2 })]);
    expect(error.message).not.toContain('e400');
    const bound = policy({ a: seal({ scope: 'balance', value: 'json' }) }).bind(keys, revealAccess);
    expect(codeOf(() => bound.reveal({ a: of('1e400') } as never))).toBe('unsafe_integer');
  });

  it('refuses what is not a scalar of JSON', () => {
    const codes = [{}, [], new Date(0), Symbol('x'), () => 1].map((value) =>
      codeOf(() => json.protect(value as never)),
    );
    expect(new Set(codes)).toEqual(new Set(['wrong_type']));
    expect([Number.NaN, Number.POSITIVE_INFINITY].map((n) => codeOf(() => json.protect(n)))).toEqual([
      'not_a_number',
      'not_a_number',
    ]);
    expect(codeOf(() => json.protect(2 ** 53))).toBe('unsafe_integer');
    expect(codeOf(() => json.protect('\ud800'))).toBe('lone_surrogate');
  });

  it('does not open what it does not write', () => {
    for (const text of ['null', '{}', '[1]', '"Ada', '"']) {
      expect(codeOf(() => json.reveal(plain.protect(text) as never))).toBe('reveal_failed');
    }
    // What text and integer of the scope seal alike is the same value.
    expect(json.reveal(plain.protect('Ada') as never)).toBe('Ada');
    expect(json.protect('Ada')).toBe(plain.protect('Ada'));
  });

  it('joins with json only', () => {
    const half = () => policy({ a: seal({ scope: 's', value: 'json' }), b: seal({ scope: 's' }) });
    expect(thrown(half).message).toMatch(/value: json in one of them, so some equal values do not join/);
    expect(explain(policy({ a: seal({ scope: 's', value: 'json' }) }))).toContain(
      'of the scope `s` that has the value json',
    );
    expect(() => policy({ a: seal({ scope: 's', value: 'integer' }), b: seal({ scope: 's' }) })).not.toThrow();
  });
});

describe('date', () => {
  it('a Date comes back as a Date in code and as its text in files', async () => {
    const when = new Date('2024-03-31T08:15:00.250Z');
    const sealed = date.protect(when);
    expect(date.reveal(sealed)).toEqual(when);
    expect(date.revealMany([sealed, null])).toEqual([when, null]);
    const open = policy({ a: seal({ scope: 'born', value: 'date' }) }).bind(keys, revealAccess);
    const row = open.protect({ a: when });
    expect(open.reveal(row)).toEqual({ a: when });
    expect(await read(revealNdjson([`${JSON.stringify(row)}\n`], open))).toBe('{"a":"2024-03-31T08:15:00.250Z"}\n');
    expect(await read(revealCsv([`a\n${row.a}\n`], open))).toBe('a\n2024-03-31T08:15:00.250Z\n');
  });

  it.each([
    '2024-02-29',
    '0001-01-01',
    '2024-03-31T24:00:00.000Z',
    '9999-12-31T24:00:00.000Z',
    '2024-02-29T08:15:00',
    '2024-02-29 08:15:00+01:00',
    '2024-02-29T08:15:00Z',
  ])('the text %s comes back as it was, in code, too', (text) => {
    expect(date.reveal(date.protect(text))).toBe(text);
  });

  it.each(['2023-02-29', '31.03.2024', '', '2024', 'x'])('%j is refused', (text) => {
    const rule = seal({ scope: 'born', value: 'date', missing: [] }).bind(keys);
    expect(codeOf(() => rule.protect(text))).toBe('not_a_date');
  });

  it('so are dates that are none', () => {
    const codes = [new Date(Number.NaN), new Date(8.64e15), new Date(-1e15)].map((when) =>
      codeOf(() => date.protect(when)),
    );
    expect(codes).toEqual(['not_a_date', 'not_a_date', 'not_a_date']);
    expect([7, {}, Object.create(Date.prototype)].map((v) => codeOf(() => date.protect(v as never)))).toEqual(
      Array.from({ length: 3 }, () => 'wrong_type'),
    );
  });
});
