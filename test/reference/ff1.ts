/**
 * FF1 as in NIST SP 800-38G (https://doi.org/10.6028/NIST.SP.800-38G): Algorithms 7 and 8 literally, step by step, in
 * BigInt, on the AES of node:crypto. It is slow and checks no input. It is the reference for the fast implementation.
 */
import { createCipheriv } from 'node:crypto';

/** CIPH_K: AES of one block, forward. */
type BlockCipher = (block: Buffer) => Buffer;

function blockCipher(key: Uint8Array): BlockCipher {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return (block) => cipher.update(block);
}

/** [x]^s: x as s bytes, big-endian (section 4.1). */
function bytes(x: bigint, s: number): Buffer {
  return s === 0 ? Buffer.alloc(0) : Buffer.from(x.toString(16).padStart(2 * s, '0'), 'hex');
}

/** NUM of a byte string (Algorithm 2). */
function NUM(x: Buffer): bigint {
  return BigInt(`0x${x.toString('hex')}`);
}

/** Algorithm 1: NUM_radix(X). */
function NUM_radix(X: readonly number[], radix: bigint): bigint {
  // 1. Let x = 0.
  let x = 0n;
  // 2. For i from 1 to LEN(X), let x = x * radix + X[i].
  for (const numeral of X) x = x * radix + BigInt(numeral);
  // 3. Return x.
  return x;
}

/** Algorithm 3: STR^m_radix(x). */
function STR_radix(x: bigint, m: number, radix: bigint): number[] {
  const X = new Array<number>(m);
  // 1. For i from 1 to m: i. X[m + 1 - i] = x mod radix; ii. x = floor(x / radix).
  for (let i = 1; i <= m; i++) {
    X[m - i] = Number(x % radix);
    x /= radix;
  }
  // 2. Return X.
  return X;
}

/** Algorithm 6: PRF(X), CBC-MAC with a zero vector. */
function PRF(X: Buffer, CIPH: BlockCipher): Buffer {
  // 1. Let m = LEN(X) / 128.
  const m = X.length / 16;
  // 2. Let X1, ..., Xm be the blocks of X. 3. Let Y0 = 0^128.
  let Y: Buffer = Buffer.alloc(16);
  // 4. For j from 1 to m let Yj = CIPH(Y_{j-1} xor Xj).
  for (let j = 0; j < m; j++) Y = CIPH(xor(Y, X.subarray(16 * j, 16 * j + 16)));
  // 5. Return Ym.
  return Y;
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

const modulo = (x: bigint, m: bigint) => ((x % m) + m) % m;

/** Algorithm 7, FF1.Encrypt(K, T, X), and Algorithm 8, FF1.Decrypt(K, T, X); radix from 2 to 65,536. */
export function ff1Reference(
  direction: 'encrypt' | 'decrypt',
  K: Uint8Array,
  radix: number,
  X: readonly number[],
  T: Uint8Array = new Uint8Array(0),
): number[] {
  const CIPH = blockCipher(K);
  const r = BigInt(radix);
  const n = X.length;
  const t = T.length;
  // 1. Let u = floor(n / 2); v = n - u.
  const u = Math.floor(n / 2);
  const v = n - u;
  // 2. Let A = X[1..u]; B = X[u + 1..n].
  let A = X.slice(0, u);
  let B = X.slice(u);
  // 3. Let b = ceil(ceil(v * LOG(radix)) / 8). The inner one is the number of bits of radix^v - 1, in integers.
  const b = Math.ceil((r ** BigInt(v) - 1n).toString(2).length / 8);
  // 4. Let d = 4 * ceil(b / 4) + 4.
  const d = 4 * Math.ceil(b / 4) + 4;
  // 5. Let P = [1]^1 || [2]^1 || [1]^1 || [radix]^3 || [10]^1 || [u mod 256]^1 || [n]^4 || [t]^4.
  const P = Buffer.concat([
    bytes(1n, 1),
    bytes(2n, 1),
    bytes(1n, 1),
    bytes(r, 3),
    bytes(10n, 1),
    bytes(BigInt(u % 256), 1),
    bytes(BigInt(n), 4),
    bytes(BigInt(t), 4),
  ]);

  /** Steps 6.i to 6.iv of both algorithms: y from the number of the round and the half that does not change. */
  const round = (i: number, half: readonly number[]): bigint => {
    // i. Let Q = T || [0]^((-t-b-1) mod 16) || [i]^1 || [NUM_radix(half)]^b.
    const zeros = Number(modulo(BigInt(-t - b - 1), 16n));
    const Q = Buffer.concat([T, Buffer.alloc(zeros), bytes(BigInt(i), 1), bytes(NUM_radix(half, r), b)]);
    // ii. Let R = PRF(P || Q).
    const R = PRF(Buffer.concat([P, Q]), CIPH);
    // iii. Let S be the first d bytes of R || CIPH(R xor [1]^16) || ... || CIPH(R xor [ceil(d / 16) - 1]^16).
    const blocks: Buffer[] = [R];
    for (let j = 1; j <= Math.ceil(d / 16) - 1; j++) blocks.push(CIPH(xor(R, bytes(BigInt(j), 16))));
    const S = Buffer.concat(blocks).subarray(0, d);
    // iv. Let y = NUM(S).
    return NUM(S);
  };

  if (direction === 'encrypt') {
    // 6. For i from 0 to 9:
    for (let i = 0; i <= 9; i++) {
      const y = round(i, B);
      // v. If i is even, let m = u; else, let m = v.
      const m = i % 2 === 0 ? u : v;
      // vi. Let c = (NUM_radix(A) + y) mod radix^m.
      const c = modulo(NUM_radix(A, r) + y, r ** BigInt(m));
      // vii. Let C = STR^m_radix(c).
      const C = STR_radix(c, m, r);
      // viii. Let A = B. ix. Let B = C.
      A = B;
      B = C;
    }
  } else {
    // 6. For i from 9 to 0:
    for (let i = 9; i >= 0; i--) {
      const y = round(i, A);
      // v. If i is even, let m = u; else, let m = v.
      const m = i % 2 === 0 ? u : v;
      // vi. Let c = (NUM_radix(B) - y) mod radix^m.
      const c = modulo(NUM_radix(B, r) - y, r ** BigInt(m));
      // vii. Let C = STR^m_radix(c).
      const C = STR_radix(c, m, r);
      // viii. Let B = A. ix. Let A = C.
      B = A;
      A = C;
    }
  }
  // 7. Return A || B.
  return [...A, ...B];
}
