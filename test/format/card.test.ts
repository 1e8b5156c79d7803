import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CardLuhn, type CardOptions, card } from '../../src/format/card/card.ts';
import { type Format, formatEngine, type NumeralEngine } from '../../src/format/engine.ts';
import type { TrefoilError } from '../../src/index.ts';
import { thrown } from '../helpers/errors.ts';
import { luhnDigit, luhnHolds } from '../reference/fpe.ts';
import { random } from '../reference/random.ts';

const engineOf = (format: Format) => formatEngine('format', format) as NumeralEngine;

/** Test numbers that the networks publish. */
const PUBLISHED = {
  visa: ['4111111111111111', '4012888888881881', '4222222222222', '4242424242424242'],
  mastercard: ['5555555555554444', '5105105105105100', '2223003122003222', '2720992593319364'],
  amex: ['378282246310005', '371449635398431'],
  discover: ['6011111111111117', '6011000990139424'],
  jcb: ['3530111333300000', '3566002020360505'],
  diners: ['30569309025904', '38520000023237', '36227206271667'],
  unionpay: ['6205500000000000004', '6200000000000005'],
  maestro: ['6759649826438453', '6304000000000000'],
  mir: ['2200000000000004'],
} as const;

/** What a face refuses. */
function refusal(take: (value: string) => unknown, value: string): TrefoilError {
  return thrown(() => take(value));
}

describe('card: what stays in clear', () => {
  const all = Object.values(PUBLISHED).flat();

  it.each([
    [{}, 0, 0],
    [{ clear: { first: 6 } }, 6, 0],
    [{ clear: { last: 4 } }, 0, 4],
    [{ clear: { first: 6, last: 4 } }, 6, 4],
    [{ clear: { first: 8, last: 4 }, length: 16 }, 8, 4],
    [{ clear: { first: 0, last: 1 } }, 0, 1],
    [{ clear: { first: 2, last: 3 }, luhn: 'any' }, 2, 3],
    [{ clear: { first: 6, last: 4 }, luhn: 'invalid' }, 6, 4],
  ] as const)('%j', (options: CardOptions, first, last) => {
    const format = card(options);
    const { split, assemble } = engineOf(format);
    for (const value of all) {
      if (!format.test(value)) {
        expect(options.length).toBe(16);
        expect(value).not.toHaveLength(16);
        continue;
      }
      const parts = split(value);
      expect(assemble(parts, parts.numerals)).toBe(value);
      expect(parts.shape).toBe(`${value.length}`);
      expect(parts.clear).toBe(value.slice(0, first) + value.slice(value.length - last));
      expect(parts.numerals).toHaveLength(value.length - first - last - (options.luhn === 'any' ? 0 : 1));
      for (const index of [0n, 1n, 10n ** BigInt(parts.numerals.length) - 1n]) {
        const out = format.unrank(index, value);
        expect(out).toHaveLength(value.length);
        expect(out.slice(0, first)).toBe(value.slice(0, first));
        expect(out.slice(value.length - last)).toBe(value.slice(value.length - last));
        expect(format.rank(out)).toBe(index);
        if (options.luhn !== 'any') expect(luhnHolds(out)).toBe(true);
      }
    }
  });

  it('the layout comes back and changes nothing', () => {
    const format = card({ clear: { first: 6, last: 4 } });
    const { split, assemble } = engineOf(format);
    const bare = split('4111111111111111');
    for (const value of ['4111 1111 1111 1111', '4111-1111-1111-1111', '4-1 11111111111111', '41 11-11111111111-1']) {
      const parts = split(value);
      expect({ ...parts, layout: null }).toEqual({ ...bare, layout: null });
      expect(assemble(parts, parts.numerals)).toBe(value);
      expect(assemble(parts, [1, 2, 3, 4, 5]).replace(/\d/g, '#')).toBe(value.replace(/\d/g, '#'));
      expect(assemble(parts, [1, 2, 3, 4, 5]).replace(/\D/g, '')).toBe(assemble(bare, [1, 2, 3, 4, 5]));
    }
  });

  it('clear digits are one text of a length that the descriptor fixes', () => {
    expect(engineOf(card({ clear: { first: 6, last: 4 } })).split('378282246310005')).toMatchObject({
      shape: '15',
      clear: '3782820005',
      numerals: [2, 4, 6, 3],
    });
  });
});

