/**
 * AES in the inverse direction, one block at a time: FIPS 197 (https://doi.org/10.6028/NIST.FIPS.197-upd1), with the
 * tables of @noble/ciphers, on 32-bit words. The round keys are those of the equivalent inverse cipher (section 5.3.5).
 */

import { unsafe } from '@noble/ciphers/aes.js';
import type { RoundKeys, Words } from './aes.ts';

/** KEYEXPANSIONEIC: the round keys in reverse order; INVMIXCOLUMNS is applied to all but the first and the last. */
export function expandInverseKey(key: Uint8Array): RoundKeys {
  return unsafe.expandKeyDecLE(key);
}

/** INVCIPHER on one block of four little-endian words. */
export function decryptWords(keys: RoundKeys, s0: number, s1: number, s2: number, s3: number): Words {
  return unsafe.decrypt(keys, s0, s1, s2, s3);
}

/**
 * INVMIXCOLUMNS (section 5.3.3) on one column, whose first byte is the lowest of the word.
 *
 * With a'ᵢ = aᵢ ⊕ {04}•(aᵢ ⊕ aᵢ₊₂) it is MIXCOLUMNS of a': the coefficients of the sum are {0e}, {0b}, {0d}, {09}.
 */
export function invMixColumn(column: number): number {
  const a = column ^ xTimes(xTimes(column ^ rotateRight(column, 16)));
  const next = rotateRight(a, 8);
  return xTimes(a ^ next) ^ next ^ rotateRight(a, 16) ^ rotateRight(a, 24);
}

/** XTIMES (section 4.3) on four bytes at once. */
function xTimes(word: number): number {
  return ((word & 0x7f7f7f7f) << 1) ^ (((word >>> 7) & 0x01010101) * 0x1b);
}

function rotateRight(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
