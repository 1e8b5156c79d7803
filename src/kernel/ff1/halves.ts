/**
 * The arithmetic of FF1 on one half of every value of a batch: NUM_radix, STR_radix, NUM(B) as bytes, and addition of
 * NUM(S) modulo radix^m (SP 800-38G, section 4.1 and Algorithms 1 to 4). One interface has three implementations, and
 * all of them are exact:
 *
 * - one double for a half, if radix^m is at most 2^36;
 * - up to {@link MAX_LIMBS} limbs in base radix^j, so that a limb is always a whole number of numerals;
 * - BigInt for longer halves.
 *
 * S is shifted in by words of 16 bits: with a base of at most 2^36, every product stays below 2^53.
 */

import type { Numerals } from './numerals.ts';

/**
 * The largest base of a limb. 2^36 · 2^16 leaves one bit for the error of a quotient, so products are exact in a
 * double.
 */
const MAX_BASE = 2 ** 36;

/** Above this many limbs, some 350 bits, BigInt is faster (measured on Node 20). */
export const MAX_LIMBS = 10;

/** One half of every value of a batch, as numerals see it. */
export interface LaneHalf {
  /** Allocates space for the halves of `count` values. */
  readonly reserve: (count: number) => void;
  /** Sets the half of a value to NUM_radix of the numerals from `start` on. */
  readonly load: (value: number, numerals: ArrayLike<number>, start: number) => void;
  /** Writes STR_radix of the half into an array, from `start` on. */
  readonly store: (value: number, numerals: number[] | Numerals, start: number) => void;
}

/** One half of every value of a batch, with the arithmetic of the rounds in any radix. */
export interface Half extends LaneHalf {
  /** Sets the half to a whole number, for radix 2. */
  readonly loadBits: (value: number, integer: number | bigint) => void;
  /** Returns the half as a whole number, for radix 2. */
  readonly bits: (value: number) => number | bigint;
  /** XORs [NUM]^b into the last b bytes of the first `count` strides of a buffer. */
  readonly xorInto: (buffer: DataView, count: number, stride: number) => void;
  /** Adds or subtracts NUM(S) modulo radix^m. S is the first d bytes of each stride. */
  readonly add: (s: DataView, count: number, stride: number, d: number, sign: 1 | -1) => void;
}

/** Chooses the fastest arithmetic for halves of `digits` numerals. */
export function makeHalf(radix: number, digits: number): Half {
  if (fitsDouble(radix, digits)) return doublesHalf(radix, digits);
  const limbs = Math.ceil(digits / digitsOfLimb(radix));
  return limbs <= MAX_LIMBS ? limbed(radix, digits) : bigints(radix, digits);
}

/** Returns whether radix^digits is at most 2^36. */
export function fitsDouble(radix: number, digits: number): boolean {
  return BigInt(radix) ** BigInt(digits) <= BigInt(MAX_BASE);
}

/** Returns the largest j with radix^j <= 2^36. */
function digitsOfLimb(radix: number): number {
  let digits = 0;
  for (let base = radix; base <= MAX_BASE; base *= radix) digits++;
  return digits;
}

/** Halves of one double each. The rounds for short values read and write them directly. */
export interface DoublesHalf extends Half {
  /** The halves. `reserve` may replace this array. */
  readonly values: Float64Array;
  /** radix^m. */
  readonly modulus: number;
  readonly inverse: number;
}