describe('card: every value of a shape', () => {
  it.each([
    ['16 digits, 6 + 4', { clear: { first: 6, last: 4 }, length: 16 }, '4111111111111111', 100_000],
    ['15 digits, 6 + 4', { clear: { first: 6, last: 4 }, length: 15 }, '378282246310005', 10_000],
    ['15 digits, 8 + 3', { clear: { first: 8, last: 3 }, length: 15 }, '378282246310005', 1000],
    ['16 digits, 12 + 0', { clear: { first: 12 }, length: 16 }, '4111111111111111', 1000],
    ['13 digits, 9 + 1', { clear: { first: 9, last: 1 } }, '4222222222222', 100],
    ['16 digits, 8 + 4, any', { clear: { first: 8, last: 4 }, length: 16, luhn: 'any' }, '4111111111111112', 10_000],
    ['13 digits, 8 + 4, any', { clear: { first: 8, last: 4 }, luhn: 'any' }, '4222222222222', 10],
  ] as const)('%s', (_, options: CardOptions, like, size) => {
    const format = card(options);
    const { first = 0, last = 0 } = options.clear!;
    const seen = new Set<string>();
    for (let i = 0; i < size; i++) {
      const value = format.unrank(i, like);
      seen.add(value);
      if (options.luhn !== 'any' && !luhnHolds(value)) throw new Error(`number ${i} fails Luhn`);
      if (value.slice(0, first) !== like.slice(0, first)) throw new Error(`number ${i} lost its first digits`);
      if (value.slice(-last || value.length) !== like.slice(-last || value.length))
        throw new Error(`${i}: last digits`);
      if (format.rank(value) !== BigInt(i)) throw new Error(`number ${i} has another rank`);
    }
    expect(seen.size).toBe(size);
    expect(() => format.unrank(size, like)).toThrow(RangeError);
  });

  it('exactly those numbers of the shape are taken that have a right check digit', () => {
    const format = card({ clear: { first: 6, last: 4 }, length: 14 });
    let taken = 0;
    for (let middle = 0; middle < 10_000; middle++) {
      const value = `305693${`${middle}`.padStart(4, '0')}5904`;
      expect(format.test(value)).toBe(luhnHolds(value));
      if (luhnHolds(value)) taken++;
    }
    expect(taken).toBe(1000);
  });
});

