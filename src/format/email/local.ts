/**
 * The letters and digits of an e-mail address as numbers: numerals of radix 36, `a` to `z`, then `0` to `9`.
 *
 * Local parts with up to four of them form one space for all these lengths, because 36^3 values or fewer would be too
 * few to hide among. Let k be the number of runs of letters and digits. The space has every way to fill the k runs with
 * at least one character each and at most four in all, ordered by the total length, then by the lengths of the runs
 * from left to right, then by the characters. It has at least 36^4 = 1,679,616 values (k = 4), and 1,727,604 for k = 1.
 */

import { asIndex, type Index } from '../engine.ts';

/** The characters that are enciphered, in the order of their numerals. */
export const SYMBOLS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Number of symbols. */
export const RADIX = 36;

/** The most letters and digits of a local part that shares a space with shorter ones. */
export const SHORT = 4;

/** The most numerals that are exact in a `number`: 36^10 < 2^53 < 36^11. */
const CHUNK = 10;
const CHUNK_SIZE = BigInt(RADIX ** CHUNK);

const POWERS: Index[] = [];

/** 36^length. */
export function power(length: number): Index {
  POWERS[length] ??= asIndex(BigInt(RADIX) ** BigInt(length));
  return POWERS[length];
}

/** Numerals from `from` to before `to` as one number, most significant first. */
export function toIndex(numerals: readonly number[], from: number, to: number): Index {
  if (to - from <= CHUNK) return chunkToIndex(numerals, from, to);
  let at = from + ((to - from) % CHUNK);
  let index = BigInt(chunkToIndex(numerals, from, at));
  for (; at < to; at += CHUNK) index = index * CHUNK_SIZE + BigInt(chunkToIndex(numerals, at, at + CHUNK));
  return index;
}

function chunkToIndex(numerals: readonly number[], from: number, to: number): number {
  let index = 0;
  for (let i = from; i < to; i++) index = index * RADIX + numerals[i]!;
  return index;
}

/** Writes a number in `length` symbols. */
export function fromIndex(index: Index, length: number): string {
  let out = '';
  let rest = index;
  let left = length;
  while (typeof rest === 'bigint' && left > CHUNK) {
    out = chunkFromIndex(Number(rest % CHUNK_SIZE), CHUNK) + out;
    rest /= CHUNK_SIZE;
    left -= CHUNK;
  }
  return chunkFromIndex(Number(rest), left) + out;
}

function chunkFromIndex(index: number, length: number): string {
  let out = '';
  let rest = index;
  for (let i = 0; i < length; i++) {
    const next = Math.floor(rest / RADIX);
    out = SYMBOLS[rest - next * RADIX] + out;
    rest = next;
  }
  return out;
}

/** One way to choose the lengths of the runs, and the index at which its values begin. */
interface Lengths {
  readonly lengths: readonly number[];
  readonly total: number;
  readonly from: number;
}

interface ShortSpace {
  readonly size: number;
  readonly ways: readonly Lengths[];
}

/** The space for each number of runs, from 1 to 4. The entry for 0 is not used. */
const SPACES: readonly ShortSpace[] = /* @__PURE__ */ Array.from({ length: SHORT + 1 }, (_, runs) => makeSpace(runs));

function makeSpace(runs: number): ShortSpace {
  const ways: Lengths[] = [];
  let size = 0;
  for (let total = runs; total <= SHORT; total++) {
    for (const lengths of waysToDivide(total, runs)) {
      ways.push({ lengths, total, from: size });
      size += RADIX ** total;
    }
  }
  return { size, ways };
}

/** All lists of `runs` whole numbers from 1 on whose sum is `total`, in lexicographic order. */
function waysToDivide(total: number, runs: number): number[][] {
  if (runs === 0) return total === 0 ? [[]] : [];
  const ways: number[][] = [];
  for (let first = 1; first <= total; first++) {
    for (const rest of waysToDivide(total - first, runs - 1)) ways.push([first, ...rest]);
  }
  return ways;
}

/** The number of values in the short space for a number of runs. */
export function shortSize(runs: number): number {
  return SPACES[runs]!.size;
}

/** The index of numerals that are divided into runs of these lengths. */
export function shortToIndex(numerals: readonly number[], lengths: readonly number[]): number {
  const way = SPACES[lengths.length]!.ways.find(
    (each) => each.total === numerals.length && each.lengths.every((length, i) => length === lengths[i]),
  )!;
  return way.from + chunkToIndex(numerals, 0, numerals.length);
}

/** Returns the symbols of each run for an index. */
export function shortFromIndex(index: number, runs: number): string[] {
  const way = SPACES[runs]!.ways.findLast(({ from }) => from <= index)!;
  const symbols = chunkFromIndex(index - way.from, way.total);
  let at = 0;
  return way.lengths.map((length) => {
    at += length;
    return symbols.slice(at - length, at);
  });
}
