import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp } from '../../../src/core/ip.ts';
import { portableBlocks } from '../../../src/kernel/aes/aes.ts';
import { cryptoPanCipher } from '../../../src/kernel/ip/cryptopan.ts';
import { ipcryptPfxCipher } from '../../../src/kernel/ip/ipcrypt-pfx.ts';
import type { PrefixCipher } from '../../../src/kernel/ip/prefix-cipher.ts';
import { bytes } from '../../helpers/hex.ts';
import { cryptoPanReference, pfxReference, toBits } from '../../reference/ip.ts';
import { random } from '../../reference/random.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

interface Vectors {
  readonly sets: readonly {
    readonly key: string;
    readonly ipv4: readonly (readonly [string, string])[];
    readonly ipv6: readonly (readonly [string, string])[];
  }[];
}

const v4 = (text: string) => Buffer.from(parseIp(text)!).readUInt32BE();

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('Crypto-PAn: every pair, both ways', () => {
    let pairs = 0;
    for (const { key, ipv4, ipv6 } of sharedJson<Vectors>('vectors/ip/cryptopan.json').sets) {
      const cipher = cryptoPanCipher(bytes(key));
      for (const [plain, encrypted] of ipv4) {
        expect(cipher.encryptV4(v4(plain))).toBe(v4(encrypted));
        expect(cipher.decryptV4(v4(encrypted))).toBe(v4(plain));
        pairs++;
      }
      for (const [plain, encrypted] of ipv6) {
        expect(formatIp(cipher.encryptV6(parseIp(plain)!))).toBe(encrypted);
        expect(formatIp(cipher.decryptV6(parseIp(encrypted)!))).toBe(plain);
        pairs++;
      }
    }
    expect(pairs).toBeGreaterThan(90);
  });
});

const ciphers = [
  {
    name: 'Crypto-PAn',
    make: cryptoPanCipher,
    reference: cryptoPanReference,
    digest: '4827238e5ea38c3daf638ee7c85ff39201032f4f82959c7e50be3e9542f87744',
  },
  {
    name: 'ipcrypt-pfx',
    make: ipcryptPfxCipher,
    reference: pfxReference,
    digest: 'f827a8cdce49d9c540306d63d596bd37db9dfdd5fcc587a6488c1262f411d096',
  },
] as const;

const numberOf = (bytes: Buffer) => bytes.readUInt32BE();