/** Halves of one double each. */
export function doublesHalf(radix: number, digits: number): DoublesHalf {
  const m = power(radix, digits);
  const inverse = 1 / m;
  const shrink = 1 / radix;
  let half = new Float64Array(1);

  return {
    get values() {
      return half;
    },
    modulus: m,
    inverse,
    reserve(count) {
      if (half.length < count) half = new Float64Array(count);
    },
    load(value, numerals, start) {
      let x = 0;
      for (let i = start, end = start + digits; i < end; i++) x = x * radix + numerals[i]!;
      half[value] = x;
    },
    store(value, numerals, start) {
      let x = half[value]!;
      for (let i = start + digits - 1; i >= start; i--) {
        let quotient = Math.floor(x * shrink);
        let numeral = x - quotient * radix;
        if (numeral < 0) {
          numeral += radix;
          quotient--;
        } else if (numeral >= radix) {
          numeral -= radix;
          quotient++;
        }
        // With `| 0`, V8 keeps the array as one of small integers. Doubles take five times as long to store and to
        // read.
        numerals[i] = numeral | 0;
        x = quotient;
      }
    },
    loadBits(value, integer) {
      half[value] = Number(integer);
    },
    bits: (value) => half[value]!,
    xorInto(buffer, count, stride) {
      for (let value = 0, at = stride - 8; value < count; value++, at += stride) {
        const x = half[value]!;
        const high = Math.floor(x * 2 ** -32);
        if (high !== 0) buffer.setUint32(at, buffer.getUint32(at) ^ high);
        buffer.setUint32(at + 4, buffer.getUint32(at + 4) ^ (x - high * 2 ** 32));
      }
    },
    add(s, count, stride, d, sign) {
      if (stride === 16) {
        addColumn(half, count, s, 0, d, m, inverse, sign);
        return;
      }
      for (let value = 0; value < count; value++) {
        const y = half[value]! + sign * reduceBytes(s, value * stride, d, m, inverse);
        half[value] = y >= m ? y - m : y < 0 ? y + m : y;
      }
    },
  };
}

/** Returns NUM of the d bytes at `start` modulo m, for m up to 2^36. */
export function reduceBytes(s: DataView, start: number, d: number, m: number, inverse: number): number {
  const one = ONE;
  addColumn(one, 1, s, start, d, m, inverse, 0);
  return one[0]!;
}

const ONE: Float64Array = /* @__PURE__ */ new Float64Array(1);

/**
 * Adds NUM of the d bytes of each stride of 16 to a column of halves, or subtracts it, modulo m up to 2^36. With a sign
 * of 0, the halves are replaced by these numbers. FF1 spends most of its arithmetic here, so each width of m has its
 * own case.
 */
export function addColumn(
  halves: Float64Array,
  count: number,
  s: DataView,
  start: number,
  d: number,
  m: number,
  inverse: number,
  sign: 1 | -1 | 0,
): void {
  const oneStep = d === 8 && m >= 2 ** 14 && m <= 2 ** 30;
  const small = m <= 2 ** 20;
  const power = 2 ** 32 % m;
  for (let k = 0, at = start; k < count; k++, at += 16) {
    const high = s.getUint32(at);
    const low = s.getUint32(at + 4);
    let y: number;
    if (oneStep) {
      // The quotient of doubles is off by one at most (its error is below (2^10 + 2^12) / m), and the rest fits in 32
      // bits, where multiplication modulo 2^32 is exact.
      y = (low - Math.imul(Math.floor((high * 2 ** 32 + low) * inverse) | 0, m)) | 0;
      y = y < 0 ? y + m : y >= m ? y - m : y;
    } else if (small) {
      // high · (2^32 mod m) + low is below 2^52 + 2^32.
      y = high * power + low;
      y -= Math.floor(y * inverse) * m;
      y = y < 0 ? y + m : y >= m ? y - m : y;
      for (let word = at + 8; word < at + d; word += 4) y = reduceWord(y, s.getUint32(word), m, inverse);
    } else {
      y = reduceWord(reduce(high, m, inverse), low, m, inverse);
      for (let word = at + 8; word < at + d; word += 4) y = reduceWord(y, s.getUint32(word), m, inverse);
    }
    if (sign === 0) {
      halves[k] = y;
    } else {
      y = halves[k]! + sign * y;
      halves[k] = y >= m ? y - m : y < 0 ? y + m : y;
    }
  }
}

