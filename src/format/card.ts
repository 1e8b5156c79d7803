/**
 * Payment card numbers: ISO/IEC 7812-1, with the check digit of Luhn (annex B).
 */

import { badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { type Format, makeFormat } from './engine.ts';
import { checkLengths, givenLengths, LENGTH_OPTIONS, type Lengths } from './lengths.ts';

/** The format that {@link card} makes. */
export interface CardFormat extends Format, Lengths {
  readonly type: 'card';
  readonly clear?: { readonly first?: number };
}

/** Options of {@link card}. */
export interface CardOptions extends Lengths {
  /** `first`: how many leading digits stay in clear, 0 to 12; 6 and 8 are the lengths of an issuer number. */
  readonly clear?: { readonly first?: number };
}

/** Lengths of card numbers that are in use and leave 1,000,000 values behind six clear digits. */
const DEFAULT_LENGTHS = { min: 13, max: 19 };

/** Digits, each but the first after at most one space or dash. */
const CARD = /^[0-9](?:[ -]?[0-9])*$/;

/**
 * Card numbers of 13 to 19 digits with a right check digit; spaces and dashes between digits are layout.
 *
 * The clear digits and the length enter the tweak; the check digit is computed anew, so what comes out is a card number
 * that a form accepts. Layout comes back where it was and changes no output: `4111-1111…` and `41111111…` join.
 * With `min`, `max` or `length` other lengths can be named, up to 19; the smallest one decides whether the space is
 * large enough for a rule.
 *
 * @throws RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { card } from 'trefoil/format';
 *
 * card().test('4111 1111 1111 1111'); // → true
 * card().test('4111 1111 1111 1112'); // → false
 * card({ clear: { first: 6 }, length: 16 }).size; // → 1000000000n
 * ```
 */
export function card(options: CardOptions = {}): CardFormat {
  checkOptions('options', options, ['clear', ...LENGTH_OPTIONS]);
  if (options.clear !== undefined) {
    if (typeof options.clear !== 'object' || options.clear === null) {
      badType('clear', `expected an object such as { first: 6 }, got ${typeName(options.clear)}`);
    }
    checkOptions('clear', options.clear, ['first']);
  }
  const first = checkInteger('first', options.clear?.first ?? 0, 0, 12);
  const { min, max } = checkLengths(options, DEFAULT_LENGTHS);
  checkInteger('max', max, 1, 19);
  checkInteger('min', min, first + 2, 19);
  const secret = min - first - 1;
  return makeFormat(
    {
      type: 'card',
      ...(options.clear?.first === undefined ? {} : { clear: Object.freeze({ first }) }),
      ...givenLengths(options),
    },
    {
      descriptor: ['card@1', `first=${first}`],
      radix: 10,
      smallest: {
        size: 10n ** BigInt(secret),
        because: `a card number of ${min} digits with ${first} in clear and a check digit leaves ${secret}: 10^${secret}`,
      },
      visible: `the length, the spacing${first === 0 ? '' : ` and the first ${first} digits`}`,
      split(value) {
        if (!CARD.test(value)) {
          fail('outside_format', 'expected a card number: digits with single spaces or dashes between them');
        }
        const plain = value.replace(/[ -]/g, '');
        if (plain.length < min || plain.length > max) {
          fail('outside_format', `expected a card number of ${min} to ${max} digits, got ${plain.length}`, {
            minimum: min,
            maximum: max,
            actual: plain.length,
          });
        }
        const body = plain.slice(0, -1);
        if (luhn(body) !== Number(plain.at(-1))) {
          fail('outside_format', 'the check digit of the card number is wrong; it could not be given back');
        }
        return {
          shape: `${plain.length}`,
          clear: plain.slice(0, first),
          numerals: Array.from(body.slice(first), Number),
          layout: value,
        };
      },
      join(parts, numerals) {
        const body = parts.clear + numerals.join('');
        const plain = body + luhn(body);
        let next = 0;
        return parts.layout.replace(/[0-9]/g, () => plain[next++]!);
      },
    },
  ) as CardFormat;
}

/** The Luhn check digit of a string of digits (ISO/IEC 7812-1, annex B): from the right, every other digit doubled. */
export function luhn(body: string): number {
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    const digit = body.charCodeAt(body.length - 1 - i) - 48;
    const doubled = digit * 2;
    sum += i % 2 === 1 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return (10 - (sum % 10)) % 10;
}
