/**
 * FF3 and FF3-1 as in NIST SP 800-38G (https://doi.org/10.6028/NIST.SP.800-38G): Algorithms 9 and 10 literally, step by
 * step, in BigInt, on the AES of node:crypto. The tweak of FF3-1 is that of the draft of Revision 1 of 2019
 * (https://doi.org/10.6028/NIST.SP.800-38Gr1-draft). It is slow and checks no input. It is the reference for the fast
 * implementation.
 *
 * Both ciphers are broken. This is the only place of the project that encrypts with them, and it is not shipped.
 */
import { createCipheriv } from 'node:crypto';

/** [x]^s: x as s bytes, big-endian (section 4.1). */
function bytes(x: bigint, s: number): Buffer {
  return Buffer.from(x.toString(16).padStart(2 * s, '0'), 'hex');
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

/** Algorithm 4: REV(X). */
function REV(X: readonly number[]): number[] {
  return [...X].reverse();
}

/** Algorithm 5: REVB(X). */
function REVB(X: Uint8Array): Buffer {
  return Buffer.from(X).reverse();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

const modulo = (x: bigint, m: bigint) => ((x % m) + m) % m;

/** A byte string as the text of its bits. */
const bits = (x: Uint8Array) => Array.from(x, (byte) => byte.toString(2).padStart(8, '0')).join('');
const fromBits = (text: string) => bytes(BigInt(`0b${text}`), text.length / 8);

/** T_L and T_R: of 64 bits in FF3 (step 3), of 56 bits in FF3-1. */
function splitTweak(T: Uint8Array): { T_L: Buffer; T_R: Buffer } {
  const t = bits(T);
  // FF3. 3. Let T_L = T[0..31] and T_R = T[32..63].
  if (t.length === 64) return { T_L: fromBits(t.slice(0, 32)), T_R: fromBits(t.slice(32, 64)) };
  // FF3-1. 3. Let T_L = T[0..27] || 0^4 and T_R = T[32..55] || T[28..31] || 0^4.
  const zeros = '0000';
  return { T_L: fromBits(t.slice(0, 28) + zeros), T_R: fromBits(t.slice(32, 56) + t.slice(28, 32) + zeros) };
}

/** Algorithm 9, FF3.Encrypt(K, T, X), and Algorithm 10, FF3.Decrypt(K, T, X); radix from 2 to 65,536. */
export function ff3Reference(
  direction: 'encrypt' | 'decrypt',
  K: Uint8Array,
  radix: number,
  X: readonly number[],
  T: Uint8Array,
): number[] {
  // CIPH_REVB(K)
  const cipher = createCipheriv(`aes-${K.length * 8}-ecb`, REVB(K), null).setAutoPadding(false);
  const CIPH = (block: Buffer): Buffer => cipher.update(block);
  const r = BigInt(radix);
  const n = X.length;
  // 1. Let u = ceil(n / 2); v = n - u.
  const u = Math.ceil(n / 2);
  const v = n - u;
  // 2. Let A = X[1..u]; B = X[u + 1..n].
  let A = X.slice(0, u);
  let B = X.slice(u);
  const { T_L, T_R } = splitTweak(T);

  /** Steps 4.i to 4.iv of both algorithms: m, and y from the number of the round and the half that does not change. */
  const round = (i: number, half: readonly number[]): { m: number; y: bigint } => {
    // i. If i is even, let m = u and W = T_R, else let m = v and W = T_L.
    const [m, W] = i % 2 === 0 ? [u, T_R] : [v, T_L];
    // ii. Let P = W xor [i]^4 || [NUM_radix(REV(half))]^12.
    const P = Buffer.concat([xor(W, bytes(BigInt(i), 4)), bytes(NUM_radix(REV(half), r), 12)]);
    // iii. Let S = REVB(CIPH_REVB(K)(REVB(P))).
    const S = REVB(CIPH(REVB(P)));
    // iv. Let y = NUM(S).
    return { m, y: NUM(S) };
  };

  if (direction === 'encrypt') {
    // 4. For i from 0 to 7:
    for (let i = 0; i <= 7; i++) {
      const { m, y } = round(i, B);
      // v. Let c = (NUM_radix(REV(A)) + y) mod radix^m.
      const c = modulo(NUM_radix(REV(A), r) + y, r ** BigInt(m));
      // vi. Let C = REV(STR^m_radix(c)). vii. Let A = B. viii. Let B = C.
      A = B;
      B = REV(STR_radix(c, m, r));
    }
  } else {
    // 4. For i from 7 to 0:
    for (let i = 7; i >= 0; i--) {
      const { m, y } = round(i, A);
      // v. Let c = (NUM_radix(REV(B)) - y) mod radix^m.
      const c = modulo(NUM_radix(REV(B), r) - y, r ** BigInt(m));
      // vi. Let C = REV(STR^m_radix(c)). vii. Let B = A. viii. Let A = C.
      B = A;
      A = REV(STR_radix(c, m, r));
    }
  }
  // 5. Return A || B.
  return [...A, ...B];
}
