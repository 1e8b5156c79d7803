import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { luhn } from '../../src/format/card/card.ts';
import {
  assembleIndex,
  type FormatEngine,
  formatEngine,
  indexOf,
  type NumeralParts,
  sizeOf,
} from '../../src/format/engine.ts';
import { card, digits, type Format, pattern, text } from '../../src/format.ts';
import type { TrefoilError } from '../../src/index.ts';
import { thrown } from '../helpers/errors.ts';
import { luhnDigit, luhnHolds } from '../reference/fpe.ts';

const engineOf = (format: Format): FormatEngine => formatEngine('format', format);

function refusal(format: Format, value: string): TrefoilError {
  expect(format.test(value)).toBe(false);
  return thrown(() => engineOf(format).split(value));
}

/** Splitting and joining gives the value; the numerals are within their radices. */
function bijective(format: Format, value: string): void {
  const engine = engineOf(format);
  const parts = engine.split(value);
  expect(assembleIndex(engine, parts, indexOf(engine, parts))).toBe(value);
  expect(format.unrank(format.rank(value), value)).toBe(value);
  expect(format.rank(value) < sizeOf(engine, parts)).toBe(true);
  if (engine.kind === 'index') return;
  const { numerals } = parts as NumeralParts;
  const { radix } = engine;
  expect(engine.assemble(parts as NumeralParts, numerals)).toBe(value);
  for (const numeral of numerals) {
    expect(numeral).toBeGreaterThanOrEqual(0);
    expect(numeral).toBeLessThan(radix);
  }
}

describe('digits', () => {
  it('takes digits, 6 to 64 of them unless told otherwise', () => {
    for (const value of ['000000', '123456', '0'.repeat(64)]) {
      expect(digits().test(value)).toBe(true);
      bijective(digits(), value);
    }
    expect(digits({ length: 3 }).test('123')).toBe(true);
    expect(digits({ min: 2, max: 3 }).test('1234')).toBe(false);
    expect(digits({ min: 100 }).test('1'.repeat(100))).toBe(true);
    expect(digits({ min: 100 }).test('1'.repeat(101))).toBe(false);
  });

  it.each([
    '12-4567890',
    '12 4567890',
    '123456a',
    ' 123456',
    '123456 ',
    '123456\n',
    '١٢٣٤٥٦',
    '１２３４５６',
    '12345\u{1d7d8}',
    '+123456',
    '-123456',
    '1234.56',
    '12345',
    '1'.repeat(65),
    '',
  ])('%j is none', (value) => {
    expect(refusal(digits(), value).code).toBe('outside_format');
  });

  it('says which character or how many, and never the value', () => {
    expect(refusal(digits(), '12-4567890').message).toBe('character 3 is not a digit');
    expect(refusal(digits(), '98765').message).toBe('the value has 5 characters, expected 6 to 64');
    expect(refusal(digits({ length: 9 }), '9876543210').message).toBe(
      'the value has more than 9 characters, expected 9',
    );
    expect(refusal(digits(), '98765').issues[0]).toMatchObject({ minimum: 6, maximum: 64 });
  });
});

describe('text', () => {
  it('counts code points, in any script', () => {
    const format = text('\u{1f600}\u{1f601}\u{10400}aé', { length: 9 });
    expect(format.test('\u{1f600}'.repeat(9))).toBe(true);
    expect(format.test('\u{1f600}'.repeat(8))).toBe(false);
    expect(format.test(`${'\u{1f600}'.repeat(8)}\ud83d`)).toBe(false);
    expect(engineOf(format).split('\u{1f601}\u{1f600}\u{10400}aéaaaa')).toMatchObject({
      numerals: [1, 0, 2, 3, 4, 3, 3, 3, 3],
    });
    bijective(format, '\u{1f601}\u{1f600}\u{10400}aéaaaa');
    expect(format.size).toBe(5n ** 9n);
  });

  it('the least length is by default the first that has 1,000,000 values', () => {
    for (const [alphabet, least] of [
      ['01', 20],
      ['abc', 13],
      ['0123456789', 6],
      ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', 5],
    ] as const) {
      const format = text(alphabet);
      expect(format.test(alphabet[0]!.repeat(least))).toBe(true);
      expect(format.test(alphabet[0]!.repeat(least - 1))).toBe(false);
      expect(format.test(alphabet[0]!.repeat(256))).toBe(true);
      expect(format.test(alphabet[0]!.repeat(257))).toBe(false);
      expect(format.size >= 1_000_000n).toBe(true);
    }
  });

  it('takes an alphabet of 65,536 symbols and no more', () => {
    const symbols = (count: number) => {
      const out: string[] = [];
      for (let code = 0x10000; out.length < count; code++) out.push(String.fromCodePoint(code));
      return out.join('');
    };
    const format = text(symbols(65_536));
    expect(format.size).toBe(65_536n ** 2n);
    bijective(format, String.fromCodePoint(0x10000 + 65_535, 0x10000));
    expect(() => text(symbols(65_537))).toThrow(RangeError);
  });

  it.each(['', 'a', 'aa', 'abca', '\ud800b', 'ab\udc00', '\u{1f600}\u{1f600}'])(
    'the alphabet %j is refused',
    (alphabet) => {
      expect(() => text(alphabet)).toThrow(RangeError);
    },
  );

  it('the order of the alphabet is in the descriptor, limits of length are not', () => {
    expect(engineOf(text('ab')).descriptor).toEqual(['text@1', 'ab']);
    expect(engineOf(text('ba')).descriptor).toEqual(['text@1', 'ba']);
    expect(engineOf(text('ab', { length: 30 })).descriptor).toEqual(['text@1', 'ab']);
    expect(engineOf(digits({ length: 30 })).descriptor).toEqual(['digits@1']);
  });

  it('canonically equal symbols are two', () => {
    const format = text('e\u0301\u00e9x', { length: 20 });
    bijective(format, 'e\u0301\u00e9x'.repeat(5));
    expect(format.size).toBe(4n ** 20n);
  });
});

