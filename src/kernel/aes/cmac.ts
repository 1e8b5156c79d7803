/**
 * AES-CMAC: RFC 4493 (https://www.rfc-editor.org/rfc/rfc4493), which is SP 800-38B with AES. This is the literal form,
 * for what is computed once per key. Columns of values go through siv/columns.ts, which takes only the subkeys from
 * here.
 */

import { BLOCK, encryptEach, type RoundKeys } from './aes.ts';

/** const_Rb of section 2.3: what a doubling XORs into the last byte if a bit is shifted out. */
const RB = 0x87;

/** AES-CMAC under one key. */
export interface Cmac {
  /** K1, the subkey for a message whose last block is whole. */
  readonly k1: Uint8Array;
  /** K2, the subkey for any other message. */
  readonly k2: Uint8Array;
  /** Returns the 16-byte tag of a message. */
  readonly tag: (message: Uint8Array) => Uint8Array;
}

/** Key set-up: section 2.3, Algorithm Generate_Subkey. */
export function cmac(keys: RoundKeys): Cmac {
  // Step 1. L := AES-128(K, const_Zero).
  const L = new Uint8Array(BLOCK);
  encryptBlock(keys, L);
  // Steps 2 and 3. K1 and K2 are L doubled once and twice.
  const k1 = dbl(L);
  const k2 = dbl(k1);

  // Section 2.4, Algorithm AES-CMAC.
  function tag(message: Uint8Array): Uint8Array {
    // Steps 2 and 3. n, the blocks of the message, and whether the last one is whole.
    const n = Math.max(1, Math.ceil(message.length / BLOCK));
    const whole = message.length === n * BLOCK;
    // Step 5. X := const_Zero.
    const x = new Uint8Array(BLOCK);
    // Step 6. All blocks but the last.
    for (let i = 0; i < n - 1; i++) {
      xorInto(x, message.subarray(i * BLOCK, (i + 1) * BLOCK));
      encryptBlock(keys, x);
    }
    // Step 4. M_last, which is padded with a bit 1 and zeros if it is not whole.
    const tail = message.subarray((n - 1) * BLOCK);
    xorInto(x, tail);
    if (!whole) x[tail.length]! ^= 0x80;
    xorInto(x, whole ? k1 : k2);
    // Steps 6 and 7. Y := M_last XOR X; T := AES-128(K, Y).
    encryptBlock(keys, x);
    return x;
  }

  return { k1, k2, tag };
}

/**
 * Doubling in GF(2^128): a left shift, and an XOR with RB if a bit is shifted out (section 2.3; RFC 5297, section 2.3).
 */
export function dbl(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >>> 7);
  out[BLOCK - 1]! ^= RB & -(block[0]! >>> 7);
  return out;
}

/** XORs `bytes` into the beginning of `into`. */
export function xorInto(into: Uint8Array, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) into[i]! ^= bytes[i]!;
}

function encryptBlock(keys: RoundKeys, block: Uint8Array): void {
  const view = new DataView(block.buffer);
  encryptEach(keys, view, view);
}
