/**
 * The letters and digits of an e-mail address as numbers: numerals of radix 36, `a` to `z`, then `0` to `9`.
 *
 * Up to four of them, with marks between, are one space for all lengths: 36^3 and fewer values would be no place to
 * hide. Let k be the number of runs of letters and digits. The space holds every way to fill the k runs with at least
 * one character each and four in all, in this order: the total length, the lengths of the runs from left to right, the
 * characters. It has 36^4 = 1,679,616 values at least (k = 4), and 1,727,604 for k = 1.
 */

import { asIndex, type Index } from '../engine.ts';

/** What is enciphered, in the order of its numerals. */
export const SYMBOLS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Number of symbols. */
export const RADIX = 36;

/** Most letters and digits that share a space with fewer. */
export const SHORT = 4;

/** So many numerals are exact in a `number`: 36^10 < 2^53 < 36^11. */
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

/** The symbols of a number, as many as are asked for. */
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

/** One way to give lengths to runs, and the index at which its values begin. */
interface Lengths {
  readonly lengths: readonly number[];
  readonly total: number;
  readonly from: number;
}

interface ShortSpace {
  readonly size: number;
  readonly ways: readonly Lengths[];
}

/** The space for each number of runs, from 1 to 4; there is none for 0. */
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

/** All lists of so many whole numbers from 1 with a sum, in their order as lists. */
function waysToDivide(total: number, runs: number): number[][] {
  if (runs === 0) return total === 0 ? [[]] : [];
  const ways: number[][] = [];
  for (let first = 1; first <= total; first++) {
    for (const rest of waysToDivide(total - first, runs - 1)) ways.push([first, ...rest]);
  }
  return ways;
}

/** How many values the short space of so many runs has. */
export function shortSize(runs: number): number {
  return SPACES[runs]!.size;
}

/** The number of the numerals, divided into runs of these lengths. */
export function shortToIndex(numerals: readonly number[], lengths: readonly number[]): number {
  const way = SPACES[lengths.length]!.ways.find(
    (each) => each.total === numerals.length && each.lengths.every((length, i) => length === lengths[i]),
  )!;
  return way.from + chunkToIndex(numerals, 0, numerals.length);
}

/** The symbols of each run. */
export function shortFromIndex(index: number, runs: number): string[] {
  const way = SPACES[runs]!.ways.findLast(({ from }) => from <= index)!;
  const symbols = chunkFromIndex(index - way.from, way.total);
  let at = 0;
  return way.lengths.map((length) => {
    at += length;
    return symbols.slice(at - length, at);
  });
}
