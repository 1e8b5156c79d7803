/**
 * Random bytes from the system's generator (Web Crypto's `getRandomValues`); throws where there is none.
 */

import { randomBytes as systemRandomBytes } from '@noble/hashes/utils.js';

/** `length` random bytes. */
export function randomBytes(length: number): Uint8Array {
  return systemRandomBytes(length);
}

/** Bytes that a pool fetches at once: a call of the system's generator takes a microsecond or two, whatever it gives. */
const POOL = 8192;

/** Random bytes in small pieces. No byte is given twice. */
export function randomPool(): (length: number) => Uint8Array {
  let pool = new Uint8Array(0);
  return (length) => {
    if (pool.length < length) pool = Uint8Array.from(randomBytes(Math.max(POOL, length)));
    const piece = pool.slice(0, length);
    pool = pool.subarray(length);
    return piece;
  };
}
