/**
 * Payment card numbers: ISO/IEC 7812-1, with the check digit of Luhn (annex B).
 *
 * The Luhn sum is linear in each digit: every digit goes through a permutation of 0 to 9 and the sum is taken modulo
 * 10. So the condition can be met with any one digit, and there is exactly one that meets it. That is the check digit
 * at the end while it is secret; with clear digits at the end it is the last secret digit before them.
 */

import { badRange, badType, checkInteger, checkOneOf, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { alphabet, type Symbols } from '../../kernel/alphabet.ts';
import { type Format, faceOfTexts, makeFormat } from '../engine.ts';
import { checkLengths, givenLengths, LENGTH_OPTIONS, type Lengths } from '../lengths.ts';
import { type BrandCheck, type CardBrand, checkBrands } from './brands.ts';

/** How many digits of a card number stay in clear. */
export interface CardClear {
  /** Leading digits, 0 to 12; 6 and 8 are the lengths of an issuer number. */
  readonly first?: number;
  /** Trailing digits, 0 to 4. */
  readonly last?: number;
}

/** What the Luhn sum of an output is: right, not looked at, or wrong by 1 in every output. */
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
  /** `first` 0 to 12 and `last` 0 to 4 digits stay in clear. Enters the key. */
  readonly clear?: CardClear;
  /**
   * `valid` (default): card numbers in, card numbers out. `any`: the Luhn sum is not looked at, in or out, and no digit
   * is spent on it. `invalid`: card numbers in, numbers out that fail Luhn, so that the two can be told apart. Enters
   * the key.
   */
  readonly luhn?: CardLuhn;
  /** Only cards of these networks, by leading digits and length. A check, which changes no output. */
  readonly brands?: readonly CardBrand[];
}

/** Lengths of card numbers that are in use and leave 1,000,000 values behind six clear digits. */
const DEFAULT_LENGTHS = { min: 13, max: 19 };

/** ISO/IEC 7812-1: a primary account number has at most 19 digits. */
const MAX_DIGITS = 19;

/** What `invalid` leaves as remainder: the last secret digit counts one more than in a card number. */
const TOKEN_REMAINDER = 1;

/** ISO/IEC 7812-1, annex B: what a digit counts where it is doubled (the digits of the product added), and back. */
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
const HALVED = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];

const ZERO = 48;
const DIGITS = '0123456789';
const SYMBOLS: Symbols = /* @__PURE__ */ alphabet(DIGITS);

/** The shape of each length, made once. */
const SHAPES: readonly string[] = /* @__PURE__ */ Array.from({ length: MAX_DIGITS + 1 }, (_, length) => `${length}`);

/** The digits of the value at hand. Nothing is kept in it between two calls. */
const scratch = new Uint8Array(MAX_DIGITS);

