/**
 * What `JSON.parse` (ECMA-262; RFC 8259) hides: a name that stands twice in one object, of which it keeps the last, and
 * numbers that it rounds. One pass over the text of a value that is known to be JSON, about a nanosecond a character;
 * nothing is allocated unless a number is long.
 */

import type { Issue } from '../errors.ts';

/** Deepest nesting of a record. Beyond it a hostile record would exhaust the stack of whoever walks it. */
export const MAX_DEPTH = 100;

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const MINUS = 45;
// 2^53 has 16 digits: an integer of 15 is always safe.
const LONG_NUMBER = 16;
// `{` and `[` are 0x7b and 0x5b: they differ in one bit, and so do their partners.
const CASE_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The issue of a JSON text whose value is `value`, or `null`. */
export function scanJson(text: string, value: object): Issue | null {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COLON) members++;
    else if ((code | CASE_BIT) === OPEN) {
      if (++depth > MAX_DEPTH) return tooDeep();
    } else if ((code | CASE_BIT) === CLOSE) depth--;
    else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, i);
      if (!isFaithful(text, i, end)) return unsafe();
      i = end - 1;
    }
  }
  return members === countMembers(value) ? null : duplicate();
}

/** Position of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  // Nearly always: a quote without a backslash before it is not escaped, and the engine finds it fast.
  const next = text.indexOf('"', start + 1);
  if (text.charCodeAt(next - 1) !== BACKSLASH) return next;
  let i = start + 1;
  for (let code = text.charCodeAt(i); code !== QUOTE; code = text.charCodeAt(i)) i += code === BACKSLASH ? 2 : 1;
  return i;
}

function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  for (let code = text.charCodeAt(i); isDigit(code) || isNumberSign(code); code = text.charCodeAt(i)) i++;
  return i;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** `+`, `-`, `.`, `E`, `e`. */
function isNumberSign(code: number): boolean {
  return code === 43 || code === 45 || code === 46 || (code | CASE_BIT) === 101;
}

/**
 * Whether a number survives the parser: no integer beyond 2^53 - 1 in any spelling, as `JSON.stringify` writes 1e20 as
 * such, and nothing that is not finite. Fractions are binary64 for every reader of JSON (RFC 8259, section 6), and are
 * not held to their last digit.
 */
function isFaithful(text: string, start: number, end: number): boolean {
  // Without an exponent a short number is small; this is the way of nearly all.
  if (end - start < LONG_NUMBER && !hasExponent(text, start, end)) return true;
  const number = Number(text.slice(start, end));
  return Number.isInteger(number) ? Number.isSafeInteger(number) : Number.isFinite(number);
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((text.charCodeAt(i) | CASE_BIT) === 101) return true;
  return false;
}

/** Members of all objects in a value. The depth is limited by now. */
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

function unsafe(): Issue {
  const message = 'a number is beyond what JSON readers keep exact (2^53 - 1); write it as text';
  return { code: 'unsafe_integer', message, maximum: Number.MAX_SAFE_INTEGER };
}

function duplicate(): Issue {
  return { code: 'duplicate_key', message: 'an object has the same key twice' };
}
