import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { jsonNumber } from '../../src/core/json/number.ts';
import { coarsen } from '../../src/index.ts';
import type { CoarsenBucket } from '../../src/rule/coarsen.ts';
import { runColumn } from '../../src/rule/columns.ts';
import { ownLists } from '../../src/rule/missing.ts';
import { ruleEngine } from '../../src/rule/rule.ts';
import { codeOf, thrown } from '../helpers/errors.ts';

const many = (bucket: CoarsenBucket, column: readonly unknown[]) =>
  runColumn(ruleEngine(coarsen(bucket))!.bind(null, false, ownLists({})).protect, column);
const one = (bucket: CoarsenBucket, value: unknown) => many(bucket, [value])[0];

describe('date', () => {
  it.each([
    ['2024-03-31', '2024-03', '2024-Q1', '2024', '2020s'],
    ['2024-04-01', '2024-04', '2024-Q2', '2024', '2020s'],
    ['1984-12-31', '1984-12', '1984-Q4', '1984', '1980s'],
    ['1999-09-30', '1999-09', '1999-Q3', '1999', '1990s'],
    ['2000-02-29', '2000-02', '2000-Q1', '2000', '2000s'],
    ['2024-02-29', '2024-02', '2024-Q1', '2024', '2020s'],
    ['0001-01-01', '0001-01', '0001-Q1', '0001', '0000s'],
    ['9999-12-31', '9999-12', '9999-Q4', '9999', '9990s'],
    ['2023-12-31T23:59:59-11:00', '2023-12', '2023-Q4', '2023', '2020s'],
    ['2024-01-01T00:00Z', '2024-01', '2024-Q1', '2024', '2020s'],
    ['2024-05-06 07:08:09.123456789+0530', '2024-05', '2024-Q2', '2024', '2020s'],
    ['2024-05-06T07:08:09,5', '2024-05', '2024-Q2', '2024', '2020s'],
  ])('%s', (value, month, quarter, year, decade) => {
    expect(one({ date: 'month' }, value)).toBe(month);
    expect(one({ date: 'quarter' }, value)).toBe(quarter);
    expect(one({ date: 'year' }, value)).toBe(year);
    expect(one({ date: 'decade' }, value)).toBe(decade);
  });

  it('every month has its quarter', () => {
    for (let month = 1; month <= 12; month++) {
      const text = `2023-${`${month}`.padStart(2, '0')}-01`;
      expect(one({ date: 'quarter' }, text)).toBe(`2023-Q${Math.floor((month - 1) / 3) + 1}`);
    }
  });

  it.each(
    [
      '2023-02-29',
      '1900-02-29',
      '2100-02-29',
      '2024-02-30',
      '2024-04-31',
      '2024-00-01',
      '2024-13-01',
      '2024-01-00',
      '2024-01-32',
      '24-01-01',
      '2024-1-1',
      '2024/01/01',
      '01.02.2024',
      '20240101',
      '2024-13',
      '2024-1',
      '202',
      '20240',
      '',
      ' 2024-01-01',
      '2024-01-01 ',
      '2024-01-01\n',
      '2024-01-01T',
      '2024-01-01T7:00',
      '+02024-01-01',
      '-2024-01-01',
      '2024-01-01x',
      '2024-W01-1',
      '٢٠٢٤-01-01',
      'yesterday',
    ].filter((text) => text !== ''),
  )('%j is none', (value) => {
    expect(codeOf(() => one({ date: 'year' }, value))).toBe('not_a_date');
  });

  it('the calendar is that of Date, for every day of eight centuries and the days around months', () => {
    for (let year = 1600; year < 2400; year += 1) {
      for (let month = 1; month <= 12; month++) {
        for (const day of [28, 29, 30, 31]) {
          const text = `${year}-${`${month}`.padStart(2, '0')}-${day}`;
          const exists = new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10) === text;
          if (exists) expect(one({ date: 'year' }, text)).toBe(`${year}`);
          else expect(codeOf(() => one({ date: 'year' }, text))).toBe('not_a_date');
        }
      }
    }
  });

  it('takes what databases write after a date', () => {
    for (const tail of [
      ...[' 08:15:00+00', ' 10:15:00.123456+02', ' 11:34:39-00:25:21', ' 08:15:00 UTC', ' 08:15-03', 'T08:15:00+05:30'],
      ...['T08:15:00.123456789Z', ' 08:15:00.1234567 +01:00', ' 08:15:00 +0100', 'T08:15:00Z', ' 08:15'],
    ]) {
      expect(one({ date: 'month' }, `2024-03-31${tail}`), tail).toBe('2024-03');
    }
    for (const tail of [
      ' 08:15:00+0',
      '+00',
      ' UTC',
      ' 08:15:00 CET',
      ' 08:15:00+05:3',
      ' 08:15:00+0530:00',
      ' 08:15:00  Z',
    ]) {
      expect(
        codeOf(() => one({ date: 'month' }, `2024-03-31${tail}`)),
        tail,
      ).toBe('not_a_date');
    }
  });

  it('a year, or a year and a month, will do if the bucket is not finer', () => {
    const buckets = (text: string) =>
      (['month', 'quarter', 'year', 'decade'] as const).map((date) => {
        try {
          return one({ date }, text);
        } catch (error) {
          return (error as Error).message;
        }
      });
    const needs = (bucket: string) => `row 1: the date is a year alone, and a ${bucket} needs the month, too`;
    expect(buckets('1984-03')).toEqual(['1984-03', '1984-Q1', '1984', '1980s']);
    expect(buckets('1984')).toEqual([needs('month'), needs('quarter'), '1984', '1980s']);
    expect(buckets('0000')).toEqual([needs('month'), needs('quarter'), '0000', '0000s']);
  });

  it('names what PostgreSQL has and no calendar', () => {
    for (const text of ['infinity', '-infinity', '0044-03-15 BC', '0044-03-15 12:00:00+00 BC']) {
      const error = thrown(() => one({ date: 'year' }, text));
      expect(error.code).toBe('not_a_date');
      expect(error.message).toBe(
        'row 1: infinity, -infinity and dates BC, as PostgreSQL writes them, are not dates of the years 0000 to 9999; ' +
          'name infinity in missing if it means that there is no date',
      );
    }
  });

  it('a Date is its date in UTC; an invalid one, or one of another calendar, is refused', () => {
    expect(one({ date: 'month' }, new Date('2024-03-31T23:59:59Z'))).toBe('2024-03');
    expect(one({ date: 'year' }, new Date('2024-01-01T00:30:00+01:00'))).toBe('2023');
    for (const date of [new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)])
      expect(codeOf(() => one({ date: 'year' }, date))).toBe('not_a_date');
    const liar = Object.assign(new Date(0), { toISOString: () => 'Ada', getTime: () => 5e12 });
    expect(one({ date: 'year' }, liar)).toBe('1970');
  });

  it('takes text: no number', () => {
    for (const value of [2024, {}, true]) expect(codeOf(() => one({ date: 'year' }, value))).toBe('wrong_type');
  });
});

