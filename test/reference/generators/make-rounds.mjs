/**
 * Writes src/kernel/permutation/swap-or-not-rounds.ts: `node test/reference/generators/make-rounds.mjs`.
 * `test/kernel/permutation/permutation.test.ts` renders it again, compares byte for byte, and proves the sum over the
 * stages.
 *
 * The bound is that of Hoang, Morris and Rogaway (CRYPTO 2012) for n points, r rounds and q = floor(n / 2) cards;
 * docs/spec/fpe-v1.md, "Proof", has every step:
 *
 *   2 n^(3/2) / (r + 2) * ((q + n) / (2 n))^(r/2 + 1)
 *
 * It is squared and compared in whole numbers, so nothing is rounded.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Largest stage: 2^20 points. */
export const LARGEST_BITS = 20;

/** A stage may be 2^-85 away from uniform: 20 stages make less than 2^-80. */
export const STAGE_BITS = 85;

/** Whether the bound for n points, q queries and r rounds is at most 2^-bits; all are whole numbers. */
export function isWithin(n, q, r, bits) {
  const [N, Q, R] = [BigInt(n), BigInt(q), BigInt(r)];
  // Squared: 4 n^3 (q + n)^(r + 2) / ((r + 2)^2 (2 n)^(r + 2)) <= 2^(-2 bits)
  return 4n * N ** 3n * (Q + N) ** (R + 2n) * 2n ** BigInt(2 * bits) <= (R + 2n) ** 2n * (2n * N) ** (R + 2n);
}

/**
 * Returns the fewest rounds for 2^b points. They are enough for every n up to 2^b, because q <= n / 2, and at n / 2 the
 * bound grows with n.
 */
export function rounds(b) {
  let r = 1;
  while (!isWithin(2 ** b, 2 ** b / 2, r, STAGE_BITS)) r++;
  return r;
}

export function render() {
  const list = Array.from({ length: LARGEST_BITS }, (_, i) => rounds(i + 1));
  return `/**
 * Rounds of swap-or-not for a stage of the sometimes-recurse shuffle: the entry at b is for 2^(b-1) < n <= 2^b points
 * (docs/spec/fpe-v1.md, "Rounds"). test/reference/generators/make-rounds.mjs generates this file and has the bound,
 * which a test proves again.
 *
 * Each stage is at most 2^-${STAGE_BITS} away from uniform, so the ${LARGEST_BITS} stages of 2^${LARGEST_BITS}
 * points together are at most ${LARGEST_BITS} * 2^-${STAGE_BITS} < 2^-80 away.
 */
// biome-ignore format: one row for ten sizes
export const ROUNDS: readonly number[] = [
  0,
  ${list.slice(0, 10).join(', ')},
  ${list.slice(10).join(', ')},
];
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(
    fileURLToPath(new URL('../../../src/kernel/permutation/swap-or-not-rounds.ts', import.meta.url)),
    render(),
  );
}
