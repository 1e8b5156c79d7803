/** Whole numbers as programs write them: `10017.0` is what a column of integers with a gap becomes in pandas. */

import { fail } from '../errors.ts';
import { trimText } from './space.ts';

/** A whole number in plain notation: no leading zeros, and after a point zeros only. */
const WHOLE = /^-?(?:0|[1-9][0-9]*)(?:\.0+)?$/;

/** The prepare step `wholeNumber` (docs/spec/prepare-v1.md). Texts are cut and never computed with, so it is exact. */
export function plainWhole(text: string): string {
  const number = trimText(text);
  if (!WHOLE.test(number)) fail('not_an_integer', reasonOf(number));
  const point = number.indexOf('.');
  const whole = point < 0 ? number : number.slice(0, point);
  return whole === '-0' ? '0' : whole;
}

/** Why a text is not taken for a whole number. */
function reasonOf(number: string): string {
  if (/^[+-]?[0-9]+(?:\.[0-9]*)?[eE]/.test(number)) {
    return 'the number has an exponent, so digits may have been lost when it was written; export it in full';
  }
  if (/^-?0[0-9]/.test(number)) {
    return 'the number has leading zeros, which may be part of an identifier; leave out wholeNumber if they are';
  }
  if (/^-?[0-9]+\.[0-9]*$/.test(number)) return 'the number is not whole';
  return 'expected a whole number such as 10017, -7 or 10017.0, without a plus sign and without separators';
}
