/**
 * Rounds of swap-or-not for a stage of the sometimes-recurse shuffle: the entry at b is for 2^(b-1) < n <= 2^b points
 * (docs/spec/fpe-v1.md, "Rounds"). test/reference/generators/make-rounds.mjs generates this file and has the bound,
 * which a test proves again.
 *
 * Each stage is at most 2^-85 away from uniform, so the 20 stages of 2^20
 * points together are at most 20 * 2^-85 < 2^-80 away.
 */
// biome-ignore format: one row for ten sizes
export const ROUNDS: readonly number[] = [
  0,
  379, 386, 393, 400, 407, 414, 421, 429, 436, 443,
  450, 457, 464, 471, 478, 486, 493, 500, 507, 514,
];
