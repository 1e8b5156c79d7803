import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal, integer } from '../../src/format/number.ts';
import { random } from '../reference/random.ts';
import { counted, engineOf, enumerated, JUNK, kept, outlined, plainData, refusal } from './values.ts';

const TWO_53 = 2n ** 53n;

describe('integer', () => {
  it('a value is its distance from the least one', () => {
    const format = integer({ min: -1000, max: 99_999 });
    const values = enumerated(format);
    expect(values).toEqual(Array.from({ length: 101_000 }, (_, i) => `${i - 1000}`));
    outlined(format, values.slice(0, 3000));
    expect(format.size).toBe(101_000n);
    expect(format.strength()).toMatchObject({ engine: 'table', because: 'the numbers from -1000 to 99999: 101000' });
  });

  it.each([
    [0, 1],
    [-1, 0],
    [-9, -3],
    [99, 100],
    [-100, -9],
    [0, 2 ** 53 - 1],
    [1, 2 ** 53 - 1],
    [-1, 2 ** 53 - 1],
    [-(2 ** 53 - 1), 2 ** 53 - 1],
    [-(2 ** 53 - 1), 0],
    [-(2n ** 63n), 2n ** 63n - 1n],
    [0n, 2n ** 64n - 1n],
    [2n ** 100n, 2n ** 100n + 1_000_000n],
    [-(2n ** 100n), -(2n ** 100n) + TWO_53 - 1n],
    [-(2n ** 100n), -(2n ** 100n) + TWO_53],
    ['0', '9'.repeat(256)],
    [`-${'9'.repeat(255)}`, '9'.repeat(256)],
  ])('from %s to %s', (min, max) => {
    const format = integer({ min, max });
    const [least, most] = [BigInt(min), BigInt(max)];
    expect(format.size).toBe(most - least + 1n);
    const values = format.size < 1000n ? enumerated(format) : counted(format);
    for (const value of values) {
      // The literal reading: a decimal text is canonical when the number writes itself so.
      expect(String(BigInt(value))).toBe(value);
      expect(format.rank(value)).toBe(BigInt(value) - least);
    }
    outlined(format, values);
    expect(format.unrank(0)).toBe(String(least));
    expect(format.unrank(format.size - 1n)).toBe(String(most));
    for (const outside of [least - 1n, most + 1n, least * 10n - 1n, most * 10n + 1n]) {
      if (outside < least || outside > most) refusal(format, String(outside));
    }
  });

  it('no rounding at 2^53', () => {
    const format = integer({ min: 0, max: 2 ** 53 - 1 });
    for (const value of ['9007199254740992', '9007199254740993', '9007199254740999', '9999999999999999']) {
      refusal(format, value);
    }
    kept(format, '9007199254740991');
    const wide = integer({ min: 0, max: String(TWO_53) });
    expect(kept(wide, '9007199254740992').index).toBe(TWO_53);
    refusal(wide, '9007199254740993');
  });

  it.each([
    ...JUNK,
    '-0',
    '+1',
    '00',
    '01',
    '-01',
    '-',
    '--1',
    '- 1',
    '1-',
    ' 1',
    '1 ',
    '1\n',
    '\t1',
    '1.0',
    '1.',
    '.5',
    '1e0',
    '1n',
    '１',
    '1001',
    '-101',
    '/',
    ':',
    '0b1',
  ])('%.20j is refused', (value) => {
    expect(refusal(integer({ min: -100, max: 1000 }), value).issues[0]).toMatchObject({ minimum: -100, maximum: 1000 });
    refusal(integer({ min: -(2n ** 70n), max: 1000 }), value === '-101' ? '-00' : value);
  });

  it('every text of up to three characters that is taken writes itself so', () => {
    const characters = '0123456789-+. e';
    const texts = ['', ...characters];
    for (let at = 0, end = texts.length; texts.length < 3616; at++, end = texts.length) {
      if (texts[at]!.length < 3 && texts[at] !== '') for (const c of characters) texts.push(texts[at]! + c);
      if (at > end) break;
    }
    for (const format of [integer({ min: -99, max: 999 }), integer({ min: -99, max: 2n ** 80n })]) {
      const taken = texts.filter((text) => format.test(text));
      expect(taken.sort()).toEqual(Array.from({ length: 1099 }, (_, i) => `${i - 99}`).sort());
    }
  });

  it('over any limits, against the literal reading', () => {
    const digest = createHash('sha256');
    const next = random('integer');
    for (let i = 0; i < 3000; i++) {
      const bits = 1 + next.below(80);
      const draw = () => {
        const value = BigInt(`0x${next.bytes(10).toString('hex')}`) >> BigInt(80 - bits);
        return next.below(2) === 0 ? value : -value;
      };
      const [a, b] = [draw(), draw()];
      if (a === b) continue;
      const format = integer({ min: a < b ? a : b, max: a < b ? b : a });
      const index = BigInt(`0x${next.bytes(11).toString('hex')}`) % format.size;
      const value = format.unrank(index);
      expect(BigInt(value)).toBe((a < b ? a : b) + index);
      expect(format.rank(value)).toBe(index);
      digest.update(`${format.min} ${format.max} ${index} ${value}\n`);
    }
    expect(digest.digest('hex')).toBe('30a88ecbab1c2d502a515d5683a7eb0e621b70cab952c48c723900f27dcf4de7');
  });

  it.each([
    [{ min: 1, max: 1 }, RangeError],
    [{ min: 2, max: 1 }, RangeError],
    [{ min: 0.5, max: 2 }, RangeError],
    [{ min: 0, max: 2 ** 53 }, RangeError],
    [{ min: Number.NEGATIVE_INFINITY, max: 2 }, RangeError],
    [{ min: Number.NaN, max: 2 }, RangeError],
    [{ min: '01', max: 2 }, RangeError],
    [{ min: '-0', max: 2 }, RangeError],
    [{ min: '+1', max: 2 }, RangeError],
    [{ min: '1e3', max: 20_000 }, RangeError],
    [{ min: '1.0', max: 2 }, RangeError],
    [{ min: ' 1', max: 2 }, RangeError],
    [{ min: '1\n', max: 2 }, RangeError],
    [{ min: '', max: 2 }, RangeError],
    [{ min: 0, max: '9'.repeat(257) }, RangeError],
    [{ min: `-${'9'.repeat(256)}`, max: 0 }, RangeError],
    [{ min: 0 }, TypeError],
    [{ max: 0 }, TypeError],
    [{ min: null, max: 2 }, TypeError],
    [{ min: 0, max: true }, TypeError],
    [{ min: 0, max: 2, places: 1 }, TypeError],
    [undefined, TypeError],
    [[0, 1], TypeError],
  ])('the options %o are refused', (options, error) => {
    expect(() => integer(options as never)).toThrow(error as never);
  });

  it('the limits are the descriptor, however they are given', () => {
    for (const [min, max] of [
      [-5, 10],
      ['-5', '10'],
      [-5n, 10n],
    ] as const) {
      expect(engineOf(integer({ min, max })).descriptor).toEqual(['integer@1', '-5', '10']);
    }
    expect(engineOf(integer({ min: -0, max: 10 })).descriptor).toEqual(['integer@1', '0', '10']);
    expect(engineOf(integer({ min: 0, max: 10 })).hasClear).toBe(false);
  });

  it('is plain data', () => {
    plainData(integer({ min: 0, max: 10 }), { type: 'integer', min: 0, max: 10 });
    plainData(integer({ min: -0, max: '10' }), { type: 'integer', min: 0, max: '10' });
    plainData(integer({ min: -3n, max: 2n ** 64n }), { type: 'integer', min: '-3', max: '18446744073709551616' });
  });

  it('says the limits and not the value', () => {
    expect(refusal(integer({ min: 0, max: 120 }), '1984').message).toBe(
      'the value is not a whole number from 0 to 120: write plain digits without leading zeros, such as 42 or -7',
    );
  });
});

