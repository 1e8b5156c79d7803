import { createHash, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hkdfSha256 } from '../../src/kernel/hkdf.ts';
import { random } from '../reference/random.ts';
import { sharedIsThere, sharedJson } from '../shared.ts';

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

const hex = (value: string) => new Uint8Array(Buffer.from(value, 'hex'));

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('Wycheproof: output keying material, and sizes above 255 blocks refused', () => {
    const file = sharedJson<Wycheproof>('vectors/wycheproof/hkdf_sha256_test.json.gz');
    const counts = { valid: 0, invalid: 0 };
    for (const { tests } of file.testGroups) {
      for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
        const run = () => Buffer.from(hkdfSha256(hex(ikm), hex(salt), hex(info), size)).toString('hex');
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
