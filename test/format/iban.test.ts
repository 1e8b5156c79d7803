import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Format, formatEngine, type IndexEngine } from '../../src/format/engine.ts';
import { classesOf, STRUCTURES } from '../../src/format/iban/countries.ts';
import { iban } from '../../src/format/iban/iban.ts';
import { WEIGHTED_NUMBERS, WRITTEN_CHECKS } from '../../src/format/iban/national.ts';
import { weightedSet } from '../../src/format/iban/weighted.ts';
import type { TrefoilError } from '../../src/index.ts';
import { thrown } from '../helpers/errors.ts';
import { ibanHolds, REGISTRY, WITH_RULE, withCheckDigits } from '../reference/iban.ts';
import { random } from '../reference/random.ts';

const format = iban();
const engineOf = (of: Format) => formatEngine('format', of) as IndexEngine;
const { split, assemble } = engineOf(format);
const COUNTRIES = REGISTRY.map(([country]) => country);
const exampleOf = new Map(REGISTRY.map(([country, , example]) => [country, example!]));

function refusal(value: string, of: Format = format): TrefoilError {
  expect(of.test(value)).toBe(false);
  return thrown(() => engineOf(of).split(value));
}

/** In the groups of four of ISO 13616. */
const printed = (text: string) => text.replace(/(.{4})(?=.)/g, '$1 ');

/** Valid numbers of a weighted sum, counted by remainders with BigInt. */
function count(weights: readonly number[], notBothZero?: number): bigint {
  if (notBothZero !== undefined) {
    return count(weights) - count(weights.filter((_, i) => i !== notBothZero && i !== notBothZero + 1));
  }
  let ways = [1n, ...new Array<bigint>(10).fill(0n)];
  for (const weight of weights) {
    const next = new Array<bigint>(11).fill(0n);
    for (let digit = 0; digit < 10; digit++) {
      for (const [rest, way] of ways.entries()) next[(rest + weight * digit) % 11]! += way;
    }
    ways = next;
  }
  return ways[0]!;
}

describe('iban: the table', () => {
  it('has the structures of the registry', () => {
    expect(Object.keys(STRUCTURES)).toEqual(COUNTRIES);
    for (const [country, structure] of REGISTRY) {
      // The last letters of Mauritius and Seychelles are the currency, which stays in clear.
      const ours = structure.replaceAll('!', '').replace(/3a$/, country === 'MU' || country === 'SC' ? '3k' : '3a');
      expect(STRUCTURES[country]).toBe(ours);
      expect(classesOf(STRUCTURES[country]!).length + 4).toBe(exampleOf.get(country)!.length);
    }
    expect(COUNTRIES).toHaveLength(89);
  });

  it('has a national rule where the reference has one', () => {
    expect([...Object.keys(WRITTEN_CHECKS), ...Object.keys(WEIGHTED_NUMBERS)].sort()).toEqual(WITH_RULE);
  });

  it('check characters stand where the structure has characters of their class', () => {
    for (const [country, { at, write }] of Object.entries(WRITTEN_CHECKS)) {
      const classes = classesOf(STRUCTURES[country]!);
      const bban = new Uint8Array(34).fill(99);
      for (let i = 0; i < classes.length; i++) if (!at.includes(i)) bban[i] = classes[i] === 'a' ? 10 : 0;
      write(bban);
      // Nothing but those is written, and nothing of them is read.
      for (const place of at) expect(bban[place]! < 10).toBe(classes[place] === 'n');
      for (let i = classes.length; i < 34; i++) expect(bban[i]).toBe(99);
    }
  });
});

