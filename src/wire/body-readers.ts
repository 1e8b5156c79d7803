/**
 * Reads the bodies of tokens: a text becomes the bits that it was written from (docs/spec/token-v1.md, "Forms"). These
 * are the inverses of the writers in token-forms.ts. A reader accepts exactly what its writer writes, so two texts never
 * have the same bits.
 *
 * Bits are counted from the highest bit of word 0. All bits after the last one of a body are zeros.
 */

import { PAIR_VALUES, symbolValue } from './base32.ts';
import { CHECK_LENGTH } from './check-characters.ts';
import { BODY_LENGTH, checkChanges, checkStart, wholeChanges } from './labelled-token.ts';

/**
 * Reads the body that begins at `from` of a text, and writes its bits into four words from `at` on. The text must be
 * long enough. Returns `false` if no tag has this body; the words are then not to be used.
 */
export type ReadBody = (text: string, from: number, words: Int32Array, at: number) => boolean;

/**
 * Makes a reader of characters that have `width` bits each.
 *
 * @param symbolOf returns the value of a character code, or a negative number.
 * @param bits how many bits a body has. The last character may have more bits than are left; they must be zeros.
 */
function charactersReader(length: number, width: number, bits: number, symbolOf: (code: number) => number): ReadBody {
  const excess = length * width - bits;
  return (text, from, words, at) => {
    words.fill(0, at, at + 4);
    let bad = 0;
    for (let k = 0, bit = 0; k < length; k++, bit += width) {
      let value = symbolOf(text.charCodeAt(from + k));
      bad |= value;
      let left = width;
      if (k === length - 1) {
        if ((value & ((1 << excess) - 1)) !== 0) return false;
        value >>= excess;
        left -= excess;
      }
      putBits(words, at, bit, left, value);
    }
    return bad >= 0;
  };
}

/** Writes the lowest `count` bits of a value into words from bit `from` on, where the words are zeros. */
function putBits(words: Int32Array, at: number, from: number, count: number, value: number): void {
  const word = at + (from >>> 5);
  const free = 32 - (from & 31) - count;
  if (free >= 0) {
    words[word] = words[word]! | (value << free);
    return;
  }
  words[word] = words[word]! | (value >>> -free);
  words[word + 1] = words[word + 1]! | (value << (32 + free));
}

/** Returns a reader of bodies in base32. */
export function base32Reader(length: number): ReadBody {
  return length === BODY_LENGTH ? wholeReader : charactersReader(length, 5, 5 * length, symbolValue);
}

/**
 * Returns a reader of bodies in base32 that are followed by check characters over `head` and body. It returns `false`
 * if the check characters are wrong. The head itself is not read.
 */
export function checkedReader(length: number, head: string): ReadBody {
  const start = checkStart(head, length);
  if (length === BODY_LENGTH) return wholeCheckedReader(start);
  const read = base32Reader(length);
  const changes = checkChanges(length, 1);
  return (text, from, words, at) => {
    if (!read(text, from, words, at)) return false;
    let crc = start;
    for (let k = 0; k < length; k++) crc ^= changes[32 * k + symbolValue(text.charCodeAt(from + k))]!;
    return crc === checkAt(text, from + length);
  };
}

/** Returns the 20 bits of the check characters at `from`; -1 if they are not symbols. */
function checkAt(text: string, from: number): number {
  let crc = 0;
  for (let k = 0; k < CHECK_LENGTH; k++) {
    const value = symbolValue(text.charCodeAt(from + k));
    if (value < 0) return -1;
    crc = (crc << 5) | value;
  }
  return crc;
}

/** Returns the ten bits of two symbols. The result is negative if one of the characters is not a symbol. */
function pairAt(text: string, from: number): number {
  const c0 = text.charCodeAt(from);
  const c1 = text.charCodeAt(from + 1);
  // A code above 127 sets a bit above the index, and must not select the entry of another character.
  return (c0 | c1) < 128 ? PAIR_VALUES[(c0 << 7) | c1]! : -1;
}

/** The pairs of the last body that was read: 13 of ten bits. */
const PAIRS_READ: Int32Array = /* @__PURE__ */ new Int32Array(BODY_LENGTH / 2);

/**
 * Reads a whole body, which is 26 symbols, as 13 pairs. Like the writer it is written out, because every token of the
 * default form is read here.
 */
function wholeReader(text: string, from: number, words: Int32Array, at: number): boolean {
  const p = PAIRS_READ;
  let bad = 0;
  for (let k = 0; k < 13; k++) {
    const pair = pairAt(text, from + 2 * k);
    p[k] = pair;
    bad |= pair;
  }
  const last = p[12]!;
  words[at] = (p[0]! << 22) | (p[1]! << 12) | (p[2]! << 2) | (p[3]! >>> 8);
  words[at + 1] = (p[3]! << 24) | (p[4]! << 14) | (p[5]! << 4) | (p[6]! >>> 6);
  words[at + 2] = (p[6]! << 26) | (p[7]! << 16) | (p[8]! << 6) | (p[9]! >>> 4);
  words[at + 3] = (p[9]! << 28) | (p[10]! << 18) | (p[11]! << 8) | (last >>> 2);
  // The last symbol ends with two zero bits.
  return bad >= 0 && (last & 3) === 0;
}

function wholeCheckedReader(start: number): ReadBody {
  const changes = wholeChanges();
  return (text, from, words, at) => {
    if (!wholeReader(text, from, words, at)) return false;
    let crc = start;
    for (let k = 0; k < 13; k++) crc ^= changes[1024 * k + PAIRS_READ[k]!]!;
    const high = pairAt(text, from + BODY_LENGTH);
    const low = pairAt(text, from + BODY_LENGTH + 2);
    return (high | low) >= 0 && crc === ((high << 10) | low);
  };
}

/** Returns the value of a hexadecimal digit in lower case, or -1. */
function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}

/** Returns a reader of bodies in hexadecimal digits. */
export function hexReader(length: number): ReadBody {
  return charactersReader(length, 4, 4 * length, hexValue);
}

/** Returns the value of a character of base64url, or -1. */
function base64urlValue(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  return code === 45 ? 62 : code === 95 ? 63 : -1;
}

/** Returns a reader of bodies in base64url (RFC 4648, section 5, without padding). */
export function base64urlReader(length: number): ReadBody {
  return charactersReader(length, 6, Math.min(128, 6 * length), base64urlValue);
}

/** Where a UUID has the digit of the version, and the digit that begins with the variant. */
const VERSION_AT = 14;
const VARIANT_AT = 19;

/** Returns a reader of UUIDs of version 8 (RFC 9562, section 5.8). */
export function uuidReader(): ReadBody {
  return readUuid;
}

function readUuid(text: string, from: number, words: Int32Array, at: number): boolean {
  words.fill(0, at, at + 4);
  let bit = 0;
  for (let k = 0; k < 36; k++) {
    const code = text.charCodeAt(from + k);
    if (k === 8 || k === 13 || k === 18 || k === 23) {
      if (code !== 45) return false;
      continue;
    }
    const value = hexValue(code);
    if (value < 0) return false;
    if (k === VERSION_AT) {
      if (value !== 8) return false;
    } else if (k === VARIANT_AT) {
      // The variant is 10, so the digit has two bits of the body.
      if (value >>> 2 !== 2) return false;
      putBits(words, at, bit, 2, value & 3);
      bit += 2;
    } else {
      putBits(words, at, bit, 4, value);
      bit += 4;
    }
  }
  return true;
}
