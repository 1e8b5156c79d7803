/**
 * A permutation of the integers below N, for an N that is not a power of a radix. FF1 in radix 2 permutes the integers
 * below the next power of two, 2^k, and is applied again until the result is below N (cycle walking: Black and Rogaway,
 * "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 3). This is a permutation because a walk stays on one
 * cycle of FF1, and the point below N where it ends is reached from exactly one other point below N.
 *
 * 2^k is less than 2N, so a step lands below N with a probability of more than 1/2, and the expected number of steps is
 * less than two. The values of a batch that are not below N yet take the next step together.
 */

import { ff1Network, type Network, type Tweaks } from './ff1.ts';

/**
 * The most steps of a walk. A longer one has a probability below 2^-256, so it means that the machine or this code is
 * at fault.
 */
const MAX_STEPS = 256;

/** An index is a `number` if N is at most 2^53, and a `bigint` if not. */
type Integer = number | bigint;

/** A permutation of the integers below a size, chosen by key and tweak. */
export interface Walk {
  readonly encryptMany: (indices: readonly Integer[], tweaks: Tweaks) => Integer[];
  readonly decryptMany: (indices: readonly Integer[], tweaks: Tweaks) => Integer[];
}

/**
 * Makes the permutation for a key and an N.
 *
 * @param size N, from 1,000,000 to 2^4096: a `number` up to 2^53, a `bigint` above.
 */
export function cycleWalking(key: Uint8Array, size: Integer): Walk {
  return cycleWalks(key)(size);
}

/** The same for one key and any N. The key is set up once. */
export function cycleWalks(key: Uint8Array): (size: Integer) => Walk {
  const network = ff1Network(key, 2);
  return (size) => walkOf(network, size);
}

function walkOf(network: Network, size: Integer): Walk {
  // k = the number of bits of N - 1, so that 2^(k-1) < N <= 2^k.
  const k = (BigInt(size) - 1n).toString(2).length;
  const low = k - Math.floor(k / 2);
  const split = typeof size === 'number' ? smallBits(low) : wideBits(low);

  function walk(indices: readonly Integer[], tweaks: Tweaks, sign: 1 | -1): Integer[] {
    const out = indices.slice();
    // The values that are still walking: at first all of them.
    let rest = out.map((_, i) => i);
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const walking = rest;
      const theirs = Array.isArray(tweaks) ? walking.map((i) => tweaks[i] as Uint8Array) : tweaks;
      rest = [];
      network.forEachLane(
        walking.length,
        () => k,
        theirs,
        sign,
        ({ a, b }, slot, at) => {
          const index = out[walking[at]!]!;
          a.loadBits(slot, split.high(index));
          b.loadBits(slot, split.low(index));
        },
        ({ a, b }, slot, at) => {
          const index = split.join(a.bits(slot), b.bits(slot));
          out[walking[at]!] = index;
          if (index >= size) rest.push(walking[at]!);
        },
      );
      if (rest.length === 0) return out;
    }
    throw new Error('internal fault: a walk of 256 steps; please report it');
  }

  return {
    encryptMany: (indices, tweaks) => walk(indices, tweaks, 1),
    decryptMany: (indices, tweaks) => walk(indices, tweaks, -1),
  };
}

/** STR and NUM of SP 800-38G in radix 2 for up to 53 bits: the halves of an index, its higher bits first. */
function smallBits(low: number) {
  const power = 2 ** low;
  return {
    high: (index: Integer): Integer => Math.floor((index as number) / power),
    low: (index: Integer): Integer => (index as number) % power,
    join: (high: Integer, bits: Integer): Integer => (high as number) * power + (bits as number),
  };
}

/** The same for more bits. */
function wideBits(low: number) {
  const shift = BigInt(low);
  const mask = (1n << shift) - 1n;
  return {
    high: (index: Integer): Integer => (index as bigint) >> shift,
    low: (index: Integer): Integer => (index as bigint) & mask,
    join: (high: Integer, bits: Integer): Integer => (BigInt(high) << shift) | BigInt(bits),
  };
}
