/**
 * Random bytes from the system's generator (Web Crypto's `getRandomValues`); throws where there is none.
 */

import { randomBytes as systemRandomBytes } from '@noble/hashes/utils.js';

/** `length` random bytes. */
export function randomBytes(length: number): Uint8Array {
  return systemRandomBytes(length);
}
