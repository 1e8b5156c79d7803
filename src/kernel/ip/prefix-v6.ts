/** Prefix-preserving encryption of version 6 addresses, as columns of 16 bytes each, with any flip function. */

import { BLOCK } from '../aes/aes.ts';
import { answerOne, answerReader, type FlipFunction } from './flip.ts';

/** Verbs for version 6 addresses: a column has any number of them, 16 bytes each, one after another. */
export interface PrefixCipherV6 {
  readonly encryptV6: (column: Uint8Array) => Uint8Array;
  readonly decryptV6: (column: Uint8Array) => Uint8Array;
}

/** Addresses of one call of AES, which are 16 KiB of blocks: see `CHUNK` in prefix-v4.ts. */
const CHUNK = 8;
const BACK_CHUNK = 1024;

/** Below this many addresses, decrypting block by block is faster than one call of AES for each bit. */
const BACK_ONE_BY_ONE = 8;

/** Key set-up. */
export function prefixV6(flip: FlipFunction): PrefixCipherV6 {
  const { first, second } = flip;
  const answer = answerReader(flip);
  const scratch = new DataView(new ArrayBuffer(BLOCK));

  function encryptV6(column: Uint8Array): Uint8Array {
    const addresses = wordsOf(column);
    const result = Uint8Array.from(column);
    const count = column.length / BLOCK;
    const view = new DataView(new ArrayBuffer(Math.min(CHUNK, count) * 128 * BLOCK));
    for (let start = 0; start < count; start += CHUNK) {
      const chunk = Math.min(CHUNK, count - start);
      for (let i = 0, at = 0; i < chunk; i++) {
        const address = addresses.subarray(4 * (start + i), 4 * (start + i + 1));
        for (let bit = 0; bit < 128; bit++, at += BLOCK) flip.write(view, at, address, bit);
      }
      const blocks = new Uint8Array(view.buffer, 0, chunk * 128 * BLOCK);
      const a = first(blocks);
      const b = second === null ? null : second(blocks);
      for (let i = 0; i < chunk * 128; i++) result[BLOCK * start + (i >>> 3)]! ^= answer(a, b, i) << (7 - (i & 7));
    }
    return result;
  }

  function decryptV6(column: Uint8Array): Uint8Array {
    const count = column.length / BLOCK;
    const enciphered = wordsOf(column);
    const plain = new Int32Array(enciphered.length);
    const chunk = Math.min(BACK_CHUNK, count);
    const view = new DataView(new ArrayBuffer(chunk * BLOCK));
    // The bits of a word are set one by one, starting from zero. `write` reads no bit after the prefix.
    const setBit = (i: number, bit: number, flipped: number): void => {
      const at = 4 * i + (bit >>> 5);
      plain[at]! |= (((enciphered[at]! >>> (31 - (bit & 31))) & 1) ^ flipped) << (31 - (bit & 31));
    };
    for (let start = 0; start < count; start += chunk) {
      const here = Math.min(chunk, count - start);
      for (let bit = 0; bit < 128; bit++) {
        if (here < BACK_ONE_BY_ONE) {
          for (let i = start; i < start + here; i++) {
            flip.write(scratch, 0, plain.subarray(4 * i, 4 * i + 4), bit);
            setBit(i, bit, answerOne(flip, scratch));
          }
          continue;
        }
        for (let i = 0; i < here; i++) {
          flip.write(view, i * BLOCK, plain.subarray(4 * (start + i), 4 * (start + i + 1)), bit);
        }
        const blocks = new Uint8Array(view.buffer, 0, here * BLOCK);
        const a = first(blocks);
        const b = second === null ? null : second(blocks);
        for (let i = 0; i < here; i++) setBit(start + i, bit, answer(a, b, i));
      }
    }
    return bytesOf(plain);
  }

  return { encryptV6, decryptV6 };
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getInt32(4 * i);
  return words;
}

function bytesOf(words: Int32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (let i = 0; i < words.length; i++) view.setInt32(4 * i, words[i]!);
  return new Uint8Array(view.buffer);
}