describe('number', () => {
  it.each([
    [28.5, 10, 20],
    [0.83, 10, 0],
    [10, 10, 10],
    [9.999, 10, 0],
    [0, 10, 0],
    [-1, 10, -10],
    [-10, 10, -10],
    [-10.1, 10, -20],
    [-0, 10, 0],
    [0.3, 0.1, 0.3],
    [0.7, 0.1, 0.7],
    [0.6, 0.2, 0.6],
    [1.1, 0.1, 1.1],
    [0.35, 0.1, 0.3],
    [-0.3, 0.1, -0.3],
    [-0.35, 0.1, -0.4],
    [4.35, 0.01, 4.35],
    [1.005, 0.005, 1.005],
    [100, 7, 98],
    [-100, 7, -105],
    [2.5, 2.5, 2.5],
    [7.4, 2.5, 5],
    [9_007_199_254_740_991, 10, 9_007_199_254_740_990],
    [0.000001, 0.000001, 0.000001],
    [123.456, 0.25, 123.25],
    [71.2833, 5, 70],
  ])('%s in buckets of %s is %s, as number and as text', (value, width, expected) => {
    const out = one({ number: width }, value);
    expect(out).toBe(expected);
    expect(Object.is(out, -0)).toBe(false);
    const text = one({ number: width }, `${value}`) as string;
    expect(typeof text).toBe('string');
    expect(Number(text)).toBe(expected);
  });

  it.each([
    ['28.5', 10, '20'],
    ['28.50', 10, '20'],
    ['0.30', 0.1, '0.3'],
    ['7', 0.5, '7.0'],
    ['-0.05', 0.1, '-0.1'],
    ['-0', 10, '0'],
    ['-0.0', 0.5, '0.0'],
    ['12345678901234567890123456789012345678', 1000, '12345678901234567890123456789012345000'],
    ['0.00000000000000000000000000000000000001', 10, '0'],
    ['-0.00000000000000000000000000000000000001', 10, '-10'],
  ])('text %s in buckets of %s is %s', (value, width, expected) => {
    expect(one({ number: width }, value)).toBe(expected);
  });

  it('is the floor to whole buckets, exactly, for any decimal', () => {
    const decimal = fc.tuple(fc.boolean(), fc.bigInt(0n, 10n ** 20n), fc.nat(12));
    fc.assert(
      fc.property(
        decimal,
        fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.nat(3)),
        ([negative, digits, scale], [step, places]) => {
          const value = (negative ? '-' : '') + write(digits, scale);
          const width = Number(write(BigInt(step), places));
          const out = one({ number: width }, value) as string;
          // lower ≤ value < lower + width, and lower is a whole number of widths: all at 15 decimals.
          const [lower, exact, unit] = [
            read(out),
            (negative ? -1n : 1n) * digits * 10n ** BigInt(15 - scale),
            BigInt(step) * 10n ** BigInt(15 - places),
          ];
          expect(lower <= exact && exact < lower + unit && lower % unit === 0n).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    '1e3',
    '1E3',
    '+5',
    '05',
    '5.',
    '.5',
    '1,5',
    '1 000',
    'NaN',
    'Infinity',
    '0x10',
    ' 5',
    '5\n',
    '--5',
    '-',
    '٥',
    '1'.repeat(39),
    `0.${'1'.repeat(39)}`,
  ])('text %j is no number', (value) => {
    expect(codeOf(() => one({ number: 10 }, value))).toBe('not_a_number');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7])('%s is no plain decimal', (value) => {
    expect(codeOf(() => one({ number: 10 }, value))).toBe('not_a_number');
  });

  it.each([5n, true, {}, []])('%o is no number', (value) => {
    expect(codeOf(() => one({ number: 10 }, value))).toBe('wrong_type');
  });
});

describe('prefix', () => {
  it.each([
    ['SW1A 1AA', 4, 'SW1A'],
    ['ab', 5, 'ab'],
    ['\u{1f600}\u{1f601}x', 2, '\u{1f600}\u{1f601}'],
    ['abc', 0, ''],
  ])('%j, %s', (value, prefix, expected) => {
    expect(one({ prefix }, value)).toBe(expected);
  });

  it('takes well-formed text', () => {
    expect(codeOf(() => one({ prefix: 2 }, 12345))).toBe('wrong_type');
    expect(codeOf(() => one({ prefix: 2 }, 'ab\ud800'))).toBe('lone_surrogate');
  });
});

describe('ip', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['0.0.0.0', '0.0.0.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:DB8:0001::', '2001:db8:1::/48'],
    ['::1', '::/48'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::ffff:c000:24d', '192.0.2.0/24'],
    ['::FFFF:C000:024D', '192.0.2.0/24'],
    ['0:0:0:0:0:ffff:192.0.2.77', '192.0.2.0/24'],
    ['::fffe:192.0.2.77', '::/48'],
    // Addresses that contain one of version 4: 6to4, Teredo, NAT64 twice, IPv4-compatible and -translated, ISATAP.
    ['2002:c000:24d::1', '2002:c000:200::/40'],
    ['2001:0:c000:24d:8000:63bf:3fff:fdb2', '2001:0:c000::/48'],
    ['64:ff9b::192.0.2.77', '64:ff9b::/48'],
    ['64:ff9b:1:c000:2:4d00::', '64:ff9b:1::/48'],
    ['::192.0.2.77', '::/48'],
    ['::ffff:0:192.0.2.77', '::/48'],
    ['2001:db8::5efe:192.0.2.77', '2001:db8::/48'],
  ])('%s is %s', (value, expected) => {
    expect(one({ ip: { v4: 24, v6: 48 } }, value)).toBe(expected);
  });

  it('at the limits', () => {
    expect(one({ ip: { v4: 0, v6: 0 } }, '203.0.113.9')).toBe('0.0.0.0/0');
    expect(one({ ip: { v4: 32, v6: 128 } }, '203.0.113.9')).toBe('203.0.113.9/32');
    expect(one({ ip: { v4: 32, v6: 128 } }, '2001:db8::9')).toBe('2001:db8::9/128');
    expect(one({ ip: { v4: 25, v6: 47 } }, '203.0.113.200')).toBe('203.0.113.128/25');
    expect(one({ ip: { v4: 25, v6: 47 } }, '2001:db8:ffff::')).toBe('2001:db8:fffe::/47');
  });

  it.each([
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2002:c000:24d::1', '2002:c000:200::/40'],
    ['2001:0:c000:24d:8000:63bf:3fff:fdb2', '2001:0:c000:200::/56'],
    ['64:ff9b::192.0.2.77', '64:ff9b::c000:200/120'],
    ['64:ff9b:1:c000:2:4d00::', '64:ff9b:1:c000::/72'],
    ['::192.0.2.77', '::c000:200/120'],
    ['::ffff:0:192.0.2.77', '::ffff:0:c000:200/120'],
    ['2001:db8::5efe:192.0.2.77', '2001:db8::5efe:c000:200/120'],
    ['2001:db8::200:5efe:192.0.2.77', '2001:db8::200:5efe:c000:200/120'],
    ['2001:db8::300:5efe:192.0.2.77', '2001:db8::300:5efe:c000:24d/128'],
    ['2001:1::192.0.2.77', '2001:1::c000:24d/128'],
    ['2003:c000:24d::1', '2003:c000:24d::1/128'],
  ])('%s is %s with 24 and 128 bits', (value, expected) => {
    expect(one({ ip: { v4: 24, v6: 128 } }, value)).toBe(expected);
  });

  it('keeps, of two addresses that hold different ones of version 4 in one network, nothing that differs', () => {
    const held = (v4: number): readonly string[] => {
      const [high, low] = [(v4 >>> 16).toString(16), (v4 & 0xffff).toString(16)];
      const [notHigh, notLow] = [(~v4 >>> 16).toString(16), (~v4 & 0xffff).toString(16)];
      const bytes = [v4 >>> 24, (v4 >>> 16) & 255, (v4 >>> 8) & 255, v4 & 255];
      const two = (a: number, b: number) => ((a << 8) | b).toString(16);
      const [a, b, c, d] = bytes as [number, number, number, number];
      return [
        `::ffff:${high}:${low}`,
        `2002:${high}:${low}:1::1`,
        `2001:0:${high}:${low}:0:1234:1:1`,
        `2001:0:cb00:7101:0:1234:${notHigh}:${notLow}`,
        `64:ff9b::${high}:${low}`,
        `64:ff9b:1::${high}:${low}`,
        // RFC 6052, section 2.2: prefixes of 48, 56 and 64 bits, with eight zeros in the middle.
        `64:ff9b:1:${high}:${two(0, c)}:${two(d, 0)}::`,
        `64:ff9b:1:${two(0, a)}:${two(0, b)}:${two(c, d)}::`,
        `64:ff9b:1:0:${two(0, a)}:${two(b, c)}:${two(d, 0)}:0`,
        `2001:db8::5efe:${high}:${low}`,
        `::${high}:${low}`,
        `::ffff:0:${high}:${low}`,
      ];
    };
    for (const v4 of [0, 8, 16, 24, 31]) {
      const first = 0xcb007105;
      for (let bit = 0; bit < 32 - v4; bit++) {
        const other = (first ^ (1 << bit)) >>> 0;
        for (const [i, value] of held(first).entries()) {
          const cut = (text: string) => one({ ip: { v4, v6: 128 } }, text);
          expect(cut(held(other)[i]!), `${value} at ${v4}, bit ${bit}`).toBe(cut(value));
        }
      }
    }
    const whole = (text: string) => one({ ip: { v4: 32, v6: 128 } }, text);
    for (const value of held(0xcb007105).slice(1))
      expect(parseIp(value)).toEqual(parseIp(String(whole(value)).slice(0, -4)));
  });

  it.each(['192.0.2', '192.0.2.0/24', '192.0.2.256', '::1%eth0', 'localhost', '1.2.3.4::', '01.2.3.4'])(
    '%s is none',
    (value) => {
      expect(codeOf(() => one({ ip: { v4: 24, v6: 48 } }, value))).toBe('not_an_ip');
    },
  );
});

