/**
 * International telephone numbers: Recommendation ITU-T E.164 (https://www.itu.int/rec/T-REC-E.164), clause 6.2:
 * a country code of 1 to 3 digits and a national (significant) number, together at most 15 digits.
 *
 * A national number of n digits is enciphered as a whole number below 9·10^(n-1) or, if its first digit is 0, below
 * 10^(n-1). So a first digit 0 stays 0 and other first digits never become 0. National numbers begin with 0 only in a
 * few countries (Italy, Gabon, Ivory Coast); in others a 0 would be dialled as a trunk prefix.
 */

import { checkInteger, checkOptions } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { fail } from '../../errors.ts';
import { type Format, type Index, type IndexParts, makeFormat } from '../engine.ts';
import { countryCodeLength } from './countries.ts';

/** The format that {@link phone} makes. */
export interface PhoneFormat extends Format {
  readonly type: 'phone';
  readonly min?: number;
}

/** Options of {@link phone}. */
export interface PhoneOptions {
  /** The fewest digits of a national number, 2 to 12; 7 by default. It is only a check and changes no output. */
  readonly min?: number;
}

/** E.164, clause 6.1: the most digits, country code included. */
const MAX_DIGITS = 15;

/** With seven digits there are 1,000,000 values even for numbers that begin with 0. */
const DEFAULT_MIN = 7;

/** 10^0 to 10^15, read from text: the result of `**` depends on the implementation (ECMA-262, Number::exponentiate). */
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, exponent) => Number(`1e${exponent}`));

const ZERO = 48;

/** The most characters of layout between two digits: `) (`. */
const MAX_LAYOUT = 3;

/** Kinds of the character that was read last. */
const PLUS = 0;
const DIGIT = 1;
const SEPARATOR = 2;
const OPEN = 3;
const CLOSE = 4;

/** The digits of the current value. Nothing is kept here between two calls. */
const scratch = new Uint8Array(MAX_DIGITS);

/** Of the current value: bit n is set if there is a bracket with only a 0 in it after the first n digits. */
let zeroBrackets = 0;

/**
 * International telephone numbers that begin with `+` and the country code. The national number is enciphered.
 *
 * The country code, the number of digits, and whether the national number begins with 0 stay visible and enter the
 * tweak. Single spaces, dashes and dots between digits, and brackets around digits, are layout: they stay where they
 * were and change no output. The country code must be one that the ITU has assigned. National numbering plans are not
 * checked, so the output has the form of a number and may be one that nobody has.
 *
 * A national number has at least 7 digits unless `min` sets another limit: shorter numbers, as in small countries, have
 * fewer than the 1,000,000 values that FF1 needs. A trunk prefix, `(0)` directly after the country code, is refused,
 * because it is not a part of the number.
 *
 * *Warning*: an output may be somebody's number. Do not call it or send messages to it.
 *
 * @throws TypeError or RangeError if an option does not fit.
 *
 * @example
 * ```ts
 * import { phone } from 'trefoil/format';
 *
 * phone().test('+44 20 7946 0958'); // → true
 * phone().test('020 7946 0958'); // → false
 * phone().size; // → 1000000n
 * ```
 */
export function phone(options: PhoneOptions = {}): PhoneFormat {
  const { min: least } = checkOptions('options', options, ['min']);
  const min = checkInteger('min', least ?? DEFAULT_MIN, 2, 12);

  const smallest = POWERS[min - 1]!;
  return makeFormat(
    { type: 'phone', ...given({ min: least === undefined ? undefined : min }) },
    {
      descriptor: ['phone@1'],
      kind: 'index',
      hasClear: true,
      steady: true,
      outline: {
        min: 2 + min,
        max: 1 + MAX_DIGITS + MAX_LAYOUT * (MAX_DIGITS - 1),
        at: (position) => (position === 0 ? '+' : position === 1 ? '123456789' : '0123456789 -.()'),
      },
      sample: { shape: `${min},0`, clear: '39', layout: `+39${'0'.repeat(min)}`, size: smallest, index: 0 },
      smallest: {
        size: BigInt(smallest),
        because:
          `a national number of ${min} digits that begins with 0 has 10^${min - 1} possibilities; ` +
          `one that does not has 9 × 10^${min - 1}`,
      },
      visible: 'the country code, the number of digits, whether the national number begins with 0, and the spacing',
      split: (value) => splitPhone(value, min),
      assemble: assemblePhone,
    },
  ) as PhoneFormat;
}