describe('card', () => {
  it('takes 13 to 19 digits with a right check digit', () => {
    for (let length = 1; length <= 24; length++) {
      const body = '4539578763621486000000000'.slice(0, length - 1);
      const value = body + luhnDigit(body);
      expect(card().test(value)).toBe(length >= 13 && length <= 19);
    }
    // Published test numbers of the networks.
    for (const value of [
      '4111111111111111',
      '5555555555554444',
      '378282246310005',
      '6011111111111117',
      '3530111333300000',
      '30569309025904',
      '4222222222222',
      '6205500000000000004',
    ])
      bijective(card(), value);
  });

  it('refuses the nine other check digits, without the value', () => {
    for (let digit = 0; digit < 10; digit++) {
      const value = `411111111111111${digit}`;
      if (digit === 1) expect(card().test(value)).toBe(true);
      else
        expect(refusal(card(), value).message).toBe(
          'the check digit of the card number is wrong, so it could not be restored',
        );
    }
  });

  it.each([
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111 1111-1111 1111',
    '41111111 11111111',
    '4 1-1 1-1 1-1 1-1 1-1 1-1 1-1 1',
  ])('layout %j', (value) => {
    bijective(card({ clear: { first: 6 } }), value);
    expect(engineOf(card({ clear: { first: 6 } })).split(value)).toMatchObject({
      shape: '16',
      clear: '411111',
      numerals: [1, 1, 1, 1, 1, 1, 1, 1, 1],
    });
  });

  it.each([
    ' 4111111111111111',
    '4111111111111111 ',
    '4111  111111111111',
    '4111--111111111111',
    '-4111111111111111',
    '4111111111111111-',
    '4111.1111.1111.1111',
    '4111/1111/1111/1111',
    '4111\u00a01111\u00a01111\u00a01111',
    '4111\n1111\n1111\n1111',
    '411111111111111a',
    '٤١١١١١١١١١١١١١١١',
    'x',
    '',
  ])('%j is none', (value) => {
    expect(refusal(card(), value).code).toBe('outside_format');
  });

  it('luhn is the digit found by trying', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{0,30}$/), (body) => {
        expect(`${luhn(body)}`).toBe(luhnDigit(body));
        expect(luhnHolds(body + luhn(body))).toBe(true);
      }),
    );
  });

  it.each([
    [{ clear: { first: 13 } }, RangeError],
    [{ clear: { first: -1 } }, RangeError],
    [{ clear: { first: 1.5 } }, RangeError],
    [{ clear: 6 }, TypeError],
    [{ clear: null }, TypeError],
    [{ clear: [] }, TypeError],
    [{ max: 20 }, RangeError],
    [{ length: 20 }, RangeError],
    [{ min: 1 }, RangeError],
    [{ clear: { first: 12 }, length: 13 }, RangeError],
    [{ max: 12 }, RangeError],
    [{ length: 16, min: 13 }, RangeError],
    [{ first: 6 }, TypeError],
    [null, TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => card(options as never)).toThrow(kind);
  });
});