describe('min and max', () => {
  const age = { number: 10, min: 20, max: 90 } as const;
  it.each([
    [103, 90],
    ['103', '90'],
    [90, 90],
    [89.999, 80],
    ['89.999', '80'],
    [20, 20],
    [19.999, '<20'],
    ['0', '<20'],
    [-5, '<20'],
    [jsonNumber('123456789012345678901234567890'), 90],
  ])('%o is in %o', (value, bucket) => {
    expect(one(age, value)).toBe(bucket);
  });

  it('of decimals, below zero, and one without the other', () => {
    expect(one({ number: 0.5, min: -0.5, max: 1 }, '1.75')).toBe('1.0');
    expect(one({ number: 0.5, min: -0.5, max: 1 }, '-0.51')).toBe('<-0.5');
    expect(one({ number: 10, max: -20 }, 5)).toBe(-20);
    expect(one({ number: 10, min: 50, max: 50 }, 49)).toBe('<50');
    expect(one({ number: 10, min: 50, max: 50 }, 77)).toBe(50);
    expect(one({ number: 10, min: 0 }, 1e6)).toBe(1e6);
  });

  it.each([
    [{ number: 10, max: 95 }, '"max" expected a multiple of "number"'],
    [{ number: 0.5, min: 0.25 }, '"min" expected a multiple of "number"'],
    [{ number: 10, min: 30, max: 20 }, '"max" expected a number that is not below min'],
    [{ number: 10, max: Number.POSITIVE_INFINITY }, '"max" expected a plain decimal'],
    [{ number: 10, max: '90' }, '"max" expected a number, got string'],
    [{ prefix: 3, max: 90 }, '"max" is only for buckets of a "number"'],
    [{ date: 'year', min: 1920 }, '"min" is only for buckets of a "number"'],
  ])('%j is refused', (options, message) => {
    expect(() => coarsen(options as never)).toThrow(message);
  });
});

