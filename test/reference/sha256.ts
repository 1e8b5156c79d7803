/**
 * A second, slow implementation of SHA-256 and HMAC, which follows FIPS 180-4 (https://doi.org/10.6028/NIST.FIPS.180-4,
 * sections 4.1.2 to 6.2.2) and FIPS 198-1 literally. It uses whole numbers below 2^32, and computes the constants from
 * the primes.
 */

const MODULUS = 2 ** 32;

const primes: number[] = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);

/** floor(x^(1/degree) * 2^32) mod 2^32: the first 32 bits of the fractional part. */
function fraction(x: number, degree: bigint): number {
  const target = BigInt(x) << (32n * degree);
  let root = 0n;
  for (let bit = 40n; bit >= 0n; bit--) {
    const next = root + (1n << bit);
    if (next ** degree <= target) root = next;
  }
  return Number(root % 2n ** 32n);
}

/** Section 4.2.2. */
const K = primes.map((p) => fraction(p, 3n));

/** Section 5.3.3. */
export const H0: readonly number[] = primes.slice(0, 8).map((p) => fraction(p, 2n));

const add = (...terms: number[]): number => terms.reduce((sum, term) => sum + term, 0) % MODULUS;
const shr = (x: number, n: number): number => Math.floor(x / 2 ** n);
const rotr = (x: number, n: number): number => shr(x, n) + (x % 2 ** n) * 2 ** (32 - n);
const xor = (...terms: number[]): number => terms.reduce((all, term) => all ^ term, 0) >>> 0;
const and = (x: number, y: number): number => (x & y) >>> 0;

/** Section 6.2.2 for one block of 16 words: H(i) from H(i-1). */
export function compressReference(H: readonly number[], M: readonly number[]): number[] {
  // Step 1.
  const W = M.slice(0, 16);
  for (let t = 16; t < 64; t++) {
    const sigma1 = xor(rotr(W[t - 2]!, 17), rotr(W[t - 2]!, 19), shr(W[t - 2]!, 10));
    const sigma0 = xor(rotr(W[t - 15]!, 7), rotr(W[t - 15]!, 18), shr(W[t - 15]!, 3));
    W.push(add(sigma1, W[t - 7]!, sigma0, W[t - 16]!));
  }
  // Step 2.
  let [a, b, c, d, e, f, g, h] = H as [number, number, number, number, number, number, number, number];
  // Step 3.
  for (let t = 0; t < 64; t++) {
    const sum1 = xor(rotr(e, 6), rotr(e, 11), rotr(e, 25));
    const ch = xor(and(e, f), and(MODULUS - 1 - e, g));
    const T1 = add(h, sum1, ch, K[t]!, W[t]!);
    const sum0 = xor(rotr(a, 2), rotr(a, 13), rotr(a, 22));
    const maj = xor(and(a, b), and(a, c), and(b, c));
    const T2 = add(sum0, maj);
    [h, g, f, e, d, c, b, a] = [g, f, e, add(d, T1), c, b, a, add(T1, T2)];
  }
  // Step 4.
  return [a, b, c, d, e, f, g, h].map((x, i) => add(x, H[i]!));
}

/** Sections 5.1.1, 5.2.1 and 6.2. */
export function sha256Reference(message: Uint8Array): Uint8Array {
  const padded = [...message, 0x80];
  while (padded.length % 64 !== 56) padded.push(0);
  for (let shift = 56n; shift >= 0n; shift -= 8n) padded.push(Number(((8n * BigInt(message.length)) >> shift) & 255n));
  let H: readonly number[] = H0;
  for (let at = 0; at < padded.length; at += 64) {
    const M = Array.from({ length: 16 }, (_, j) =>
      padded.slice(at + 4 * j, at + 4 * j + 4).reduce((word, byte) => 256 * word + byte, 0),
    );
    H = compressReference(H, M);
  }
  return Uint8Array.from(H.flatMap((word) => [shr(word, 24), shr(word, 16) % 256, shr(word, 8) % 256, word % 256]));
}

/** FIPS 198-1, table 1. */
export function hmacReference(key: Uint8Array, text: Uint8Array): Uint8Array {
  const k0 = new Uint8Array(64);
  k0.set(key.length > 64 ? sha256Reference(key) : key);
  const inner = sha256Reference(Uint8Array.from([...k0.map((byte) => byte ^ 0x36), ...text]));
  return sha256Reference(Uint8Array.from([...k0.map((byte) => byte ^ 0x5c), ...inner]));
}