describe('card: luhn invalid', () => {
  const format = card({ clear: { first: 6, last: 4 }, length: 16, luhn: 'invalid' });
  const { split, assemble, enciphered } = engineOf(format);
  const like = split('4111 1111 1111 1111');

  it('every output fails Luhn, with one remainder, and comes back', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      const numerals = [...`${i}`.padStart(5, '0')].map(Number);
      const token = enciphered!.assemble(like, numerals);
      if (luhnHolds(token.replaceAll(' ', ''))) throw new Error(`number ${i} passes Luhn`);
      seen.add(token);
      const parts = enciphered!.split(token);
      if (parts.numerals.join('') !== numerals.join('') || parts.clear !== like.clear) throw new Error(`number ${i}`);
    }
    expect(seen.size).toBe(100_000);
  });

  it('a token is no card number and a card number no token', () => {
    const token = enciphered!.assemble(like, [1, 2, 3, 4, 5]);
    expect(token).toMatch(/^4111 1112 345\d 1111$/);
    expect(format.test(token)).toBe(false);
    expect(refusal(split, token).message).toBe(
      'the check digit of the card number is wrong, so it could not be restored',
    );
    expect(refusal(enciphered!.split, '4111 1111 1111 1111').message).toBe(
      'the number was not written by this rule: with luhn: invalid the Luhn sum of an output is wrong by 1',
    );
    expect(assemble(split('4111111111111111'), [1, 2, 3, 4, 5])).toSatisfy(luhnHolds);
  });

  it('one in ten numbers is a token, one in ten a card number', () => {
    const counts = { card: 0, token: 0 };
    for (let i = 0; i < 1000; i++) {
      const value = `4111119${`${i}`.padStart(3, '0')}771111`;
      if (format.test(value)) counts.card++;
      try {
        enciphered!.split(value);
        counts.token++;
      } catch {}
    }
    expect(counts).toEqual({ card: 100, token: 100 });
  });

  it('without clear digits at the end, the check digit is one more than the right one', () => {
    const { split, enciphered } = engineOf(card({ luhn: 'invalid' }));
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{12,18}$/), (body) => {
        const parts = split(body + luhnDigit(body));
        const token = enciphered!.assemble(parts, parts.numerals);
        expect(token).toBe(`${body}${(Number(luhnDigit(body)) + 1) % 10}`);
      }),
    );
  });

  it('other lengths and modes have no second face', () => {
    expect(engineOf(card()).enciphered).toBeUndefined();
    expect(engineOf(card({ luhn: 'any' })).enciphered).toBeUndefined();
  });
});

describe('card: properties', () => {
  it('what is joined is taken, and split again gives the same parts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom<CardLuhn>('valid', 'any', 'invalid'),
        fc.integer({ min: 0, max: 19 }),
        fc.bigInt({ min: 0n, max: 10n ** 19n }),
        (first, last, luhn, extra, number) => {
          const length = Math.min(19, first + last + 1 + extra + 1);
          const format = card({ clear: { first, last }, luhn, length });
          const value = format.unrank(number % format.size);
          expect(value).toHaveLength(length);
          expect(format.rank(value)).toBe(number % format.size);
          if (luhn !== 'any') expect(luhnHolds(value)).toBe(true);
          const { split, assemble, enciphered } = engineOf(format);
          const parts = split(value);
          expect(assemble(parts, parts.numerals)).toBe(value);
          const other = (enciphered ?? { assemble, split }).assemble(parts, parts.numerals);
          expect((enciphered ?? { assemble, split }).split(other)).toMatchObject({
            shape: parts.shape,
            clear: parts.clear,
            numerals: parts.numerals,
          });
        },
      ),
    );
  });

  it('the literal way, by trying the ten digits, gives the same outputs', () => {
    const next = random('card ranks');
    const digest = createHash('sha256');
    for (const [options, remainder] of [
      [{ clear: { first: 6 } }, 0],
      [{ clear: { first: 6, last: 4 } }, 0],
      [{ clear: { last: 4 }, luhn: 'any' }, null],
      [{ clear: { first: 8, last: 3 }, luhn: 'invalid' }, 1],
    ] as const) {
      const { split, assemble, enciphered } = engineOf(card(options));
      const { first = 0, last = 0 }: { first?: number; last?: number } = options.clear;
      for (let i = 0; i < 1000; i++) {
        const body = Array.from({ length: 12 + next.below(7) }, () => next.below(10)).join('');
        const like = split(body + luhnDigit(body));
        const secret = like.numerals.map(() => next.below(10));
        const out = (enciphered?.assemble ?? assemble)(like, secret);
        const [start, end] = [like.clear.slice(0, first), like.clear.slice(like.clear.length - last)];
        const tried = [...'0123456789', ''].map((digit) => start + secret.join('') + digit + end);
        const literal =
          remainder === null ? tried[10] : tried.slice(0, 10).find((text) => luhnRest(text) === remainder);
        if (out !== literal) throw new Error(`case ${i} of ${JSON.stringify(options)}`);
        digest.update(`${out}\n`);
      }
    }
    expect(digest.digest('hex')).toBe('1d701c306cbadb2de6006322a62fc2b75f7c3911d8fc8626a30b5ce063b79224');
  });
});