/** Returns (y · 2^32 + word) mod m. It goes 16 bits at a time, so that no product exceeds 2^52. */
function reduceWord(y: number, word: number, m: number, inverse: number): number {
  return reduce(reduce(y * 65536 + (word >>> 16), m, inverse) * 65536 + (word & 0xffff), m, inverse);
}

/** Returns x mod m for x below 2^53. The quotient by the inverse is off by one at most. */
function reduce(x: number, m: number, inverse: number): number {
  const rest = x - Math.floor(x * inverse) * m;
  return rest < 0 ? rest + m : rest >= m ? rest - m : rest;
}

/**
 * Halves as limbs in base radix^j, the least significant first. The top limb has the remaining digits.
 *
 * It is long because it has all verbs of {@link Half}, with inner loops.
 */
export function limbed(radix: number, digits: number): Half {
  const each = digitsOfLimb(radix);
  const limbs = Math.ceil(digits / each);
  const topDigits = digits - each * (limbs - 1);
  const base = power(radix, each);
  // The base of every limb. With that of the top limb, a carry out of it is dropped, which is the reduction modulo
  // radix^m.
  const bases = new Float64Array(limbs).fill(base);
  bases[limbs - 1] = power(radix, topDigits);
  const inverses = bases.map((b) => 1 / b);
  const bytes = bytesOf(radix, digits);
  const words = new Float64Array(Math.ceil(bytes / 2));
  const sum = new Float64Array(limbs);
  let half = new Float64Array(limbs);

  return {
    reserve(count) {
      if (half.length < count * limbs) half = new Float64Array(count * limbs);
    },
    load(value, numerals, start) {
      let at = start;
      for (let limb = limbs - 1; limb >= 0; limb--) {
        let x = 0;
        for (const end = at + (limb === limbs - 1 ? topDigits : each); at < end; at++) x = x * radix + numerals[at]!;
        half[value * limbs + limb] = x;
      }
    },
    store(value, numerals, start) {
      let at = start + digits - 1;
      for (let limb = 0; limb < limbs; limb++) {
        let x = half[value * limbs + limb]!;
        for (const end = at - (limb === limbs - 1 ? topDigits : each); at > end; at--) {
          const quotient = Math.floor(x / radix);
          numerals[at] = (x - quotient * radix) | 0;
          x = quotient;
        }
      }
    },
    loadBits(value, integer) {
      let rest = BigInt(integer);
      for (let limb = 0; limb < limbs; limb++, rest >>= BigInt(each)) {
        half[value * limbs + limb] = Number(rest & BigInt(base - 1));
      }
    },
    bits(value) {
      let out = 0n;
      for (let limb = limbs - 1; limb >= 0; limb--) out = (out << BigInt(each)) | BigInt(half[value * limbs + limb]!);
      return out;
    },
    xorInto(buffer, count, stride) {
      for (let value = 0; value < count; value++) {
        // Horner's rule from the top limb: words · base + limb, in words of 16 bits.
        words.fill(0);
        let used = 0;
        for (let limb = limbs - 1; limb >= 0; limb--) {
          let carry = half[value * limbs + limb]!;
          for (let word = 0; word < used; word++) {
            const x = words[word]! * base + carry;
            carry = Math.floor(x * 2 ** -16);
            words[word] = x - carry * 65536;
          }
          for (; carry > 0; used++) {
            const next = Math.floor(carry * 2 ** -16);
            words[used] = carry - next * 65536;
            carry = next;
          }
        }
        const end = (value + 1) * stride;
        for (let word = 0; word < used; word++) {
          const at = end - 2 * word - 2;
          // If the number of bytes is odd, it ends in the middle of the top word, whose upper byte is zero.
          buffer.setUint16(at, buffer.getUint16(at) ^ words[word]!);
        }
      }
    },
    add(s, count, stride, d, sign) {
      for (let value = 0, start = 0; value < count; value++, start += stride) {
        sum.fill(0);
        for (let at = start; at < start + d; at += 2) {
          let carry = s.getUint16(at);
          for (let limb = 0; limb < limbs; limb++) {
            const b = bases[limb]!;
            const x = sum[limb]! * 65536 + carry;
            carry = Math.floor(x * inverses[limb]!);
            let rest = x - carry * b;
            if (rest < 0) {
              rest += b;
              carry--;
            } else if (rest >= b) {
              rest -= b;
              carry++;
            }
            sum[limb] = rest;
          }
        }
        let carry = 0;
        for (let limb = 0; limb < limbs; limb++) {
          const b = bases[limb]!;
          let x = half[value * limbs + limb]! + sign * sum[limb]! + carry;
          carry = 0;
          if (x >= b) {
            x -= b;
            carry = 1;
          } else if (x < 0) {
            x += b;
            carry = -1;
          }
          half[value * limbs + limb] = x;
        }
      }
    },
  };
}

