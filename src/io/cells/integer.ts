/** Whole numbers in the text of a cell. */

import type { Issue } from '../../errors.ts';

const INTEGER = /^(?:0|-?[1-9][0-9]{0,15})$/;

/** Reads the number of a cell whose rule takes integers. */
export function readInteger(text: string): number | Issue {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  const message = 'expected a whole number without leading zeros, from -(2^53 - 1) to 2^53 - 1';
  return { code: 'not_an_integer', message };
}
