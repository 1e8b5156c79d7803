/**
 * ipcrypt-pfx: draft-denis-ipcrypt-13 (https://datatracker.ietf.org/doc/draft-denis-ipcrypt/), sections 6.2 and 9.6.
 *
 * Whether a bit is flipped is the last bit of AES(K1, P) ⊕ AES(K2, P), where P is zeros, a 1, and then the bits before
 * it. A version 4 address is the last 32 bits of ::ffff:a.b.c.d, whose first 96 bits stay as they are.
 */

import { type Blocks, encryptWords, expandKey, manyBlocks } from '../aes/aes.ts';
import { type PrefixCipher, prefixCipher } from './prefix-cipher.ts';

/** Bytes of a key: K1, then K2. */
export const PFX_KEY = 32;

/**
 * Key set-up.
 *
 * @param key 32 bytes. The two halves must differ (section 6.2.2), which the caller has checked.
 * @param makeBlocks Key set-up of AES for many blocks. Tests pass the portable one.
 */
export function ipcryptPfxCipher(key: Uint8Array, makeBlocks: (key: Uint8Array) => Blocks = manyBlocks): PrefixCipher {
  const k1 = key.slice(0, 16);
  const k2 = key.slice(16, 32);
  const keys1 = expandKey(k1);
  const keys2 = expandKey(k2);

  return prefixCipher({
    side: 'trailing',
    // 6.2.1, step 1: zeros || 1 || prefix, which is (1 || address) shifted right by 128 - length.
    write(view, at, address, length) {
      const words = (128 - length) >>> 5;
      const bits = (128 - length) & 31;
      // The words of zeros || 1 || address, in which the word at index -1 is the 1.
      let high = words === 0 ? 1 : 0;
      for (let i = 0; i < 4; i++) {
        const from = i - words;
        const low = from >= 0 ? address[from]! : from === -1 ? 1 : 0;
        // In two steps, because JavaScript shifts by 32 as by 0.
        view.setInt32(at + 4 * i, (low >>> bits) | ((high << 1) << (31 - bits)));
        high = low;
      }
    },
    // Step 2: e1 ⊕ e2.
    first: makeBlocks(k1),
    second: makeBlocks(k2),
    // Step 3: the least significant bit, which is in the last byte.
    tap: 15,
    shift: 0,
    // Byte 15 is the highest byte of the last little-endian word.
    one: (s0, s1, s2, s3) =>
      ((encryptWords(keys1, s0, s1, s2, s3).s3 ^ encryptWords(keys2, s0, s1, s2, s3).s3) >>> 24) & 1,
  });
}
