/**
 * Keyed permutations of the whole numbers below N, for spaces that are too small for FF1 (docs/spec/fpe-v1.md, "Small
 * spaces"): a table for each tweak, and the sometimes-recurse shuffle, which needs no table.
 *
 * Both are uniform permutations as far as AES and HMAC cannot be told from random functions; the shuffle is so up to a
 * distance of 2^-80. So even someone who knows all but two values of a space learns nothing about those two. The time
 * that either takes depends on the value.
 */

export type { Permutation, Tweaks } from './small-space.ts';
export { sometimesRecurse } from './sometimes-recurse.ts';
export { tablePermutation, tablePermutations } from './table.ts';
