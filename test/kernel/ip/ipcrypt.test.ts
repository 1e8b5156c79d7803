import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { portableBlocks } from '../../../src/kernel/aes/aes.ts';
import { invMixColumn } from '../../../src/kernel/aes/inverse.ts';
import {
  ipcryptDeterministicCipher,
  ipcryptNdCipher,
  ipcryptNdxCipher,
  type TweakedColumn,
} from '../../../src/kernel/ip/ipcrypt.ts';
import { deterministicReference, ndReference, ndxReference } from '../../reference/ip.ts';
import { random } from '../../reference/random.ts';

const ciphers = [
  {
    name: 'ipcrypt-nd',
    make: (key: Uint8Array): TweakedColumn => ipcryptNdCipher(key),
    reference: ndReference,
    keyBytes: 16,
    tweakBytes: 8,
    digest: '65c4fb19aa104a3501081b682397843bf382e93ee08f0be6d1e214c2a591e234',
  },
  {
    name: 'ipcrypt-ndx',
    make: ipcryptNdxCipher,
    reference: ndxReference,
    keyBytes: 32,
    tweakBytes: 16,
    digest: '78162301f9d5b0f8a1b2584b0e8edd00aff49c511cccdd9417be7b20d88377a2',
  },
  {
    name: 'ipcrypt-deterministic',
    make: (key: Uint8Array, makeBlocks?: typeof portableBlocks): TweakedColumn => {
      const { encrypt, decrypt } = ipcryptDeterministicCipher(key, makeBlocks);
      return { encrypt: (_, column) => encrypt(column), decrypt: (_, column) => decrypt(column) };
    },
    reference: (direction: 'encrypt' | 'decrypt', key: Uint8Array, _: Uint8Array, block: Uint8Array) =>
      deterministicReference(direction, key, block),
    keyBytes: 16,
    tweakBytes: 0,
    digest: '91c0b7471d35e3e0b8609c2124d073fd6de1b1a1d77144c695965a402b2de3f2',
  },
] as const;

describe.each(ciphers)('$name', ({ name, make, reference, keyBytes, tweakBytes, digest }) => {
  it('gives the digest of the literal form over 1000 blocks', () => {
    const { bytes } = random(`${name} digest`);
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let keys = 0; keys < 50; keys++) {
      const key = bytes(keyBytes);
      const cipher = make(key);
      for (let i = 0; i < 20; i++) {
        const [tweak, block] = [bytes(tweakBytes), bytes(16)];
        fast.update(cipher.encrypt(tweak, block)).update(cipher.decrypt(tweak, block));
        slow.update(reference('encrypt', key, tweak, block)).update(reference('decrypt', key, tweak, block));
      }
    }
    const result = fast.digest('hex');
    expect(result).toBe(slow.digest('hex'));
    expect(result).toBe(digest);
  });

  it('gives for a column what it gives for one, with and without node:crypto, and goes back', () => {
    const { bytes } = random(`${name} columns`);
    const key = bytes(keyBytes);
    const cipher = make(key);
    for (const count of [0, 1, 5, 6, 7, 100]) {
      // At an odd offset in its buffer, so that nothing may count on alignment.
      const [tweaks, column] = [bytes(1 + tweakBytes * count).subarray(1), bytes(1 + 16 * count).subarray(1)];
      const encrypted = Buffer.from(cipher.encrypt(tweaks, column));
      const single = Array.from({ length: count }, (_, i) =>
        Buffer.from(
          cipher.encrypt(tweaks.subarray(tweakBytes * i, tweakBytes * (i + 1)), column.subarray(16 * i, 16 * (i + 1))),
        ),
      );
      expect(Buffer.concat(single).equals(encrypted)).toBe(true);
      expect(encrypted.equals(make(key, portableBlocks).encrypt(tweaks, column))).toBe(true);
      expect(column.equals(cipher.decrypt(tweaks, encrypted))).toBe(true);
    }
  });
});

describe('invMixColumn', () => {
  it('gives the columns of FIPS 197, section 5.3.3, for every single byte, and is linear', () => {
    const { below } = random('invMixColumn');
    const times = (a: number, b: number) => {
      let product = 0;
      for (let i = 0; i < 8; i++) if ((b >> i) & 1) product ^= a << i;
      for (let i = 14; i >= 8; i--) if ((product >> i) & 1) product ^= 0x11b << (i - 8);
      return product;
    };
    const column = [14, 9, 13, 11];
    for (let byte = 0; byte < 256; byte++) {
      for (let row = 0; row < 4; row++) {
        const expected = column.reduce((word, by, i) => word | (times(byte, by) << (8 * ((row + i) % 4))), 0);
        expect(invMixColumn(byte << (8 * row)) >>> 0).toBe(expected >>> 0);
      }
      const [a, b] = [below(2 ** 32), below(2 ** 32)];
      expect(invMixColumn(a ^ b)).toBe(invMixColumn(a) ^ invMixColumn(b));
    }
  });
});
