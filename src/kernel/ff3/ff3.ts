/**
 * FF3 and FF3-1, decryption only. FF3.Decrypt is Algorithm 10 of NIST SP 800-38G of 2016
 * (https://doi.org/10.6028/NIST.SP.800-38G), with a tweak of 64 bits. FF3-1 is the same algorithm with the tweak of 56
 * bits of the draft of Revision 1 of 2019 (https://doi.org/10.6028/NIST.SP.800-38Gr1-draft).
 *
 * Both are broken (https://eprint.iacr.org/2017/521, https://eprint.iacr.org/2018/556,
 * https://eprint.iacr.org/2021/815), and the second draft of Revision 1 (February 2025,
 * https://doi.org/10.6028/NIST.SP.800-38Gr1.2pd) withdraws them. Their encryption exists only in test/reference.
 *
 * The specification reverses bytes (REVB) and numerals (REV) at every step, because it writes little-endian numbers
 * with big-endian words. If everything is read as little-endian, no reversal is left: a half is the number whose first
 * numeral has the weight 1, the block REVB(P) is that number in 12 bytes followed by the tweak's word, and y is the
 * cipher's output unchanged.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../../core/checks.ts';
import { type AesBackend, aesBackend, BLOCK, encryptEach, WORTH_A_CALL } from '../aes/aes.ts';
import { MIN_DOMAIN, minimumLength, OLD_MIN_DOMAIN } from '../domain.ts';
import { type Halves, network } from './halves.ts';

/** Bytes of the tweak of FF3 and of FF3-1. */
const FF3_TWEAK = 8;
const FF3_1_TWEAK = 7;

/** How many values go through the eight rounds together: 16 KiB of blocks. */
const TOGETHER = 1024;

/** Options of {@link ff3}. */
export interface Ff3Options {
  /**
   * The smallest radix^length that is accepted. The default is 1,000,000, and 100 is the least. Lower it only to read
   * FF3 data that was written under the first edition of the standard.
   */
  readonly minDomain?: number;
}

/** FF3 and FF3-1 under one key in one radix, decryption only. */
export interface Ff3 {
  /** Decrypts a numeral string. The tweak has 8 bytes (FF3) or 7 (FF3-1). */
  readonly decrypt: (numerals: ArrayLike<number>, tweak: Uint8Array) => number[];
  /** Decrypts numeral strings of any lengths and keeps their order. There is one tweak for all, or one for each. */
  readonly decryptMany: (batch: readonly ArrayLike<number>[], tweaks: Uint8Array | readonly Uint8Array[]) => number[][];
}

/** The lengths of the shortest and of the longest numeral string. */
export interface Ff3Lengths {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Decrypts numeral strings that FF3 or FF3-1 encrypted, so that they can be moved to another cipher. Nothing here
 * encrypts.
 *
 * *Warning*: both ciphers are broken. FF3 was broken in 2017 (Durak and Vaudenay), and FF3-1, which was to repair it,
 * in 2021 (Beyne, https://eprint.iacr.org/2021/815). Both are weak on small domains (Hoang, Tessaro and Trieu, 2018).
 * NIST withdrew them in SP 800-38G Rev. 1, second public draft, of February 2025. Decrypt the data, protect it again
 * with `fpe`, and delete the old ciphertexts: docs/guide/migrating.md. A wrong key, tweak, radix or order of the
 * alphabet yields other numerals and no error.
 *
 * The length of the tweak tells which of the two ciphers is used: 8 bytes for FF3, 7 bytes for FF3-1. Numerals are
 * whole numbers below `radix`, in the order of the text. The shortest string is the first for which there are
 * `minDomain` values (6 numerals in radix 10), the longest has 2 · floor(log_radix(2^96)) numerals (56 in radix 10).
 *
 * @param key AES key of 16, 24 or 32 bytes, as it was passed to the encryption and not reversed. The bytes are copied.
 * @param radix 2 to 65,536.
 * @param options `minDomain`: the smallest radix^length that is accepted. Lower it, down to 100, to read FF3 data of
 *   2016.
 * @throws TypeError or RangeError for a wrong argument. No message contains a numeral, a tweak or a key.
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
  // CIPH_REVB(K): the key is reversed as well.
  const reversed = Uint8Array.from(key).reverse();
  const aes = aesBackend(reversed);
  /** The arithmetic of each length, made once. */
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
        rounds(halves, words, aes);
        for (let k = 0; k < indices.length; k++) out[indices[k]!] = halves.give(k);
      }
    }
    return out;
  }

  /** Checks a numeral string and returns a copy, which nobody else can change. `place` is the end of the messages. */
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

/**
 * Returns the lengths that a radix and a smallest domain allow: radix^minimum >= minDomain, and maximum =
 * 2 * floor(log_radix(2^96)).
 */
export function ff3Lengths(radix: number, options: Ff3Options): Ff3Lengths {
  checkInteger('radix', radix, 2, 65_536);
  const { minDomain = MIN_DOMAIN } = checkOptions('options', options, ['minDomain']) as Ff3Options;
  checkInteger('minDomain', minDomain, OLD_MIN_DOMAIN, Number.MAX_SAFE_INTEGER);
  let half = 0;
  for (let values = BigInt(radix); values <= 2n ** 96n; values *= BigInt(radix)) half++;
  return { minimum: minimumLength(radix, minDomain), maximum: 2 * half };
}

/** Says in a message which value of a batch it is about. */
export function ofBatch(index: number): string {
  return ` (value ${index + 1} of the batch)`;
}

/** T_L and T_R, each as a word whose first byte is the most significant. */
export interface TweakWords {
  readonly left: number;
  readonly right: number;
}

/**
 * Checks a tweak and divides it into two words: step 3 of Algorithm 10, or what the draft of 2019 has in its place.
 * `place` is the end of the messages.
 */
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
    badRange('tweaks', `expected one tweak, or one for each of ${count} values, got ${tweaks.length}`);
  }
  return Array.from(tweaks as readonly Uint8Array[], (tweak, i) => tweakWords('tweaks', tweak, ofBatch(i)));
}

/** Step 4 of Algorithm 10 on values of one length. */
function rounds(halves: Halves, tweaks: readonly TweakWords[], { block, blocks }: AesBackend): void {
  const P = new Uint8Array(BLOCK * tweaks.length);
  const view = new DataView(P.buffer);
  let S: Uint8Array = new Uint8Array(P.length);
  const into = new DataView(S.buffer);
  // 4. For i from 7 to 0:
  for (let i = 7; i >= 0; i--) {
    const even = i % 2 === 0;
    // ii. Let P = W xor [i]^4 || [NUM_radix(REV(A))]^12. Here it is REVB(P): from its last byte to its first.
    halves.writeA(view);
    for (let k = 0; k < tweaks.length; k++) {
      const { left, right } = tweaks[k]!;
      // i. If i is even, let m = u and W = T_R; else let m = v and W = T_L.
      view.setUint32(BLOCK * k + 12, (even ? right : left) ^ i, true);
    }
    // iii. Let S = REVB(CIPH_REVB(K)(REVB(P))). Here the outer REVB is left out, so S is read as little-endian.
    if (tweaks.length < WORTH_A_CALL) encryptEach(block, view, into);
    else S = blocks(P);
    halves.round(S, even);
  }
}
