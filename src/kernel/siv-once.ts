/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) for keys that seal one value each, without associated data.
 *
 * Key set-up is most of the work here, so nothing is prepared that one value does not need: siv-values.ts, which is for
 * many values under one key, takes four times as long for this.
 */

import { BLOCK, encryptEach, expandKey } from './aes.ts';
import { cmac, dbl, xorInto } from './cmac.ts';
import { SIV_LENGTH } from './siv-values.ts';

/**
 * Z = V || C.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2).
 */
export function sealOnce(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const [k1, k2] = halves(key);
  // Section 2.6.
  const V = s2v(k1, plaintext);
  const Z = new Uint8Array(SIV_LENGTH + plaintext.length);
  Z.set(V);
  ctr(k2, V, plaintext, Z.subarray(SIV_LENGTH));
  return Z;
}

/** The plaintext, or `null` when the synthetic IV does not verify. */
export function openOnce(key: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < SIV_LENGTH) return null;
  const [k1, k2] = halves(key);
  // Section 2.7.
  const V = sealed.subarray(0, SIV_LENGTH);
  const plaintext = new Uint8Array(sealed.length - SIV_LENGTH);
  ctr(k2, V, sealed.subarray(SIV_LENGTH), plaintext);
  const T = s2v(k1, plaintext);
  let difference = 0;
  for (let i = 0; i < SIV_LENGTH; i++) difference |= T[i]! ^ V[i]!;
  return difference === 0 ? plaintext : null;
}

/** K1 = leftmost(K, len(K)/2), the key of S2V, and K2 = rightmost(K, len(K)/2), the key of CTR. */
function halves(key: Uint8Array): [Uint8Array, Uint8Array] {
  return [key.subarray(0, key.length / 2), key.subarray(key.length / 2)];
}

/** Section 2.4 with one string, the plaintext. */
function s2v(key: Uint8Array, P: Uint8Array): Uint8Array {
  const mac = cmac(expandKey(key));
  // D = AES-CMAC(K, <zero>).
  const D = mac.tag(new Uint8Array(BLOCK));
  if (P.length >= BLOCK) {
    // T = Sn xorend D.
    const T = P.slice();
    xorInto(T.subarray(P.length - BLOCK), D);
    return mac.tag(T);
  }
  // T = dbl(D) xor pad(Sn).
  const T = dbl(D);
  xorInto(T, P);
  T[P.length]! ^= 0x80;
  return mac.tag(T);
}

/** Section 2.5: XORs the key stream that begins at Q. */
function ctr(key: Uint8Array, V: Uint8Array, from: Uint8Array, to: Uint8Array): void {
  const keys = expandKey(key);
  const blocks = Math.ceil(from.length / BLOCK);
  const stream = new Uint8Array(blocks * BLOCK);
  const view = new DataView(stream.buffer);
  for (let i = 0; i < blocks; i++) {
    stream.set(V, i * BLOCK);
    // Section 2.6: Q = V bitand (1^64 || 0^1 || 1^31 || 0^1 || 1^31), so that no carry leaves the last word.
    stream[i * BLOCK + 8]! &= 0x7f;
    view.setInt32(i * BLOCK + 12, (view.getInt32(i * BLOCK + 12, false) & 0x7fffffff) + i, false);
  }
  encryptEach(keys, view, view);
  for (let i = 0; i < from.length; i++) to[i] = from[i]! ^ stream[i]!;
}
