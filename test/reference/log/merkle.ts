/**
 * The Merkle tree of RFC 6962, section 2.1, word for word: MTH, PATH and PROOF as recursive functions over the list of
 * all entries, and tiles by the formula of c2sp.org/tlog-tiles. Slow, and without any idea of how to be fast.
 */
import { createHash } from 'node:crypto';

type Entries = readonly Uint8Array[];

const hash = (...parts: Uint8Array[]): Uint8Array => {
  const sha = createHash('sha256');
  for (const part of parts) sha.update(part);
  return new Uint8Array(sha.digest());
};

/** The largest power of two smaller than n. */
function k(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** MTH(D[n]). */
export function mth(d: Entries): Uint8Array {
  const n = d.length;
  if (n === 0) return hash();
  if (n === 1) return hash(Uint8Array.of(0x00), d[0]!);
  return hash(Uint8Array.of(0x01), mth(d.slice(0, k(n))), mth(d.slice(k(n))));
}

/** PATH(m, D[n]). */
export function path(m: number, d: Entries): Uint8Array[] {
  const n = d.length;
  if (n === 1) return [];
  return m < k(n)
    ? [...path(m, d.slice(0, k(n))), mth(d.slice(k(n)))]
    : [...path(m - k(n), d.slice(k(n))), mth(d.slice(0, k(n)))];
}

/** PROOF(m, D[n]). */
export function proof(m: number, d: Entries): Uint8Array[] {
  return subproof(m, d, true);
}

/** SUBPROOF(m, D[n], b). */
function subproof(m: number, d: Entries, b: boolean): Uint8Array[] {
  const n = d.length;
  if (m === n) return b ? [] : [mth(d)];
  return m <= k(n)
    ? [...subproof(m, d.slice(0, k(n)), b), mth(d.slice(k(n)))]
    : [...subproof(m - k(n), d.slice(k(n)), false), mth(d.slice(0, k(n)))];
}

/** The n-th tile of level l: MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]) for i from 0 to 255. */
export function tile(l: number, n: number, d: Entries): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let i = 0; i < 256 && (n * 256 + i + 1) * 256 ** l <= d.length; i++) {
    hashes.push(mth(d.slice((n * 256 + i) * 256 ** l, (n * 256 + i + 1) * 256 ** l)));
  }
  return hashes;
}
