/**
 * HKDF with SHA-256: RFC 5869 (https://www.rfc-editor.org/rfc/rfc5869). Extract and expand in one call.
 */

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** `length` bytes of OKM from IKM, salt and info; `length` is at most 255 × 32 (section 2.3). */
export function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return hkdf(sha256, ikm, salt, info, length);
}
