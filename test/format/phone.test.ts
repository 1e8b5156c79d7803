import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Format, formatEngine, type IndexEngine } from '../../src/format/engine.ts';
import { COUNTRY_CODES, countryCodeLength } from '../../src/format/phone/countries.ts';
import { phone } from '../../src/format/phone/phone.ts';
import type { TrefoilError } from '../../src/index.ts';
import { thrown } from '../helpers/errors.ts';
import { random } from '../reference/random.ts';

const engineOf = (format: Format) => formatEngine('format', format) as IndexEngine;

function refusal(format: Format, value: string): TrefoilError {
  expect(format.test(value)).toBe(false);
  return thrown(() => engineOf(format).split(value));
}

describe('phone: country codes', () => {
  it('are a prefix code of 218 codes', () => {
    expect(COUNTRY_CODES).toHaveLength(218);
    expect(new Set(COUNTRY_CODES).size).toBe(218);
    for (const code of COUNTRY_CODES) {
      expect(code).toMatch(/^[1-9][0-9]{0,2}$/);
      for (const other of COUNTRY_CODES) expect(code !== other && other.startsWith(code)).toBe(false);
    }
    expect(createHash('sha256').update(COUNTRY_CODES.join(' ')).digest('hex')).toBe(
      '2f8de0f589075ec0e5f913aa08297209fbc6f2d1b0c8ce2d566a79d0db471893',
    );
  });

  it('end where the list says, for all three first digits', () => {
    const codes = new Set(COUNTRY_CODES);
    for (let number = 0; number < 1000; number++) {
      const digits = `${number}`.padStart(3, '0');
      const length = [1, 2, 3].find((each) => codes.has(digits.slice(0, each))) ?? 0;
      expect(countryCodeLength(Number(digits[0]), Number(digits[1]), Number(digits[2]))).toBe(length);
    }
  });

  it('the zones of the plan with one digit and the codes of well-known countries', () => {
    for (const code of '1 7 20 27 30 31 33 34 36 39 44 49 52 55 61 64 81 86 91 98 212 351 352 420 506 852 966 998'.split(
      ' ',
    )) {
      expect(COUNTRY_CODES).toContain(code);
    }
    for (const code of '0 2 21 210 28 29 37 384 42 422 59 67 699 80 83 87 89 889 97 99 999'.split(' ')) {
      expect(COUNTRY_CODES).not.toContain(code);
    }
  });
});