describe('pattern', () => {
  it.each([
    ['A999999', ['K013377', 'A000000'], ['k013377', 'K01337', 'K0133777', '1013377', 'K01337x', 'É013377']],
    ['aa-99', ['xy-12'], ['XY-12', 'xy_12', 'xy-1']],
    ['\\A9\\\\a', ['A5\\z'], ['B5\\z', 'A5/z']],
    ['\u{1f600}99é', ['\u{1f600}42é'], ['\u{1f601}42é', '\u{1f600}42e\u0301', '42é']],
    ['\\\u{1f600}9', ['\u{1f600}1'], ['\\1']],
    ['Za9', ['Zb1'], ['Ab1']],
  ])('%s', (source, good, bad) => {
    const format = pattern(source);
    for (const value of good) {
      expect(format.test(value)).toBe(true);
      bijective(format, value);
    }
    for (const value of bad) expect(refusal(format, value).code).toBe('outside_format');
  });

  it('the size is the product of the classes', () => {
    expect(pattern('A999999').size).toBe(26_000_000n);
    expect(pattern('AA-99.a').size).toBe(26n ** 3n * 100n);
    expect(pattern('9'.repeat(256)).size).toBe(10n ** 256n);
  });

  it('one spelling in the descriptor: escapes where they are needed and nowhere else', () => {
    const descriptor = (source: string) => engineOf(pattern(source)).descriptor;
    expect(descriptor('\\-9\\x')).toEqual(descriptor('-9x'));
    expect(descriptor('\\A9')).toEqual(['pattern@1', '\\A9']);
    expect(descriptor('\\\\9')).toEqual(['pattern@1', '\\\\9']);
    expect(descriptor('A9')).not.toEqual(descriptor('\\A9'));
    expect(descriptor('\\99')).toEqual(['pattern@1', '\\99']);
  });

  it('one radix makes a uniform string, two do not', () => {
    expect(engineOf(pattern('9-9'))).toMatchObject({ kind: 'numerals', radix: 10 });
    expect(engineOf(pattern('Aa'))).toMatchObject({ kind: 'numerals', radix: 26 });
    expect(engineOf(pattern('A9'))).toMatchObject({ kind: 'index', smallest: { size: 260n } });
  });

  it('refusals say where, and never the value', () => {
    expect(refusal(pattern('A99'), 'Q7X').message).toBe('character 3 does not fit the pattern');
    expect(refusal(pattern('A99'), 'Q7').message).toBe('the value has 2 characters, expected 3');
    expect(refusal(pattern('A99'), 'Q777').message).toBe('the value has more than 3 characters, expected 3');
  });

  it.each(['', 'x', '-', '\\9', '\\', '99\\', '\ud800', `9${'x'.repeat(256)}`])('%j is refused', (source) => {
    expect(() => pattern(source)).toThrow(RangeError);
  });

  it.each([undefined, null, 5, {}, /A9/])('%o is no text', (source) => {
    expect(() => pattern(source as never)).toThrow(TypeError);
  });
});

describe('every format', () => {
  const formats = [
    digits(),
    digits({ length: 9 }),
    text('abc', { min: 13 }),
    card(),
    card({ clear: { first: 6 }, min: 13 }),
    pattern('A999999'),
  ];

  it('is frozen plain data with the engine out of sight', () => {
    for (const format of formats) {
      expect(Object.isFrozen(format)).toBe(true);
      expect(JSON.parse(JSON.stringify(format))).toEqual({ ...format });
      expect(Object.keys(format)).not.toContain('size');
    }
    expect(JSON.stringify(formats)).toBe(
      '[{"type":"digits"},{"type":"digits","length":9},{"type":"text","alphabet":"abc","min":13},{"type":"card"},' +
        '{"type":"card","clear":{"first":6},"min":13},{"type":"pattern","pattern":"A999999"}]',
    );
  });

  it('does not change with the options it was made from', () => {
    const options = { clear: { first: 6 }, min: 13 };
    const format = card(options);
    options.clear.first = 0;
    options.min = 5;
    expect(JSON.stringify(format)).toBe('{"type":"card","clear":{"first":6},"min":13}');
    expect(engineOf(format).descriptor).toEqual(['card@1', 'first=6']);
  });

  it('test is false for what is no text, and throws nothing', () => {
    const values = [
      undefined,
      null,
      5,
      {},
      [],
      ['1', '2', '3', '4', '5', '6'],
      ['K', '0', '1', '3', '3', '7', '7'],
      Symbol('s'),
      () => 1,
      new Set('123456'),
      Object('4111111111111111'),
    ];
    for (const format of formats) for (const value of values) expect(format.test(value as string)).toBe(false);
  });

  it.each([
    { length: 0 },
    { length: 257 },
    { min: 0 },
    { max: 257 },
    { min: 9, max: 8 },
    { length: 5, min: 5 },
    { length: 5, max: 5 },
    { length: 1.5 },
  ])('lengths %j are refused', (options) => {
    expect(() => digits(options)).toThrow(RangeError);
    expect(() => text('ab', options)).toThrow(RangeError);
  });

  it.each([{ lenght: 5 }, null, [], 'x'])('options %j are refused', (options) => {
    expect(() => digits(options as never)).toThrow(TypeError);
    expect(() => text('ab', options as never)).toThrow(TypeError);
  });

  it('is known by its engine and not by its data', () => {
    expect(() => formatEngine('format', { type: 'digits' })).toThrow(
      '"format" expected a format of trefoil/format, got object',
    );
    expect(() => formatEngine('format', null)).toThrow(TypeError);
  });
});

it('a greatest length below the least that nobody named is about the one that was named', () => {
  expect(() => digits({ max: 5 })).toThrow(new RangeError('"max" expected at least 6, or set "min" as well'));
  expect(() => text('ab', { max: 10 })).toThrow(new RangeError('"max" expected at least 20, or set "min" as well'));
  expect(() => digits({ min: 6, max: 5 })).toThrow(new RangeError('"min" expected at most "max" (5), got 6'));
  expect(digits({ min: 5, max: 5 }).test('12345')).toBe(true);
});
