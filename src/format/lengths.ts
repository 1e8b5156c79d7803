/**
 * Limits of length, for formats whose values differ in length.
 */

import { badRange, checkInteger } from '../core/checks.ts';

/** Longest value that a format takes, in characters: a limit against resource exhaustion. */
export const MAX_FORMAT_LENGTH = 256;

/** How long a value may be: one length, or from `min` to `max`. */
export interface Lengths {
  readonly length?: number;
  readonly min?: number;
  readonly max?: number;
}

/** The names of these options. */
export const LENGTH_OPTIONS = ['length', 'min', 'max'] as const;

/** Checks the limits and fills in what is not said. */
export function checkLengths(options: Lengths, fallback: { min: number; max: number }): { min: number; max: number } {
  const { length, min, max } = options;
  if (length !== undefined) {
    if (min !== undefined || max !== undefined) badRange('length', 'expected without "min" and "max"');
    checkInteger('length', length, 1, MAX_FORMAT_LENGTH);
    return { min: length, max: length };
  }
  const least = min === undefined ? fallback.min : checkInteger('min', min, 1, MAX_FORMAT_LENGTH);
  const most = max === undefined ? Math.max(fallback.max, least) : checkInteger('max', max, 1, MAX_FORMAT_LENGTH);
  if (least > most) {
    if (min === undefined) badRange('max', `expected at least ${least}, or say "min"`);
    badRange('min', `expected at most "max" (${most}), got ${least}`);
  }
  return { min: least, max: most };
}

/** The limits that the caller named, for the format's data. */
export function givenLengths(options: Lengths): Lengths {
  const { length, min, max } = options;
  return {
    ...(length === undefined ? {} : { length }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}