const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Returns the value of a hexadecimal digit in lower case. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/** Halves as BigInts, with numerals and bytes moved in chunks. */
export function bigints(radix: number, digits: number): Half {
  const m = BigInt(radix) ** BigInt(digits);
  const each = digitsOfLimb(radix);
  const base = BigInt(power(radix, each));
  const bytes = bytesOf(radix, digits);
  const half: bigint[] = [0n];

  function readBytes(view: DataView, start: number, length: number): bigint {
    let hex = '0x';
    for (let at = start; at < start + length; at++) hex += HEX[view.getUint8(at)];
    return BigInt(hex);
  }

  return {
    reserve(count) {
      while (half.length < count) half.push(0n);
    },
    load(value, numerals, start) {
      let x = 0n;
      const head = digits % each;
      for (let at = start, end = start + head; at < start + digits; end += each) {
        let chunk = 0;
        for (; at < end; at++) chunk = chunk * radix + numerals[at]!;
        x = x * base + BigInt(chunk);
      }
      half[value] = x;
    },
    store(value, numerals, start) {
      let x = half[value]!;
      for (let at = start + digits; at > start; ) {
        let chunk = Number(x % base);
        x /= base;
        for (let i = 0; i < each && at > start; i++) {
          const quotient = Math.floor(chunk / radix);
          numerals[--at] = (chunk - quotient * radix) | 0;
          chunk = quotient;
        }
      }
    },
    loadBits(value, integer) {
      half[value] = BigInt(integer);
    },
    bits: (value) => half[value]!,
    xorInto(buffer, count, stride) {
      for (let value = 0; value < count; value++) {
        const hex = half[value]!.toString(16).padStart(bytes * 2, '0');
        const start = (value + 1) * stride - bytes;
        for (let i = 0; i < bytes; i++) {
          const byte = (nibble(hex.charCodeAt(2 * i)) << 4) | nibble(hex.charCodeAt(2 * i + 1));
          buffer.setUint8(start + i, buffer.getUint8(start + i) ^ byte);
        }
      }
    },
    add(s, count, stride, d, sign) {
      for (let value = 0; value < count; value++) {
        const x = (half[value]! + BigInt(sign) * readBytes(s, value * stride, d)) % m;
        half[value] = x < 0n ? x + m : x;
      }
    },
  };
}

/** Returns radix^digits, which is below 2^53. Products are exact; `**` need not be. */
function power(radix: number, digits: number): number {
  let out = 1;
  for (let i = 0; i < digits; i++) out *= radix;
  return out;
}

/** Returns b of Algorithm 7, step 3: ceil(ceil(v · log2(radix)) / 8), the number of bytes of radix^v - 1. */
export function bytesOf(radix: number, v: number): number {
  const bits = (BigInt(radix) ** BigInt(v) - 1n).toString(2).length;
  return Math.ceil(bits / 8);
}
