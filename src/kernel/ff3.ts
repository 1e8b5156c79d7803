/**
 * FF3 and FF3-1, backwards only: FF3.Decrypt is Algorithm 10 of NIST SP 800-38G of 2016
 * (https://doi.org/10.6028/NIST.SP.800-38G), with a tweak of 64 bits; FF3-1 is the same with the tweak of 56 bits of
 * the draft of Revision 1 of 2019 (https://doi.org/10.6028/NIST.SP.800-38Gr1-draft).
 *
 * Both are broken (https://eprint.iacr.org/2017/521, https://eprint.iacr.org/2018/556,
 * https://eprint.iacr.org/2021/815), and the second draft of Revision 1 (February 2025,
 * https://doi.org/10.6028/NIST.SP.800-38Gr1.2pd) withdraws them. What turns values forward stands in test/reference
 * alone.
 *
 * The specification reverses bytes (REVB) and numerals (REV) at every step, because it writes little-endian numbers
 * with big-endian words. Read as little-endian, all of them fall away: a half is the number whose first numeral weighs
 * 1, the block REVB(P) is that number in 12 bytes with the tweak's word behind it, and y is the cipher's output as it
 * stands.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { BLOCK, type Blocks, encryptEach, expandKey, manyBlocks, type RoundKeys } from './aes/aes.ts';
import { MIN_DOMAIN, minimumLength } from './ff1/ff1.ts';

/** The floor of 2016. FF3 data may be so small; FF3-1 asked for 1,000,000. */
const OLD_MIN_DOMAIN = 100;

/** Bytes of the tweak of FF3, and of FF3-1. */
const FF3_TWEAK = 8;
const FF3_1_TWEAK = 7;

/** Values that go through the eight rounds together: 16 KiB of blocks. */
const TOGETHER = 1024;

/** From so many blocks on, one call of the door for many is faster than noble's tables (measured: between 6 and 12). */
const MANY = 8;

/** Halves up to this size are doubles: 8 products of 16 bits and 34 bits sum up to less than 2^53. */
const NARROW = 2 ** 34;

/** Options of {@link ff3}. */
export interface Ff3Options {
  /** The smallest radix^length that is taken: 1,000,000 unless lowered, never below 100. */
  readonly minDomain?: number;
}

/** FF3 and FF3-1 under one key in one radix, backwards. */
export interface Ff3 {
  /** The numerals behind `numerals`. The tweak has 8 bytes (FF3) or 7 (FF3-1). */
  readonly decrypt: (numerals: ArrayLike<number>, tweak: Uint8Array) => number[];
  /** The same for many, of any lengths, in their order: under one tweak, or under one each. */
  readonly decryptMany: (batch: readonly ArrayLike<number>[], tweaks: Uint8Array | readonly Uint8Array[]) => number[][];
}

