/**
 * FF1: NIST SP 800-38G, Algorithms 7 and 8 (https://doi.org/10.6028/NIST.SP.800-38G), with the rule of the second draft
 * of Revision 1 that a domain has at least 1,000,000 values (https://doi.org/10.6028/NIST.SP.800-38Gr1.2pd, section 5).
 *
 * The algorithm is @noble/ciphers'. Added here: the floor, the copy of the tweak (noble keeps a reference), and errors
 * that carry no value.
 */

import { FF1 } from '@noble/ciphers/ff1.js';
import { badRange, badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';

/** The smallest domain, radix^minlen, of SP 800-38G Rev. 1, second draft. */
export const MIN_DOMAIN = 1_000_000;

/** The floor of the first edition of 2016; `minDomain` may be lowered to it to read old data. */
const OLD_MIN_DOMAIN = 100;

/** Longest numeral string: BigInt arithmetic is quadratic in it. SP 800-38G allows 2^32 - 1. */
export const MAX_LENGTH = 4096;

/** Longest tweak in bytes. SP 800-38G allows 2^32 - 1. */
export const MAX_TWEAK = 65_536;

/** FF1 under one key in one radix. */
export interface Ff1 {
  readonly encrypt: (numerals: ArrayLike<number>, tweak?: Uint8Array) => number[];
  readonly decrypt: (numerals: ArrayLike<number>, tweak?: Uint8Array) => number[];
}

const NO_TWEAK: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/**
 * @param key AES key of 16, 24 or 32 bytes; the bytes are copied.
 * @param radix 2 to 65,535. SP 800-38G allows 65,536; the engine of this version does not.
 * @param options `minDomain`: the smallest radix^length taken, 1,000,000 unless lowered, never below 100.
 */
export function ff1(key: Uint8Array, radix: number, options: { readonly minDomain?: number } = {}): Ff1 {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) {
    badRange('key', `expected 16, 24 or 32 bytes, got ${key.length}`);
  }
  checkInteger('radix', radix, 2, 65_535);
  const { minDomain = MIN_DOMAIN } = checkOptions('options', options, ['minDomain']) as typeof options;
  checkInteger('minDomain', minDomain, OLD_MIN_DOMAIN, Number.MAX_SAFE_INTEGER);
  const own = Uint8Array.from(key);
  const minLength = minimumLength(radix, minDomain);

  function numeralString(numerals: ArrayLike<number>): number[] {
    if (typeof numerals !== 'object' || numerals === null || !Number.isSafeInteger(numerals.length)) {
      badType('numerals', `expected a list of numbers, got ${typeName(numerals)}`);
    }
    if (numerals.length < minLength || numerals.length > MAX_LENGTH) {
      badRange(
        'numerals',
        `expected a length of ${minLength} to ${MAX_LENGTH} in radix ${radix}, got ${numerals.length}`,
      );
    }
    const copy = new Array<number>(numerals.length);
    for (let i = 0; i < copy.length; i++) {
      const numeral = numerals[i]!;
      if (!Number.isSafeInteger(numeral) || numeral < 0 || numeral >= radix) {
        badRange('numerals', `expected whole numbers from 0 to ${radix - 1}; the one at index ${i} is not`);
      }
      copy[i] = numeral;
    }
    return copy;
  }

  function copyOfTweak(tweak: Uint8Array): Uint8Array {
    if (!(tweak instanceof Uint8Array)) badType('tweak', `expected bytes, got ${typeName(tweak)}`);
    if (tweak.length > MAX_TWEAK) badRange('tweak', `expected at most ${MAX_TWEAK} bytes, got ${tweak.length}`);
    return Uint8Array.from(tweak);
  }

  return {
    encrypt: (numerals, tweak = NO_TWEAK) => FF1(radix, own, copyOfTweak(tweak)).encrypt(numeralString(numerals)),
    decrypt: (numerals, tweak = NO_TWEAK) => FF1(radix, own, copyOfTweak(tweak)).decrypt(numeralString(numerals)),
  };
}

/** The least length, at least 2, for which radix^length reaches `minDomain` (SP 800-38G, section 5.1). */
export function minimumLength(radix: number, minDomain: number = MIN_DOMAIN): number {
  let length = 0;
  for (let values = 1n; values < BigInt(minDomain); values *= BigInt(radix)) length++;
  return Math.max(2, length);
}
