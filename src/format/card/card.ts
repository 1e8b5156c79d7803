/**
 * Payment card numbers: ISO/IEC 7812-1, with the check digit of Luhn (annex B).
 *
 * The Luhn sum is linear in each digit: every digit goes through a permutation of 0 to 9, and the sum is taken modulo
 * 10. So at any one position there is exactly one digit that makes the sum right. If the check digit at the end is
 * secret, it is that digit. If digits at the end stay in clear, it is the last secret digit before them.
 */

import {
  badRange,
  badType,
  checkInteger,
  checkOneOf,
  checkOptions,
  ownProperties,
  typeName,
} from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { fail } from '../../errors.ts';
import { alphabet, type Symbols } from '../../kernel/alphabet.ts';
import { type Format, faceOfTexts, makeFormat, type NumeralEngine, type Smallest } from '../engine.ts';
import { checkLengths, givenLengths, LENGTH_OPTIONS, type Lengths } from '../lengths.ts';
import { type BrandCheck, type CardBrand, checkBrands } from './brands.ts';

/** How many digits of a card number stay in clear. */
export interface CardClear {
  /** Leading digits, 0 to 12. An issuer identification number has 6 or 8 digits. */
  readonly first?: number;
  /** Trailing digits, 0 to 4. */
  readonly last?: number;
}

/** What the Luhn sum of an output is: right (`valid`), not looked at (`any`), or wrong by 1 (`invalid`). */
export type CardLuhn = 'valid' | 'any' | 'invalid';

/** The format that {@link card} makes. */
export interface CardFormat extends Format, Lengths {
  readonly type: 'card';
  readonly clear?: CardClear;
  readonly luhn?: CardLuhn;
  readonly brands?: readonly CardBrand[];
}

/** Options of {@link card}. */
export interface CardOptions extends Lengths {
  /** Digits that stay in clear: `first` 0 to 12 and `last` 0 to 4; none by default. Enters the key. */
  readonly clear?: CardClear;
  /**
   * `valid` (default): values and outputs are card numbers. `any`: the Luhn sum is not looked at, neither in values nor
   * in outputs, and no digit is spent on it. `invalid`: values are card numbers and outputs are numbers that fail the
   * Luhn check, so that the two can be told apart. Enters the key.
   */
  readonly luhn?: CardLuhn;
  /** Take only cards of these networks, by leading digits and length. It is only a check and changes no output. */
  readonly brands?: readonly CardBrand[];
}

/** Lengths of card numbers that are in use and that leave 1,000,000 values after six clear digits. */
const DEFAULT_LENGTHS = { min: 13, max: 19 };

/** ISO/IEC 7812-1: a primary account number has at most 19 digits. */
const MAX_DIGITS = 19;

/** The Luhn remainder of outputs of `invalid`: the last secret digit counts one more than in a card number. */
const TOKEN_REMAINDER = 1;

/** ISO/IEC 7812-1, annex B: what a doubled digit counts (the digits of the product are added), and the inverse. */
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
const HALVED = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];

const ZERO = 48;
const DIGITS = '0123456789';
const SYMBOLS: Symbols = /* @__PURE__ */ alphabet(DIGITS);

/** The shape of each length, made once. */
const SHAPES: readonly string[] = /* @__PURE__ */ Array.from({ length: MAX_DIGITS + 1 }, (_, length) => `${length}`);

/** The digits of the current value. Nothing is kept here between two calls. */
const scratch = new Uint8Array(MAX_DIGITS);

