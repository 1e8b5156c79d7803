/**
 * Numbers whose weighted digit sum is a multiple of 11, in order: how many there are, which one is the i-th, and back.
 *
 * Counting from the right: `ways[p][r]` is how many endings from place p on bring a sum with remainder r to a multiple
 * of 11. A number's rank is the sum of what every smaller digit in each of its places would have left open.
 */

import type { WeightedNumber } from './iban-national.ts';

const MODULUS = 11;

/** The ordered set of these numbers. */
export interface WeightedSet {
  /** How many there are, at most 10^11. */
  readonly size: number;
  /** The rank of the digits that stand at `from` in the account number; -1 when they are none of the set. */
  readonly rank: (codes: Uint8Array) => number;
  /** Writes the number of a rank. */
  readonly write: (codes: Uint8Array, rank: number) => void;
}

/** Set-up: 11 sums of 10 terms a place. */
export function weightedSet({ from, weights }: WeightedNumber): WeightedSet {
  const length = weights.length;
  const ways: number[][] = [];
  ways[length] = Array.from({ length: MODULUS }, (_, rest) => (rest === 0 ? 1 : 0));
  for (let place = length - 1; place >= 0; place--) {
    ways[place] = Array.from({ length: MODULUS }, (_, rest) => {
      let sum = 0;
      for (let digit = 0; digit < 10; digit++) sum += after(place, rest, digit);
      return sum;
    });
  }

  function after(place: number, rest: number, digit: number): number {
    return ways[place + 1]![(rest + weights[place]! * digit) % MODULUS]!;
  }

  return {
    size: ways[0]![0]!,
    rank(codes) {
      let rank = 0;
      let rest = 0;
      for (let place = 0; place < length; place++) {
        const digit = codes[from + place]!;
        for (let smaller = 0; smaller < digit; smaller++) rank += after(place, rest, smaller);
        rest = (rest + weights[place]! * digit) % MODULUS;
      }
      return rest === 0 ? rank : -1;
    },
    write(codes, rank) {
      let left = rank;
      let rest = 0;
      for (let place = 0; place < length; place++) {
        let digit = 0;
        for (; ; digit++) {
          const open = after(place, rest, digit);
          if (left < open) break;
          left -= open;
        }
        codes[from + place] = digit;
        rest = (rest + weights[place]! * digit) % MODULUS;
      }
    },
  };
}
