/**
 * What watches over siv-each.ts, for the reasons that self-test.ts gives: its AES is our own, and a wrong ciphertext would
 * be noticed when it is to be opened, years later. So the first values of a process, some of those around the time when
 * the code runs compiled, and of all others one of 32,768 are done again by @noble/ciphers. The code in WebAssembly is tried
 * out on some of every kind before it has one.
 *
 * A difference throws. It is a fault of the machine or of this library, not of the data, so it is no `TrefoilError`.
 */

import { aessiv } from '@noble/ciphers/aes.js';
import { equalBytes } from '../../core/bytes.ts';
import { throwFault } from './self-test.ts';

/** One of so many values is done again. Measured: a comparison takes some 30 µs, 1 ns a value. */
const EVERY = 32_768;

/** The first so many values are done again, */
const FIRST = 8;

/** and every 2,500th of those after which V8 has compiled what it will compile. */
const WARM = 20_000;
const WARM_EVERY = 2_500;

/** Values that went through in this process. */
let done = 0;

/** Counts a value, and tells whether it is to be done again. */
export function isTurn(): boolean {
  done++;
  return done <= FIRST || (done <= WARM ? done % WARM_EVERY === 0 : done % EVERY === 0);
}

/** Holds a value that was sealed, or opened, against what noble makes of it. */
export function compare(
  key: Uint8Array,
  associatedData: Uint8Array | null,
  plaintext: Uint8Array,
  sealed: Uint8Array,
): void {
  const expected = sivOf(key, associatedData).encrypt(Uint8Array.from(plaintext));
  if (!equalBytes(expected, sealed)) throwFault();
}

/** Holds a verdict against noble's: what did not open here must not open there. */
export function mustNotOpen(key: Uint8Array, associatedData: Uint8Array | null, sealed: Uint8Array): void {
  try {
    sivOf(key, associatedData).decrypt(Uint8Array.from(sealed));
  } catch {
    return;
  }
  throwFault();
}

function sivOf(key: Uint8Array, associatedData: Uint8Array | null) {
  const own = Uint8Array.from(key);
  return associatedData === null ? aessiv(own) : aessiv(own, Uint8Array.from(associatedData));
}