/**
 * Card numbers of 13 to 19 digits with a right check digit. Spaces and dashes between digits are layout.
 *
 * The clear digits and the length enter the tweak. The check digit is computed anew, so the output is a card number
 * that a form accepts. Layout stays where it was and changes no output: `4111-1111…` and `41111111…` join. `min`, `max`
 * or `length` set other lengths, up to 19, and `brands` sets those of some networks. The smallest length decides
 * whether the space is large enough for a rule.
 *
 * *Warning*: with 6 + 4 digits in clear, a card number of 16 digits is one of 100,000 and one of 15 digits is one of
 * 10,000; with `luhn: 'any'` there are ten times as many. With the default `valid` an output may be somebody's card: do
 * not send it where it could be charged. With `invalid` it is nobody's card.
 *
 * @throws TypeError or RangeError if an option does not fit, or if no secret digit is left.
 *
 * @example
 * ```ts
 * import { card } from 'trefoil/format';
 *
 * card().test('4111 1111 1111 1111'); // → true
 * card().test('4111 1111 1111 1112'); // → false
 * card({ clear: { first: 6 }, length: 16 }).size; // → 1000000000n
 * card({ clear: { first: 6, last: 4 }, length: 16, luhn: 'any' }).size; // → 1000000n
 * card({ brands: ['visa', 'mastercard'], clear: { first: 6 } }).test('378282246310005'); // → false
 * ```
 */
export function card(options: CardOptions = {}): CardFormat {
  const own = checkOptions<CardOptions>('options', options, ['clear', 'luhn', 'brands', ...LENGTH_OPTIONS]);
  const { first, last } = checkClear(own.clear);
  const luhn = checkOneOf('luhn', own.luhn ?? 'valid', ['valid', 'any', 'invalid']);
  const brands = own.brands === undefined ? null : checkBrands('brands', own.brands);
  if (brands !== null && first < brands.first) {
    badRange('brands', `needs clear: { first: ${brands.first} } or more, so that the output keeps the brand`);
  }
  const numbers: CardNumbers = {
    first,
    last,
    brands,
    lengths: checkCardLengths(own, brands),
    spent: luhn === 'any' ? 0 : 1,
  };
  return makeFormat(dataOf(own, numbers, luhn), engineOf(numbers, luhn)) as CardFormat;
}

/** Which numbers a format takes, and which of their digits are secret. */
interface CardNumbers {
  /** Number of leading digits in clear. */
  readonly first: number;
  /** Number of trailing digits in clear. */
  readonly last: number;
  readonly brands: BrandCheck | null;
  /** Lengths in digits, ascending. */
  readonly lengths: readonly number[];
  /** Number of digits that the Luhn condition takes. */
  readonly spent: number;
}

/** The data of the format, with the options that were set. */
function dataOf(options: CardOptions, { first, last, brands }: CardNumbers, luhn: 'valid' | 'any' | 'invalid') {
  const clear = ownProperties<CardClear>(options.clear ?? {});
  const hasClear = clear.first !== undefined || clear.last !== undefined;
  return {
    type: 'card' as const,
    ...given({
      clear: hasClear
        ? Object.freeze(
            given({
              first: clear.first === undefined ? undefined : first,
              last: clear.last === undefined ? undefined : last,
            }),
          )
        : undefined,
      luhn: options.luhn === undefined ? undefined : luhn,
      brands: brands?.names,
    }),
    ...givenLengths(options),
  };
}

function engineOf(numbers: CardNumbers, luhn: CardLuhn): NumeralEngine {
  const { first, last, brands, lengths } = numbers;
  const min = lengths[0]!;
  const max = lengths.at(-1)!;
  const remainder = luhn === 'any' ? null : 0;
  const plain = cardFace(
    numbers,
    remainder,
    'the check digit of the card number is wrong, so it could not be restored',
  );
  const enciphered =
    luhn === 'invalid'
      ? cardFace(
          numbers,
          TOKEN_REMAINDER,
          'the number was not written by this rule: with luhn: invalid the Luhn sum of an output is wrong by 1',
        )
      : undefined;
  return {
    descriptor: [
      'card@1',
      `first=${first}`,
      ...(last === 0 ? [] : [`last=${last}`]),
      ...(luhn === 'valid' ? [] : [`luhn=${luhn}`]),
    ],
    kind: 'numerals',
    radix: 10,
    hasClear: first + last > 0,
    outline: { min, max: 2 * max - 1, at: (position) => (position === 0 ? DIGITS : `${DIGITS} -`) },
    smallest: smallestOf(numbers, luhn),
    sample: {
      shape: `${min}`,
      clear: (brands?.sample(min) ?? '').padEnd(first + last, '0'),
      numerals: new Array<number>(secretOf(numbers, min)).fill(0),
      layout: '0'.repeat(min),
    },
    visible: `the length${visibleDigits(first, last)} the spacing`,
    ...plain,
    ...given({ enciphered }),
  };
}

