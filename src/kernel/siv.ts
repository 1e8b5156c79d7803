/**
 * AES-SIV: RFC 5297 (https://www.rfc-editor.org/rfc/rfc5297), deterministic authenticated encryption with one string of
 * associated data.
 */

import { aessiv } from '@noble/ciphers/aes.js';

/** Bytes that sealing adds: the synthetic IV, which is also the authentication tag (section 2.6). */
export const SIV_LENGTH = 16;

/** The two verbs of a key. */
export interface Siv {
  /** Z = V || C. */
  readonly seal: (plaintext: Uint8Array, associatedData: Uint8Array) => Uint8Array;
  /** The plaintext, or `null` when the synthetic IV does not verify. */
  readonly open: (sealed: Uint8Array, associatedData: Uint8Array) => Uint8Array | null;
}

/** @param key K1 || K2: 32, 48 or 64 bytes (section 2.2). The bytes are copied. */
export function aesSiv(key: Uint8Array): Siv {
  const own = Uint8Array.from(key);
  return {
    // An instance of noble's refuses a second `encrypt`, so one is made per value.
    seal: (plaintext, associatedData) => aessiv(own, associatedData).encrypt(plaintext),
    open: (sealed, associatedData) => {
      if (sealed.length < SIV_LENGTH) return null;
      try {
        return aessiv(own, associatedData).decrypt(sealed);
      } catch {
        return null;
      }
    },
  };
}
