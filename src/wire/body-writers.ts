/**
 * Writes the bodies of tokens: the first bits of a tag become text (docs/spec/token-v1.md, "Forms"). The inverses are
 * in body-readers.ts.
 *
 * Characters are looked up in pairs and written as words of 16 or 32 bits. Measured for a UUID: 20 ns; with a look-up
 * and a call for each character it takes 98 ns.
 */

import { PAIRS } from './base32.ts';
import { BODY_LENGTH, checkChanges, checkStart, wholeChanges } from './labelled-token.ts';
import { pairCodes } from './pairs.ts';

/** Writes a body as ASCII at `offset`. Word j of its tag is `tags[at + j * step]`. */
export type WriteBody = (tags: Int32Array, at: number, step: number, out: DataView, offset: number) => void;

const HEX_PAIRS: Uint16Array = /* @__PURE__ */ pairCodes('0123456789abcdef');

/** Returns `count` bits (at most 25) of a tag from bit `from` on. Bit 0 is the highest bit of word 0. */
function bitsOf(tags: Int32Array, at: number, step: number, from: number, count: number): number {
  const word = at + (from >>> 5) * step;
  const free = 32 - (from & 31) - count;
  const value = free >= 0 ? tags[word]! >>> free : (tags[word]! << -free) | (tags[word + step]! >>> (32 + free));
  return value & ((1 << count) - 1);
}

/**
 * Returns pair k of a body in base32. The last symbol of a whole body has three bits of the tag and two zero bits.
 */
function pairOf(tags: Int32Array, at: number, step: number, k: number): number {
  return k < BODY_LENGTH / 2 - 1 ? bitsOf(tags, at, step, 10 * k, 10) : bitsOf(tags, at, step, 10 * k, 8) << 2;
}

/** Makes the function that writes a body in base32. */
export function base32Writer(length: number): WriteBody {
  const pairs = length >>> 1;
  return (tags, at, step, out, offset) => {
    for (let k = 0; k < pairs; k++) out.setUint16(offset + 2 * k, PAIRS[pairOf(tags, at, step, k)]!);
    if (length > 2 * pairs) out.setUint8(offset + 2 * pairs, PAIRS[bitsOf(tags, at, step, 10 * pairs, 5)]! & 255);
  };
}

/** Makes the function that writes a body in base32, followed by the check characters over `head` and body. */
export function checkedWriter(length: number, head: string): WriteBody {
  return length === BODY_LENGTH ? wholeWriter(checkStart(head, length)) : shortWriter(length, checkStart(head, length));
}

function shortWriter(length: number, start: number): WriteBody {
  const changes = checkChanges(length, 1);
  const pairs = length >>> 1;
  return (tags, at, step, out, offset) => {
    let crc = start;
    for (let k = 0; k < pairs; k++) {
      const pair = pairOf(tags, at, step, k);
      crc ^= changes[64 * k + (pair >>> 5)]! ^ changes[64 * k + 32 + (pair & 31)]!;
      out.setUint16(offset + 2 * k, PAIRS[pair]!);
    }
    if (length > 2 * pairs) {
      const symbol = bitsOf(tags, at, step, 10 * pairs, 5);
      crc ^= changes[64 * pairs + symbol]!;
      out.setUint8(offset + 2 * pairs, PAIRS[symbol]! & 255);
    }
    out.setUint16(offset + length, PAIRS[(crc >>> 10) & 1023]!);
    out.setUint16(offset + length + 2, PAIRS[crc & 1023]!);
  };
}

/**
 * Does the same for a whole body, which is 26 symbols, as 13 pairs. It is written out without a loop, because every
 * token of the default form is written here. Measured: 22 ns; symbol by symbol it takes 60 ns.
 */
function wholeWriter(start: number): WriteBody {
  const changes = wholeChanges();
  return (tags, at, step, out, offset) => {
    const t0 = tags[at]!;
    const t1 = tags[at + step]!;
    const t2 = tags[at + 2 * step]!;
    const t3 = tags[at + 3 * step]!;
    const p0 = t0 >>> 22;
    const p1 = (t0 >>> 12) & 1023;
    const p2 = (t0 >>> 2) & 1023;
    const p3 = ((t0 << 8) | (t1 >>> 24)) & 1023;
    const p4 = (t1 >>> 14) & 1023;
    const p5 = (t1 >>> 4) & 1023;
    const p6 = ((t1 << 6) | (t2 >>> 26)) & 1023;
    const p7 = (t2 >>> 16) & 1023;
    const p8 = (t2 >>> 6) & 1023;
    const p9 = ((t2 << 4) | (t3 >>> 28)) & 1023;
    const p10 = (t3 >>> 18) & 1023;
    const p11 = (t3 >>> 8) & 1023;
    // Eight bits are left, and two zero bits fill the last symbol.
    const p12 = (t3 << 2) & 1020;
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
    const crc = start ^ even ^ odd;
    out.setInt32(offset, (PAIRS[p0]! << 16) | PAIRS[p1]!);
    out.setInt32(offset + 4, (PAIRS[p2]! << 16) | PAIRS[p3]!);
    out.setInt32(offset + 8, (PAIRS[p4]! << 16) | PAIRS[p5]!);
    out.setInt32(offset + 12, (PAIRS[p6]! << 16) | PAIRS[p7]!);
    out.setInt32(offset + 16, (PAIRS[p8]! << 16) | PAIRS[p9]!);
    out.setInt32(offset + 20, (PAIRS[p10]! << 16) | PAIRS[p11]!);
    out.setInt32(offset + 24, (PAIRS[p12]! << 16) | PAIRS[(crc >>> 10) & 1023]!);
    out.setInt16(offset + 28, PAIRS[crc & 1023]!);
  };
}