/** Reads the digits of a value into `scratch` and returns how many there are. */
function readDigits(value: string): number {
  let count = 0;
  zeroBrackets = 0;
  let last = value.charCodeAt(0) === 43 ? PLUS : -1;
  /** Number of digits before the open bracket; -1 if no bracket is open. */
  let open = -1;
  for (let i = 1; i < value.length && last >= 0; i++) {
    const code = value.charCodeAt(i);
    const digit = code - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (count < MAX_DIGITS) scratch[count] = digit;
      count++;
      last = DIGIT;
    } else if (code === 32 || code === 45 || code === 46) {
      last = last === DIGIT || last === CLOSE ? SEPARATOR : -1;
    } else if (code === 40) {
      last = open < 0 && (last === DIGIT || last === SEPARATOR) ? OPEN : -1;
      open = count;
    } else if (code === 41) {
      last = open >= 0 && last === DIGIT ? CLOSE : -1;
      if (count - open === 1 && count <= MAX_DIGITS && scratch[open] === 0) zeroBrackets |= 1 << open;
      open = -1;
    } else {
      last = -1;
    }
  }
  if (last !== DIGIT || open >= 0) {
    fail(
      'outside_format',
      'the value is not an international number: write "+", the country code and the number, with single spaces, ' +
        'dashes, dots or brackets between digits',
    );
  }
  return count;
}

/** @param min the fewest digits of a national number. */
function splitPhone(value: string, min: number): IndexParts {
  const count = readDigits(value);
  const code = count < 3 ? 0 : countryCodeLength(scratch[0]!, scratch[1]!, scratch[2]!);
  if (code === 0) fail('outside_format', 'the country code after "+" is not one that the ITU has assigned');
  // Only the first national digit keeps whether it is 0. A 0 in brackets at another place may become another digit.
  if (((zeroBrackets >> code) & 1) === 1) {
    fail(
      'outside_format',
      'the number has a trunk prefix (0), which is not a part of an international number: leave it out',
    );
  }
  const length = count - code;
  if (length < min || count > MAX_DIGITS) {
    const maximum = MAX_DIGITS - code;
    fail('outside_format', `the national number has ${length} digits, expected ${min} to ${maximum}`, {
      minimum: min,
      maximum,
      actual: length,
    });
  }
  let clear = '';
  for (let i = 0; i < code; i++) clear += scratch[i]!;
  let national = 0;
  for (let i = code; i < count; i++) national = national * 10 + scratch[i]!;
  const lead = POWERS[length - 1]!;
  return scratch[code] === 0
    ? { shape: `${length},0`, clear, layout: value, size: lead, index: national }
    : { shape: `${length}`, clear, layout: value, size: 9 * lead, index: national - lead };
}

function assemblePhone(parts: IndexParts, index: Index): string {
  const layout = parts.layout as string;
  const length = Number.parseInt(parts.shape, 10);
  const lead = parts.shape.endsWith(',0') ? 0 : POWERS[length - 1]!;
  const digits = parts.clear + `${(index as number) + lead}`.padStart(length, '0');
  // Without layout, as numbers are usually stored.
  if (layout.length === digits.length + 1) return `+${digits}`;
  let out = '';
  let next = 0;
  for (let i = 0; i < layout.length; i++) {
    out += layout.charCodeAt(i) >= ZERO ? digits[next++] : layout[i];
  }
  return out;
}
