/**
 * Numbers whose weighted digit sum is a multiple of 11, in order: how many there are, which one is the i-th, and back.
 *
 * Counting from the right: `ways[p][r]` is how many endings from place p on bring a sum with remainder r to a multiple
 * of 11. A number's rank is the sum of what every smaller digit in each of its places would have left open.
 */

import type { WeightedNumber } from './national.ts';

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

  /** How many endings there are once a digit stands at a place, after `before`. */
  function open(place: number, rest: number, digit: number, before: number): number {
    const next = (rest + weights[place]! * digit) % MODULUS;
    const endings = ways[place + 1]![next]!;
    if (digit !== 0) return endings;
    // A 0 leaves the remainder as it is: what a second 0 would leave open is taken off, or it is that second 0.
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