describe('iban: published examples', () => {
  it.each(REGISTRY)('%s %s', (country, _, ...examples) => {
    for (const example of examples) {
      expect(ibanHolds(example)).toBe(true);
      const parts = split(example);
      expect(parts.shape).toBe(country);
      expect(assemble(parts, parts.index)).toBe(example);
      expect(format.unrank(format.rank(example), example)).toBe(example);
      const spaced = split(printed(example));
      expect({ ...spaced, layout: null }).toEqual({ ...parts, layout: null });
      expect(assemble(spaced, spaced.index)).toBe(printed(example));
    }
  });

  it('every other check digit, 00 to 99, is refused', () => {
    for (const [country, , example] of REGISTRY) {
      for (let check = 0; check < 100; check++) {
        const value = country + `${check}`.padStart(2, '0') + example!.slice(4);
        if (format.test(value) !== (value === example)) throw new Error(`${country} with ${check}`);
      }
    }
  });

  it('every wrong character in the account number is refused, with right ISO 13616 check digits where the country has a rule', () => {
    const next = random('iban national');
    let refused = 0;
    for (const country of WITH_RULE) {
      const example = exampleOf.get(country)!;
      for (let i = 0; i < 200; i++) {
        const bban = [...example.slice(4)];
        const at = next.below(bban.length);
        bban[at] = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'[next.below(36)]!;
        const value = withCheckDigits(country, bban.join(''));
        expect(format.test(value)).toBe(ibanHolds(value));
        if (!format.test(value)) refused++;
      }
    }
    expect(refused).toBeGreaterThan(3000);
  });
});

describe('iban: ranks', () => {
  it('the size of each country is exact', () => {
    for (const [country, structure, example] of REGISTRY) {
      const classes = structure.replace(/(\d+)!(.)/g, (_, times, kind) => kind.repeat(Number(times)));
      let size = 1n;
      [...classes].forEach((kind, i) => {
        if (WRITTEN_CHECKS[country]?.at.includes(i)) return;
        if ((country === 'MU' || country === 'SC') && i >= classes.length - 3) return;
        for (const { from, weights, notBothZero } of WEIGHTED_NUMBERS[country] ?? []) {
          if (i === from) size *= count(weights, notBothZero);
          if (i >= from && i < from + weights.length) return;
        }
        size *= { n: 10n, a: 26n, c: 36n }[kind]!;
      });
      expect([country, BigInt(split(example!).size)]).toEqual([country, size]);
      // A size of at most 2^53 is a number, a larger one a bigint.
      expect(typeof split(example!).size).toBe(size <= 2n ** 53n ? 'number' : 'bigint');
    }
  });

  it('first, last and random numbers of every country are valid and come back', () => {
    const next = random('iban ranks');
    const digest = createHash('sha256');
    for (const [country, , example] of REGISTRY) {
      const size = BigInt(split(example!).size);
      const indices = [0n, 1n, size / 2n, size - 2n, size - 1n];
      while (indices.length < 60) indices.push(BigInt(`0x${next.bytes(28).toString('hex')}`) % size);
      for (const index of indices) {
        const value = format.unrank(index, example!);
        if (!ibanHolds(value)) throw new Error(`${country}: number ${index} is no IBAN`);
        if (format.rank(value) !== index) throw new Error(`${country}: number ${index} has another rank`);
        digest.update(`${value}\n`);
      }
      expect(() => format.unrank(size, example!)).toThrow(RangeError);
      expect(() => format.unrank(-1, example!)).toThrow(RangeError);
    }
    expect(digest.digest('hex')).toBe('fe4fd928800728352bfdfa687d6fb88b1b015f79947a71b0eb8aacbdf9f77927');
  });

  it('are the free characters read in mixed radix, most significant first', () => {
    const next = random('iban mixed radix');
    for (const [country, structure, example] of REGISTRY) {
      if (WEIGHTED_NUMBERS[country] !== undefined) continue;
      const classes = structure.replace(/(\d+)!(.)/g, (_, times, kind) => kind.repeat(Number(times)));
      const size = BigInt(split(example!).size);
      for (let round = 0; round < 10; round++) {
        const value = format.unrank(BigInt(`0x${next.bytes(28).toString('hex')}`) % size, example!);
        let literal = 0n;
        [...value.slice(4)].forEach((character, i) => {
          if (WRITTEN_CHECKS[country]?.at.includes(i)) return;
          if ((country === 'MU' || country === 'SC') && i >= classes.length - 3) return;
          const code = Number.parseInt(character, 36);
          const [radix, numeral] = { n: [10, code], a: [26, code - 10], c: [36, code] }[classes[i]!]!;
          literal = literal * BigInt(radix!) + BigInt(numeral!);
        });
        expect(format.rank(value)).toBe(literal);
      }
    }
  });

  it('the account numbers of one country keep their order, with no valid one between two neighbours', () => {
    const next = random('iban neighbours');
    for (const country of ['CZ', 'SK', 'NO'] as const) {
      const example = exampleOf.get(country)!;
      const size = BigInt(split(example).size);
      const width = example.length - 4;
      for (let round = 0; round < 25; round++) {
        const index = BigInt(`0x${next.bytes(16).toString('hex')}`) % (size - 1n);
        const low = format.unrank(index, example).slice(4);
        const high = format.unrank(index + 1n, example).slice(4);
        expect(BigInt(low) < BigInt(high)).toBe(true);
        // A step in the last number is some tens; across prefixes it is longer, and valid ones would show at the ends.
        const near = [...Array(40).keys()].slice(1).flatMap((i) => [BigInt(low) + BigInt(i), BigInt(high) - BigInt(i)]);
        for (const number of near) {
          if (number <= BigInt(low) || number >= BigInt(high)) continue;
          const value = withCheckDigits(country, `${number}`.padStart(width, '0'));
          if (ibanHolds(value) || format.test(value)) throw new Error(`${country}: one between ${index} and the next`);
        }
      }
    }
  });

  it('the currency of Mauritius and Seychelles stays and is in the clear part', () => {
    for (const [value, currency] of [
      ['MU17BOMM0101101030300200000MUR', 'MUR'],
      ['SC18SSCB11010000000000001497USD', 'USD'],
    ] as const) {
      expect(split(value).clear).toBe(currency);
      expect(format.unrank(12_345, value).slice(-3)).toBe(currency);
    }
    expect(split('DE89370400440532013000').clear).toBe('');
  });
});