describe('phone: values', () => {
  // Numbers that regulators keep for fiction and examples, and one a country form.
  it.each([
    ['+12025550123', '1', '10', 9_000_000_000, 1_025_550_123],
    ['+1 (202) 555-0123', '1', '10', 9_000_000_000, 1_025_550_123],
    ['+442079460958', '44', '10', 9_000_000_000, 1_079_460_958],
    ['+44 20 7946 0958', '44', '10', 9_000_000_000, 1_079_460_958],
    ['+33 1 99 00 12 34', '33', '9', 900_000_000, 99_001_234],
    ['+49 30 23125 123', '49', '10', 9_000_000_000, 2_023_125_123],
    ['+49-30-23125-123', '49', '10', 9_000_000_000, 2_023_125_123],
    ['+39 06 6982 0000', '39', '10,0', 1_000_000_000, 669_820_000],
    ['+225 01 23 45 67 89', '225', '10,0', 1_000_000_000, 123_456_789],
    ['+353 20 912 1234', '353', '9', 900_000_000, 109_121_234],
    ['+61.491.570.156', '61', '9', 900_000_000, 391_570_156],
    ['+354 510 1234', '354', '7', 9_000_000, 4_101_234],
    ['+7 (495) 123-45-67', '7', '10', 9_000_000_000, 3_951_234_567],
    ['+881612345678', '881', '9', 900_000_000, 512_345_678],
    ['+99899999999999', '998', '11', 90_000_000_000, 89_999_999_999],
    ['+799999999999999', '7', '14', 90_000_000_000_000, 89_999_999_999_999],
    ['+4 9 3 0 2 3 1 2 5 1 2 3', '49', '10', 9_000_000_000, 2_023_125_123],
  ] as const)('%s', (value, clear, shape, size, index) => {
    const { split, assemble } = engineOf(phone());
    const parts = split(value);
    expect(parts).toEqual({ clear, shape, size, index, layout: value });
    expect(assemble(parts, index)).toBe(value);
    expect(phone().rank(value)).toBe(BigInt(index));
    const digits = (text: string) => text.replace(/\D/g, '');
    for (const other of [0, 1, Math.floor(size / 3), size - 1]) {
      const out = assemble(parts, other);
      expect(out.replace(/\d/g, '#')).toBe(value.replace(/\d/g, '#'));
      expect(digits(out).startsWith(clear)).toBe(true);
      expect(digits(out)[clear.length] === '0').toBe(shape.endsWith(',0'));
      expect(split(out)).toEqual({ ...parts, index: other, layout: out });
    }
  });

  it('the layout changes nothing', () => {
    const { split } = engineOf(phone());
    const bare = { ...split('+12025550123'), layout: null };
    for (const value of [
      '+1 202 555 0123',
      '+1.202.555-0123',
      '+1(202)555 0123',
      '+1-(202)-555-0123',
      '+120(2)5550123',
    ]) {
      expect({ ...split(value), layout: null }).toEqual(bare);
    }
  });

  it.each([
    '',
    '+',
    '12025550123',
    '0012025550123',
    '+ 12025550123',
    '+-12025550123',
    '+(1)2025550123',
    '++12025550123',
    ' +12025550123',
    '+12025550123 ',
    '+12025550123\n',
    '+12025550123-',
    '+1  2025550123',
    '+1 -2025550123',
    '+1..2025550123',
    '+1 (2025550123',
    '+1 2025550123)',
    '+1 (202 555) 0123)',
    '+1 ((202)) 5550123',
    '+1 () 2025550123',
    '+1 ( 202) 5550123',
    '+1 (202 ) 5550123',
    '+1 (202)(555) 0123',
    '+1 202 555 (0123)',
    '+1/202/5550123',
    '+1\u00a0202\u00a05550123',
    '+1\u20112025550123',
    '\uff0b12025550123',
    '+１２０２５５５０１２３',
    '+1202555012\u{1d7d1}',
    '+١٢٠٢٥٥٥٠١٢٣',
    '+12025550123\u0301',
    '+1202555012x',
    '+1202555CALL',
    '+12025550123;ext=7',
    '+12025550123 x7',
    'tel:+12025550123',
    '+1202555012345678',
    `+1${'2'.repeat(300)}`,
    '+1202555',
    '+44',
    '+4420',
    '+0442079460958',
    '+21012345678',
    '+99912345678',
    '+2101234567',
    '+38412345678',
    '\ud800+12025550123',
  ])('%j is none', (value) => {
    const { code, message } = refusal(phone(), value);
    expect(code).toBe('outside_format');
    if (value.length > 4) expect(message).not.toContain(value.slice(1).trim());
  });

  it('says what is wrong, with numbers and without digits of the value', () => {
    expect(refusal(phone(), '020 7946 0958').message).toBe(
      'the value is not an international number: write "+", the country code and the number, with single spaces, ' +
        'dashes, dots or brackets between digits',
    );
    for (const value of ['+49(0)30 23125123', '+49-(0)-30 23125123', '+49 (0)(3)0 23125123', '+353 (0)20 912 1234']) {
      expect(refusal(phone(), value).code).toBe('outside_format');
    }
    expect(refusal(phone(), '+44 (0)20 7946 0958').message).toBe(
      'the number has a trunk prefix (0), which is not a part of an international number: leave it out',
    );
    expect(refusal(phone(), '+999 1234567').message).toBe(
      'the country code after "+" is not one that the ITU has assigned',
    );
    expect(refusal(phone(), '+298 123456').message).toBe('the national number has 6 digits, expected 7 to 12');
    expect(refusal(phone(), '+1 202 555 0123 45678').issues[0]).toMatchObject({ minimum: 7, maximum: 14, actual: 15 });
  });
});

