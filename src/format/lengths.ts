/**
 * Limits of length, for formats whose values can have several lengths.
 */

import { badRange, checkInteger } from '../core/checks.ts';
import { given } from '../core/given.ts';

/** The most characters of a value, in any format: a limit against resource exhaustion. */
export const MAX_FORMAT_LENGTH = 256;

/** How long a value may be, in characters: exactly `length`, or from `min` to `max`. */
export interface Lengths {
  readonly length?: number;
  readonly min?: number;
  readonly max?: number;
}

/** The names of these options. */
export const LENGTH_OPTIONS = ['length', 'min', 'max'] as const;

/** Checks the limits, and takes the `fallback` for limits that are not set. */
export function checkLengths(options: Lengths, fallback: { min: number; max: number }): { min: number; max: number } {
  const { length, min, max } = options;
  if (length !== undefined) {
    if (min !== undefined || max !== undefined) badRange('length', 'cannot be set together with "min" or "max"');
    checkInteger('length', length, 1, MAX_FORMAT_LENGTH);
    return { min: length, max: length };
  }
  const least = min === undefined ? fallback.min : checkInteger('min', min, 1, MAX_FORMAT_LENGTH);
  const most = max === undefined ? Math.max(fallback.max, least) : checkInteger('max', max, 1, MAX_FORMAT_LENGTH);
  if (least > most) {
    if (min === undefined) badRange('max', `expected at least ${least}, or set "min" as well`);
    badRange('min', `expected at most "max" (${most}), got ${least}`);
  }
  return { min: least, max: most };
}

/** The limits that the caller has set, for the format's data. */
export function givenLengths(options: Lengths): Lengths {
  const { length, min, max } = options;
  return given({ length, min, max });
}
