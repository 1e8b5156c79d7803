/**
 * Numbers whose weighted digit sum is a multiple of 11, in ascending order: how many there are, which is the i-th, and
 * the inverse.
 *
 * They are counted from the right: `ways[p][r]` is the number of endings from place p on that make a sum with remainder
 * r a multiple of 11. The rank of a number is the sum, over its places, of the endings that every smaller digit there
 * would have.
 */

import type { WeightedNumber } from './national.ts';

const MODULUS = 11;

/** The ordered set of these numbers. */
export interface WeightedSet {
  /** How many there are, at most 10^11. */
  readonly size: number;
  /** Returns the rank of the digits at `from` in the account number, or -1 if they are not in the set. */
  readonly rank: (codes: Uint8Array) => number;
  /** Writes the number of a rank. */
  readonly write: (codes: Uint8Array, rank: number) => void;
}

/** Makes the set. This computes 11 sums of 10 terms for each place. */
export function weightedSet({ from, weights, notBothZero = -2 }: WeightedNumber): WeightedSet {
  const length = weights.length;
  const remainders = Array.from({ length: MODULUS }, (_, rest) => rest);
  const ways: number[][] = [];
  ways[length] = remainders.map((rest) => (rest === 0 ? 1 : 0));
  for (let place = length - 1; place >= 0; place--) {
    ways[place] = remainders.map((rest) => {
      let sum = 0;
      for (let digit = 0; digit < 10; digit++) sum += open(place, rest, digit, -1);
      return sum;
    });
  }

  /** The number of endings after a digit at a place, which follows the digit `before`. */
  function open(place: number, rest: number, digit: number, before: number): number {
    const next = (rest + weights[place]! * digit) % MODULUS;
    const endings = ways[place + 1]![next]!;
    if (digit !== 0) return endings;
    // A 0 does not change the remainder. If it is the first of the two digits, endings with a second 0 are subtracted;
    // if it is the second 0, there are none.
    if (place === notBothZero) return endings - ways[place + 2]![next]!;
    return place === notBothZero + 1 && before === 0 ? 0 : endings;
  }

  return {
    size: ways[0]![0]!,
    rank(codes) {
      let rank = 0;
      let rest = 0;
      let before = -1;
      for (let place = 0; place < length; place++) {
        const digit = codes[from + place]!;
        for (let smaller = 0; smaller < digit; smaller++) rank += open(place, rest, smaller, before);
        if (digit === 0 && before === 0 && place === notBothZero + 1) return -1;
        rest = (rest + weights[place]! * digit) % MODULUS;
        before = digit;
      }
      return rest === 0 ? rank : -1;
    },
    write(codes, rank) {
      let left = rank;
      let rest = 0;
      let before = -1;
      for (let place = 0; place < length; place++) {
        let digit = 0;
        for (; ; digit++) {
          const endings = open(place, rest, digit, before);
          if (left < endings) break;
          left -= endings;
        }
        codes[from + place] = digit;
        rest = (rest + weights[place]! * digit) % MODULUS;
        before = digit;
      }
    },
  };
}