/** Number of secret digits of a card number of a length. */
function secretOf({ first, last, spent }: CardNumbers, length: number): number {
  return length - first - last - spent;
}

/**
 * One face: the numbers whose Luhn sum leaves a remainder, or all numbers. `wrong` is the message for another
 * remainder.
 */
function cardFace(numbers: CardNumbers, remainder: number | null, wrong: string) {
  const { first, last, spent } = numbers;
  return faceOfTexts({
    symbols: SYMBOLS,
    split(value) {
      const length = readDigits(numbers, value);
      if (remainder !== null && sumOf(length) % 10 !== remainder) fail('outside_format', wrong);
      const end = length - last - spent;
      const secret = value.length === length ? value.slice(first, end) : SYMBOLS.format(scratch.subarray(first, end));
      return { shape: SHAPES[length]!, clear: clearOf(value, length, first, last), secret, layout: value };
    },
    assemble(parts, secret) {
      const { clear } = parts;
      const layout = parts.layout as string;
      const length = secret.length + first + last + spent;
      const plain = layout.length === length;
      if (plain && remainder === null) return clear.slice(0, first) + secret + clear.slice(first);
      for (let i = 0; i < first; i++) scratch[i] = clear.charCodeAt(i) - ZERO;
      for (let i = 0; i < secret.length; i++) scratch[first + i] = secret.charCodeAt(i) - ZERO;
      for (let i = 0; i < last; i++) scratch[length - last + i] = clear.charCodeAt(first + i) - ZERO;
      if (remainder === null) return write(layout);
      // The one digit that makes the sum right: what the sum lacks, through the inverse of the permutation.
      const at = length - last - 1;
      scratch[at] = 0;
      const missing = (((remainder - sumOf(length)) % 10) + 10) % 10;
      const digit = last % 2 === 1 ? HALVED[missing]! : missing;
      scratch[at] = digit;
      return plain ? clear.slice(0, first) + secret + DIGITS[digit]! + clear.slice(first) : write(layout);
    },
  });
}

/** Reads the digits of a value into `scratch` and returns how many there are. */
function readDigits({ lengths, brands }: CardNumbers, value: string): number {
  let count = 0;
  let afterDigit = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    const digit = code - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (count < MAX_DIGITS) scratch[count] = digit;
      count++;
      afterDigit = true;
    } else if (afterDigit && (code === 32 || code === 45)) {
      afterDigit = false;
    } else {
      afterDigit = false;
      break;
    }
  }
  if (!afterDigit) {
    fail('outside_format', 'the value is not a card number: write digits, with single spaces or dashes between them');
  }
  if (!lengths.includes(count)) badLength(lengths, count);
  if (brands !== null && !brands.has(scratch, count)) {
    fail(
      'outside_format',
      `the card number is not of ${brands.names.join(', ')}: it has other leading digits or another length`,
    );
  }
  return count;
}

/** The clear digits. A value without layout, as most are, is cut; the digits of others are collected from `scratch`. */
function clearOf(value: string, length: number, first: number, last: number): string {
  if (value.length === length) return value.slice(0, first) + value.slice(length - last);
  let clear = '';
  for (let i = 0; i < first; i++) clear += DIGITS[scratch[i]!];
  for (let i = length - last; i < length; i++) clear += DIGITS[scratch[i]!];
  return clear;
}

/** The Luhn check digit of a string of digits (ISO/IEC 7812-1, annex B): from the right, every other digit doubled. */
export function luhn(body: string): number {
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    const digit = body.charCodeAt(body.length - 1 - i) - ZERO;
    sum += i % 2 === 1 ? digit : DOUBLED[digit]!;
  }
  return (10 - (sum % 10)) % 10;
}

