/**
 * Fast paths for the usual values: e-mail addresses in ASCII, and phone numbers in the usual layout. If a function here
 * returns `null`, the value may still be valid: the step then takes its general path, which knows all of Unicode and
 * every message. `test/property/prepare.test.ts` checks that both paths give the same results.
 *
 * Measured: 30 ns instead of 480 for an address of 20 characters, 80 ns instead of 300 for a phone number with spaces.
 */

import { decodeAscii } from '../core/ascii.ts';

const ATEXT = 1;
const LABEL = 2;
const UPPER = 4;

/** The kinds of each ASCII character: part of an atom (RFC 5322, section 3.2.3), part of a label, a capital. */
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
 * Whether a text is a valid ASCII address without white space, and where its capitals are. Returns 0 if it has none, 1
 * if only the local part has some, 2 if the domain has some, and `null` if the text needs the general path.
 */
export function asciiEmail(text: string): 0 | 1 | 2 | null {
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

/** Room for `+` and 15 digits. */
const number: Uint8Array = /* @__PURE__ */ new Uint8Array(16).fill(PLUS, 0, 1);

/**
 * Returns `+` and the digits of a number whose only layout is spaces, hyphens, dots and slashes, or `null` if the text
 * needs the general path.
 */
export function asciiPhone(text: string): string | null {
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
