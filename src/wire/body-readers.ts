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
  return length === BODY_LENGTH ? readWhole : charactersReader(length, 5, BASE32);
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
  const p0 = pairAt(text, from);
  const p1 = pairAt(text, from + 2);
  const p2 = pairAt(text, from + 4);
  const p3 = pairAt(text, from + 6);
  const p4 = pairAt(text, from + 8);
  const p5 = pairAt(text, from + 10);
  const p6 = pairAt(text, from + 12);
  const p7 = pairAt(text, from + 14);
  const p8 = pairAt(text, from + 16);
  const p9 = pairAt(text, from + 18);
  const p10 = pairAt(text, from + 20);
  const p11 = pairAt(text, from + 22);
  const p12 = pairAt(text, from + 24);
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
    return crc >= 0 && crc === ((pairAt(text, from + BODY_LENGTH) << 10) | pairAt(text, from + BODY_LENGTH + 2));
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
