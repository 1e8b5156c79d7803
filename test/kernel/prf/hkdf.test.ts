import { createHash, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hkdfSha256 } from '../../../src/kernel/prf/hkdf.ts';
import { bytes, hex } from '../../helpers/hex.ts';
import { random } from '../../reference/random.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

interface Wycheproof {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number;
      readonly ikm: string;
      readonly salt: string;
      readonly info: string;
      readonly size: number;
      readonly okm: string;
      readonly result: 'valid' | 'invalid';
    }[];
  }[];
}

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('Wycheproof: output keying material, and sizes above 255 blocks refused', () => {
    const file = sharedJson<Wycheproof>('vectors/wycheproof/hkdf_sha256_test.json.gz');
    const counts = { valid: 0, invalid: 0 };
    for (const { tests } of file.testGroups) {
      for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
        const run = () => hex(hkdfSha256(bytes(ikm), bytes(salt), bytes(info), size));
        if (result === 'valid') expect(run(), `test ${tcId}`).toBe(okm);
        else expect(run, `test ${tcId}`).toThrow();
        counts[result]++;
      }
    }
    expect(counts.valid + counts.invalid).toBe(file.numberOfTests);
    expect(counts.valid).toBeGreaterThan(80);
    expect(counts.invalid).toBeGreaterThan(0);
  });
});

describe('RFC 5869', () => {
  const range = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);
  it.each([
    [
      'A.1',
      new Uint8Array(22).fill(0x0b),
      range(0x00, 0x0c),
      range(0xf0, 0xf9),
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      'A.2',
      range(0x00, 0x4f),
      range(0x60, 0xaf),
      range(0xb0, 0xff),
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09' +
        'da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    ],
    [
      'A.3',
      new Uint8Array(22).fill(0x0b),
      new Uint8Array(0),
      new Uint8Array(0),
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ])('%s', (_, ikm, salt, info, okm) => {
    expect(hex(hkdfSha256(ikm, salt, info, okm.length / 2))).toBe(okm);
  });

  it('gives up to 255 blocks, the shorter the beginning of the longer, and no more', () => {
    const [ikm, salt, info] = [range(0, 31), range(1, 9), range(5, 80)];
    const most = hkdfSha256(ikm, salt, info, 8160);
    for (const length of [0, 1, 31, 32, 33, 64, 65, 8159]) {
      expect(hkdfSha256(ikm, salt, info, length)).toEqual(most.slice(0, length));
    }
    expect(() => hkdfSha256(ikm, salt, info, 8161)).toThrow(new RangeError('HKDF returns at most 8160 bytes'));
  });
});

describe('against node:crypto', () => {
  it('gives its bytes over 2,000 pseudo-random cases', () => {
    const { bytes, below } = random('hkdf digest');
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let i = 0; i < 2000; i++) {
      const [ikm, salt, info] = [bytes(1 + below(100)), bytes(below(100)), bytes(below(200))];
      const length = i % 50 === 0 ? 255 * 32 : 1 + below(200);
      fast.update(hkdfSha256(ikm, salt, info, length));
      slow.update(new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)));
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('634640afdee68dd87bf5aa66e18c115f0844e3b9deab6f869b56e589e4df7c99');
  });
});
