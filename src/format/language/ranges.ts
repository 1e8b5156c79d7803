/**
 * Sets of code points as sorted ranges: `[first, last, first, last, …]`. Both ends belong to a range, and no two ranges
 * touch. A set has only one such list, which makes the automaton of a language canonical.
 */

/** A set of code points in normal form. */
export type Ranges = readonly number[];

/** Halves of surrogate pairs. They are not characters, and a text that reaches a format never has one of them alone. */
const SURROGATES = [0xd800, 0xdfff] as const;

/** The largest code point. */
export const MAX_CODE_POINT = 0x10ffff;

/** Returns whether a number is half of a surrogate pair. */
export function isSurrogate(point: number): boolean {
  return point >= SURROGATES[0] && point <= SURROGATES[1];
}

/** Brings pairs of first and last into normal form. They may overlap and have any order. Surrogates are removed. */
export function normalRanges(pairs: Ranges): number[] {
  const sorted: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const [first, last] = [pairs[i]!, pairs[i + 1]!];
    if (first < SURROGATES[0]) sorted.push([first, Math.min(last, SURROGATES[0] - 1)]);
    if (last > SURROGATES[1]) sorted.push([Math.max(first, SURROGATES[1] + 1), last]);
  }
  sorted.sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [first, last] of sorted) {
    const end = out.length - 1;
    if (end > 0 && first <= out[end]! + 1) out[end] = Math.max(out[end]!, last);
    else out.push(first, last);
  }
  return out;
}
