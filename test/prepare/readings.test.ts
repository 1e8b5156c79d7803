/**
 * Readings: forms of dates and numbers that become the usual form. Frozen: the vectors are those of
 * docs/spec/prepare-v1.md, which were computed with Python.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonNumber, jsonNumberText } from '../../src/core/json/number.ts';
import { coarsen, keyset, policy, shiftDate, token } from '../../src/index.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { protectFile } from '../../src/node.ts';
import { check, explain, parsePolicy } from '../../src/policy.ts';
import { checkReading, readingEngine } from '../../src/prepare/reading.ts';
import { READING_NAMES, readingByName } from '../../src/prepare/readings.ts';
import { readDate, readEpoch, readNumber, readPhone, trim } from '../../src/prepare.ts';
import { codeOf, thrown } from '../helpers/errors.ts';

const keys = keyset.generate().domain('eu');
const engine = (name: string) => readingEngine(readingByName(name))!;
const read = (name: string, value: unknown) => engine(name).read(value);

const VECTORS: readonly (readonly [name: string, input: string, output: string])[] = [
  ['DD.MM.YYYY', '31.03.2024', '2024-03-31'],
  ['DD.MM.YYYY', '1.3.1984', '1984-03-01'],
  ['DD.MM.YYYY', '29.02.2000', '2000-02-29'],
  ['DD.MM.YYYY', '31.03.2024 8:15', '2024-03-31T08:15'],
  ['DD.MM.YYYY', '31.03.2024 08:15:00,5 +0530', '2024-03-31T08:15:00.5+05:30'],
  ['DD.MM.YYYY', '31.03.2024 08:15:00 UTC', '2024-03-31T08:15:00Z'],
  ['DD.MM.YYYY', '01.01.1880 11:34:39-00:25:21', '1880-01-01T11:34:39-00:25:21'],
  ['DD/MM/YYYY', '03/04/2024', '2024-04-03'],
  ['MM/DD/YYYY', '03/04/2024', '2024-03-04'],
  ['MM/DD/YYYY', '3/31/2024', '2024-03-31'],
  ['YYYYMMDD', '20240331', '2024-03-31'],
  ['YYYYMMDD', '202403310815', '2024-03-31T08:15'],
  ['YYYYMMDD', '20240331081500+0100', '2024-03-31T08:15:00+01:00'],
  ['YYYYMMDD', '20240331T081500Z', '2024-03-31T08:15:00Z'],
  ['epoch seconds', '0', '1970-01-01T00:00:00.000Z'],
  ['epoch seconds', '-1', '1969-12-31T23:59:59.000Z'],
  ['epoch seconds', '1711872900', '2024-03-31T08:15:00.000Z'],
  ['epoch seconds', '1711872900.5', '2024-03-31T08:15:00.500Z'],
  ['epoch seconds', '1711872900.1234560', '2024-03-31T08:15:00.123456Z'],
  ['epoch seconds', '-0.5', '1969-12-31T23:59:59.500Z'],
  ['epoch seconds', '-62135596800', '0001-01-01T00:00:00.000Z'],
  ['epoch seconds', '253402300799', '9999-12-31T23:59:59.000Z'],
  ['epoch milliseconds', '448070400000', '1984-03-14T00:00:00.000Z'],
  ['epoch milliseconds', '1711872900123', '2024-03-31T08:15:00.123Z'],
  ['epoch milliseconds', '1711872900123.456', '2024-03-31T08:15:00.123456Z'],
  ['epoch milliseconds', '-1', '1969-12-31T23:59:59.999Z'],
  ['1.234,5', '1.234,5', '1234.5'],
  ['1.234,5', '1.234', '1234'],
  ['1.234,5', '1234,50', '1234.50'],
  ['1.234,5', '0,5', '0.5'],
  ['1.234,5', '-1.234.567,89', '-1234567.89'],
  ['1.234,5', '-0', '-0'],
  ['phone DE', '030/901820', '+4930901820'],
  ['phone DE', '(030) 901820', '+4930901820'],
  ['phone DE', '+49 (0)30 901820', '+4930901820'],
  ['phone DE', '0049 30 901820', '+4930901820'],
  ['phone DE', '0039 06 6982', '+39066982'],
];

describe('vectors', () => {
  it.each(VECTORS)('%s of %s is %s', (name, input, output) => {
    expect(read(name, input)).toBe(output);
    expect(read(name, `\u00a0${input} `)).toBe(output);
  });

  it('equal those of the specification', () => {
    const page = readFileSync(new URL('../../docs/spec/prepare-v1.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([^`]+)` \| `` '(.*)' `` \| `` '(.*)' `` \|$/gm)].map((row) => row.slice(1));
    for (const vector of VECTORS) expect(rows).toContainEqual(vector);
    expect(rows.filter(([name]) => READING_NAMES.includes(name!))).toEqual(VECTORS);
    expect(new Set(VECTORS.map(([name]) => name))).toEqual(new Set(READING_NAMES));
  });

  it('a token of a read value is the token of its canonical text', () => {
    const plain = token({ scope: 's' }).bind(keys);
    for (const [name, input, output] of VECTORS) {
      const reading = readingByName(name)!;
      expect(token({ scope: 's', read: reading }).bind(keys).protect(input)).toBe(plain.protect(output));
      const column = new Array<string>(600).fill(input);
      expect(token({ scope: 's', read: reading }).bind(keys).protectMany(column)[599]).toBe(plain.protect(output));
    }
  });
});

const REFUSED: readonly (readonly [name: string, value: unknown, code: string, message: RegExp])[] = [
  ['DD.MM.YYYY', '31.03.24', 'not_a_date', /the year does not have four digits; expected the form DD\.MM\.YYYY/],
  ['DD.MM.YYYY', '31.03.20240', 'not_a_date', /four digits/],
  ['DD.MM.YYYY', '2024-03-31', 'not_a_date', /expected a date in the form DD\.MM\.YYYY/],
  ['DD.MM.YYYY', '31/03/2024', 'not_a_date', /in the form DD\.MM\.YYYY/],
  ['DD.MM.YYYY', '31.03/2024', 'not_a_date', /in the form DD\.MM\.YYYY/],
  ['DD.MM.YYYY', '29.02.2023', 'not_a_date', /the calendar has no such date, read as DD\.MM\.YYYY/],
  ['DD.MM.YYYY', '01.01.0000', 'outside_format', /0001 to 9999/],
  ['DD.MM.YYYY', '31.03.2024 8:15 PM', 'not_a_date', /24 hours/],
  ['DD.MM.YYYY', '31.03.2024 24:00', 'not_a_date', /the clock has no such time/],
  ['DD.MM.YYYY', '31.03.2024, 08:15', 'not_a_date', /24 hours/],
  ['DD.MM.YYYY', '31.03.2024 0815', 'not_a_date', /24 hours/],
  ['DD.MM.YYYY', '\u0663\u0661.03.2024', 'not_a_date', /in the form/],
  ['DD/MM/YYYY', '03/31/2024', 'not_a_date', /the calendar has no such date, read as DD\/MM\/YYYY/],
  ['MM/DD/YYYY', '31/03/2024', 'not_a_date', /read as MM\/DD\/YYYY/],
  ['YYYYMMDD', '240331', 'not_a_date', /in the form YYYYMMDD/],
  ['YYYYMMDD', '2024-03-31', 'not_a_date', /in the form YYYYMMDD/],
  ['YYYYMMDD', '2024033108', 'not_a_date', /24 hours/],
  ['YYYYMMDD', 20241331, 'not_a_date', /no such date/],
  ['YYYYMMDD', 20240331.5, 'unsafe_integer', /not whole/],
  ['YYYYMMDD', new Date(0), 'wrong_type', /Date object/],
  ['YYYYMMDD', true, 'wrong_type', /expected text, got boolean/],
  ['YYYYMMDD', '2024\ud800', 'lone_surrogate', /surrogate/],
  ['epoch seconds', '448070400000', 'outside_format', /epoch milliseconds/],
  ['epoch milliseconds', 253402300800000, 'outside_format', /0001 to 9999/],
  ['epoch seconds', '1e9', 'not_a_date', /plain decimal/],
  ['epoch seconds', '+1', 'not_a_date', /plain decimal/],
  ['epoch seconds', '01', 'not_a_date', /plain decimal/],
  ['epoch seconds', '-0.0', 'not_a_date', /plain decimal/],
  ['epoch seconds', '2024-03-31', 'not_a_date', /plain decimal/],
  ['epoch seconds', 1e21, 'not_a_date', /plain decimal/],
  ['epoch seconds', Number.NaN, 'not_a_date', /plain decimal/],
  ['epoch seconds', new Date(0), 'wrong_type', /got object/],
  ['1.234,5', '12.34', 'not_a_number', /1\.234 is one thousand/],
  ['1.234,5', '1.234.5', 'not_a_number', /groups of three/],
  ['1.234,5', '1234.567,8', 'not_a_number', /groups of three/],
  ['1.234,5', '0.123', 'not_a_number', /groups of three/],
  ['1.234,5', '1,234.5', 'not_a_number', /groups of three/],
  ['1.234,5', ',5', 'not_a_number', /groups of three/],
  ['1.234,5', '5-', 'not_a_number', /groups of three/],
  ['1.234,5', '1.234,5 €', 'not_a_number', /groups of three/],
  ['1.234,5', 1234.5, 'wrong_type', /got number/],
];

describe('refusals', () => {
  it.each(REFUSED)('%s of %j: %s', (name, value, code, message) => {
    const error = thrown(() => read(name, value));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    if (typeof value === 'string' && value.length > 3) expect(error.message).not.toContain(value);
  });

  it('are quick, whatever the length', () => {
    for (const name of READING_NAMES) {
      for (const text of ['1'.repeat(1e6), '1.'.repeat(5e5), ' '.repeat(1e6), `1.1.2024 ${'1'.repeat(1e6)}`]) {
        const start = performance.now();
        expect(codeOf(() => read(name, text))).toMatch(/^(not_a_date|not_a_number|not_a_phone)$/);
        expect(performance.now() - start).toBeLessThan(500);
      }
    }
  });
});

describe('properties', () => {
  const time = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });

  it('an epoch is what Date writes, in both units, and a Date has the same token', () => {
    fc.assert(
      fc.property(time, (ms) => {
        const iso = new Date(ms).toISOString();
        expect(read('epoch milliseconds', ms)).toBe(iso);
        expect(read('epoch milliseconds', BigInt(ms))).toBe(iso);
        expect(read('epoch milliseconds', jsonNumber(`${ms}`))).toBe(iso);
        const seconds = `${ms < 0 ? '-' : ''}${`${Math.abs(ms)}`.padStart(4, '0').replace(/(...)$/, '.$1')}`;
        if (ms !== 0) expect(read('epoch seconds', seconds)).toBe(iso);
      }),
    );
    const plain = token({ scope: 's' }).bind(keys);
    expect(plain.protect(new Date(448_070_400_000))).toBe(
      token({ scope: 's', read: readEpoch('milliseconds') })
        .bind(keys)
        .protect(448_070_400_000),
    );
  });

  it('a date in any form is the date', () => {
    fc.assert(
      fc.property(time, (ms) => {
        const iso = new Date(ms).toISOString().slice(0, 10);
        const [year, month, day] = iso.split('-') as [string, string, string];
        for (const name of ['DD.MM.YYYY', 'DD/MM/YYYY', 'MM/DD/YYYY', 'YYYYMMDD']) {
          const written = name.replace('YYYY', year).replace('MM', month).replace('DD', day);
          expect(read(name, written)).toBe(iso);
          if (name !== 'YYYYMMDD') expect(read(name, written.replace(/^0|(?<=[./])0(?=\d[./])/g, ''))).toBe(iso);
        }
      }),
    );
  });

  it('a number with a comma is the number', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(999), (whole, decimals) => {
        const text = `${whole.toLocaleString('de-DE')},${decimals}`;
        expect(read('1.234,5', text)).toBe(`${whole}.${decimals}`);
      }),
    );
  });
});

describe('in rules', () => {
  const visit = { scope: 'visit', subject: 'id', days: 180 } as const;

  it('coarsen writes buckets in ISO form, and numbers as text', () => {
    const rules = {
      born: coarsen({ date: 'month', read: readDate('DD.MM.YYYY') }),
      seen: coarsen({ date: 'quarter', read: readEpoch('seconds') }),
      spent: coarsen({ number: 100, read: readNumber('1.234,5'), max: 1000 }),
      code: coarsen({ prefix: 7, read: readDate('YYYYMMDD') }),
    };
    const record = { born: '12.3.1984', seen: 1_711_872_900, spent: '999,5', code: 20_240_331 };
    const bound = policy(rules).bind(keys);
    expect(bound.protect(record as never)).toEqual({ born: '1984-03', seen: '2024-Q1', spent: '900', code: '2024-03' });
    expect(bound.protectMany([{ ...record, spent: '1.234,5' }] as never)).toMatchObject([{ spent: '1000' }]);
  });

  it('shiftDate writes the form and the type that it read', () => {
    const fixed = keyset
      .parse(
        JSON.stringify({
          version: 'keyset-v1',
          keys: [
            {
              id: 'frozen',
              primary: true,
              secret: 'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v',
            },
          ],
        }),
      )
      .domain('eu-enclave');
    // The subject 7 is moved by 174 days (docs/spec/shift-v1.md); the rest was computed with Python.
    const cases: readonly (readonly [string, unknown, unknown])[] = [
      ['DD.MM.YYYY', '29.02.2024', '21.08.2024'],
      ['DD.MM.YYYY', '29.2.2024 8:15 UTC', '21.08.2024 8:15 UTC'],
      ['DD/MM/YYYY', '29/02/2024', '21/08/2024'],
      ['MM/DD/YYYY', '02/29/2024', '08/21/2024'],
      ['YYYYMMDD', '20240229T0815', '20240821T0815'],
      ['YYYYMMDD', 20_240_229, 20_240_821],
      ['epoch seconds', 1_709_194_500, 1_724_228_100],
      ['epoch seconds', '-0.5', '15033599.5'],
      ['epoch milliseconds', 1_709_194_500_123, 1_724_228_100_123],
      ['epoch milliseconds', 1_709_194_500_123n, 1_724_228_100_123n],
    ];
    for (const [name, value, moved] of cases) {
      const one = shiftDate({ ...visit, read: readingByName(name)! }).bind(fixed);
      expect(one.protect(value as never, { subject: 7 })).toBe(moved);
      expect(one.protectMany([value, null] as never, { subjects: [7, null] })).toEqual([moved, null]);
    }
    const exact = shiftDate({ ...visit, read: readEpoch('seconds') }).bind(fixed);
    const number = exact.protect(jsonNumber('1709194500.123456789') as never, { subject: 7 });
    expect(jsonNumberText(number)).toBe('1724228100.123456789');
    const plain = shiftDate(visit).bind(fixed);
    expect(plain.protect(new Date('2024-02-29T08:15:00Z'), { subject: 7 })).toBe('2024-08-21T08:15:00.000Z');
    expect(codeOf(() => plain.protect(1_709_194_500, { subject: 7 }))).toBe('wrong_type');
    expect(codeOf(() => plain.protect(new Date(Number.NaN), { subject: 7 }))).toBe('not_a_date');
    expect(codeOf(() => exact.protect(253_402_300_799, { subject: 7 }))).toBe('outside_format');
  });

  it('numbers of NDJSON, those beyond a double included, in one piece and with workers', async () => {
    const sheet = policy({
      id: token({ scope: 'p' }),
      seen: shiftDate({ ...visit, read: readEpoch('seconds') }),
      born: coarsen({ date: 'year', read: readEpoch('milliseconds') }),
      day: token({ scope: 'day', read: readDate('YYYYMMDD') }),
    });
    const bound = sheet.bind(keys);
    const input = '{"id":7,"seen":1709194500.123456789,"born":448070400000,"day":20240331}\n';
    const moved = shiftDate(visit).bind(keys).protect('2024-02-29T08:15:00.123456789Z', { subject: 7 });
    const seen = `${Date.parse(`${moved.slice(0, 19)}Z`) / 1000}.123456789`;
    const day = token({ scope: 'day' }).bind(keys).protect('2024-03-31');
    const due = `{"id":"${token({ scope: 'p' }).bind(keys).protect(7)}","seen":${seen},"born":"1984","day":"${day}"}\n`;
    let out = '';
    for await (const bytes of protectNdjson(input, bound)) out += new TextDecoder().decode(bytes);
    expect(out).toBe(due);
    const folder = mkdtempSync(join(tmpdir(), 'trefoil-readings-'));
    try {
      writeFileSync(join(folder, 'in.ndjson'), input.repeat(3));
      const named = policy(sheet.fields as never, { domain: 'eu' }).bind(keys);
      await protectFile(join(folder, 'in.ndjson'), join(folder, 'out.ndjson'), named, { workers: 2 });
      expect(readFileSync(join(folder, 'out.ndjson'), 'utf8')).toBe(due.repeat(3));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('read comes after missing and before prepare', () => {
    const one = token({ scope: 's', read: readDate('DD.MM.YYYY'), prepare: trim, missing: ['', '00.00.0000'] }).bind(
      keys,
    );
    expect(one.protect('00.00.0000')).toBe('00.00.0000');
    expect(one.protect('31.03.2024')).toBe(token({ scope: 's', prepare: trim }).bind(keys).protect('2024-03-31'));
    expect(one.matches('31.3.2024', one.protect('31.03.2024'))).toBe(true);
    const again = one.protect('31.03.2024');
    expect(codeOf(() => one.protect(again))).toBe('already_token');
    const passing = token({ scope: 's', read: readDate('DD.MM.YYYY'), onToken: 'pass' }).bind(keys);
    const made = passing.protect('31.03.2024');
    expect(passing.protectMany([made, '31.03.2024'])).toEqual([made, made]);
  });

  it('is a name in the data, and in a policy file', () => {
    const made = policy(
      {
        a: token({ scope: 's', read: readDate('DD/MM/YYYY') }),
        b: coarsen({ number: 10, read: readNumber('1.234,5') }),
        c: shiftDate({ ...visit, subject: 'a', read: readEpoch('milliseconds') }),
      },
      { domain: 'eu' },
    );
    const file = JSON.parse(JSON.stringify(made));
    expect([file.fields.a.read, file.fields.b.read, file.fields.c.read]).toEqual([
      'DD/MM/YYYY',
      '1.234,5',
      'epoch milliseconds',
    ]);
    expect(JSON.stringify(parsePolicy(file))).toBe(JSON.stringify(made));
    const page = explain(made);
    expect(page).toContain('read as DD/MM/YYYY before anything else');
    expect(page).toContain('a bucket of 10, read as 1.234,5');
  });

  it('is refused where it makes no sense, and a wrong name lists all', () => {
    const problems = (rule: object) =>
      check({ trefoil: 1, domain: 'eu', fields: { f: rule } }).map(({ code, message }) => `${code} ${message}`);
    for (const rule of [
      { rule: 'seal', scope: 's' },
      { rule: 'fpe', scope: 's', format: 'digits' },
      { rule: 'keep' },
      { rule: 'mask' },
    ]) {
      expect(problems({ ...rule, read: 'DD.MM.YYYY' })[0]).toMatch(/^unknown_option /);
    }
    const named = problems({ rule: 'token', scope: 's', read: 'DD.MM.YY' });
    expect(named).toEqual([
      `wrong_option there is no such reading; there are ${READING_NAMES.join(', ')}; after phone comes a country in two capital letters`,
    ]);
    expect(problems({ rule: 'token', scope: 's', read: 'phone AR' })[0]).toMatch(
      /^wrong_option .*mobile numbers of Argentina/,
    );
    expect(problems({ rule: 'token', scope: 's', read: 'phone de' })[0]).toMatch(/^wrong_option .*no such country/);
    expect(problems({ rule: 'coarsen', date: 'year', read: 'phone DE' })[0]).toContain('this one is of a phone');
    for (const read of ['epoch', 'epoch hours', 'epoch seconds ', 'epoch seconds x', 'dd.mm.yyyy', '']) {
      expect(readingByName(read), read).toBeUndefined();
    }
    expect(problems({ rule: 'coarsen', date: 'year', read: '1.234,5' })[0]).toContain('this one is of a number');
    expect(problems({ rule: 'coarsen', number: 10, read: 'YYYYMMDD' })[0]).toContain('this one is of a date');
    expect(problems({ rule: 'coarsen', ip: { v4: 24, v6: 48 }, read: 'YYYYMMDD' })[0]).toContain('"read"');
    expect(problems({ rule: 'token', scope: 's', read: 5 })[0]).toMatch(/^must_be_text /);
    expect(() => token({ scope: 's', read: 'DD.MM.YYYY' as never })).toThrow(TypeError);
    expect(() => readDate('YYYY' as never)).toThrow(RangeError);
    expect(() => readEpoch('days' as never)).toThrow(RangeError);
    expect(() => readNumber('1,234.5' as never)).toThrow(RangeError);
    expect(() => readPhone('UK')).toThrow(RangeError);
    expect(() => readPhone(49 as never)).toThrow(RangeError);
    expect(codeOf(() => read('phone DE', 4930901820))).toBe('wrong_type');
    expect(checkReading(undefined, [])).toBeNull();
  });
});
