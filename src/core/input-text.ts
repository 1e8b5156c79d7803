/**
 * What counts as text where a value is only looked at through a key: text, and whole numbers as their decimal text, so
 * that `7` of JSON and `7` of a CSV cell are one.
 */

import { fail } from '../errors.ts';
import { checkText } from './checks.ts';

/** The text of an input: numbers are safe integers and count as their decimal text. */
export function inputText(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) {
      fail('unsafe_integer', 'a number must be a whole number up to 2^53 - 1; write other values as text');
    }
    return String(value);
  }
  return typeof value === 'bigint' ? value.toString() : checkText(value);
}
