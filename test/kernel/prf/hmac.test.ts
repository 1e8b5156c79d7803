import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hmacBytes } from '../../../src/kernel/prf/hmac.ts';
import { bytes, hex } from '../../helpers/hex.ts';
import { random } from '../../reference/random.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

interface Wycheproof {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly tagSize: number;
    readonly tests: readonly {
      readonly tcId: number;
      readonly key: string;
      readonly msg: string;
      readonly tag: string;
      readonly result: 'valid' | 'invalid';
    }[];
  }[];
}

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('Wycheproof: valid tags, whole and truncated, are met, and no invalid one is', () => {
    const file = sharedJson<Wycheproof>('vectors/wycheproof/hmac_sha256_test.json.gz');
    const counts = { valid: 0, invalid: 0, truncated: 0 };
    for (const { tagSize, tests } of file.testGroups) {
      for (const { tcId, key, msg, tag, result } of tests) {
        const computed = Buffer.from(hmacBytes(bytes(key))(bytes(msg)))
          .toString('hex')
          .slice(0, tagSize / 4);
        expect(computed === tag, `test ${tcId}`).toBe(result === 'valid');
        counts[result]++;
        if (tagSize < 256) counts.truncated++;
      }
    }
    expect(counts.valid + counts.invalid).toBe(file.numberOfTests);
    expect(counts.valid).toBeGreaterThan(60);
    expect(counts.invalid).toBeGreaterThan(100);
    expect(counts.truncated).toBeGreaterThan(80);
  });
});

describe('RFC 4231', () => {
  const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
  const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte);
  it.each([
    ['4.2', filled(20, 0x0b), ascii('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      '4.3',
      ascii('Jefe'),
      ascii('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    ['4.4', filled(20, 0xaa), filled(50, 0xdd), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
    [
      '4.5',
      Uint8Array.from({ length: 25 }, (_, i) => i + 1),
      filled(50, 0xcd),
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    ],
    ['4.6, truncated', filled(20, 0x0c), ascii('Test With Truncation'), 'a3b6167473100ee06e0c796c2955552b'],
    [
      '4.7',
      filled(131, 0xaa),
      ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
    [
      '4.8',
      filled(131, 0xaa),
      ascii(
        'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be ' +
          'hashed before being used by the HMAC algorithm.',
      ),
      '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    ],
  ])('section %s', (_, key, message, tag) => {
    expect(hex(hmacBytes(key)(message)).slice(0, tag.length)).toBe(tag);
  });
});

describe('against node:crypto', () => {
  it('gives its tags for messages of every length from 0 to 300, under keys of every length from 0 to 130', () => {
    const { bytes } = random('hmac digest');
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let keyLength = 0; keyLength <= 130; keyLength += keyLength < 60 ? 7 : 1) {
      const key = bytes(keyLength);
      // One state for all messages: each must start from a clean copy.
      const mac = hmacBytes(key);
      for (let length = 0; length <= 300; length++) {
        const message = bytes(length);
        fast.update(mac(message));
        slow.update(createHmac('sha256', key).update(message).digest());
      }
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('37fbf2811c45b81dc20322e64753f4914c0852169331202da0019b914dae2167');
  });

  it('keeps its own copy of the key, and states of two keys do not meet', () => {
    const { bytes } = random('hmac keys');
    const [key, other, message] = [bytes(32), bytes(32), bytes(100)];
    const tag = createHmac('sha256', key).update(message).digest('hex');
    const otherTag = createHmac('sha256', other).update(message).digest('hex');
    const [a, b] = [hmacBytes(key), hmacBytes(other)];
    key.fill(0);
    for (let i = 0; i < 3; i++) {
      expect(hex(a(message))).toBe(tag);
      expect(hex(b(message))).toBe(otherTag);
    }
  });
});
