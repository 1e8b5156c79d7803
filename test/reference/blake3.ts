/**
 * A second, slow implementation of keyed BLAKE3, which follows the BLAKE3 specification literally
 * (https://github.com/BLAKE3-team/BLAKE3-specs, sections 2.1 to 2.5), with the tree, for messages below 2^32 bytes.
 */
import { H0 } from './sha256.ts';

/** Table 2. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

const MODULUS = 2 ** 32;
const rotr = (x: number, n: number): number => Math.floor(x / 2 ** n) + (x % 2 ** n) * 2 ** (32 - n);

/** Section 2.2: the compression function; the first eight words. */
function compress(h: readonly number[], m: readonly number[], t: number, b: number, d: number): number[] {
  const v = [...h, ...H0.slice(0, 4), t, 0, b, d];
  const half = (i: number, j: number, k: number, l: number, x: number, r1: number, r2: number): void => {
    v[i] = (v[i]! + v[j]! + x) % MODULUS;
    v[l] = rotr((v[l]! ^ v[i]!) >>> 0, r1);
    v[k] = (v[k]! + v[l]!) % MODULUS;
    v[j] = rotr((v[j]! ^ v[k]!) >>> 0, r2);
  };
  const mix = (i: number, j: number, k: number, l: number, x: number, y: number): void => {
    half(i, j, k, l, x, 16, 12);
    half(i, j, k, l, y, 8, 7);
  };
  let words = [...m];
  for (let round = 0; round < 7; round++) {
    const w = words as [number, ...number[]];
    for (let i = 0; i < 4; i++) mix(i, 4 + i, 8 + i, 12 + i, w[2 * i]!, w[2 * i + 1]!);
    for (let i = 0; i < 4; i++) {
      mix(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4), w[8 + 2 * i]!, w[9 + 2 * i]!);
    }
    words = PERMUTATION.map((from) => words[from]!);
  }
  return v.slice(0, 8).map((word, i) => (word ^ v[i + 8]!) >>> 0);
}

/** Bytes as little-endian words, followed by zeros. */
function wordsOf(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    [3, 2, 1, 0].reduce((word, j) => 256 * word + (bytes[4 * i + j] ?? 0), 0),
  );
}

const [CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED_HASH] = [1, 2, 4, 8, 16];

/** The first 32 bytes of keyed BLAKE3. */
export function blake3Reference(key: Uint8Array, message: Uint8Array): Uint8Array {
  const k = wordsOf(key, 8);

  /** Section 2.4: a chunk, number t. */
  function chunk(bytes: Uint8Array, t: number, root: number): number[] {
    const blocks = Math.max(1, Math.ceil(bytes.length / 64));
    let h = k;
    for (let i = 0; i < blocks; i++) {
      const block = bytes.subarray(64 * i, 64 * i + 64);
      const last = i === blocks - 1;
      const flags = KEYED_HASH! + (i === 0 ? CHUNK_START! : 0) + (last ? CHUNK_END! + root : 0);
      h = compress(h, wordsOf(block, 16), t, block.length, flags);
    }
    return h;
  }

  /** Section 2.5: the left subtree has the largest power of two of chunks that leaves one byte to the right. */
  function tree(bytes: Uint8Array, t: number, root: number): number[] {
    if (bytes.length <= 1024) return chunk(bytes, t, root);
    let left = 1;
    while (2 * left * 1024 < bytes.length) left *= 2;
    const both = [...tree(bytes.subarray(0, 1024 * left), t, 0), ...tree(bytes.subarray(1024 * left), t + left, 0)];
    return compress(k, both, 0, 64, KEYED_HASH! + PARENT! + root);
  }

  const out = tree(message, 0, ROOT!);
  return Uint8Array.from(out.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 255)));
}