describe.each(ciphers)('$name', ({ name, make, reference, digest }) => {
  it('gives the digest of the bit-by-bit form over 4000 addresses of version 4 and 200 of version 6', () => {
    const { bytes, below } = random(`${name} digest`);
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let keys = 0; keys < 20; keys++) {
      const key = bytes(32);
      const cipher = make(key);
      for (let i = 0; i < 200; i++) {
        // Corners: addresses that are nearly all ones or zeros.
        const address = below(8) === 0 ? Buffer.alloc(4, below(2) * 255) : bytes(4);
        address[below(4)]! ^= 1 << below(8);
        const number = numberOf(address);
        fast.update(`${cipher.encryptV4(number)},${cipher.decryptV4(number)};`);
        slow.update(`${numberOf(reference('encrypt', key, address))},${numberOf(reference('decrypt', key, address))};`);
      }
      for (let i = 0; i < 10; i++) {
        const address = bytes(16);
        fast.update(cipher.encryptV6(address)).update(cipher.decryptV6(address));
        slow.update(reference('encrypt', key, address)).update(reference('decrypt', key, address));
      }
    }
    const result = fast.digest('hex');
    expect(result).toBe(slow.digest('hex'));
    expect(result).toBe(digest);
  });

  it('gives a column what it gives one, before there is a table and after, with and without node:crypto', () => {
    const { bytes } = random(`${name} columns`);
    const key = bytes(32);
    const plain = make(key);
    const portable = make(key, portableBlocks);
    // Without a table, just below its making, with one, over several chunks.
    for (const length of [0, 1, 2, 31, 33, 65, 600, 1023, 1024, 3000]) {
      const column = Uint32Array.from({ length }, () => bytes(4).readUInt32BE());
      const fresh: readonly PrefixCipher[] = [make(key), make(key, portableBlocks)];
      const encrypted = fresh[0]!.encryptV4Many(column);
      expect(fresh[1]!.encryptV4Many(column)).toEqual(encrypted);
      expect(Uint32Array.from(column, (address) => plain.encryptV4(address))).toEqual(encrypted);
      expect(Uint32Array.from(column, (address) => portable.encryptV4(address))).toEqual(encrypted);
      for (const cipher of [make(key), make(key, portableBlocks), plain, portable]) {
        expect(cipher.decryptV4Many(encrypted)).toEqual(column);
      }
      expect(Uint32Array.from(encrypted, (address) => plain.decryptV4(address))).toEqual(column);
    }
    // More than a chunk going back.
    const long = Uint32Array.from({ length: 2500 }, (_, i) => Math.imul(i, 2654435761) >>> 0);
    expect(plain.decryptV4Many(plain.encryptV4Many(long))).toEqual(long);
  });

  it('gives for a column of version 6 what it gives for one, with and without node:crypto', () => {
    const { bytes } = random(`${name} columns of version 6`);
    const key = bytes(32);
    const [cipher, portable] = [make(key), make(key, portableBlocks)];
    for (const count of [0, 1, 7, 8, 16, 17, 40]) {
      const column = new Uint8Array(bytes(16 * count));
      const encrypted = cipher.encryptV6(column);
      const single = Array.from({ length: count }, (_, i) => cipher.encryptV6(column.subarray(16 * i, 16 * i + 16)));
      expect(Buffer.concat(single).equals(encrypted)).toBe(true);
      expect(portable.encryptV6(column)).toEqual(encrypted);
      expect(cipher.decryptV6(encrypted)).toEqual(column);
      expect(portable.decryptV6(encrypted)).toEqual(column);
    }
  });

  it('keeps the length of the common prefix, no more and no less', () => {
    const { bytes, below } = random(`${name} prefixes`);
    const cipher = make(bytes(32));
    const common = (a: Uint8Array, b: Uint8Array) => {
      const [x, y] = [toBits(a), toBits(b)];
      return [...x].findIndex((bit, i) => bit !== y[i]);
    };
    const encryptV4 = (address: Buffer) => {
      const out = Buffer.alloc(4);
      out.writeUInt32BE(cipher.encryptV4(address.readUInt32BE()));
      return out;
    };
    for (const { size, encrypt, cases } of [
      { size: 4, encrypt: encryptV4, cases: 3000 },
      { size: 16, encrypt: cipher.encryptV6, cases: 200 },
    ]) {
      for (let i = 0; i < cases; i++) {
        const first = bytes(size);
        const second = bytes(size);
        const shared = below(8 * size);
        // The second has the first one's bits up to one that differs.
        for (let bit = 0; bit <= shared; bit++) {
          const mask = 128 >> (bit & 7);
          const set = (first[bit >> 3]! & mask) ^ (bit === shared ? mask : 0);
          second[bit >> 3] = (second[bit >> 3]! & ~mask) | set;
        }
        expect(common(encrypt(first), encrypt(second))).toBe(shared);
      }
    }
  });

  it('is a bijection on the networks of 16 bits', () => {
    const cipher = make(random(`${name} bijection`).bytes(32));
    const column = Uint32Array.from({ length: 65_536 }, (_, network) => network * 65_536);
    expect(new Set(cipher.encryptV4Many(column).map((address) => address >>> 16)).size).toBe(65_536);
  });

  it('does not follow the key that the caller changes afterwards', () => {
    const { bytes } = random(`${name} copies`);
    const key = bytes(32);
    const [held, copy] = [make(key), make(Uint8Array.from(key))];
    key.fill(0);
    expect(held.encryptV4(1)).toBe(copy.encryptV4(1));
    expect(held.decryptV4(1)).toBe(copy.decryptV4(1));
  });
});
