/**
 * What counts as text where a value is only looked at through a key: text, and whole numbers as their decimal text, so
 * that `7` of JSON and `7` of a CSV cell are one.
 */

import { fail } from '../errors.ts';
import { checkText } from './checks.ts';
import { isWhole, jsonNumberText } from './json/number.ts';

const INTEGER = /^-?[1-9][0-9]*$/;

const NOT_WHOLE = 'a number must be whole; write other values as text';

/**
 * The text of an input: whole numbers count as their decimal text. A `number` of JavaScript must be a safe integer; a
 * number that came as its text, and a bigint, may have any size.
 */
export function inputText(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value);
    if (!Number.isInteger(value)) fail('unsafe_integer', NOT_WHOLE);
    fail('unsafe_integer', 'a number beyond 2^53 - 1 may have been rounded; give it as text or as a bigint');
  }
  if (typeof value === 'bigint') return value.toString();
  const number = jsonNumberText(value);
  if (number === null) return checkText(value);
  if (INTEGER.test(number)) return number;
  // A smaller one came as a `number`, whatever its spelling (`asNumber`).
  const message = 'a whole number beyond 2^53 - 1 must be written without a point and an exponent, or as text';
  return fail('unsafe_integer', isWhole(number) ? message : NOT_WHOLE);
}
