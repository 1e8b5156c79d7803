/**
 * Reads the bodies of tokens: a text becomes the bits that it was written from (docs/spec/token-v1.md, "Forms"). These
 * are the inverses of the writers in token-forms.ts. A reader accepts exactly what its writer writes, so two texts
 * never have the same bits.
 *
 * Bits are counted from the highest bit of word 0. All bits after the last one of a body are zeros.
 */

import { PAIR_VALUES, symbolValue } from './base32.ts';
import { CHECK_LENGTH } from './check-characters.ts';
import { BODY_LENGTH, checkChanges, checkStart, wholeChanges } from './labelled-token.ts';
import { pairAt, pairValues } from './pairs.ts';

/**
 * Reads the body that begins at `from` of a text, and writes its bits into four words from `at` on. The text must be
 * long enough. Returns `false` if no tag has this body; the words are then not to be used.
 */
export type ReadBody = (text: string, from: number, words: Int32Array, at: number) => boolean;

/** How many bits the words of a body have at most. */
const MOST_BITS = 128;

/** Tables of 32 KiB, made for the first reader. Only the cache lines of the characters are read. */
let hexPairs: Int16Array | null = null;
let base64urlPairs: Int16Array | null = null;

function hexTable(): Int16Array {
  hexPairs ??= pairValues('0123456789abcdef');
  return hexPairs;
}