/** The shortest and the longest numeral string. */
export interface Ff3Lengths {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Decrypts what FF3 or FF3-1 encrypted, so that it can be moved to something else. Nothing here encrypts.
 *
 * *Warning*: both ciphers are broken. FF3 fell in 2017 (Durak and Vaudenay), its repair FF3-1 in 2021 (Beyne,
 * https://eprint.iacr.org/2021/815), both are weak on small domains (Hoang, Tessaro and Trieu, 2018), and NIST withdrew
 * them in SP 800-38G Rev. 1, second public draft, of February 2025. Decrypt, protect anew with `fpe`, delete: the
 * guide is docs/guide/migrating.md. A wrong key, tweak, radix or order of the alphabet gives other numerals and no
 * error.
 *
 * The length of the tweak says which of the two it is: 8 bytes FF3, 7 bytes FF3-1. Numerals are whole numbers below
 * `radix`, in the order of the text, from the least length of `minDomain` values (6 in radix 10) to
 * 2 · floor(log_radix(2^96)) (56 in radix 10).
 *
 * @param key AES key of 16, 24 or 32 bytes, as it was given to the encryption, not reversed; the bytes are copied.
 * @param radix 2 to 65,536.
 * @param options `minDomain`: the smallest radix^length taken. Lower it, down to 100, to read FF3 data of 2016.
 * @throws TypeError, RangeError for anything else; no message has a numeral, a tweak or a key in it.
 *
 * Source: NIST SP 800-38G, Algorithm 10; SP 800-38G Rev. 1, draft of 2019.
 *
 * @example
 * ```ts
 * import { ff3 } from 'trefoil/ff3';
 *
 * const hex = (text: string) => Uint8Array.from(text.match(/../g)!, (byte) => Number.parseInt(byte, 16));
 * const old = ff3(hex('ef4359d8d580aa4f7f036d6f04fc6a94'), 10);
 *
 * // The first of NIST's samples.
 * const numerals = Array.from('750918814058654607', Number);
 * old.decrypt(numerals, hex('d8e7920afa330a73')).join(''); // → '890121234567890000'
 * ```
 */
export function ff3(key: Uint8Array, radix: number, options: Ff3Options = {}): Ff3 {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) {
    badRange('key', `expected 16, 24 or 32 bytes, got ${key.length}`);
  }
  const { minimum, maximum } = ff3Lengths(radix, options);
  // CIPH_REVB(K): the key is reversed, too.
  const reversed = Uint8Array.from(key).reverse();
  const doors: AesBackend = { few: expandKey(reversed), many: manyBlocks(reversed) };
  /** What is computed once for a length, by length. */
  const networks = new Map<number, (count: number) => Halves>();

  function halvesOf(n: number, count: number): Halves {
    let make = networks.get(n);
    if (make === undefined) {
      make = network(radix, n);
      networks.set(n, make);
    }
    return make(count);
  }

  /** Values of one length go through the rounds together, so that AES gets many blocks at once. */
  function decryptAll(values: readonly (readonly number[])[], tweaks: readonly TweakWords[]): number[][] {
    const byLength = new Map<number, number[]>();
    for (let i = 0; i < values.length; i++) {
      const { length } = values[i]!;
      const same = byLength.get(length);
      if (same === undefined) byLength.set(length, [i]);
      else same.push(i);
    }
    const out = new Array<number[]>(values.length);
    for (const [n, all] of byLength) {
      for (let from = 0; from < all.length; from += TOGETHER) {
        const indices = all.slice(from, from + TOGETHER);
        const halves = halvesOf(n, indices.length);
        for (let k = 0; k < indices.length; k++) halves.take(k, values[indices[k]!]!);
        const words = indices.map((i) => tweaks[i]!);
        rounds(halves, words, doors);
        for (let k = 0; k < indices.length; k++) out[indices[k]!] = halves.give(k);
      }
    }
    return out;
  }

  /** A copy, which nobody else can change. `place` ends the messages. */
  function copyOf(argument: string, numerals: ArrayLike<number>, place: string): number[] {
    if (typeof numerals !== 'object' || numerals === null || !Number.isSafeInteger(numerals.length)) {
      badType(argument, `expected a list of numbers, got ${typeName(numerals)}${place}`);
    }
    const { length } = numerals;
    if (!(length >= minimum && length <= maximum)) {
      badRange(argument, `expected a length of ${minimum} to ${maximum} in radix ${radix}, got ${length}${place}`);
    }
    const copy = new Array<number>(length);
    for (let i = 0; i < length; i++) {
      const numeral = numerals[i]!;
      if (typeof numeral !== 'number' || numeral >>> 0 !== numeral || numeral >= radix) {
        badRange(argument, `expected whole numbers from 0 to ${radix - 1}; the one at index ${i} is not${place}`);
      }
      copy[i] = numeral;
    }
    return copy;
  }

  function decrypt(numerals: ArrayLike<number>, tweak: Uint8Array): number[] {
    const words = tweakWords('tweak', tweak, '');
    return decryptAll([copyOf('numerals', numerals, '')], [words])[0]!;
  }

  function decryptMany(batch: readonly ArrayLike<number>[], tweaks: Uint8Array | readonly Uint8Array[]): number[][] {
    if (!Array.isArray(batch)) badType('batch', `expected an array of lists of numbers, got ${typeName(batch)}`);
    const values = Array.from({ length: batch.length }, (_, i) => copyOf('batch', batch[i], ofBatch(i)));
    return decryptAll(values, allTweakWords(tweaks, values.length));
  }

  return Object.freeze({ decrypt, decryptMany });
}

/** The lengths that a radix and a floor allow: radix^minimum >= minDomain, maximum = 2 * floor(log_radix(2^96)). */
export function ff3Lengths(radix: number, options: Ff3Options): Ff3Lengths {
  checkInteger('radix', radix, 2, 65_536);
  const { minDomain = MIN_DOMAIN } = checkOptions('options', options, ['minDomain']) as Ff3Options;
  checkInteger('minDomain', minDomain, OLD_MIN_DOMAIN, Number.MAX_SAFE_INTEGER);
  let half = 0;
  for (let values = BigInt(radix); values <= 2n ** 96n; values *= BigInt(radix)) half++;
  return { minimum: minimumLength(radix, minDomain), maximum: 2 * half };
}

/** Where in a batch a mistake is, for messages. */
export function ofBatch(index: number): string {
  return ` (value ${index + 1} of the batch)`;
}

/** T_L and T_R, each as a word whose first byte is the most significant. */
export interface TweakWords {
  readonly left: number;
  readonly right: number;
}

/** Step 3 of Algorithm 10, and what the draft of 2019 puts in its place. `place` ends the messages. */
export function tweakWords(argument: string, tweak: Uint8Array, place: string): TweakWords {
  if (!(tweak instanceof Uint8Array)) badType(argument, `expected bytes, got ${typeName(tweak)}${place}`);
  if (tweak.length !== FF3_TWEAK && tweak.length !== FF3_1_TWEAK) {
    badRange(argument, `expected 8 bytes (FF3) or 7 (FF3-1), got ${tweak.length}${place}`);
  }
  const left = (tweak[0]! << 24) | (tweak[1]! << 16) | (tweak[2]! << 8) | tweak[3]!;
  const right = (tweak[4]! << 24) | (tweak[5]! << 16) | (tweak[6]! << 8);
  // FF3: T_L = T[0..31], T_R = T[32..63].
  if (tweak.length === FF3_TWEAK) return { left, right: right | tweak[7]! };
  // FF3-1: T_L = T[0..27] || 0^4, T_R = T[32..55] || T[28..31] || 0^4.
  return { left: left & ~0x0f, right: right | ((tweak[3]! & 0x0f) << 4) };
}

function allTweakWords(tweaks: Uint8Array | readonly Uint8Array[], count: number): TweakWords[] {
  if (tweaks instanceof Uint8Array) return new Array<TweakWords>(count).fill(tweakWords('tweaks', tweaks, ''));
  if (!Array.isArray(tweaks)) badType('tweaks', `expected bytes or an array of them, got ${typeName(tweaks)}`);
  if (tweaks.length !== count) {
    badRange('tweaks', `expected one tweak, or one a value (${count}), got ${tweaks.length}`);
  }
  return Array.from(tweaks as readonly Uint8Array[], (tweak, i) => tweakWords('tweaks', tweak, ofBatch(i)));
}

/** AES under the reversed key, by its two doors. */
interface AesBackend {
  readonly few: RoundKeys;
  readonly many: Blocks;
}

/** Step 4 of Algorithm 10, on values of one length. */
function rounds(halves: Halves, tweaks: readonly TweakWords[], { few, many }: AesBackend): void {
  const P = new Uint8Array(BLOCK * tweaks.length);
  const view = new DataView(P.buffer);
  let S: Uint8Array = new Uint8Array(P.length);
  const into = new DataView(S.buffer);
  // 4. For i from 7 to 0:
  for (let i = 7; i >= 0; i--) {
    const even = i % 2 === 0;
    // ii. Let P = W xor [i]^4 || [NUM_radix(REV(A))]^12, from its last byte to its first.
    halves.writeA(view);
    for (let k = 0; k < tweaks.length; k++) {
      const { left, right } = tweaks[k]!;
      // i. If i is even, let m = u and W = T_R; else let m = v and W = T_L.
      view.setUint32(BLOCK * k + 12, (even ? right : left) ^ i, true);
    }
    // iii. Let S = REVB(CIPH_REVB(K)(REVB(P))), which is left in REVB.
    if (tweaks.length < MANY) encryptEach(few, view, into);
    else S = many(P);
    halves.round(S, even);
  }
}

/** The halves A and B of many values of one length, each as the number NUM_radix(REV(·)). */
interface Halves {
  /** Step 2: A = X[1..u], B = X[u + 1..n]. */
  readonly take: (k: number, numerals: readonly number[]) => void;
  /** [NUM_radix(REV(A))]^12, little-endian, into the first 12 bytes of each block. */
  readonly writeA: (blocks: DataView) => void;
  /** Steps 4.iv to 4.viii: c = (NUM_radix(REV(B)) - NUM(S)) mod radix^m; B = A; A = C. */
  readonly round: (S: Uint8Array, even: boolean) => void;
  /** Step 5: A || B. */
  readonly give: (k: number) => number[];
}

/** The arithmetic of a length. */
function network(radix: number, n: number): (count: number) => Halves {
  // 1. Let u = ceil(n / 2); v = n - u.
  const u = Math.ceil(n / 2);
  const v = n - u;
  return BigInt(radix) ** BigInt(u) <= NARROW ? narrow(radix, u, v) : wide(radix, u, v);
}

/** Halves up to 2^34, as doubles: ten decimal digits, so numbers of up to 20. */
function narrow(radix: number, u: number, v: number): (count: number) => Halves {
  const even = modulus(BigInt(radix) ** BigInt(u));
  const odd = modulus(BigInt(radix) ** BigInt(v));
  return (count) => {
    let A = new Float64Array(count);
    let B = new Float64Array(count);
    return {
      take(k, numerals) {
        A[k] = numberOf(numerals, 0, u, radix);
        B[k] = numberOf(numerals, u, u + v, radix);
      },
      writeA(blocks) {
        for (let k = 0; k < count; k++) {
          blocks.setUint32(BLOCK * k, A[k]!, true);
          blocks.setUint32(BLOCK * k + 4, A[k]! / 2 ** 32, true);
          // Bytes 8 to 11 stay zero.
        }
      },
      round(S, isEven) {
        const { M, weights } = isEven ? even : odd;
        for (let k = 0; k < count; k++) {
          // NUM(S) modulo M, from the weights 2^(16j) mod M of its eight 16-bit words.
          let y = 0;
          for (let j = 0, at = BLOCK * k; j < 8; j++, at += 2) y += (S[at]! | (S[at + 1]! << 8)) * weights[j]!;
          const c = B[k]! - (y % M);
          B[k] = c < 0 ? c + M : c;
        }
        // C stands where B stood: the halves change places.
        [A, B] = [B, A];
      },
      give: (k) => pushNumerals(pushNumerals([], A[k]!, u, radix), B[k]!, v, radix),
    };
  };
}

function modulus(M: bigint): { readonly M: number; readonly weights: readonly number[] } {
  return { M: Number(M), weights: Array.from({ length: 8 }, (_, j) => Number(2n ** BigInt(16 * j) % M)) };
}

/** Halves up to 2^96. */
function wide(radix: number, u: number, v: number): (count: number) => Halves {
  const even = BigInt(radix) ** BigInt(u);
  const odd = BigInt(radix) ** BigInt(v);
  // Numerals are read and written a few at a time, as doubles.
  let group = 0;
  for (let size = radix; size <= NARROW; size *= radix) group++;
  const step = BigInt(radix) ** BigInt(group);

  function read(numerals: readonly number[], from: number, to: number): bigint {
    let number = 0n;
    for (let at = from + Math.floor((to - from - 1) / group) * group; at >= from; at -= group) {
      number = number * step + BigInt(numberOf(numerals, at, Math.min(at + group, to), radix));
    }
    return number;
  }

  function write(numerals: number[], number: bigint, length: number): number[] {
    for (let left = length; left > 0; left -= group) {
      pushNumerals(numerals, Number(number % step), Math.min(group, left), radix);
      number /= step;
    }
    return numerals;
  }

  return (count) => {
    let A = new Array<bigint>(count).fill(0n);
    let B = new Array<bigint>(count).fill(0n);
    return {
      take(k, numerals) {
        A[k] = read(numerals, 0, u);
        B[k] = read(numerals, u, u + v);
      },
      writeA(blocks) {
        for (let k = 0; k < count; k++) {
          blocks.setBigUint64(BLOCK * k, BigInt.asUintN(64, A[k]!), true);
          blocks.setUint32(BLOCK * k + 8, Number(A[k]! >> 64n), true);
        }
      },
      round(S, isEven) {
        const M = isEven ? even : odd;
        const words = new DataView(S.buffer, S.byteOffset, S.length);
        for (let k = 0; k < count; k++) {
          const y = words.getBigUint64(BLOCK * k, true) | (words.getBigUint64(BLOCK * k + 8, true) << 64n);
          const c = (B[k]! - y) % M;
          B[k] = c < 0n ? c + M : c;
        }
        [A, B] = [B, A];
      },
      give: (k) => write(write([], A[k]!, u), B[k]!, v),
    };
  };
}

/** NUM_radix(REV(X)) of X[from..to - 1], below 2^53. */
function numberOf(X: readonly number[], from: number, to: number, radix: number): number {
  let number = 0;
  for (let i = to - 1; i >= from; i--) number = number * radix + X[i]!;
  return number;
}

/** Puts REV(STR^m_radix(c)) behind what is there. */
function pushNumerals(numerals: number[], c: number, m: number, radix: number): number[] {
  for (let i = 0; i < m; i++) {
    numerals.push(c % radix);
    c = Math.floor(c / radix);
  }
  return numerals;
}
