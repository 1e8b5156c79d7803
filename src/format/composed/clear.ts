/**
 * `clear`: a part of a composed format that stays in clear.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import { type Format, formatEngine } from '../engine.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';

const CLEAR = Symbol.for('trefoil.format.clear.v1');

/**
 * A part that {@link clear} makes, for `seq` and `oneOf`. It is not a format, because alone it would encipher nothing.
 */
export interface ClearPart {
  readonly type: 'clear';
  /** The format of the part, or its only value. */
  readonly of: Format | string;
}

/**
 * A part of `seq` or `oneOf` that stays in clear and enters the tweak.
 *
 * The part must still be a value of the format. The value enters the tweak without its layout, so two spellings join if
 * they join under the format itself. As a member of `oneOf` it is for values that need no protection:
 * `clear('unknown')`.
 *
 * *Warning*: a clear part is written as it is, for everybody to read.
 *
 * @param of a format, or a text of 1 to 256 characters that the part must be.
 * @throws TypeError if it is neither, RangeError if the text is empty or longer.
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
  else if (isClear(of)) badType('of', 'expected a format or text, got a part that is in clear already');
  else if (typeof of !== 'object') badType('of', `expected a format or text, got ${typeName(of)}`);
  else formatEngine('of', of);
  const part: ClearPart = { type: 'clear', of };
  return Object.freeze(Object.defineProperty(part, CLEAR, { value: true }));
}

/** Returns whether a value was made by {@link clear}. */
export function isClear(value: unknown): value is ClearPart {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[CLEAR] === true;
}

/** Checks a text that is the only value of a part. `where` begins the message: `part 2: `. */
export function checkLiteral(argument: string, literal: string, where: string): void {
  if (!literal.isWellFormed()) badRange(argument, `${where}expected text without halves of surrogate pairs`);
  const length = [...literal].length;
  if (length < 1 || length > MAX_FORMAT_LENGTH) {
    badRange(argument, `${where}expected text of 1 to ${MAX_FORMAT_LENGTH} characters, got ${length}`);
  }
}
