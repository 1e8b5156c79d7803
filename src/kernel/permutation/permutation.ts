/**
 * Keyed permutations of the whole numbers below N, for spaces that are too small for FF1 (docs/spec/fpe-v1.md, "Small
 * spaces"): a table per tweak, and the sometimes-recurse shuffle, which needs none.
 *
 * Both are uniform permutations but for what AES and HMAC can be told apart by, and 2^-80 for the second: whoever sees
 * every other value of the space learns nothing about the last two. Neither takes the same time for every value.
 */

export type { Permutation, Tweaks } from './small-space.ts';
export { sometimesRecurse } from './sometimes-recurse.ts';
export { tablePermutation, tablePermutations } from './table.ts';
