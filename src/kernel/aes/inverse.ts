/**
 * AES in the inverse direction: FIPS 197 (https://doi.org/10.6028/NIST.FIPS.197-upd1), one block at a time or many
 * blocks at once, as aes.ts has the forward direction. One block goes through the tables of @noble/ciphers, on 32-bit
 * words; the round keys are those of the equivalent inverse cipher (section 5.3.5). Many blocks go to node:crypto if
 * the runtime has it, and to noble if not. Both ways compute the same bytes.
 */

import { unsafe } from '@noble/ciphers/aes.js';
import { type AesBackend, type Blocks, blockByBlock, nodeBlocks, type RoundKeys, type Words } from './aes.ts';

/** KEYEXPANSIONEIC: the round keys in reverse order; INVMIXCOLUMNS is applied to all but the first and the last. */
export function expandInverseKey(key: Uint8Array): RoundKeys {
  return unsafe.expandKeyDecLE(key);
}

/** INVCIPHER on one block of four little-endian words. */
export function decryptWords(keys: RoundKeys, s0: number, s1: number, s2: number, s3: number): Words {
  return unsafe.decrypt(keys, s0, s1, s2, s3);
}

/**
 * Key set-up for both ways: `block` is for {@link decryptWords}.
 *
 * @param key 16, 24 or 32 bytes. The bytes are copied.
 */
export function inverseBackend(key: Uint8Array): AesBackend {
  return { block: expandInverseKey(key), blocks: manyInverseBlocks(key) };
}

/**
 * Key set-up for many blocks at once. The returned array may be reused: read it before the next call.
 *
 * @param key 16, 24 or 32 bytes. The bytes are copied.
 */
export function manyInverseBlocks(key: Uint8Array): Blocks {
  return nodeBlocks('createDecipheriv', key) ?? portableInverseBlocks(key);
}

/** The same without node:crypto. Exported for tests. */
export function portableInverseBlocks(key: Uint8Array): Blocks {
  return blockByBlock(decryptWords, expandInverseKey(key));
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
