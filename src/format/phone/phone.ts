/**
 * International telephone numbers: Recommendation ITU-T E.164 (https://www.itu.int/rec/T-REC-E.164), clause 6.2:
 * a country code of 1 to 3 digits and a national (significant) number, together at most 15 digits.
 *
 * The national number is a whole number below 9·10^(n-1), or below 10^(n-1) when its first digit is 0. That the first
 * digit is 0 or is not stays as it is: nowhere but in a few countries (Italy, Gabon, Ivory Coast) does a national
 * number begin with 0, and a 0 elsewhere would be dialled as a trunk prefix.
 */

import { checkInteger, checkOptions } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { type Format, type IndexParts, makeFormat } from '../engine.ts';
import { countryCodeLength } from './countries.ts';

/** The format that {@link phone} makes. */
export interface PhoneFormat extends Format {
  readonly type: 'phone';
  readonly min?: number;
}

/** Options of {@link phone}. */
export interface PhoneOptions {
  /** Fewest digits of a national number, 2 to 12. A check, which changes no output. */
  readonly min?: number;
}

/** E.164, clause 6.1: the most digits, country code included. */
const MAX_DIGITS = 15;

/** With seven digits even the numbers that begin with 0 are 1,000,000. */
const DEFAULT_MIN = 7;

/** 10^0 to 10^15, by reading: what `**` gives is left to the implementation (ECMA-262, Number::exponentiate). */
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, exponent) => Number(`1e${exponent}`));

const ZERO = 48;

/** What stands between two digits at most: `) (`. */
const MAX_LAYOUT = 3;

/** What was read last. */
const PLUS = 0;
const DIGIT = 1;
const SEPARATOR = 2;
const OPEN = 3;
const CLOSE = 4;

/** The digits of the value at hand. Nothing is kept in it between two calls. */
const scratch = new Uint8Array(MAX_DIGITS);

/**
 * International telephone numbers, `+` and the country code first; the national number is enciphered.
 *
 * The country code and the number of digits stay, and whether the national number begins with 0; they enter the tweak.
 * Single spaces, dashes and dots between digits and brackets around some are layout: they come back where they were and
 * change no output. The country code must be one that the ITU has assigned; national numbering plans are not looked at,
 * so what comes out has the form of a number and may be one that nobody has.
 *
 * A national number has at least 7 digits unless `min` says otherwise: shorter ones, as small countries have them,
 * leave less than the 1,000,000 values that FF1 needs. A trunk prefix, `(0)` directly behind the country code, is refused,
 * since it is no part of the number.
 *
 * *Warning*: an output may be somebody's number. Do not call it or send messages to it.
 *
 * @throws RangeError for an option that does not fit.
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

  /** After `read`, a bit for each number of digits that a bracket with nothing but a 0 stands behind. */
  let zeroBrackets = 0;

  /** Reads the digits into `scratch` and gives their number. */
  function read(value: string): number {
    let count = 0;
    zeroBrackets = 0;
    let last = value.charCodeAt(0) === 43 ? PLUS : -1;
    /** Number of digits before the bracket that is open. */
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
        'expected "+", the country code and the number, with single spaces, dashes, dots or brackets between digits',
      );
    }
    return count;
  }

  function split(value: string): IndexParts {
    const count = read(value);
    const code = count < 3 ? 0 : countryCodeLength(scratch[0]!, scratch[1]!, scratch[2]!);
    if (code === 0) fail('outside_format', 'expected a country code that the ITU has assigned after "+"');
    // The first national digit is 0 in the output where it is in the value, and nowhere else; others may become 0.
    if (((zeroBrackets >> code) & 1) === 1) {
      fail('outside_format', 'leave out the trunk prefix (0): it is no part of an international number');
    }
    const length = count - code;
    if (length < min || count > MAX_DIGITS) {
      const maximum = MAX_DIGITS - code;
      fail('outside_format', `expected ${min} to ${maximum} digits after the country code, got ${length}`, {
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

  const smallest = POWERS[min - 1]!;
  return makeFormat(
    { type: 'phone', ...(least === undefined ? {} : { min }) },
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
          `a national number of ${min} digits that begins with 0 leaves ${min - 1}: 10^${min - 1}; ` +
          `one that does not, 9 × 10^${min - 1}`,
      },
      visible: 'the country code, the number of digits, whether the national number begins with 0, the spacing',
      split,
      assemble(parts, index) {
        const layout = parts.layout as string;
        const length = Number.parseInt(parts.shape, 10);
        const lead = parts.shape.endsWith(',0') ? 0 : POWERS[length - 1]!;
        const digits = parts.clear + `${(index as number) + lead}`.padStart(length, '0');
        // `+` and the digits alone, as numbers are stored.
        if (layout.length === digits.length + 1) return `+${digits}`;
        let out = '';
        let next = 0;
        for (let i = 0; i < layout.length; i++) {
          out += layout.charCodeAt(i) >= ZERO ? digits[next++] : layout[i];
        }
        return out;
      },
    },
  ) as PhoneFormat;
}