/** The Luhn sum modulo 10, in words of the annex: double from the right, add the digits of the products. */
function luhnRest(text: string): number {
  const digits = [...text].reverse().map((digit, i) => `${Number(digit) * ((i % 2) + 1)}`);
  return [...digits.join('')].reduce((sum, digit) => sum + Number(digit), 0) % 10;
}

describe('card: brands', () => {
  it.each(Object.entries(PUBLISHED))('%s', (brand, values) => {
    const format = card({ brands: [brand as keyof typeof PUBLISHED], clear: { first: 6 } });
    for (const value of values) {
      expect(format.test(value)).toBe(true);
      for (const index of [0, 1, 9999]) expect(format.test(format.unrank(index, value))).toBe(true);
    }
    const others = Object.entries(PUBLISHED).filter(([other]) => other !== brand);
    for (const [, foreign] of others) for (const value of foreign) expect(format.test(value)).toBe(false);
    expect(format.test(format.unrank(0))).toBe(true);
  });

  it('changes no output and is not in the descriptor', () => {
    const free = card({ clear: { first: 6 } });
    const checked = card({ clear: { first: 6 }, brands: ['visa', 'amex'] });
    expect(engineOf(checked).descriptor).toEqual(engineOf(free).descriptor);
    expect(engineOf(checked).split('378282246310005')).toEqual(engineOf(free).split('378282246310005'));
  });

  it('the smallest length is that of the brands, within the limits', () => {
    expect(card({ brands: ['visa'], clear: { first: 6 } }).size).toBe(10n ** 6n);
    expect(card({ brands: ['mastercard'], clear: { first: 6 } }).size).toBe(10n ** 9n);
    expect(card({ brands: ['mastercard', 'amex'], clear: { first: 6 } }).size).toBe(10n ** 8n);
    expect(card({ brands: ['maestro'], clear: { first: 6 } }).size).toBe(10n ** 5n);
    expect(card({ brands: ['maestro', 'visa'], clear: { first: 6 }, min: 14 }).size).toBe(10n ** 7n);
    expect(card({ brands: ['visa'], clear: { first: 6 }, min: 14 }).size).toBe(10n ** 9n);
    expect(card({ brands: ['visa'], clear: { first: 4 } }).test('411111111111116')).toBe(false);
  });

  it('the sample of the smallest shape is of the brand', () => {
    for (const brand of Object.keys(PUBLISHED) as (keyof typeof PUBLISHED)[]) {
      const format = card({ brands: [brand], clear: { first: 4, last: 4 } });
      expect(format.test(format.unrank(0))).toBe(true);
    }
  });

  it('needs as many clear digits as keep the brand', () => {
    for (const [brands, least] of [
      [['visa'], 1],
      [['amex'], 2],
      [['unionpay'], 2],
      [['diners'], 3],
      [['mastercard'], 4],
      [['visa', 'amex', 'jcb'], 4],
    ] as const) {
      expect(() => card({ brands, clear: { first: least } })).not.toThrow();
      expect(() => card({ brands, clear: { first: least - 1 } })).toThrow(
        `"brands" needs clear: { first: ${least} } or more, so that the output keeps the brand`,
      );
    }
    expect(() => card({ brands: ['visa'] })).toThrow(RangeError);
  });

  it.each([
    [{ brands: [], clear: { first: 6 } }, RangeError],
    [{ brands: ['visa', 'visa'], clear: { first: 6 } }, RangeError],
    [{ brands: ['Visa'], clear: { first: 6 } }, RangeError],
    [{ brands: ['toString'], clear: { first: 6 } }, RangeError],
    [{ brands: 'visa', clear: { first: 6 } }, TypeError],
    [{ brands: null, clear: { first: 6 } }, TypeError],
    [{ brands: [4], clear: { first: 6 } }, RangeError],
    [{ brands: ['amex'], clear: { first: 6 }, length: 16 }, RangeError],
    [{ brands: ['visa'], clear: { first: 6 }, min: 14, max: 15 }, RangeError],
  ])('%j is refused', (options, kind) => {
    expect(() => card(options as never)).toThrow(kind);
  });

  it('a refusal says which brands and lengths, and no digit', () => {
    const format = card({ brands: ['visa', 'amex'], clear: { first: 6 } });
    const take = (value: string) => engineOf(format).split(value);
    expect(refusal(take, '5555555555554444').message).toBe(
      'the card number is not of visa, amex: it has other leading digits or another length',
    );
    expect(refusal(take, '41111111111114').message).toBe('the card number has 14 digits, expected 13, 15, 16, 19');
    expect(refusal(take, '411111111111116').code).toBe('outside_format');
  });
});