/** The Luhn sum of the first `length` digits of `scratch`. From the right, the second, fourth, … are doubled. */
function sumOf(length: number): number {
  let sum = 0;
  for (let i = length - 1; i > 0; i -= 2) sum += scratch[i]! + DOUBLED[scratch[i - 1]!]!;
  return length % 2 === 1 ? sum + scratch[0]! : sum;
}

/** Writes the digits of `scratch` in place of the digits of a layout with spaces or dashes. */
function write(layout: string): string {
  let out = '';
  let next = 0;
  for (let i = 0; i < layout.length; i++) {
    const code = layout.charCodeAt(i);
    out += code >= ZERO ? DIGITS[scratch[next++]!] : layout[i];
  }
  return out;
}

function checkClear(clear: unknown): { first: number; last: number } {
  if (clear === undefined) return { first: 0, last: 0 };
  if (typeof clear !== 'object' || clear === null) {
    badType('clear', `expected an object such as { first: 6, last: 4 }, got ${typeName(clear)}`);
  }
  const { first, last } = checkOptions('clear', clear, ['first', 'last']);
  return { first: checkInteger('first', first ?? 0, 0, 12), last: checkInteger('last', last ?? 0, 0, 4) };
}

/** The lengths that a value may have, ascending: all within the limits, or those of the brands. */
function checkCardLengths(options: CardOptions, brands: BrandCheck | null): readonly number[] {
  const fallback = brands === null ? DEFAULT_LENGTHS : { min: brands.lengths[0]!, max: brands.lengths.at(-1)! };
  const { min, max } = checkLengths(options, fallback);
  checkInteger('max', max, 1, MAX_DIGITS);
  const lengths = Array.from({ length: max - min + 1 }, (_, i) => min + i);
  if (brands === null) return lengths;
  const left = lengths.filter((length) => brands.lengths.includes(length));
  if (left.length === 0) badRange('brands', `expected a length of these brands: ${brands.lengths.join(', ')} digits`);
  return left;
}

/** The size of the smallest shape, and how it is computed. */
function smallestOf(numbers: CardNumbers, luhn: CardLuhn): Smallest {
  const { first, last, lengths } = numbers;
  const min = lengths[0]!;
  const kept = `${last === 0 ? first : `${first} + ${last}`} in clear${luhn === 'any' ? '' : ' and a check digit'}`;
  const secret = secretOf(numbers, min);
  if (secret < 1) {
    const least = min - secret + 1;
    badRange(
      'min',
      `expected at least ${least} digits, got ${min}: ${kept} leave no digit to encipher; ` +
        'keep fewer digits in clear, or set longer lengths',
    );
  }
  // If the smallest length is too small for FF1, the sizes for the lengths of everyday cards are the next question.
  const others = secret < 6 ? [15, 16].filter((length) => length > min && lengths.includes(length)) : [];
  const more = others.map((length, i) => `${length} digits ${i === 0 ? 'leave ' : ''}10^${secretOf(numbers, length)}`);
  const tail = more.length === 0 ? '' : `; ${more.join(', ')}`;
  return {
    size: 10n ** BigInt(secret),
    because: `a card number of ${min} digits with ${kept} leaves ${secret}: 10^${secret}${tail}`,
  };
}

function badLength(lengths: readonly number[], actual: number): never {
  const minimum = lengths[0]!;
  const maximum = lengths.at(-1)!;
  const gaps = lengths.length !== maximum - minimum + 1;
  const words = gaps ? lengths.join(', ') : `${minimum} to ${maximum}`;
  fail('outside_format', `the card number has ${actual} digits, expected ${words}`, { minimum, maximum, actual });
}

/** ` and` or `, the first 6 and the last 4 digits and`: the middle of what stays visible. */
function visibleDigits(first: number, last: number): string {
  const words = [...(first === 0 ? [] : [`the first ${first}`]), ...(last === 0 ? [] : [`the last ${last}`])];
  return words.length === 0 ? ' and' : `, ${words.join(' and ')} digits, and`;
}
