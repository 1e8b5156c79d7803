/**
 * Numbers between two limits, in canonical decimal text. A number with a fixed number of decimal places is a whole
 * number with a point in it, so both formats have one engine and no value is ever a binary fraction.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { type Details, fail } from '../errors.ts';
import { asIndex, type Format, type IndexEngine, makeFormat, NO_PARTS } from './engine.ts';
import { MAX_FORMAT_LENGTH } from './lengths.ts';

/** A limit in the format's data. A limit that was passed as a `bigint` is text there. */
export type Limit = number | string;

/** Options of {@link integer}. */
export interface IntegerOptions {
  /** The smallest number: a safe integer, a bigint, or canonical decimal text. */
  readonly min: Limit | bigint;
  /** The largest number. */
  readonly max: Limit | bigint;
}

/** Options of {@link decimal}. */
export interface DecimalOptions extends IntegerOptions {
  /** Digits after the point, 1 to 18. */
  readonly places: number;
}

/** The format that {@link integer} makes. */
export interface IntegerFormat extends Format {
  readonly type: 'integer';
  readonly min: Limit;
  readonly max: Limit;
}

/** The format that {@link decimal} makes. */
export interface DecimalFormat extends Format {
  readonly type: 'decimal';
  readonly min: Limit;
  readonly max: Limit;
  readonly places: number;
}

/** Enough for the type DECIMAL(38, 18) of databases. */
const MAX_PLACES = 18;

/** A limit has one spelling, except that zeros at the end of its fraction may be left out. */
const LIMIT = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

/**
 * Whole numbers from `min` to `max`, both included, in canonical decimal text: `-7`, `0`, `42`.
 *
 * A sign `+`, `-0`, leading zeros, exponents, thousands separators and spaces are refused. For numbers of a fixed width
 * take `digits`. All numbers between the limits form one space, so a number of three digits may become a number of six.
 * The limits decide which values there are, so they enter the key derivation. Limits beyond 2^53 must be text or
 * bigint, and have at most 256 characters.
 *
 * *Warning*: the output does not keep order, sums or distances. A small range, such as ages, is a code book: with fewer
 * than 10,000 values `fpe` needs `allowCodebook`.
 *
 * @throws TypeError or RangeError if a limit is not such a number, or if there are fewer than two numbers between them.
 *
 * @example
 * ```ts
 * import { integer } from 'trefoil/format';
 *
 * const id = integer({ min: 1, max: 4_294_967_295 });
 * id.test('42'); // → true
 * id.test('042'); // → false
 * id.size; // → 4294967295n
 * integer({ min: '-9223372036854775808', max: '9223372036854775807' }).size === 2n ** 64n; // → true
 * ```
 */
export function integer(options: IntegerOptions): IntegerFormat {
  const { min, max } = checkOptions('options', options, ['min', 'max']);
  const limits = readLimits(min, max, 0);
  return makeFormat(
    { type: 'integer', min: plain(min), max: plain(max) },
    {
      ...scaled(limits, 0, 'a whole number', 'plain digits without leading zeros, such as 42 or -7'),
      descriptor: ['integer@1', ...limits.texts],
    },
  ) as IntegerFormat;
}

/**
 * Decimal numbers from `min` to `max`, both included, with exactly `places` digits after the point: `12.50`.
 *
 * A value has all its decimal places and a digit before the point; `-0.00`, `.5`, `+1.00`, `007.00`, `1,50` and
 * exponents are refused. The limits are text or numbers with at most `places` decimal places. They enter the key
 * derivation, and all numbers between them form one space. The arithmetic is exact, because it is done on whole
 * numbers.
 *
 * *Warning*: the output does not keep order, sums or distances.
 *
 * @throws TypeError or RangeError if a limit is not such a number, or if there are fewer than two numbers between them.
 *
 * @example
 * ```ts
 * import { decimal } from 'trefoil/format';
 *
 * const amount = decimal({ min: 0, max: '99999.99', places: 2 });
 * amount.test('12.50'); // → true
 * amount.test('12.5'); // → false
 * amount.rank('12.50'); // → 1250n
 * amount.size; // → 10000000n
 * ```
 */
export function decimal(options: DecimalOptions): DecimalFormat {
  const { min, max, places: named } = checkOptions('options', options, ['min', 'max', 'places']);
  const places = checkInteger('places', named, 1, MAX_PLACES);
  const limits = readLimits(min, max, places);
  const example = `12.${'5'.padEnd(places, '0')}`;
  return makeFormat(
    { type: 'decimal', min: plain(min), max: plain(max), places },
    {
      ...scaled(
        limits,
        places,
        'a number',
        `exactly ${places} decimal ${places === 1 ? 'place' : 'places'}, such as ${example}`,
      ),
      // The texts of the limits have all places, so they also show how many there are.
      descriptor: ['decimal@1', ...limits.texts],
    },
  ) as DecimalFormat;
}

interface Limits {
  /** The limits without their point. */
  readonly min: bigint;
  readonly max: bigint;
  /** The limits as values of the format. */
  readonly texts: readonly [string, string];
}

/**
 * The engine of both formats: a value is the whole number `scaled` = value × 10^places, and its index is `scaled` −
 * min. `kind` and `spelling` are words for the message.
 */