describe('iban: weighted numbers', () => {
  it.each([
    ['the prefix of Czechia', [10, 5, 8, 4, 2, 1]],
    ['four digits', [8, 4, 2, 1]],
    ['one digit', [1]],
    ['weights with a last one that is not 1', [3, 7]],
    ['a weight that is nothing modulo 11', [1, 11, 1]],
    ['no 00 in front', [5, 4, 3, 1], 0],
    ['no 00 in the middle', [5, 4, 3, 2, 1], 2],
    ['no 00 at the end', [5, 4, 3, 1], 2],
  ])('%s: all of them, strictly', (_, weights, notBothZero?: number) => {
    const set = weightedSet({ from: 2, weights, ...(notBothZero === undefined ? {} : { notBothZero }) });
    const codes = new Uint8Array(2 + weights.length);
    let rank = 0;
    for (let number = 0; number < 10 ** weights.length; number++) {
      const digits = [...`${number}`.padStart(weights.length, '0')].map(Number);
      codes.set(digits, 2);
      const zeros = notBothZero !== undefined && digits[notBothZero] === 0 && digits[notBothZero + 1] === 0;
      const holds = !zeros && digits.reduce((sum, digit, i) => sum + digit * weights[i]!, 0) % 11 === 0;
      if (set.rank(codes) !== (holds ? rank : -1)) throw new Error(`number ${number}`);
      if (!holds) continue;
      codes.fill(0);
      set.write(codes, rank);
      if (codes.slice(2).join('') !== digits.join('')) throw new Error(`rank ${rank}`);
      rank++;
    }
    expect(set.size).toBe(rank);
    expect(BigInt(rank)).toBe(count(weights, notBothZero));
  });

  it('one in eleven has no check digit: 90,909 prefixes, 909,090,910 numbers, 9,000,000,000 Norwegian accounts', () => {
    const [prefix, number] = WEIGHTED_NUMBERS.CZ!.map((each) => weightedSet(each).size);
    expect([prefix, number, weightedSet(WEIGHTED_NUMBERS.NO![0]!).size]).toEqual([90_909, 909_090_910, 9_000_000_000]);
  });
});