describe('decimal', () => {
  it('a value is its distance from the least one, in units of the last place', () => {
    const format = decimal({ min: '-10.5', max: 999.99, places: 2 });
    const values = enumerated(format);
    // Number#toFixed is exact for these; a negative zero cannot arise from whole hundredths.
    expect(values).toEqual(Array.from({ length: 101_050 }, (_, i) => ((i - 1050) / 100).toFixed(2)));
    outlined(format, values.slice(0, 5000));
    expect(format.size).toBe(101_050n);
  });

  it.each([
    [0, 0.1, 1],
    [-0.1, 0.1, 1],
    [-1, -0.5, 3],
    [0, 1, 18],
    ['-0.5', '0.5', 15],
    [0, '90071992547409.91', 2],
    [0, '90071992547409.92', 2],
    ['-90071992547409.91', '90071992547409.91', 2],
    ['10000000000000000000000.00', '10000000000000000000001.00', 2],
    ['-99999999999999999999.999999999999999999', '99999999999999999999.999999999999999999', 18],
  ])('from %s to %s with %i places', (min, max, places) => {
    const format = decimal({ min, max, places });
    const values = format.size < 1000n ? enumerated(format) : counted(format);
    const literal = (text: string) => BigInt(text.replace('.', ''));
    const least = literal(format.unrank(0));
    for (const value of values) {
      expect(value).toMatch(new RegExp(`^-?(0|[1-9][0-9]*)\\.[0-9]{${places}}$`));
      expect(value).not.toMatch(/^-[0.]*$/);
      expect(format.rank(value)).toBe(literal(value) - least);
    }
    outlined(format, values);
    expect(Number(format.unrank(0))).toBe(Number(min));
    expect(Number(format.unrank(format.size - 1n))).toBe(Number(max));
  });

  it.each([
    ...JUNK,
    '12',
    '12.',
    '12.5',
    '12.500',
    '.50',
    '-.50',
    '-0.00',
    '+1.00',
    '01.00',
    '-01.00',
    '00.50',
    '1,50',
    '1.5O',
    '1..0',
    '1.0.',
    '.1.0',
    '-1-.00',
    ' 1.00',
    '1.00 ',
    '1.00\n',
    '1.00e1',
    '100.01',
    '-100.01',
    '1٫00',
    '１.00',
    '-',
    '-.',
    '.',
    '..00',
  ])('%.20j is refused', (value) => {
    refusal(decimal({ min: -100, max: 100, places: 2 }), value);
    refusal(decimal({ min: -100, max: 100, places: 2 }), value);
    if (!/^-?100\.01$/.test(value)) refusal(decimal({ min: '-99999999999999999999', max: 100, places: 2 }), value);
  });

  it('is exact where binary fractions are not', () => {
    const format = decimal({ min: 0, max: 100, places: 2 });
    // 1.005 * 100 and 0.29 * 100 are not whole in binary.
    expect(format.rank('0.29')).toBe(29n);
    expect(format.rank('4.35')).toBe(435n);
    expect(format.unrank(115)).toBe('1.15');
    expect(engineOf(decimal({ min: 0.1, max: 0.3, places: 1 })).descriptor).toEqual(['decimal@1', '0.1', '0.3']);
    expect(() => decimal({ min: 0, max: 0.1 + 0.2, places: 2 })).toThrow(RangeError);
  });

  it('over any limits, against the literal reading', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 25n), 10n ** 25n),
        fc.bigInt(1n, 10n ** 25n),
        fc.integer({ min: 1, max: 18 }),
        fc.bigInt(0n, 10n ** 30n),
        (least, more, places, any) => {
          const unit = 10n ** BigInt(places);
          const text = (n: bigint) => {
            const abs = n < 0n ? -n : n;
            return `${n < 0n ? '-' : ''}${abs / unit}.${String((abs % unit) + unit).slice(1)}`;
          };
          const format = decimal({ min: text(least), max: text(least + more), places });
          const index = any % (more + 1n);
          expect(format.size).toBe(more + 1n);
          expect(format.unrank(index)).toBe(text(least + index));
          expect(format.rank(text(least + index))).toBe(index);
          expect(format.test(text(least - 1n))).toBe(false);
          expect(format.test(text(least + more + 1n))).toBe(false);
        },
      ),
      { seed: 9562, numRuns: 2000 },
    );
  });

  it.each([
    [{ min: 0, max: 1, places: 0 }, RangeError],
    [{ min: 0, max: 1, places: 19 }, RangeError],
    [{ min: 0, max: 1, places: 1.5 }, RangeError],
    [{ min: 0, max: 1, places: '2' }, TypeError],
    [{ min: 0, max: 1 }, TypeError],
    [{ min: 0, max: 0, places: 1 }, RangeError],
    [{ min: 0.25, max: 1, places: 1 }, RangeError],
    [{ min: '0.25', max: 1, places: 1 }, RangeError],
    [{ min: '0.', max: 1, places: 1 }, RangeError],
    [{ min: '.5', max: 1, places: 1 }, RangeError],
    [{ min: '-0.0', max: 1, places: 1 }, RangeError],
    [{ min: 1e-7, max: 1, places: 7 }, RangeError],
    [{ min: 0, max: 1e21, places: 1 }, RangeError],
    [{ min: 0, max: '9'.repeat(254), places: 2 }, RangeError],
    [{ min: 0, max: Number.POSITIVE_INFINITY, places: 1 }, RangeError],
    [{ places: 2 }, TypeError],
  ])('the options %o are refused', (options, error) => {
    expect(() => decimal(options as never)).toThrow(error as never);
  });

  it('descriptor and data', () => {
    const given = [
      { min: 0, max: 12.5, places: 2 },
      { min: '0.0', max: '12.50', places: 2 },
      { min: 0n, max: '12.5', places: 2 },
    ];
    for (const options of given) {
      expect(engineOf(decimal(options)).descriptor).toEqual(['decimal@1', '0.00', '12.50']);
    }
    plainData(decimal(given[0]!), { type: 'decimal', min: 0, max: 12.5, places: 2 });
    plainData(decimal(given[2]!), { type: 'decimal', min: '0', max: '12.5', places: 2 });
    expect(refusal(decimal(given[0]!), '12').message).toBe(
      'the value is not a number from 0.00 to 12.50: write exactly 2 decimal places, such as 12.50',
    );
    expect(decimal({ min: 0, max: '9'.repeat(253), places: 2 }).unrank(0)).toBe('0.00');
  });
});
