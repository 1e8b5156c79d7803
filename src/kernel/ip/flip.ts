/**
 * The function in which prefix-preserving ciphers differ: whether to flip a bit of an address, given the bits before it
 * (Xu, Fan, Ammar, Moon: "Prefix-Preserving IP Address Anonymization", ICNP 2002, theorem 1: every prefix-preserving
 * permutation has this form). `cryptopan.ts` and `ipcrypt-pfx.ts` define one each; `prefix-v4.ts` and `prefix-v6.ts`
 * use them.
 */

import { BLOCK, type Blocks } from '../aes/aes.ts';

/** Whether to flip a bit of an address: what a block cipher answers to the bits before it. */
export interface FlipFunction {
  /**
   * `leading`: a block begins with the prefix, and a version 4 address is bits 0 to 31 of it. `trailing`: a block ends
   * with the prefix, and a version 4 address is bits 96 to 127 of its form with 128 bits, ::ffff:a.b.c.d.
   */
  readonly side: 'leading' | 'trailing';
  /** Writes the block for the first `length` bits of an address of four words, most significant first. */
  readonly write: (view: DataView, at: number, address: Int32Array, length: number) => void;
  /** Enciphers many blocks. The answer to a block is bit `shift` of byte `tap` of its ciphertext, */
  readonly first: Blocks;
  /** XORed with the same bit of its ciphertext under a second key, if there is one. */
  readonly second: Blocks | null;
  readonly tap: number;
  readonly shift: number;
  /** Answers one block of little-endian words: 0 or 1. */
  readonly one: (s0: number, s1: number, s2: number, s3: number) => number;
}

/** Returns the answer, 0 or 1, to block `i`, whose ciphertexts are in `a` and, if there is a second key, in `b`. */
export type ReadAnswer = (a: Uint8Array, b: Uint8Array | null, i: number) => number;

/** Makes the function that reads answers. */
export function answerReader({ tap, shift }: FlipFunction): ReadAnswer {
  return (a, b, i) => {
    const byte = b === null ? a[i * BLOCK + tap]! : a[i * BLOCK + tap]! ^ b[i * BLOCK + tap]!;
    return (byte >>> shift) & 1;
  };
}

/** Answers the block that lies at the beginning of a view. */
export function answerOne(flip: FlipFunction, block: DataView): number {
  return flip.one(block.getInt32(0, true), block.getInt32(4, true), block.getInt32(8, true), block.getInt32(12, true));
}