describe('iban: properties', () => {
  it('single spaces anywhere come back and change nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...COUNTRIES),
        fc.infiniteStream(fc.boolean()),
        fc.bigInt({ min: 0n }),
        (country, gaps, n) => {
          const example = exampleOf.get(country)!;
          const value = [...example]
            .map((character, i) => (i > 0 && gaps.next().value ? ` ${character}` : character))
            .join('');
          const parts = split(value);
          expect(assemble(parts, parts.index)).toBe(value);
          expect({ ...parts, layout: null }).toEqual({ ...split(example), layout: null });
          const index = n % BigInt(parts.size);
          const out = format.unrank(index, value);
          expect(out.replaceAll(' ', '')).toBe(format.unrank(index, example));
          expect(out.replace(/\S/g, '#')).toBe(value.replace(/\S/g, '#'));
        },
      ),
    );
  });

  it('takes what the literal reference takes, for random texts of the right structure', () => {
    const next = random('iban acceptance');
    const symbols = { n: '0123456789', a: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', c: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ' };
    let taken = 0;
    for (const [country, structure] of REGISTRY) {
      for (let round = 0; round < 120; round++) {
        const bban = structure.replace(/(\d+)!([nac])/g, (_, times, kind: 'n' | 'a' | 'c') => {
          const from = symbols[kind];
          return Array.from({ length: Number(times) }, () => from[next.below(from.length)]).join('');
        });
        const value = withCheckDigits(country, bban);
        const holds = ibanHolds(value);
        if (format.test(value) !== holds) throw new Error(`${country}: the two do not agree`);
        if (holds) taken++;
        else expect(WITH_RULE).toContain(country);
      }
    }
    expect(taken).toBeGreaterThan(120 * (89 - WITH_RULE.length));
  });
});

describe('iban: values that are none', () => {
  const good = 'DE89370400440532013000';

  it.each([
    '',
    ' ',
    'D',
    'DE',
    'DE89',
    'DE89 ',
    ` ${good}`,
    `${good} `,
    `${good}\n`,
    `${good}\0`,
    `${good}0`,
    good.slice(0, -1),
    good.toLowerCase(),
    'de89370400440532013000',
    'De89370400440532013000',
    'DE89  370400440532013000',
    'DE89-3704-0044-0532-0130-00',
    'DE89.3704.0044.0532.0130.00',
    'DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000',
    'DE89\t370400440532013000',
    `IBAN ${good}`,
    `IBAN: ${good}`,
    'DE8937040044053201300O',
    'DE89370400440532013O00',
    'DEAB370400440532013000',
    'DE8A370400440532013000',
    'DE1C370400440532013000',
    'ＤＥ８９３７０４００４４０５３２０１３０００',
    'DE8937040044053201300\u{1d7ce}',
    'DE٨٩٣٧٠٤٠٠٤٤٠٥٣٢٠١٣٠٠٠',
    `${good}\u0301`,
    'Ð\u0045893704004405320130',
    'DE88370400440532013000',
    'DE98370400440532013000',
    'XX89370400440532013000',
    'US64SVBKUS6S3300958879',
    '0089370400440532013000',
    'GF4120041010050500013M02606',
    'JE90NWBK60161331926819',
    'GB29NWBK6016133192681',
    'GB29nwbk60161331926819',
    'GB291WBK60161331926819',
    'A'.repeat(34),
    'A'.repeat(35),
    'A'.repeat(1000),
    '\ud800E89370400440532013000',
  ])('%j', (value) => {
    const { code, message } = refusal(value);
    expect(code).toBe('outside_format');
    if (value.length > 9) expect(message.toUpperCase()).not.toContain(value.slice(4, 10).toUpperCase());
  });

  it('says what is wrong, with the place and without a character of the value', () => {
    expect(refusal('XX89370400440532013000').message).toBe(
      'the first two letters are not a country of the IBAN registry',
    );
    expect(refusal('DE8937040044053201300').message).toBe('the IBAN has 21 characters, expected 22 for its country');
    expect(refusal('DE89370400440532013A00').issues[0]).toMatchObject({ actual: 20 });
    expect(refusal('DE89370400440532013A00').message).toBe(
      'character 20 does not fit the account numbers of this country',
    );
    expect(refusal('DE88370400440532013000').message).toBe(
      'the check digits after the country are wrong, so they could not be restored',
    );
    expect(refusal(withCheckDigits('FR', '20041010050500013M02607')).message).toBe(
      'the national check digits in the account number are wrong, so they could not be restored',
    );
    expect(refusal(withCheckDigits('NO', '86011117948')).message).toBe(
      'the account number does not exist by the national rule (weighted digits modulo 11)',
    );
    expect(refusal(good.toLowerCase()).message).toBe('the IBAN has lower-case letters: write it in upper case');
    expect(refusal(good, iban({ countries: ['FR', 'NL'] })).message).toBe(
      'the account is of another country than FR, NL',
    );
  });

  it('check digits 00, 01 and 99, which leave the same remainder as 97, 98 and 02, are refused', () => {
    let tried = 0;
    for (let i = 0; tried < 3; i++) {
      const bban = `37040044${`${i}`.padStart(10, '0')}`;
      const right = withCheckDigits('DE', bban);
      const twin = { 97: '00', 98: '01', '02': '99' }[right.slice(2, 4)];
      if (twin === undefined) continue;
      tried++;
      expect(format.test(right)).toBe(true);
      expect(format.test(`DE${twin}${bban}`)).toBe(false);
    }
  });
});

