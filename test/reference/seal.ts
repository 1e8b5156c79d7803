/**
 * A second implementation of AES-SIV, which follows RFC 5297 literally, on AES-ECB and AES-CTR of node:crypto. Seal-v1
 * (docs/spec/seal-v1.md) is built on it.
 */
import { createCipheriv } from 'node:crypto';
import { base32, child, domainOf, list, ruleNode } from './tree.ts';

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

function aes(key: Uint8Array, block: Uint8Array): Buffer {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .setAutoPadding(false)
    .update(block);
}

/** Section 2.3: a left shift by one bit. If the bit that is shifted out is a one, the last byte is xored with 0x87. */
function dbl(block: Buffer): Buffer {
  const shifted = (BigInt(`0x${block.toString('hex')}`) << 1n) & ((1n << 128n) - 1n);
  return xor(Buffer.from(shifted.toString(16).padStart(32, '0'), 'hex'), bottom((block[0]! & 0x80) === 0 ? 0 : 0x87));
}

const bottom = (byte: number) => Buffer.concat([Buffer.alloc(15), Buffer.from([byte])]);

/** Section 2.1: a one bit, then zero bits up to a block. */
function pad(X: Uint8Array): Buffer {
  return Buffer.concat([X, Buffer.from([0x80]), Buffer.alloc(16)]).subarray(0, 16);
}

/** AES-CMAC: RFC 4493, section 2.4. */
export function cmac(K: Uint8Array, M: Uint8Array): Buffer {
  // Step 1. Subkeys.
  const K1 = dbl(aes(K, Buffer.alloc(16)));
  const K2 = dbl(K1);
  // Steps 2 and 3. The number of blocks, and whether the last one is complete.
  const n = Math.max(1, Math.ceil(M.length / 16));
  const whole = M.length > 0 && M.length % 16 === 0;
  // Step 4. The last block with its subkey.
  const tail = M.subarray(16 * (n - 1));
  const last = whole ? xor(tail, K1) : xor(pad(tail), K2);
  // Steps 5 and 6. CBC-MAC.
  let X: Buffer = Buffer.alloc(16);
  for (let i = 0; i < n - 1; i++) X = aes(K, xor(X, M.subarray(16 * i, 16 * i + 16)));
  return aes(K, xor(X, last));
}

/** Section 2.4, figure 2: S2V(K, S1, ..., Sn) for n of at least 1. */
export function s2v(K: Uint8Array, ...S: Uint8Array[]): Buffer {
  // D = AES-CMAC(K, <zero>)
  let D = cmac(K, Buffer.alloc(16));
  // for i = 1 to n-1: D = dbl(D) xor AES-CMAC(K, Si)
  for (const Si of S.slice(0, -1)) D = xor(dbl(D), cmac(K, Si));
  const Sn = Buffer.from(S.at(-1)!);
  // if len(Sn) >= 128 then T = Sn xorend D, else T = dbl(D) xor pad(Sn)
  const T =
    Sn.length >= 16
      ? Buffer.concat([Sn.subarray(0, Sn.length - 16), xor(Sn.subarray(Sn.length - 16), D)])
      : xor(dbl(D), pad(Sn));
  return cmac(K, T);
}

/** Section 2.6: SIV-ENCRYPT(K, P, AD1, ..., ADn). */
export function sivEncrypt(K: Uint8Array, P: Uint8Array, ...AD: Uint8Array[]): Buffer {
  // K1 = leftmost(K, len(K)/2); K2 = rightmost(K, len(K)/2)
  const K1 = K.subarray(0, K.length / 2);
  const K2 = K.subarray(K.length / 2);
  // V = S2V(K1, AD1, ..., ADn, P)
  const V = s2v(K1, ...AD, P);
  // Z = V || C
  return Buffer.concat([V, ctr(K2, V, P)]);
}

/** Section 2.7: SIV-DECRYPT(K, Z, AD1, ..., ADn), `null` for FAIL. */
export function sivDecrypt(K: Uint8Array, Z: Uint8Array, ...AD: Uint8Array[]): Buffer | null {
  if (Z.length < 16) return null;
  const V = Buffer.from(Z.subarray(0, 16));
  const P = ctr(K.subarray(K.length / 2), V, Z.subarray(16));
  return s2v(K.subarray(0, K.length / 2), ...AD, P).equals(V) ? P : null;
}

/** Section 2.5: CTR from Q, which is V with the top bits of its last two words cleared. */
function ctr(K: Uint8Array, V: Buffer, text: Uint8Array): Buffer {
  const Q = Buffer.from(V);
  Q[8]! &= 0x7f;
  Q[12]! &= 0x7f;
  return createCipheriv(`aes-${K.length * 8}-ctr`, K, Q).update(text);
}

export interface SealCase {
  readonly root: Uint8Array;
  readonly domain: string;
  readonly scope: string;
}

/** The sealed text of a value: seal-v1, "Steps". */
export function sealReference({ root, domain, scope }: SealCase, value: string): string {
  const node = ruleNode(root, domain, 'seal', scope, 'aes-256-siv', 'buckets-1');
  const K = child(node, 64, 'aes-256-siv');
  const { id } = domainOf(root, domain);
  // 1. The header: version and algorithm.
  const header = Buffer.from([1, 1]);
  // 2. The padded value.
  const m = Buffer.from(value, 'utf8');
  const bucket = Array.from({ length: 16 }, (_, i) => 2 ** (i + 5)).find((size) => size >= m.length + 1)!;
  const P = Buffer.concat([m, Buffer.from([0x80]), Buffer.alloc(bucket - m.length - 1)]);
  // 3. The associated data. 4. AES-SIV.
  const Z = sivEncrypt(K, P, list('seal-v1', header, id, domain, scope));
  // 5. The result.
  return id + base32(Buffer.concat([header, Z]));
}
