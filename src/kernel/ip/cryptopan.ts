/**
 * Crypto-PAn: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization: Measurement-Based Security Evaluation
 * and a New Cryptography-Based Scheme", ICNP 2002 (https://doi.org/10.1109/ICNP.2002.1181415), section 4, with AES-128
 * as in the authors' program.
 *
 * Bit i of an address is flipped by the first bit of AES(k, its first i bits, then the last 128 - i bits of the
 * padding). Version 4 addresses are the first 32 bits of a block; version 6, which the paper does not have, takes all
 * 128 bits in the same way, as the ports of the program do.
 */

import { type Blocks, encryptWords, expandKey, manyBlocks } from '../aes/aes.ts';
import { type PrefixCipher, prefixCipher } from './prefix-cipher.ts';

/** Bytes of a key: 16 of AES-128, then 16 whose encipherment is the padding. */
export const CRYPTOPAN_KEY = 32;

/**
 * @param key 32 bytes.
 * @param door For tests: the door for many blocks.
 */
export function cryptoPanCipher(key: Uint8Array, door: (key: Uint8Array) => Blocks = manyBlocks): PrefixCipher {
  const cipherKey = key.slice(0, 16);
  const keys = expandKey(cipherKey);
  const blocks = door(cipherKey);
  const padding = Uint8Array.from(blocks(key.slice(16, 32)));
  const padded = new DataView(padding.buffer);
  const pad = Int32Array.from({ length: 4 }, (_, i) => padded.getInt32(4 * i));

  return prefixCipher({
    side: 'leading',
    write(view, at, address, length) {
      for (let i = 0; i < 4; i++) {
        const bits = length - 32 * i;
        // A shift by 32 is none in JavaScript: 0 and 32 bits are cases of their own.
        const mask = bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
        view.setInt32(at + 4 * i, (address[i]! & mask) | (pad[i]! & ~mask));
      }
    },
    first: blocks,
    second: null,
    // "The first bit" is the most significant bit of the first byte.
    tap: 0,
    shift: 7,
    one: (s0, s1, s2, s3) => (encryptWords(keys, s0, s1, s2, s3).s0 >>> 7) & 1,
  });
}
