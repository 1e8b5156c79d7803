/**
 * ipcrypt-pfx (draft-denis-ipcrypt, https://datatracker.ietf.org/doc/draft-denis-ipcrypt/), bit by bit, with the AES of
 * @noble/ciphers. Each bit takes two blocks, one under each half of the key. Both keys are expanded once, by noble's
 * `unsafe` functions, because its `ecb` would expand them again for every block.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import { readV4, writeV4 } from './addresses.mjs';

export function pfxPerBit(key) {
  const first = unsafe.expandKeyLE(key.subarray(0, 16));
  const second = unsafe.expandKeyLE(key.subarray(16, 32));
  const prefix = new Uint8Array(16);
  const one = new Uint8Array(16);
  const two = new Uint8Array(16);

  /** The last bit of AES(K1, prefix) xor AES(K2, prefix). */
  function bitOf() {
    one.set(prefix);
    two.set(prefix);
    unsafe.encryptBlock(first, one);
    unsafe.encryptBlock(second, two);
    return (one[15] ^ two[15]) & 1;
  }

  /** Appends a bit to the prefix. */
  function append(bit) {
    for (let i = 0; i < 15; i++) prefix[i] = (prefix[i] << 1) | (prefix[i + 1] >>> 7);
    prefix[15] = (prefix[15] << 1) | bit;
  }

  /** Begins with the prefix of mapped version 4 addresses, ::ffff:0:0/96, after the 1 that marks its length. */
  function begin() {
    prefix.fill(0);
    prefix[3] = 1;
    prefix[14] = 0xff;
    prefix[15] = 0xff;
  }

  return {
    encrypt(text) {
      const address = readV4(text);
      let out = 0;
      begin();
      for (let i = 31; i >= 0; i--) {
        const bit = (address >>> i) & 1;
        out = ((out << 1) | (bit ^ bitOf())) >>> 0;
        append(bit);
      }
      return writeV4(out);
    },
  };
}
