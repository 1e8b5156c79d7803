/** HKDF with SHA-256: RFC 5869 (https://www.rfc-editor.org/rfc/rfc5869), extract and expand in one call. */

import { hmacBytes } from './hmac.ts';

/** HashLen: the bytes of a tag. */
const HASH_LENGTH = 32;

/**
 * Returns `length` bytes of OKM, computed from IKM, salt and info.
 *
 * @throws RangeError if `length` is above 255 × 32 (section 2.3).
 */
export function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * HASH_LENGTH) throw new RangeError('HKDF returns at most 8160 bytes');
  // Section 2.2: PRK = HMAC-Hash(salt, IKM).
  const mac = hmacBytes(hmacBytes(salt)(ikm));
  // Section 2.3: T(i) = HMAC-Hash(PRK, T(i-1) | info | i), OKM = the first L bytes of T(1) | T(2) | …
  const okm = new Uint8Array(length);
  let before = new Uint8Array(0);
  for (let i = 1, at = 0; at < length; i++, at += HASH_LENGTH) {
    const message = new Uint8Array(before.length + info.length + 1);
    message.set(before);
    message.set(info, before.length);
    message[message.length - 1] = i;
    before = Uint8Array.from(mac(message));
    okm.set(before.subarray(0, Math.min(HASH_LENGTH, length - at)), at);
  }
  return okm;
}