describe('phone: properties', () => {
  it('every number of small shapes, in order', () => {
    const format = phone({ min: 4 });
    for (const [like, first, size] of [
      ['+290 2345', 1000, 9000],
      ['+39 0345', 0, 1000],
      ['+376 12345', 10_000, 90_000],
    ] as const) {
      const code = like.slice(0, like.indexOf(' ') + 1);
      const width = like.length - code.length;
      for (let i = 0; i < size; i++) {
        const value = format.unrank(i, like);
        if (value !== code + `${first + i}`.padStart(width, '0')) throw new Error(`${like}: number ${i}`);
        if (format.rank(value) !== BigInt(i)) throw new Error(`${like}: rank ${i}`);
      }
      expect(() => format.unrank(size, like)).toThrow(RangeError);
    }
  });

  it('every country code and length', () => {
    const format = phone({ min: 2 });
    for (const code of COUNTRY_CODES) {
      for (let length = 2; length <= 15 - code.length; length++) {
        for (const lead of ['0', '1']) {
          const like = `+${code}${lead.padEnd(length, '5')}`;
          const { size, shape, clear } = engineOf(format).split(like);
          expect([clear, shape]).toEqual([code, lead === '0' ? `${length},0` : `${length}`]);
          const all = 10n ** BigInt(length - 1) * (lead === '0' ? 1n : 9n);
          expect(BigInt(size)).toBe(all);
          expect(format.unrank(0n, like)).toBe(`+${code}${lead.padEnd(length, '0')}`);
          expect(format.unrank(all - 1n, like)).toBe(`+${code}${(lead === '0' ? '0' : '9').padEnd(length, '9')}`);
        }
      }
      expect(format.test(`+${code}${'5'.repeat(16 - code.length)}`)).toBe(false);
    }
  });

  it('what is taken comes back byte for byte, and with another number is taken again', () => {
    const gap = fc.constantFrom('', '', ' ', '-', '.');
    const digit = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        fc.constantFrom(...COUNTRY_CODES),
        fc.array(fc.tuple(gap, digit), { minLength: 7, maxLength: 12 }),
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        (code, tail, number) => {
          const value = `+${code}${tail.map(([space, each]) => space + each).join('')}`;
          const { split, assemble } = engineOf(phone());
          const parts = split(value);
          expect(assemble(parts, parts.index)).toBe(value);
          const index = number % BigInt(parts.size);
          const out = phone().unrank(index, value);
          expect(phone().rank(out)).toBe(index);
          expect(split(out)).toEqual({ ...parts, index: Number(index), layout: out });
          // The literal reading of the national number.
          const national = tail.map(([, each]) => each).join('');
          const least = tail[0]![1] === 0 ? 0n : 10n ** BigInt(tail.length - 1);
          expect(BigInt(parts.index)).toBe(BigInt(national) - least);
        },
      ),
    );
  });

  it('the numbers of values are pinned', () => {
    const next = random('phone ranks');
    const digest = createHash('sha256');
    const format = phone();
    for (let i = 0; i < 3000; i++) {
      const code = COUNTRY_CODES[next.below(COUNTRY_CODES.length)]!;
      const national = Array.from({ length: 7 + next.below(9 - code.length) }, () => next.below(10)).join('');
      const like = `+${code} ${national}`;
      const { size } = engineOf(format).split(like);
      digest.update(`${format.unrank(BigInt(`0x${next.bytes(12).toString('hex')}`) % BigInt(size), like)}\n`);
    }
    expect(digest.digest('hex')).toBe('74980fab628c335808e6e5053d42fee51aee927d3d19d9565e48d13d51742fbd');
  });
});

