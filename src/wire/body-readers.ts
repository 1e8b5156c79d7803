/**
 * Reads the bodies of tokens: a text becomes the bits that it was written from (docs/spec/token-v1.md, "Forms"). These
 * are the inverses of the writers in token-forms.ts. A reader accepts exactly what its writer writes, so two texts
 * never have the same bits.
 *
 * Bits are counted from the highest bit of word 0. All bits after the last one of a body are zeros.
 */

import { ALPHABET, PAIR_VALUES, symbolValue } from './base32.ts';
import { CHECK_LENGTH } from './check-characters.ts';
import { BODY_LENGTH, checkChanges, checkStart, wholeChanges } from './labelled-token.ts';

/**
 * Reads the body that begins at `from` of a text, and writes its bits into four words from `at` on. The text must be
 * long enough. Returns `false` if no tag has this body; the words are then not to be used.
 */
export type ReadBody = (text: string, from: number, words: Int32Array, at: number) => boolean;

/** How many bits the words of a body have at most. */
const MOST_BITS = 128;

/** Returns the value of each character of ASCII in an alphabet, or -1. */
function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

const BASE32: Int8Array = /* @__PURE__ */ valuesOf(ALPHABET);
const HEX: Int8Array = /* @__PURE__ */ valuesOf('0123456789abcdef');
const BASE64URL: Int8Array = /* @__PURE__ */ valuesOf(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
);

/** Makes a reader of characters that have `width` bits each. If they have more than 128 in all, the rest are zeros. */
function charactersReader(length: number, width: number, values: Int8Array): ReadBody {
  return (text, from, words, at) => {
    words.fill(0, at, at + MOST_BITS / 32);
    let bad = 0;
    // The word that is being filled, and how many of its bits are free.
    let word = 0;
    let free = 32;
    let to = at;
    for (let k = from; k < from + length; k++) {
      const code = text.charCodeAt(k);
      const value = code < 128 ? values[code]! : -1;
      bad |= value;
      free -= width;
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
  return length === BODY_LENGTH ? wholeReader : charactersReader(length, 5, BASE32);
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

/** Returns a reader of bodies in hexadecimal digits. */
export function hexReader(length: number): ReadBody {
  return charactersReader(length, 4, HEX);
}

/** Returns a reader of bodies in base64url (RFC 4648, section 5, without padding). */
export function base64urlReader(length: number): ReadBody {
  return charactersReader(length, 6, BASE64URL);
}

/** The bytes of two hexadecimal digits, by the seven bits of each, or -1: made for the first reader of UUIDs. */
let hexPairs: Int16Array | null = null;

function makeHexPairs(): Int16Array {
  const pairs = new Int16Array(1 << 14).fill(-1);
  for (let high = 0; high < 128; high++) {
    for (let low = 0; low < 128; low++) {
      if (HEX[high]! >= 0 && HEX[low]! >= 0) pairs[(high << 7) | low] = (HEX[high]! << 4) | HEX[low]!;
    }
  }
  return pairs;
}

/** Where the 16 bytes of a UUID begin, and where its dashes are. */
const UUID_BYTES: readonly number[] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DASH = 45;

/** Returns a reader of UUIDs of version 8 (RFC 9562, section 5.8). Their digits are read in pairs. */
export function uuidReader(): ReadBody {
  hexPairs ??= makeHexPairs();
  const pairs = hexPairs;
  const b = new Int32Array(16);
  return (text, from, words, at) => {
    let bad = 0;
    for (let i = 0; i < 16; i++) {
      const place = from + UUID_BYTES[i]!;
      const high = text.charCodeAt(place);
      const low = text.charCodeAt(place + 1);
      const byte = (high | low) < 128 ? pairs[(high << 7) | low]! : -1;
      b[i] = byte;
      bad |= byte;
    }
    const dashes =
      (text.charCodeAt(from + 8) ^ DASH) |
      (text.charCodeAt(from + 13) ^ DASH) |
      (text.charCodeAt(from + 18) ^ DASH) |
      (text.charCodeAt(from + 23) ^ DASH);
    // 48 bits, the version, 12 bits, the variant, 62 bits.
    const version = b[6]! >>> 4;
    const variant = b[8]! >>> 6;
    words[at] = (b[0]! << 24) | (b[1]! << 16) | (b[2]! << 8) | b[3]!;
    words[at + 1] = (b[4]! << 24) | (b[5]! << 16) | ((b[6]! & 15) << 12) | (b[7]! << 4) | ((b[8]! & 63) >>> 2);
    words[at + 2] = (b[8]! << 30) | (b[9]! << 22) | (b[10]! << 14) | (b[11]! << 6) | (b[12]! >>> 2);
    words[at + 3] = (b[12]! << 30) | (b[13]! << 22) | (b[14]! << 14) | (b[15]! << 6);
    return bad >= 0 && dashes === 0 && version === 8 && variant === 2;
  };
}