function base64urlTable(): Int16Array {
  base64urlPairs ??= pairValues('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
  return base64urlPairs;
}

/**
 * Makes a reader of characters that have `width` bits each. If they have more than 128 in all, the rest are zeros.
 *
 * @param first the first character of the alphabet, whose bits are zeros.
 */
function charactersReader(length: number, width: number, pairs: Int16Array, first: string): ReadBody {
  const zero = first.charCodeAt(0) << 7;
  return (text, from, words, at) => {
    words.fill(0, at, at + MOST_BITS / 32);
    let bad = 0;
    // The word that is being filled, and how many of its bits are free.
    let word = 0;
    let free = 32;
    let to = at;
    for (let k = 0; k < length; k += 2) {
      const isLast = k + 1 === length;
      const code = isLast ? text.charCodeAt(from + k) : 0;
      const value = !isLast ? pairAt(pairs, text, from + k) : code < 128 ? pairs[zero | code]! : -1;
      bad |= value;
      free -= isLast ? width : 2 * width;
      if (free >= 0) {
        word |= value << free;
      } else {
        words[to++] = word | (value >>> -free);
        word = value << (32 + free);
        free += 32;
      }
    }
    if (length * width <= MOST_BITS) words[to] = word;
    else if (word !== 0) return false;
    return bad >= 0;
  };
}

/** Returns a reader of bodies in base32. */
export function base32Reader(length: number): ReadBody {
  return length === BODY_LENGTH ? readWhole : charactersReader(length, 5, PAIR_VALUES, '0');
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

/** Reads a whole body, which is 26 symbols. */
function readWhole(text: string, from: number, words: Int32Array, at: number): boolean {
  return crcOfWhole(text, from, words, at, 0, wholeChanges()) >= 0;
}

/**
 * Reads a whole body as 13 pairs, and returns the CRC over what comes before it and the body; -1 if it is not a body.
 * Like the writer it is written out without a loop, because every token of the default form is read here.
 */
function crcOfWhole(
  text: string,
  from: number,
  words: Int32Array,
  at: number,
  start: number,
  changes: Int32Array,
): number {
  const p0 = pairAt(PAIR_VALUES, text, from);
  const p1 = pairAt(PAIR_VALUES, text, from + 2);
  const p2 = pairAt(PAIR_VALUES, text, from + 4);
  const p3 = pairAt(PAIR_VALUES, text, from + 6);
  const p4 = pairAt(PAIR_VALUES, text, from + 8);
  const p5 = pairAt(PAIR_VALUES, text, from + 10);
  const p6 = pairAt(PAIR_VALUES, text, from + 12);
  const p7 = pairAt(PAIR_VALUES, text, from + 14);
  const p8 = pairAt(PAIR_VALUES, text, from + 16);
  const p9 = pairAt(PAIR_VALUES, text, from + 18);
  const p10 = pairAt(PAIR_VALUES, text, from + 20);
  const p11 = pairAt(PAIR_VALUES, text, from + 22);
  const p12 = pairAt(PAIR_VALUES, text, from + 24);
  // The last symbol ends with two zero bits.
  if ((p0 | p1 | p2 | p3 | p4 | p5 | p6 | p7 | p8 | p9 | p10 | p11 | p12) < 0 || (p12 & 3) !== 0) return -1;
  words[at] = (p0 << 22) | (p1 << 12) | (p2 << 2) | (p3 >>> 8);
  words[at + 1] = (p3 << 24) | (p4 << 14) | (p5 << 4) | (p6 >>> 6);
  words[at + 2] = (p6 << 26) | (p7 << 16) | (p8 << 6) | (p9 >>> 4);
  words[at + 3] = (p9 << 28) | (p10 << 18) | (p11 << 8) | (p12 >>> 2);
  const even =
    changes[p0]! ^
    changes[2048 + p2]! ^
    changes[4096 + p4]! ^
    changes[6144 + p6]! ^
    changes[8192 + p8]! ^
    changes[10240 + p10]! ^
    changes[12288 + p12]!;
  const odd =
    changes[1024 + p1]! ^
    changes[3072 + p3]! ^
    changes[5120 + p5]! ^
    changes[7168 + p7]! ^
    changes[9216 + p9]! ^
    changes[11264 + p11]!;
  return start ^ even ^ odd;
}

function wholeCheckedReader(start: number): ReadBody {
  const changes = wholeChanges();
  return (text, from, words, at) => {
    const crc = crcOfWhole(text, from, words, at, start, changes);
    return (
      crc >= 0 &&
      crc ===
        ((pairAt(PAIR_VALUES, text, from + BODY_LENGTH) << 10) | pairAt(PAIR_VALUES, text, from + BODY_LENGTH + 2))
    );
  };
}

/** Returns a reader of bodies in hexadecimal digits. */
export function hexReader(length: number): ReadBody {
  return charactersReader(length, 4, hexTable(), '0');
}

/** Returns a reader of bodies in base64url (RFC 4648, section 5, without padding). */
export function base64urlReader(length: number): ReadBody {
  return charactersReader(length, 6, base64urlTable(), 'A');
}

/** Returns the 16 bits of four hexadecimal digits. It is negative if one of the characters is not a digit. */
function quadAt(pairs: Int16Array, text: string, from: number): number {
  return (pairAt(pairs, text, from) << 8) | pairAt(pairs, text, from + 2);
}

const DASH = 45;

/** Returns a reader of UUIDs of version 8 (RFC 9562, section 5.8). Like the writer it is written out without a loop. */
export function uuidReader(): ReadBody {
  const pairs = hexTable();
  return (text, from, words, at) => {
    // 48 bits, the version, 12 bits, the variant, 62 bits.
    const q0 = quadAt(pairs, text, from);
    const q1 = quadAt(pairs, text, from + 4);
    const q2 = quadAt(pairs, text, from + 9);
    const q3 = quadAt(pairs, text, from + 14);
    const q4 = quadAt(pairs, text, from + 19);
    const q5 = quadAt(pairs, text, from + 24);
    const q6 = quadAt(pairs, text, from + 28);
    const q7 = quadAt(pairs, text, from + 32);
    const dashes =
      (text.charCodeAt(from + 8) ^ DASH) |
      (text.charCodeAt(from + 13) ^ DASH) |
      (text.charCodeAt(from + 18) ^ DASH) |
      (text.charCodeAt(from + 23) ^ DASH);
    words[at] = (q0 << 16) | q1;
    words[at + 1] = (q2 << 16) | ((q3 & 0xfff) << 4) | ((q4 >>> 10) & 15);
    words[at + 2] = (q4 << 22) | (q5 << 6) | (q6 >>> 10);
    words[at + 3] = (q6 << 22) | (q7 << 6);
    const bad = q0 | q1 | q2 | q3 | q4 | q5 | q6 | q7;
    return bad >= 0 && dashes === 0 && q3 >>> 12 === 8 && q4 >>> 14 === 2;
  };
}