/**
 * Card numbers of 13 to 19 digits with a right check digit; spaces and dashes between digits are layout.
 *
 * The clear digits and the length enter the tweak; the check digit is computed anew, so what comes out is a card number
 * that a form accepts. Layout comes back where it was and changes no output: `4111-1111…` and `41111111…` join. With
 * `min`, `max` or `length` other lengths can be named, up to 19, with `brands` those of some networks; the smallest one
 * decides whether the space is large enough for a rule.
 *
 * *Warning*: with 6 + 4 digits in clear a card number of 16 digits is one of 100,000, one of 15 digits one of 10,000,
 * and with `luhn: 'any'` ten times as many. The default `valid` makes numbers that may be somebody's card: do not send
 * them where they could be charged; `invalid` makes none.
 *
 * @throws RangeError for options that do not fit, or that leave no secret digit.
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
  const lengths = checkCardLengths(own, brands);
  const min = lengths[0]!;
  const max = lengths.at(-1)!;

  /** Digits that the Luhn condition takes. */
  const spent = luhn === 'any' ? 0 : 1;
  const secretOf = (length: number): number => length - first - last - spent;
  const smallest = describe(lengths, first, last, luhn, secretOf);

  /** Reads the digits into `scratch` and gives their number. */
  function read(value: string): number {
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
    if (!afterDigit) fail('outside_format', 'expected a card number: digits with single spaces or dashes between them');
    if (!lengths.includes(count)) badLength(lengths, count);
    if (brands !== null && !brands.has(scratch, count)) {
      fail('outside_format', `expected a card of ${brands.names.join(', ')}: other leading digits or another length`);
    }
    return count;
  }

  /** The clear digits. A value without layout, as most are, is cut; the digits of others are collected. */
  function clearOf(value: string, length: number): string {
    if (value.length === length) return value.slice(0, first) + value.slice(length - last);
    let clear = '';
    for (let i = 0; i < first; i++) clear += DIGITS[scratch[i]!];
    for (let i = length - last; i < length; i++) clear += DIGITS[scratch[i]!];
    return clear;
  }

  /** One face: the numbers whose Luhn sum leaves the remainder, or all numbers. */
  function face(remainder: number | null, wrong: string) {
    return faceOfTexts({
      symbols: SYMBOLS,
      split(value) {
        const length = read(value);
        if (remainder !== null && sumOf(length) % 10 !== remainder) fail('outside_format', wrong);
        const end = first + secretOf(length);
        const secret = value.length === length ? value.slice(first, end) : SYMBOLS.format(scratch.subarray(first, end));
        return { shape: SHAPES[length]!, clear: clearOf(value, length), secret, layout: value };
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
        // The one digit that makes the sum right: what is missing to the remainder, back through the permutation.
        const at = length - last - 1;
        scratch[at] = 0;
        const missing = (((remainder - sumOf(length)) % 10) + 10) % 10;
        const digit = last % 2 === 1 ? HALVED[missing]! : missing;
        scratch[at] = digit;
        return plain ? clear.slice(0, first) + secret + DIGITS[digit]! + clear.slice(first) : write(layout);
      },
    });
  }

  const plain = face(
    luhn === 'any' ? null : 0,
    'the check digit of the card number is wrong; it could not be given back',
  );
  const token =
    'expected a number that fails Luhn as the outputs of luhn: invalid do; this one was not made by this rule';
  const { clear } = own;
  return makeFormat(
    {
      type: 'card',
      ...(clear?.first === undefined && clear?.last === undefined
        ? {}
        : {
            clear: Object.freeze({
              ...(clear.first === undefined ? {} : { first }),
              ...(clear.last === undefined ? {} : { last }),
            }),
          }),
      ...(own.luhn === undefined ? {} : { luhn }),
      ...(brands === null ? {} : { brands: brands.names }),
      ...givenLengths(own),
    },
    {
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
      sample: {
        shape: `${min}`,
        clear: (brands?.sample(min) ?? '').padEnd(first + last, '0'),
        numerals: new Array<number>(secretOf(min)).fill(0),
        layout: '0'.repeat(min),
      },
      smallest,
      visible: `the length, the spacing${clearWords(first, last)}`,
      ...plain,
      ...(luhn === 'invalid' ? { enciphered: face(TOKEN_REMAINDER, token) } : {}),
    },
  ) as CardFormat;
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

/** The Luhn sum of the first digits of `scratch`: from the right, the second, fourth, … doubled. */
function sumOf(length: number): number {
  let sum = 0;
  for (let i = length - 1; i > 0; i -= 2) sum += scratch[i]! + DOUBLED[scratch[i - 1]!]!;
  return length % 2 === 1 ? sum + scratch[0]! : sum;
}

/** Writes the digits of `scratch` over those of a layout with spaces or dashes. */
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

/** The lengths that a value may have, ascending: those of the brands within the limits, or all within the limits. */
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

/** The smallest shape, with the sum that leads to it. */
function describe(
  lengths: readonly number[],
  first: number,
  last: number,
  luhn: CardLuhn,
  secretOf: (length: number) => number,
): { size: bigint; because: string } {
  const min = lengths[0]!;
  const kept = `${last === 0 ? first : `${first} + ${last}`} in clear${luhn === 'any' ? '' : ' and a check digit'}`;
  const secret = secretOf(min);
  if (secret < 1) {
    const least = min - secret + 1;
    badRange(
      'min',
      `expected at least ${least} digits, got ${min}: ${kept} leave none to encipher; ` +
        'allow fewer clear digits or name longer lengths',
    );
  }
  // Where the smallest length is too small for FF1, people ask at once what those of everyday cards would be.
  const others = secret < 6 ? [15, 16].filter((length) => length > min && lengths.includes(length)) : [];
  const more = others.map((length, i) => `${length} digits ${i === 0 ? 'leave ' : ''}10^${secretOf(length)}`);
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
  fail('outside_format', `expected a card number of ${words} digits, got ${actual}`, { minimum, maximum, actual });
}

function clearWords(first: number, last: number): string {
  const words = [...(first === 0 ? [] : [`the first ${first}`]), ...(last === 0 ? [] : [`the last ${last}`])];
  return words.length === 0 ? '' : ` and ${words.join(' and ')} digits`;
}
