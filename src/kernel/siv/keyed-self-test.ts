/**
 * Self-tests of keyed.ts while it runs, for the reasons that kernel/prf/self-test.ts gives: its AES is our own, and a
 * wrong ciphertext would only be noticed when it is opened, perhaps years later. So @noble/ciphers computes again the
 * first values of a process, some of those around the time when V8 compiles the code, and one of every 32,768 after
 * that. The code in WebAssembly is tried on values of every kind before it is used.
 *
 * If there is a difference, the call throws. That is a fault of the machine or of this library and not of the data, so
 * it is an `Error` and not a `TrefoilError`.
 */

import { aessiv } from '@noble/ciphers/aes.js';
import { equalBytes } from '../../core/bytes.ts';
import { throwFault } from './self-test.ts';

/** One of this many values is computed again. Measured: a comparison takes some 30 µs, which is 1 ns a value. */
const EVERY = 32_768;

/** This many values at the beginning are all computed again. */
const FIRST = 8;

/**
 * After this many values V8 has compiled all that it will compile. Until then, one of `WARM_EVERY` is computed again.
 */
const WARM = 20_000;
const WARM_EVERY = 2_500;

/** How many values were sealed or opened in this process. */
let done = 0;

/** Counts a value and returns whether it is to be computed again. */
export function isTurn(): boolean {
  done++;
  return done <= FIRST || (done <= WARM ? done % WARM_EVERY === 0 : done % EVERY === 0);
}

/** Compares a sealed or opened value with what noble computes. Throws if it differs. */
export function compare(
  key: Uint8Array,
  associatedData: Uint8Array | null,
  plaintext: Uint8Array,
  sealed: Uint8Array,
): void {
  const expected = sivOf(key, associatedData).encrypt(Uint8Array.from(plaintext));
  if (!equalBytes(expected, sealed)) throwFault();
}

/** Checks that noble cannot open either what could not be opened here. Throws if it can. */
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
