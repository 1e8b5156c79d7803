/**
 * The text of a value that is hashed under a key, or encrypted. A whole number is its decimal text, so that `7` in JSON
 * and `7` in a CSV cell are the same value.
 */

import { fail } from '../errors.ts';
import { checkText } from './checks.ts';
import { isWhole, jsonNumberText } from './json/number.ts';

const INTEGER = /^-?[1-9][0-9]*$/;

const NOT_WHOLE = 'the number is not whole; pass it as text';

/**
 * Returns the text of an input. A whole number is its decimal text. A `number` of JavaScript must be a safe integer. A
 * bigint, or a number of JSON that was kept as its text, may have any size.
 *
 * @throws TrefoilError `unsafe_integer`, `wrong_type`, `lone_surrogate`.
 */
export function inputText(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value);
    if (!Number.isInteger(value)) fail('unsafe_integer', NOT_WHOLE);
    fail('unsafe_integer', 'the number is beyond 2^53 - 1 and may have been rounded; pass it as text or as a bigint');
  }
  if (typeof value === 'bigint') return value.toString();
  const number = jsonNumberText(value);
  if (number === null) return checkText(value);
  if (INTEGER.test(number)) return number;
  // Only numbers beyond 2^53 - 1 are left: `asNumber` made a `number` of every smaller one, whatever its spelling.
  const message = 'the whole number is beyond 2^53 - 1; write it without a point or an exponent, or as text';
  return fail('unsafe_integer', isWhole(number) ? message : NOT_WHOLE);
}