describe('iban: options', () => {
  it('countries are a check: no output changes and the descriptor is one', () => {
    for (const of of [format, iban({ countries: ['DE'] }), iban({ countries: ['NO', 'DE'] })]) {
      expect(engineOf(of).descriptor).toEqual(['iban@1']);
      expect(engineOf(of).split('DE89370400440532013000')).toEqual(split('DE89370400440532013000'));
      expect(of.test(of.unrank(0))).toBe(true);
    }
    expect(iban({ countries: ['FR'] }).test('DE89370400440532013000')).toBe(false);
  });

  it('the smallest shape is that of the country with the fewest accounts', () => {
    expect(format.size).toBe(9_000_000_000n);
    expect(format.strength()).toMatchObject({
      engine: 'ff1-cycle-walking',
      because: '9000000000 account numbers of NO (4n6n1n, valid ones only)',
    });
    expect(iban({ countries: ['DE', 'BE'] }).size).toBe(10n ** 10n);
    expect(iban({ countries: ['DE'] }).size).toBe(10n ** 18n);
    expect(iban({ countries: ['MU'] }).size).toBe(26n ** 4n * 10n ** 19n);
    expect(iban({ countries: ['LC'] }).size).toBe(26n ** 4n * 36n ** 24n);
    for (const country of COUNTRIES) {
      const one = iban({ countries: [country] });
      expect(one.rank(one.unrank(one.size - 1n))).toBe(one.size - 1n);
    }
  });

  it('is frozen plain data that does not change with its options', () => {
    const countries = ['DE', 'FR'];
    const of = iban({ countries });
    countries.push('NO');
    expect(JSON.stringify(of)).toBe('{"type":"iban","countries":["DE","FR"]}');
    expect(JSON.stringify(iban(JSON.parse('{"countries":["DE","FR"]}')))).toBe(JSON.stringify(of));
    expect(JSON.stringify(format)).toBe('{"type":"iban"}');
    expect(Object.isFrozen(of)).toBe(true);
    expect(Object.isFrozen(of.countries)).toBe(true);
  });

  it.each([
    [{ countries: [] }, RangeError],
    [{ countries: ['DE', 'DE'] }, RangeError],
    [{ countries: ['US'] }, RangeError],
    [{ countries: ['de'] }, RangeError],
    [{ countries: ['GF'] }, RangeError],
    [{ countries: ['constructor'] }, RangeError],
    [{ countries: ['__proto__'] }, RangeError],
    [{ countries: [5] }, TypeError],
    [{ countries: 'DE' }, TypeError],
    [{ countries: null }, TypeError],
    [{ country: 'DE' }, TypeError],
    [null, TypeError],
    [[], TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => iban(options as never)).toThrow(kind);
  });

  it('the outline names the characters of every value', () => {
    const { outline } = engineOf(format);
    for (const [, , example] of REGISTRY) {
      for (const value of [example!, printed(example!)]) {
        expect(value.length).toBeGreaterThanOrEqual(outline.min);
        expect(value.length).toBeLessThanOrEqual(outline.max);
        for (const [i, character] of [...value].entries()) expect(outline.at(i)).toContain(character);
      }
    }
    expect(engineOf(iban({ countries: ['DE', 'DK', 'FR'] })).outline.at(0)).toBe('DF');
  });
});