/** Writes the four hexadecimal digits of the upper half of a word. */
function writeUpper(word: number, out: DataView, offset: number): void {
  out.setInt32(offset, (HEX_PAIRS[word >>> 24]! << 16) | HEX_PAIRS[(word >>> 16) & 255]!);
}

/** Writes the four hexadecimal digits of the lower half of a word. */
function writeLower(word: number, out: DataView, offset: number): void {
  out.setInt32(offset, (HEX_PAIRS[(word >>> 8) & 255]! << 16) | HEX_PAIRS[word & 255]!);
}

/** Makes the function that writes a body in hexadecimal digits. */
export function hexWriter(length: number): WriteBody {
  const words = length >>> 3;
  return (tags, at, step, out, offset) => {
    for (let j = 0; j < words; j++) {
      writeUpper(tags[at + j * step]!, out, offset + 8 * j);
      writeLower(tags[at + j * step]!, out, offset + 8 * j + 4);
    }
    for (let k = 8 * words; k < length; k++) {
      out.setUint8(offset + k, HEX_PAIRS[bitsOf(tags, at, step, 4 * k, 4)]! & 255);
    }
  };
}

/** The pairs of base64url, 8 KiB: made for the first writer. */
let base64urlPairs: Uint16Array | null = null;

/**
 * Makes the function that writes a body in base64url: RFC 4648, section 5, without padding. The last character of a
 * whole body has two bits of the tag and four zeros.
 */
export function base64urlWriter(length: number): WriteBody {
  base64urlPairs ??= pairCodes('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
  const table = base64urlPairs;
  const pairs = length >>> 1;
  return (tags, at, step, out, offset) => {
    for (let k = 0; k < pairs; k++) {
      const pair = k < 10 ? bitsOf(tags, at, step, 12 * k, 12) : bitsOf(tags, at, step, 120, 8) << 4;
      out.setUint16(offset + 2 * k, table[pair]!);
    }
    if (length > 2 * pairs) out.setUint8(offset + 2 * pairs, table[bitsOf(tags, at, step, 12 * pairs, 6)]! & 255);
  };
}

const DASH = 45;

/** Writes a UUID of version 8 (RFC 9562, section 5.8): 48 bits, the version, 12 bits, the variant, 62 bits. */
export function writeUuid(tags: Int32Array, at: number, step: number, out: DataView, offset: number): void {
  const t0 = tags[at]!;
  const t1 = tags[at + step]!;
  const t2 = tags[at + 2 * step]!;
  const u1 = (t1 & 0xffff0000) | 0x8000 | ((t1 >>> 4) & 0xfff);
  const u2 = 0x80000000 | ((t1 & 15) << 26) | (t2 >>> 6);
  const u3 = (t2 << 26) | (tags[at + 3 * step]! >>> 6);
  writeUpper(t0, out, offset);
  writeLower(t0, out, offset + 4);
  out.setUint8(offset + 8, DASH);
  writeUpper(u1, out, offset + 9);
  out.setUint8(offset + 13, DASH);
  writeLower(u1, out, offset + 14);
  out.setUint8(offset + 18, DASH);
  writeUpper(u2, out, offset + 19);
  out.setUint8(offset + 23, DASH);
  writeLower(u2, out, offset + 24);
  writeUpper(u3, out, offset + 28);
  writeLower(u3, out, offset + 32);
}

/** How many limbs of 16 bits a tag has, and how many digits one multiplication yields. */
const LIMBS = 16;
const DIGITS_A_STEP = 4;

/**
 * Writes the first decimals of the tag, read as a binary fraction 0.t. Each multiplication by 10^4 moves four decimals
 * in front of the point. A body of n digits is floor(tag * 10^n / 2^256), so no body is more likely than another by
 * more than a factor of 1 + 10^n / 2^256.
 *
 * The first limbs are multiplied alone. The others add less than one to the upper limb of what is left after the last
 * decimal, so they change a decimal only if this limb is 0xffff. In this case, one of 65,536, all limbs are multiplied.
 */
export function digitsWriter(length: number): WriteBody {
  const limbs = new Int32Array(LIMBS);
  const first = firstLimbs(DIGITS_A_STEP * Math.ceil(length / DIGITS_A_STEP));

  function write(count: number, tags: Int32Array, at: number, step: number, out: DataView, offset: number): void {
    for (let j = 0; j < count / 2; j++) {
      const word = tags[at + j * step]!;
      limbs[2 * j] = word >>> 16;
      limbs[2 * j + 1] = word & 0xffff;
    }
    for (let k = 0; k < length; k += DIGITS_A_STEP) {
      let carry = 0;
      for (let j = count - 1; j >= 0; j--) {
        const product = limbs[j]! * 10_000 + carry;
        limbs[j] = product & 0xffff;
        carry = product >>> 16;
      }
      for (let d = DIGITS_A_STEP - 1; d >= 0; d--) {
        if (k + d < length) out.setUint8(offset + k + d, 48 + (carry % 10));
        carry = (carry / 10) | 0;
      }
    }
  }

  return (tags, at, step, out, offset) => {
    write(first, tags, at, step, out, offset);
    if (limbs[0] === 0xffff) write(LIMBS, tags, at, step, out, offset);
  };
}

/** The smallest even number of limbs with 10^digits <= 2^(16 (limbs - 1)). */
function firstLimbs(digits: number): number {
  let limbs = 2;
  while (10n ** BigInt(digits) > 1n << BigInt(16 * (limbs - 1))) limbs += 2;
  return limbs;
}