describe('merge', () => {
  it('puts buckets of few people together, of every kind but number', () => {
    const zip = { prefix: 3, merge: { '000': ['036', '059'], rest: ['79'] } } as const;
    expect(many(zip, ['03601', '05999', '10001', '00099', '79', null])).toEqual([
      '000',
      '000',
      '100',
      '000',
      'rest',
      null,
    ]);
    expect(many({ date: 'decade', merge: { 'before 1940': ['1920s', '1930s'] } }, ['1934-01-01', '1944'])).toEqual([
      'before 1940',
      '1940s',
    ]);
    const net = { ip: { v4: 24, v6: 48 }, merge: { offices: ['192.0.2.0/24', '2001:db8:1::/48'] } };
    expect(many(net, ['192.0.2.7', '2001:db8:1::5', '::ffff:192.0.2.9', '198.51.100.1'])).toEqual([
      ...['offices', 'offices', 'offices'],
      '198.51.100.0/24',
    ]);
  });

  it('is frozen data, and a copy', () => {
    const list = ['036', '059'];
    const rule = coarsen({ prefix: 3, merge: { '000': list } });
    list.push('100');
    expect(JSON.parse(JSON.stringify(rule))).toEqual({ rule: 'coarsen', prefix: 3, merge: { '000': ['036', '059'] } });
    expect(Object.isFrozen(rule.merge) && Object.isFrozen(rule.merge['000'])).toBe(true);
  });

  it.each([
    [{ prefix: 3, merge: {} }, 'at least one bucket to merge into'],
    [{ prefix: 3, merge: { a: [] } }, 'at least one bucket in list 1'],
    [
      { prefix: 3, merge: { a: ['b'], c: ['d', 'b'] } },
      'expected each bucket once, and item 2 of list 2 was there before',
    ],
    [{ prefix: 3, merge: { a: ['b', 'b'] } }, 'item 2 of list 1 was there before'],
    [{ prefix: 3, merge: { a: ['a'] } }, 'item 1 of list 1 is the bucket that it is merged into'],
    [{ prefix: 3, merge: { a: ['b'], c: ['a'] } }, 'item 1 of list 2 is a bucket that others are merged into'],
    [{ prefix: 3, merge: { a: ['0360'] } }, 'item 1 of list 1 can never be one'],
    [{ prefix: 3, merge: { a: [''] } }, 'can never be one'],
    [{ date: 'year', merge: { a: ['84'] } }, 'can never be one'],
    [{ date: 'quarter', merge: { a: ['2024-Q5'] } }, 'can never be one'],
    [{ ip: { v4: 24, v6: 48 }, merge: { a: ['192.0.2.7/24'] } }, 'can never be one'],
    [{ ip: { v4: 24, v6: 48 }, merge: { a: ['192.0.2.0'] } }, 'can never be one'],
    [{ prefix: 3, merge: { '': ['036'] } }, 'a name of 1 to 256 characters for list 1'],
    [{ prefix: 3, merge: { a: 'b' } }, 'expected a list of buckets as list 1, got string'],
    [{ prefix: 3, merge: { a: [36] } }, 'expected text as item 1 of list 1, got number'],
    [{ prefix: 3, merge: ['036'] }, 'got array'],
    [{ number: 10, merge: { a: ['20'] } }, 'use min and max'],
  ])('%j is refused', (options, message) => {
    expect(() => coarsen(options as never)).toThrow(message);
    expect(() => coarsen(options as never)).toThrow(/^"merge" /);
  });
});

