/**
 * Crypto-PAn (Xu, Fan, Ammar, Moon: "Prefix-Preserving IP Address Anonymization", ICNP 2002) as it is usually
 * implemented. For each bit of the address, the bits before it, filled up with the pad, are encrypted with AES. The
 * first bit of the result is xored with the bit of the address. Each bit takes one call of node:crypto, on one cipher
 * object and one buffer.
 */
import { createCipheriv } from 'node:crypto';
import { readV4, writeV4 } from './addresses.mjs';

export function cryptoPanPerBit(key) {
  // The first half of the key is the AES key. The second half, encrypted under it, is the pad.
  const cipher = createCipheriv('aes-128-ecb', key.subarray(0, 16), null).setAutoPadding(false);
  const pad = Uint8Array.from(cipher.update(key.subarray(16, 32)));
  const firstWord = ((pad[0] << 24) | (pad[1] << 16) | (pad[2] << 8) | pad[3]) >>> 0;
  const block = Uint8Array.from(pad);

  function oneTimePad(address) {
    let bits = 0;
    for (let i = 0; i < 32; i++) {
      const mask = i === 0 ? 0 : (0xffffffff << (32 - i)) >>> 0;
      const word = ((address & mask) | (firstWord & ~mask)) >>> 0;
      block[0] = word >>> 24;
      block[1] = word >>> 16;
      block[2] = word >>> 8;
      block[3] = word;
      bits = ((bits << 1) | (cipher.update(block)[0] >>> 7)) >>> 0;
    }
    return bits;
  }

  return {
    encrypt(text) {
      const address = readV4(text);
      return writeV4((address ^ oneTimePad(address)) >>> 0);
    },
  };
}
