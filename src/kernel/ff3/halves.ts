/**
 * The arithmetic of FF3 on the halves A and B of a value: NUM_radix(REV(·)), subtraction of NUM(S) modulo radix^m, and
 * REV(STR_radix(·)) (NIST SP 800-38G, Algorithm 10). Halves of up to 2^34 are doubles, longer ones are BigInts.
 */

import { BLOCK } from '../aes/aes.ts';

/** The largest half that is a double: 8 products of 16 bits and 34 bits have a sum below 2^53. */
const NARROW = 2 ** 34;

/** The halves A and B of many values of one length, each as the number NUM_radix(REV(·)). */
export interface Halves {
  /** Step 2: A = X[1..u], B = X[u + 1..n]. */
  readonly take: (k: number, numerals: readonly number[]) => void;
  /** Writes [NUM_radix(REV(A))]^12, little-endian, into the first 12 bytes of each block. */
  readonly writeA: (blocks: DataView) => void;
  /** Steps 4.iv to 4.viii: c = (NUM_radix(REV(B)) - NUM(S)) mod radix^m; B = A; A = C. */
  readonly round: (S: Uint8Array, even: boolean) => void;
  /** Step 5: A || B. */
  readonly give: (k: number) => number[];
}

/**
 * Chooses the arithmetic for numeral strings of n numerals. The returned function allocates halves for `count` values.
 */
export function network(radix: number, n: number): (count: number) => Halves {
  // 1. Let u = ceil(n / 2); v = n - u.
  const u = Math.ceil(n / 2);
  const v = n - u;
  return BigInt(radix) ** BigInt(u) <= NARROW ? narrow(radix, u, v) : wide(radix, u, v);
}

/** Halves of up to 2^34, as doubles: up to ten decimal digits, so strings of up to 20. */
function narrow(radix: number, u: number, v: number): (count: number) => Halves {
  const even = modulus(BigInt(radix) ** BigInt(u));
  const odd = modulus(BigInt(radix) ** BigInt(v));
  return (count) => {
    let A = new Float64Array(count);
    let B = new Float64Array(count);
    return {
      take(k, numerals) {
        A[k] = numberOf(numerals, 0, u, radix);
        B[k] = numberOf(numerals, u, u + v, radix);
      },
      writeA(blocks) {
        for (let k = 0; k < count; k++) {
          blocks.setUint32(BLOCK * k, A[k]!, true);
          blocks.setUint32(BLOCK * k + 4, A[k]! / 2 ** 32, true);
          // Bytes 8 to 11 stay zero.
        }
      },
      round(S, isEven) {
        const { M, weights } = isEven ? even : odd;
        for (let k = 0; k < count; k++) {
          // NUM(S) modulo M: the sum of its eight 16-bit words, each times its weight 2^(16j) mod M.
          let y = 0;
          for (let j = 0, at = BLOCK * k; j < 8; j++, at += 2) y += (S[at]! | (S[at + 1]! << 8)) * weights[j]!;
          const c = B[k]! - (y % M);
          B[k] = c < 0 ? c + M : c;
        }
        // B = A; A = C. C was written over B, so the halves change places.
        [A, B] = [B, A];
      },
      give: (k) => pushNumerals(pushNumerals([], A[k]!, u, radix), B[k]!, v, radix),
    };
  };
}

function modulus(M: bigint): { readonly M: number; readonly weights: readonly number[] } {
  return { M: Number(M), weights: Array.from({ length: 8 }, (_, j) => Number(2n ** BigInt(16 * j) % M)) };
}

/** Halves of up to 2^96, as BigInts. */
function wide(radix: number, u: number, v: number): (count: number) => Halves {
  const even = BigInt(radix) ** BigInt(u);
  const odd = BigInt(radix) ** BigInt(v);
  // Numerals are read and written in groups, each of which fits in a double.
  let group = 0;
  for (let size = radix; size <= NARROW; size *= radix) group++;
  const step = BigInt(radix) ** BigInt(group);

  function read(numerals: readonly number[], from: number, to: number): bigint {
    let number = 0n;
    for (let at = from + Math.floor((to - from - 1) / group) * group; at >= from; at -= group) {
      number = number * step + BigInt(numberOf(numerals, at, Math.min(at + group, to), radix));
    }
    return number;
  }

  function write(numerals: number[], number: bigint, length: number): number[] {
    for (let left = length; left > 0; left -= group) {
      pushNumerals(numerals, Number(number % step), Math.min(group, left), radix);
      number /= step;
    }
    return numerals;
  }

  return (count) => {
    let A = new Array<bigint>(count).fill(0n);
    let B = new Array<bigint>(count).fill(0n);
    return {
      take(k, numerals) {
        A[k] = read(numerals, 0, u);
        B[k] = read(numerals, u, u + v);
      },
      writeA(blocks) {
        for (let k = 0; k < count; k++) {
          blocks.setBigUint64(BLOCK * k, BigInt.asUintN(64, A[k]!), true);
          blocks.setUint32(BLOCK * k + 8, Number(A[k]! >> 64n), true);
        }
      },
      round(S, isEven) {
        const M = isEven ? even : odd;
        const words = new DataView(S.buffer, S.byteOffset, S.length);
        for (let k = 0; k < count; k++) {
          const y = words.getBigUint64(BLOCK * k, true) | (words.getBigUint64(BLOCK * k + 8, true) << 64n);
          const c = (B[k]! - y) % M;
          B[k] = c < 0n ? c + M : c;
        }
        [A, B] = [B, A];
      },
      give: (k) => write(write([], A[k]!, u), B[k]!, v),
    };
  };
}

/** Returns NUM_radix(REV(X)) of X[from..to - 1], which is below 2^53. */
function numberOf(X: readonly number[], from: number, to: number, radix: number): number {
  let number = 0;
  for (let i = to - 1; i >= from; i--) number = number * radix + X[i]!;
  return number;
}

/** Appends REV(STR^m_radix(c)) to numerals. */
function pushNumerals(numerals: number[], c: number, m: number, radix: number): number[] {
  for (let i = 0; i < m; i++) {
    numerals.push(c % radix);
    c = Math.floor(c / radix);
  }
  return numerals;
}