function scaled(
  { min, max, texts }: Limits,
  places: number,
  kind: string,
  spelling: string,
): Omit<IndexEngine, 'descriptor'> {
  const size = asIndex(max - min + 1n);
  const [least, most] = [Number(min), Number(max)];
  // If the limits are safe integers, so are all values. If the size is one too, so is every index.
  const narrow = typeof size === 'number' && Number.isSafeInteger(least) && Number.isSafeInteger(most);
  const longest = Math.max(texts[0].length, texts[1].length);
  const range = `from ${texts[0]} to ${texts[1]}`;
  const numbers: Details = narrow ? { minimum: Number(texts[0]), maximum: Number(texts[1]) } : {};
  const refuse = (): never => fail('outside_format', `the value is not ${kind} ${range}: write ${spelling}`, numbers);

  /** Whether the text is the one spelling of a number with these places. */
  function wellFormed(text: string): boolean {
    const start = text.charCodeAt(0) === MINUS ? 1 : 0;
    const point = places === 0 ? text.length : text.length - places - 1;
    if (point <= start || text.length > longest) return false;
    if (text.charCodeAt(start) === ZERO && point > start + 1) return false;
    let nonzero = start === 0;
    for (let i = start; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (i === point) {
        if (code !== POINT) return false;
      } else {
        if (code < ZERO || code > ZERO + 9) return false;
        if (code !== ZERO) nonzero = true;
      }
    }
    return nonzero;
  }

  /** Reads a well-formed text as a whole number. Above 2^53 it may be rounded, but never to a number below 2^53. */
  function readNumber(text: string): number {
    const negative = text.charCodeAt(0) === MINUS;
    let value = 0;
    for (let i = negative ? 1 : 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code !== POINT) value = value * 10 + (code - ZERO);
    }
    return negative ? -value : value;
  }

  return {
    kind: 'index',
    smallest: { size: BigInt(size), because: `the numbers ${range}: ${size}` },
    hasClear: false,
    visible: 'only the limits',
    outline: outlineOf(min, max, texts, places),
    sample: { ...NO_PARTS, size, index: narrow || typeof size === 'number' ? 0 : 0n },
    split(text) {
      if (!wellFormed(text)) refuse();
      if (narrow) {
        const value = readNumber(text);
        if (value < least || value > most) refuse();
        return { shape: '', clear: '', layout: null, size, index: value - least };
      }
      const value = BigInt(places === 0 ? text : text.replace('.', ''));
      if (value < min || value > max) refuse();
      const index = value - min;
      return { shape: '', clear: '', layout: null, size, index: typeof size === 'number' ? Number(index) : index };
    },
    assemble: (_, index) => (narrow ? write((index as number) + least, places) : write(BigInt(index) + min, places)),
  };
}

/** The one spelling of a whole number with a point before its last `places` digits. */
function write(value: number | bigint, places: number): string {
  if (places === 0) return String(value);
  const digits = String(value < 0 ? -value : value).padStart(places + 1, '0');
  const point = digits.length - places;
  return `${value < 0 ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function outlineOf(min: bigint, max: bigint, texts: Limits['texts'], places: number): IndexEngine['outline'] {
  // The shortest value is the smallest one that is not negative or, if all are negative, the largest.
  const shortest = min >= 0n ? texts[0] : max >= 0n ? write(0n, places) : texts[1];
  const first = `${min < 0n ? '-' : ''}${max >= 0n ? '0123456789' : ''}`;
  const after = places === 0 ? '0123456789' : '.0123456789';
  return {
    min: shortest.length,
    max: Math.max(texts[0].length, texts[1].length),
    at: (position) => (position === 0 ? first : after),
  };
}

function readLimits(min: unknown, max: unknown, places: number): Limits {
  const [least, most] = [readLimit('min', min, places), readLimit('max', max, places)];
  if (least >= most) badRange('max', 'must be greater than "min", because a format has at least two values');
  return { min: least, max: most, texts: [write(least, places), write(most, places)] };
}

function readLimit(argument: string, value: unknown, places: number): bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') {
    badType(argument, `expected a number or its decimal text, got ${typeName(value)}`);
  }
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    badRange(argument, 'expected at most 2^53 - 1 as a number; write a larger one as text');
  }
  // `String` gives the shortest text that reads as the number, so 0.1 is one tenth. -0 becomes 0. An exponent does not
  // match.
  const text = String(value);
  const match = text.length > MAX_FORMAT_LENGTH ? null : LIMIT.exec(text);
  const [, sign = '', whole = '', fraction = ''] = match ?? [];
  if (match === null || fraction.length > places) {
    badRange(
      argument,
      places === 0
        ? 'expected a whole number in plain digits such as 42 or -7'
        : `expected a number in plain digits with at most ${places} decimal places such as 12.5`,
    );
  }
  const digits = BigInt(whole + fraction.padEnd(places, '0'));
  if (sign !== '' && digits === 0n) badRange(argument, 'expected 0 without a sign');
  if (sign.length + whole.length + (places === 0 ? 0 : places + 1) > MAX_FORMAT_LENGTH) {
    badRange(argument, `expected at most ${MAX_FORMAT_LENGTH} characters`);
  }
  return sign === '' ? digits : -digits;
}

/** A limit as it is written in the format's data, which is JSON. */
function plain(value: unknown): Limit {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  return String(value);
}
