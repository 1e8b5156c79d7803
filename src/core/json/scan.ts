/**
 * Finds what `JSON.parse` hides (ECMA-262; RFC 8259): a name that an object has twice, of which it keeps the last, and
 * numbers that it rounds or writes in another way. It takes one pass over a text that is known to be JSON, about a
 * nanosecond a character. It allocates nothing unless a number is long or has a point or an exponent.
 */

import type { Issue } from '../../errors.ts';
import { isCanonical } from './number.ts';

/** The deepest nesting of a record. A record that is nested deeper could exhaust the stack of code that walks it. */
export const MAX_DEPTH = 100;

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
// 2^53 has 16 digits, so an integer of 15 digits is always safe.
const LONG_NUMBER = 16;
// `{` and `[` are 0x7b and 0x5b, which differ in one bit. So do `}` and `]`.
const CASE_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Returns the issue of a JSON text whose value is `value`, or `inexact` if the text has a number that `JSON.stringify`
 * would not write as it is. Returns `null` if there is neither.
 */
export function scanJson(text: string, value: object): Issue | 'inexact' | null {
  let members = 0;
  let depth = 0;
  let exact = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COLON) members++;
    else if ((code | CASE_BIT) === OPEN) {
      if (++depth > MAX_DEPTH) return tooDeep();
    } else if ((code | CASE_BIT) === CLOSE) depth--;
    else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, i);
      exact &&= isShort(text, i, end) || isCanonical(text.slice(i, end));
      i = end - 1;
    }
  }
  if (members !== countMembers(value)) return duplicate();
  return exact ? null : 'inexact';
}

/** Returns the position of the closing quote of the string that begins at `start`. */
export function endOfString(text: string, start: number): number {
  // The usual case: a quote that does not follow a backslash is not escaped, and `indexOf` is fast.
  const next = text.indexOf('"', start + 1);
  if (text.charCodeAt(next - 1) !== BACKSLASH) return next;
  let i = start + 1;
  for (let code = text.charCodeAt(i); code !== QUOTE; code = text.charCodeAt(i)) i += code === BACKSLASH ? 2 : 1;
  return i;
}

/** Returns the position after the number that begins at `start`. */
export function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  for (let code = text.charCodeAt(i); isDigit(code) || isNumberSign(code); code = text.charCodeAt(i)) i++;
  return i;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Returns whether a character is one of `+`, `-`, `.`, `E`, `e`. */
function isNumberSign(code: number): boolean {
  return code === 43 || code === 45 || code === 46 || (code | CASE_BIT) === 101;
}

/**
 * Returns whether a number is sure to be written as it was read, without parsing it. This is so for an integer of up to
 * 15 digits, and for a fraction of up to 15 characters that has no exponent, no zero at its end and not several zeros
 * at its beginning (0.0000001 would be written as 1e-7). Nearly all numbers are short.
 */
export function isShort(text: string, start: number, end: number): boolean {
  if (end - start >= LONG_NUMBER) return false;
  let point = false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === POINT) point = true;
    else if ((code | CASE_BIT) === 101) return false;
  }
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  if (point) return text.charCodeAt(end - 1) !== ZERO && !text.startsWith('0.000', first);
  // -0 would be written as 0.
  return first === start || text.charCodeAt(first) !== ZERO;
}

/** Counts the members of all objects in a value, whose depth was checked before. */
function countMembers(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) count += countMembers(item);
    return count;
  }
  for (const name of Object.keys(value)) {
    count++;
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === 'object' && member !== null) count += countMembers(member);
  }
  return count;
}

function tooDeep(): Issue {
  return { code: 'nested_value', message: `the record is nested deeper than ${MAX_DEPTH} levels`, maximum: MAX_DEPTH };
}

function duplicate(): Issue {
  return { code: 'duplicate_key', message: 'an object has the same key twice' };
}
