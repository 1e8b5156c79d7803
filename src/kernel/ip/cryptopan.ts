/**
 * Crypto-PAn: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization: Measurement-Based Security Evaluation
 * and a New Cryptography-Based Scheme", ICNP 2002 (https://doi.org/10.1109/ICNP.2002.1181415), section 4, with AES-128
 * as in the authors' program.
 *
 * Whether bit i of an address is flipped is the first bit of AES(k, its first i bits, then the last 128 - i bits of the
 * padding). A version 4 address is the first 32 bits of a block. Version 6, which is not in the paper, takes all 128
 * bits in the same way, as the ports of the program do.
 */

import { type Blocks, encryptWords, expandKey, manyBlocks } from '../aes/aes.ts';
import { type PrefixCipher, prefixCipher } from './prefix-cipher.ts';

/** Bytes of a key: 16 for AES-128, then 16 whose ciphertext is the padding. */
export const CRYPTOPAN_KEY = 32;

/**
 * Key set-up.
 *
 * @param key 32 bytes.
 * @param makeBlocks Key set-up of AES for many blocks. Tests pass the portable one.
 */
export function cryptoPanCipher(key: Uint8Array, makeBlocks: (key: Uint8Array) => Blocks = manyBlocks): PrefixCipher {
  const cipherKey = key.slice(0, 16);
  const keys = expandKey(cipherKey);
  const blocks = makeBlocks(cipherKey);
  const padding = Uint8Array.from(blocks(key.slice(16, 32)));
  const padded = new DataView(padding.buffer);
  const pad = Int32Array.from({ length: 4 }, (_, i) => padded.getInt32(4 * i));

  return prefixCipher({
    side: 'leading',
    write(view, at, address, length) {
      for (let i = 0; i < 4; i++) {
        const bits = length - 32 * i;
        // JavaScript shifts by 32 as by 0, so 0 and 32 bits are cases of their own.
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
