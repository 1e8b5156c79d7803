/**
 * What counts as text where a value is only looked at through a key: text, and whole numbers as their decimal text, so
 * that `7` of JSON and `7` of a CSV cell are one.
 */

import { fail } from '../errors.ts';
import { checkText } from './checks.ts';
import { jsonNumberText } from './json-number.ts';

const INTEGER = /^-?[1-9][0-9]*$/;

/**
 * The text of an input: whole numbers count as their decimal text. A `number` of JavaScript must be a safe integer; a
 * number that came as its text, and a bigint, may have any size.
 */
export function inputText(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) {
      fail('unsafe_integer', 'a number must be a whole number up to 2^53 - 1; write other values as text');
    }
    return String(value);
  }
  if (typeof value === 'bigint') return value.toString();
  const number = jsonNumberText(value);
  if (number === null) return checkText(value);
  if (!INTEGER.test(number)) {
    fail(
      'unsafe_integer',
      'a number must be a whole number without a point or an exponent; write other values as text',
    );
  }
  return number;
}
