/**
 * Random bytes from the system's generator: `getRandomValues` of Web Crypto. A runtime without it is an error.
 */

import { randomBytes as systemRandomBytes } from '@noble/hashes/utils.js';

/** The most bytes that Web Crypto returns at once (https://www.w3.org/TR/webcrypto-2/, "getRandomValues"). */
const MOST = 65_536;

/** Returns `length` random bytes. */
export function randomBytes(length: number): Uint8Array {
  if (length <= MOST) return systemRandomBytes(length);
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += MOST) out.set(systemRandomBytes(Math.min(MOST, length - at)), at);
  return out;
}