describe('card: options', () => {
  it.each([
    [{}, ['card@1', 'first=0']],
    [{ clear: {} }, ['card@1', 'first=0']],
    [{ clear: { first: 6 } }, ['card@1', 'first=6']],
    [{ clear: { first: 6, last: 0 } }, ['card@1', 'first=6']],
    [{ clear: { last: 4 } }, ['card@1', 'first=0', 'last=4']],
    [{ luhn: 'valid' }, ['card@1', 'first=0']],
    [{ luhn: 'any' }, ['card@1', 'first=0', 'luhn=any']],
    [{ clear: { first: 6, last: 4 }, luhn: 'invalid', min: 13 }, ['card@1', 'first=6', 'last=4', 'luhn=invalid']],
  ] as const)('the descriptor of %j', (options, descriptor) => {
    expect(engineOf(card(options)).descriptor).toEqual(descriptor);
  });

  it.each([
    [{}, '{"type":"card"}'],
    [{ clear: {} }, '{"type":"card"}'],
    [{ clear: { last: 4 }, luhn: 'any' }, '{"type":"card","clear":{"last":4},"luhn":"any"}'],
    [
      { brands: ['visa'], clear: { last: 4, first: 6 }, max: 16 },
      '{"type":"card","clear":{"first":6,"last":4},"brands":["visa"],"max":16}',
    ],
    // `null` counts as the default, and the data has the default.
    [{ clear: { first: null }, luhn: null }, '{"type":"card","clear":{"first":0},"luhn":"valid"}'],
  ] as const)('%j is kept as plain data', (options, json) => {
    const format = card(options as CardOptions);
    expect(JSON.stringify(format)).toBe(json);
    const { type: _, ...again } = JSON.parse(json);
    expect(JSON.stringify(card(again))).toBe(json);
    expect(Object.isFrozen(format.clear ?? Object.freeze({}))).toBe(true);
    expect(Object.isFrozen(format.brands ?? Object.freeze([]))).toBe(true);
  });

  it('does not change with the options it was made from', () => {
    const options = { clear: { first: 6, last: 4 }, brands: ['visa' as const] };
    const format = card(options);
    options.clear.last = 0;
    options.brands.pop();
    expect(JSON.stringify(format)).toBe('{"type":"card","clear":{"first":6,"last":4},"brands":["visa"]}');
  });

  it.each([
    [{ clear: { first: 6 } }, 'a card number of 13 digits with 6 in clear and a check digit leaves 6: 10^6'],
    [
      { clear: { first: 6, last: 4 } },
      'a card number of 13 digits with 6 + 4 in clear and a check digit leaves 2: 10^2; 15 digits leave 10^4, 16 digits 10^5',
    ],
    [
      { clear: { first: 6, last: 4 }, min: 15 },
      'a card number of 15 digits with 6 + 4 in clear and a check digit leaves 4: 10^4; 16 digits leave 10^5',
    ],
    [
      { clear: { first: 6, last: 4 }, length: 16 },
      'a card number of 16 digits with 6 + 4 in clear and a check digit leaves 5: 10^5',
    ],
    [
      { clear: { first: 6, last: 4 }, length: 16, luhn: 'any' },
      'a card number of 16 digits with 6 + 4 in clear leaves 6: 10^6',
    ],
    [
      { clear: { first: 4, last: 4 }, brands: ['visa'] },
      'a card number of 13 digits with 4 + 4 in clear and a check digit leaves 4: 10^4; 16 digits leave 10^7',
    ],
  ] as const)('%j says how its size comes about', (options, because) => {
    const { size, because: said } = card(options).strength();
    expect(said).toBe(because);
    expect(because).toContain(`10^${`${size}`.length - 1}`);
  });

  it('no secret digit left is refused with the numbers', () => {
    expect(() => card({ clear: { first: 8, last: 4 } })).toThrow(
      '"min" expected at least 14 digits, got 13: 8 + 4 in clear and a check digit leave no digit to encipher; ' +
        'keep fewer digits in clear, or set longer lengths',
    );
    expect(() => card({ clear: { first: 12, last: 4 }, length: 16, luhn: 'any' })).toThrow(
      'at least 17 digits, got 16',
    );
    expect(card({ clear: { first: 12, last: 4 }, length: 17, luhn: 'any' }).size).toBe(10n);
  });

  it.each([
    [{ clear: { last: 5 } }, RangeError],
    [{ clear: { last: -1 } }, RangeError],
    [{ clear: { last: '4' } }, TypeError],
    [{ clear: { first: 13 } }, RangeError],
    [{ clear: { middle: 4 } }, TypeError],
    [{ clear: [], luhn: 'any' }, TypeError],
    [{ luhn: 'off' }, RangeError],
    [{ luhn: false }, RangeError],
    [{ luhn: null, length: 16, max: 3 }, RangeError],
  ])('%j is refused', (options, kind) => {
    expect(() => card(options as never)).toThrow(kind);
  });
});