describe('phone: options', () => {
  it('the smallest shape is a national number that begins with 0', () => {
    expect(phone().size).toBe(1_000_000n);
    expect(phone({ min: 9 }).size).toBe(100_000_000n);
    expect(phone().strength()).toMatchObject({
      engine: 'ff1-cycle-walking',
      codebook: false,
      because:
        'a national number of 7 digits that begins with 0 has 10^6 possibilities; one that does not has 9 × 10^6',
    });
    expect(phone().unrank(0)).toBe('+390000000');
    expect(phone().test(phone().unrank(999_999))).toBe(true);
    expect(phone({ min: 12 }).test(phone({ min: 12 }).unrank(1))).toBe(true);
  });

  it('the limit is a check: no output changes and the descriptor is one', () => {
    for (const format of [phone(), phone({ min: 2 }), phone({ min: 10 })]) {
      expect(engineOf(format).descriptor).toEqual(['phone@1']);
      expect(engineOf(format).split('+442079460958')).toEqual(engineOf(phone()).split('+442079460958'));
    }
    expect(phone({ min: 6 }).test('+298 123456')).toBe(true);
    expect(phone({ min: 11 }).test('+442079460958')).toBe(false);
  });

  it('is frozen plain data', () => {
    expect(JSON.stringify(phone())).toBe('{"type":"phone"}');
    expect(JSON.stringify(phone({ min: 6 }))).toBe('{"type":"phone","min":6}');
    expect(JSON.stringify(phone({ min: null } as never))).toBe('{"type":"phone","min":7}');
    expect(Object.isFrozen(phone())).toBe(true);
  });

  it.each([
    [{ min: 1 }, RangeError],
    [{ min: 13 }, RangeError],
    [{ min: 7.5 }, RangeError],
    [{ min: '7' }, TypeError],
    [{ max: 9 }, TypeError],
    [null, TypeError],
    [[], TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => phone(options as never)).toThrow(kind);
  });

  it('the outline names the characters of every value', () => {
    const { outline } = engineOf(phone());
    for (const value of ['+12025550123', '+1 (202) 555-0123', '+39 06 6982 0000']) {
      expect(value.length).toBeGreaterThanOrEqual(outline.min);
      expect(value.length).toBeLessThanOrEqual(outline.max);
      for (const [i, character] of [...value].entries()) expect(outline.at(i)).toContain(character);
    }
    // The most layout: a bracket closed, a separator, a bracket opened between every two digits.
    const longest = `+1 (${Array.from('23456789123', (digit) => digit).join(') (')}) 34 5`;
    expect(phone().test(longest)).toBe(true);
    expect(longest.length).toBeLessThanOrEqual(outline.max);
  });
});

describe('phone: brackets around one digit', () => {
  const { split, assemble } = engineOf(phone());

  it.each([
    '+49 3(5)1000000',
    '+49 (3)51000000',
    '+49 3510000(0)1',
    '+49 3(0)1(0)000001',
    '+39 0(6) 6982 0000',
    '+1 (2)02 555 0123',
    '+353 2(0) 912 1234',
  ])('%s: whatever the digits become, they are read back', (value) => {
    const parts = split(value);
    const size = parts.size as number;
    const seen = new Set<boolean>();
    for (let i = 0; i < 1000; i++) {
      const index = Math.floor((size / 1000) * i) + (i % 7);
      const out = assemble(parts, index);
      seen.add(/\(0\)/.test(out));
      expect(split(out)).toEqual({ ...parts, index, layout: out });
      expect(assemble(split(out), parts.index)).toBe(value);
    }
    // The first national digit stays what it is, 0 or not; others become 0.
    expect(seen.has(true)).toBe(!/^\+\d+ \(/.test(value));
  });
});
