/**
 * A permutation of the integers below N, for an N that is no power of a radix: FF1 in radix 2 over the enclosing 2^k,
 * applied again until the result is below N (cycle walking: Black and Rogaway, "Ciphers with Arbitrary Finite Domains",
 * CT-RSA 2002, section 3). It is a permutation because the walk stays on one cycle of FF1 and its first point below N
 * is reached from exactly one other.
 *
 * 2^k is less than 2N, so a step lands below N with a probability of more than 1/2 and two steps are expected at most.
 */

import { type Ff1, ff1 } from './ff1.ts';

/** A walk of more than 256 steps has a probability below 2^-256: it is a fault of the machine or of this code. */
const MAX_STEPS = 256;

/** A permutation of the integers below a size, chosen by key and tweak. */
export interface Walk {
  readonly encrypt: (index: bigint, tweak: Uint8Array) => bigint;
  readonly decrypt: (index: bigint, tweak: Uint8Array) => bigint;
}

/** @param size N, at least 1,000,000. */
export function cycleWalking(key: Uint8Array, size: bigint): Walk {
  // k = the number of bits of N - 1, so that 2^(k-1) < N <= 2^k.
  const k = (size - 1n).toString(2).length;
  const cipher = ff1(key, 2);

  function walk(step: Ff1['encrypt'], index: bigint, tweak: Uint8Array): bigint {
    let at = index;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      at = fromBits(step(toBits(at, k), tweak));
      if (at < size) return at;
    }
    throw new Error('internal fault: a walk of 256 steps; please report it');
  }

  return {
    encrypt: (index, tweak) => walk(cipher.encrypt, index, tweak),
    decrypt: (index, tweak) => walk(cipher.decrypt, index, tweak),
  };
}

/** STR of SP 800-38G in radix 2: `length` bits, most significant first. */
function toBits(value: bigint, length: number): number[] {
  return Array.from(value.toString(2).padStart(length, '0'), Number);
}

/** NUM of SP 800-38G in radix 2. */
function fromBits(bits: readonly number[]): bigint {
  return BigInt(`0b${bits.join('')}`);
}