it('missing values pass, and nothing comes back', () => {
  for (const bucket of [
    { date: 'year' },
    { number: 10 },
    { prefix: 2 },
    { ip: { v4: 24, v6: 48 } },
  ] as CoarsenBucket[]) {
    expect(many(bucket, [null, undefined, ''])).toEqual([null, undefined, '']);
    const column = ['1984'];
    expect(runColumn(ruleEngine(coarsen(bucket))!.bind(null, false, ownLists({})).reveal, column)).toEqual(column);
  }
});

describe('the rule', () => {
  it('is frozen plain data', () => {
    const rule = coarsen({ ip: { v4: 24, v6: 48 }, optional: true, why: 'x' });
    expect(JSON.parse(JSON.stringify(rule))).toEqual({
      rule: 'coarsen',
      ip: { v4: 24, v6: 48 },
      optional: true,
      why: 'x',
    });
    expect(Object.isFrozen(rule) && Object.isFrozen(rule.ip)).toBe(true);
  });

  it.each([
    [{}, RangeError],
    [{ date: 'year', number: 10 }, RangeError],
    [{ date: 'day' }, RangeError],
    [{ date: 5 }, RangeError],
    [{ number: 0 }, RangeError],
    [{ number: -5 }, RangeError],
    [{ number: Number.NaN }, RangeError],
    [{ number: Number.POSITIVE_INFINITY }, RangeError],
    [{ number: 1e-7 }, RangeError],
    [{ number: 1e21 }, RangeError],
    [{ number: '10' }, TypeError],
    [{ number: true }, TypeError],
    [{ prefix: -1 }, RangeError],
    [{ prefix: 257 }, RangeError],
    [{ prefix: 1.5 }, RangeError],
    [{ prefix: '2' }, TypeError],
    [{ ip: null }, TypeError],
    [{ ip: 24 }, TypeError],
    [{ ip: {} }, TypeError],
    [{ ip: { v4: 24 } }, TypeError],
    [{ ip: { v4: 33, v6: 48 } }, RangeError],
    [{ ip: { v4: 24, v6: 129 } }, RangeError],
    [{ ip: { v4: 24, v6: 48, v5: 1 } }, TypeError],
    [{ week: 1 }, TypeError],
    [null, TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => coarsen(options as never)).toThrow(kind);
  });
});

/** digits × 10^-scale as a plain decimal. */
function write(digits: bigint, scale: number): string {
  const text = digits.toString().padStart(scale + 1, '0');
  return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** A plain decimal times 10^15. */
function read(text: string): bigint {
  const [whole, fraction = ''] = text.replace('-', '').split('.');
  const digits = BigInt(whole! + fraction.padEnd(15, '0'));
  return text.startsWith('-') ? -digits : digits;
}
