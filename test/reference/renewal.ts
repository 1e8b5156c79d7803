/**
 * A second, slow implementation of the permutations of renewal-v1 (docs/spec/renewal-v1.md, "Permutation"): AES-256 of
 * node:crypto, and the literal FF1.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ff1Reference } from './ff1.ts';

/** The spaces of bodies. */
export type Unit = 'bits' | 'digits';

/** The permutation of a whole number below 2^size or 10^size. */
export function permutationReference(
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  unit: Unit,
  size: number,
  x: bigint,
): bigint {
  if (unit === 'bits' && size === 128) {
    const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
    const cipher = make('aes-256-ecb', key, null).setAutoPadding(false);
    return BigInt(`0x${cipher.update(x.toString(16).padStart(32, '0'), 'hex', 'hex')}`);
  }
  const radix = unit === 'bits' ? 2 : 10;
  const numerals = [...x.toString(radix).padStart(size, '0')].map(Number);
  return ff1Reference(direction, key, radix, numerals).reduce(
    (sum, numeral) => sum * BigInt(radix) + BigInt(numeral),
    0n,
  );
}
