/**
 * Quick ways for the values that columns are made of: ASCII addresses and numbers in the usual layout. What a function
 * here does not take is no mistake yet: the step goes on with the long way, which knows all of Unicode and every message.
 * `test/property/prepare.test.ts` holds the two ways to the same results.
 *
 * Measured for an address of 20 characters: 30 ns in place of 480; for a phone number with spaces 80 in place of 300.
 */

import { decodeAscii } from '../core/ascii.ts';

const ATEXT = 1;
const LABEL = 2;
const UPPER = 4;

/** What an ASCII character may be: part of an atom (RFC 5322, section 3.2.3), of a label, a capital. */
const KINDS: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  const upper = char >= 'A' && char <= 'Z' ? UPPER : 0;
  if (/[A-Za-z0-9-]/.test(char)) return ATEXT | LABEL | upper;
  return /[!#$%&'*+/=?^_`{|}~]/.test(char) ? ATEXT : 0;
});

const PLUS = 43;
const HYPHEN = 45;
const DOT = 46;
const ZERO = 48;
const AT = 64;

/**
 * Whether a text is an ASCII address without anything to drop or to refuse, and where its capitals are: `null` if it is
 * not, else 0 for none, 1 in the local part only, 2 in the domain.
 */
export function plainEmail(text: string): 0 | 1 | 2 | null {
  const { length } = text;
  let capitals: 0 | 1 | 2 = 0;
  let i = 0;
  let before = DOT;
  for (; ; i++) {
    if (i === length) return null;
    const code = text.charCodeAt(i);
    if (code === AT) break;
    if (code === DOT) {
      if (before === DOT) return null;
    } else {
      const kind = code < 128 ? KINDS[code]! : 0;
      if ((kind & ATEXT) === 0) return null;
      if ((kind & UPPER) !== 0) capitals = 1;
    }
    before = code;
  }
  if (before === DOT || i > 64 || length - i - 1 > 255) return null;
  let dots = 0;
  let label = i + 1;
  for (i = label; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (i === label || i - label > 63 || text.charCodeAt(i - 1) === HYPHEN) return null;
      dots++;
      label = i + 1;
    } else {
      const kind = code < 128 ? KINDS[code]! : 0;
      if ((kind & LABEL) === 0 || (code === HYPHEN && i === label)) return null;
      if ((kind & UPPER) !== 0) capitals = 2;
    }
  }
  if (dots === 0 || i === label || i - label > 63 || text.charCodeAt(i - 1) === HYPHEN) return null;
  return capitals;
}

/** `+` and 15 digits. */
const number: Uint8Array = /* @__PURE__ */ new Uint8Array(16).fill(PLUS, 0, 1);

/** `+` and the digits of a number that has nothing but spaces, hyphens, dots and slashes between them; else `null`. */
export function plainPhone(text: string): string | null {
  const { length } = text;
  if (length < 8 || text.charCodeAt(0) !== PLUS) return null;
  let digits = 0;
  for (let i = 1; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= ZERO && code <= ZERO + 9) {
      if (++digits > 15) return null;
      number[digits] = code;
    } else if (code !== 32 && (code < HYPHEN || code > HYPHEN + 2)) {
      return null;
    }
  }
  const last = text.charCodeAt(length - 1);
  if (digits < 7 || number[1] === ZERO || last === 32) return null;
  return digits === length - 1 ? text : decodeAscii(number, 0, digits + 1);
}