describe('card: values that are none', () => {
  const formats = [
    card(),
    card({ clear: { first: 6, last: 4 } }),
    card({ luhn: 'any', clear: { last: 4 } }),
    card({ luhn: 'invalid' }),
    card({ brands: ['visa'], clear: { first: 6 } }),
  ];

  it.each([
    '',
    ' ',
    '-',
    ' 4111111111111111',
    '4111111111111111 ',
    '4111111111111111-',
    '4111111111111111\n',
    '4111  1111 1111 1111',
    '4111- 1111 1111 1111',
    '4111.1111.1111.1111',
    '4111_1111_1111_1111',
    '4111\u00a01111\u00a01111\u00a01111',
    '4111\u20111111\u20111111\u20111111',
    '4111\u200b111111111111',
    '4111111111111111\u0301',
    '４１１１１１１１１１１１１１１１',
    '\u{1d7d2}\u{1d7cf}\u{1d7cf}\u{1d7cf}111111111111',
    '٤١١١١١١١١١١١١١١١',
    '411111111111111l',
    '4111111111111',
    '411111111111',
    '41111111111111111112',
    '4'.repeat(1000),
    '4 '.repeat(1000),
    '4111 1111 1111 111x',
    '+4111111111111111',
    '0x41111111111111',
    '4111111111111111\0',
    '\ud8004111111111111111',
  ])('%j', (value) => {
    for (const format of formats) {
      if (value === '4111111111111' && engineOf(format).descriptor.includes('luhn=any')) continue;
      expect(format.test(value)).toBe(false);
      const { code, message } = refusal((text) => engineOf(format).split(text), value);
      expect(code).toBe('outside_format');
      if (value.trim().length > 3) expect(message).not.toContain(value.trim());
    }
  });

  it('with a wrong check digit, unless no condition is asked', () => {
    for (let digit = 0; digit < 10; digit++) {
      const value = `411111111111111${digit}`;
      expect(formats.map((format) => format.test(value))).toEqual(
        formats.map((format) => digit === 1 || engineOf(format).descriptor.includes('luhn=any')),
      );
    }
  });
});
