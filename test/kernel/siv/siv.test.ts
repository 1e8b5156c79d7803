import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aesSiv, SIV_LENGTH } from '../../../src/kernel/siv/siv.ts';
import { bytes, hex } from '../../helpers/hex.ts';
import { random } from '../../reference/random.ts';
import { cmac, sivDecrypt, sivEncrypt } from '../../reference/seal.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

interface Wycheproof {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number;
      readonly key: string;
      readonly aad: string;
      readonly msg: string;
      readonly ct: string;
      readonly result: 'valid' | 'invalid';
    }[];
  }[];
}

interface WycheproofMac {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly keySize: number;
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
  it('Wycheproof: valid both ways, invalid does not open', () => {
    const file = sharedJson<Wycheproof>('vectors/wycheproof/aes_siv_cmac_test.json.gz');
    const counts = { valid: 0, invalid: 0 };
    for (const { tests } of file.testGroups) {
      for (const { tcId, key, aad, msg, ct, result } of tests) {
        const siv = aesSiv(bytes(key));
        const opened = siv.open(bytes(ct), bytes(aad));
        if (result === 'valid') {
          expect(hex(siv.seal(bytes(msg), bytes(aad))), `test ${tcId}`).toBe(ct);
          expect(hex(opened!), `test ${tcId}`).toBe(msg);
          expect(hex(sivEncrypt(bytes(key), bytes(msg), bytes(aad))), `test ${tcId}`).toBe(ct);
        } else {
          expect(opened, `test ${tcId}`).toBeNull();
          expect(sivDecrypt(bytes(key), bytes(ct), bytes(aad)), `test ${tcId}`).toBeNull();
        }
        counts[result]++;
      }
    }
    expect(counts.valid + counts.invalid).toBe(file.numberOfTests);
    expect(counts.valid).toBeGreaterThan(100);
    expect(counts.invalid).toBeGreaterThan(300);
  });

  it('Wycheproof: the CMAC of the reference is a CMAC', () => {
    const file = sharedJson<WycheproofMac>('vectors/wycheproof/aes_cmac_test.json.gz');
    let run = 0;
    for (const { keySize, tagSize, tests } of file.testGroups) {
      if (![128, 192, 256].includes(keySize)) continue;
      for (const { tcId, key, msg, tag, result } of tests) {
        const computed = hex(cmac(bytes(key), bytes(msg))).slice(0, tagSize / 4);
        expect(computed === tag, `test ${tcId}`).toBe(result === 'valid');
        run++;
      }
    }
    expect(run).toBeGreaterThan(200);
  });
});

describe('against RFC 5297 to the letter', () => {
  it('gives its bytes over 1,500 pseudo-random cases, and opens what the other sealed', () => {
    const { bytes, below } = random('siv digest');
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let i = 0; i < 1500; i++) {
      const key = bytes([32, 48, 64][i % 3]!);
      const [plaintext, associated] = [bytes(i < 200 ? i : below(300)), bytes(below(100))];
      const siv = aesSiv(key);
      const sealed = siv.seal(plaintext, associated);
      const reference = sivEncrypt(key, plaintext, associated);
      fast.update(sealed);
      slow.update(reference);
      expect(hex(siv.open(reference, associated)!)).toBe(hex(plaintext));
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('acc53761b6bad08b657cbdf1e2d79454c514294fd78aadf7a2f830a3324faade');
  });

  it('opens nothing that was changed in one bit, cut or lengthened, nor under other data or another key', () => {
    const { bytes } = random('siv damage');
    const [key, plaintext, associated] = [bytes(64), bytes(40), bytes(20)];
    const siv = aesSiv(key);
    const sealed = siv.seal(plaintext, associated);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(siv.open(changed, associated)).toBeNull();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(siv.open(sealed.subarray(0, length), associated)).toBeNull();
    }
    expect(siv.open(Uint8Array.of(...sealed, 0), associated)).toBeNull();
    expect(siv.open(sealed, Uint8Array.of(...associated, 0))).toBeNull();
    expect(siv.open(sealed, new Uint8Array(0))).toBeNull();
    expect(aesSiv(bytes(64)).open(sealed, associated)).toBeNull();
    expect(hex(siv.open(sealed, associated)!)).toBe(hex(plaintext));
  });

  it('keeps its own copy of the key, and one key seals many values', () => {
    const next = random('siv key');
    const [key, plaintext, associated] = [next.bytes(64), next.bytes(33), next.bytes(5)];
    const siv = aesSiv(key);
    const before = hex(siv.seal(plaintext, associated));
    key.fill(0);
    expect(hex(siv.seal(plaintext, associated))).toBe(before);
    expect(hex(siv.open(bytes(before), associated)!)).toBe(hex(plaintext));
    expect(before.length).toBe((33 + SIV_LENGTH) * 2);
  });
});
