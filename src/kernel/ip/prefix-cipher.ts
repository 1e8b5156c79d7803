/**
 * Prefix-preserving encryption of addresses: each bit of an address is flipped, or not, depending on the bits before
 * it. The function that decides is that of the cipher (flip.ts); the rest is the same for all of them.
 *
 * When an address is encrypted, all its blocks are known at once, because they are made from the plain bits. So a whole
 * column is enciphered by few calls of AES. When an address is decrypted, a bit must be known before the block of the
 * next bit can be made: a column takes one call for each bit, and a single address goes block by block.
 */

import type { FlipFunction } from './flip.ts';
import { type PrefixCipherV4, prefixV4 } from './prefix-v4.ts';
import { type PrefixCipherV6, prefixV6 } from './prefix-v6.ts';

/** A prefix-preserving permutation of each family of addresses. */
export interface PrefixCipher extends PrefixCipherV4, PrefixCipherV6 {}

/** Makes the cipher of a flip function. */
export function prefixCipher(flip: FlipFunction): PrefixCipher {
  return { ...prefixV4(flip), ...prefixV6(flip) };
}
