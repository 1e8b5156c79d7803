/**
 * `clear`: a part of a composed format that is not enciphered.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import { type Format, formatEngine } from '../engine.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';

const CLEAR = Symbol.for('trefoil.format.clear.v1');

/** A part that {@link clear} makes, for `seq` and `oneOf`. It is no format: alone it would encipher nothing. */
export interface ClearPart {
  readonly type: 'clear';
  /** The format that the part must have, or the one text that it can be. */
  readonly of: Format | string;
}

/**
 * A part of `seq` or `oneOf` that stays in clear and enters the tweak.
 *
 * The part must still be a value of the format. What enters the tweak is the value without its layout, so that
 * `1234-5678` and `12345678` join where the format itself says that they do. As a member of `oneOf` it lets values
 * through that need no protection: `clear('unknown')`.
 *
 * *Warning*: a clear part is the value itself, for everybody to read.
 *
 * @param of a format, or a text of 1 to 256 characters that must stand there.
 * @throws TypeError for anything else, RangeError for an empty or longer text.
 *
 * @example
 * ```ts
 * import { clear, digits, seq } from 'trefoil/format';
 *
 * const account = seq(clear(digits({ length: 3 })), '-', digits({ length: 7 }));
 * account.test('030-1234567'); // → true
 * account.unrank(0, '030-1234567'); // → '030-0000000'
 * ```
 */
export function clear(of: Format | string): ClearPart {
  if (typeof of === 'string') checkLiteral('of', of, '');
  else if (isClear(of)) badType('of', 'expected a format or text, got what is in clear already');
  else if (typeof of !== 'object') badType('of', `expected a format or text, got ${typeName(of)}`);
  else formatEngine('of', of);
  const part: ClearPart = { type: 'clear', of };
  return Object.freeze(Object.defineProperty(part, CLEAR, { value: true }));
}

/** Tells whether a value came from {@link clear}. */
export function isClear(value: unknown): value is ClearPart {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[CLEAR] === true;
}

/** Checks a text that must stand in a value as it is. `where` leads the message: `part 2: `. */
export function checkLiteral(argument: string, literal: string, where: string): void {
  if (!literal.isWellFormed()) badRange(argument, `${where}expected text without halves of surrogate pairs`);
  const length = [...literal].length;
  if (length < 1 || length > MAX_FORMAT_LENGTH) {
    badRange(argument, `${where}expected text of 1 to ${MAX_FORMAT_LENGTH} characters, got ${length}`);
  }
}
