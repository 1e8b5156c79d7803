/**
 * HMAC with SHA-256: FIPS 198-1 (https://doi.org/10.6028/NIST.FIPS.198-1), RFC 2104.
 *
 * The state after the padded key is computed once per key; each message starts from a copy of it.
 */

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** Computes the 32-byte tag of a message. The array is reused: read it before the next call. */
export type Mac = (message: Uint8Array) => Uint8Array;

/**
 * Makes the keyed state (steps 1 to 4 and 7 of FIPS 198-1, section 4) and returns the function that does the rest.
 */
export function hmacSha256(key: Uint8Array): Mac {
  const keyed = hmac.create(sha256, key);
  const state = keyed.clone();
  const tag = new Uint8Array(32);
  return (message) => {
    keyed._cloneInto(state);
    state.update(message).digestInto(tag);
    return tag;
  };
}
