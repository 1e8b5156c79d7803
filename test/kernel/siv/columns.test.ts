import { aessiv } from '@noble/ciphers/aes.js';
import { describe, expect, it } from 'vitest';
import { type Blocks, expandKey, manyBlocks, portableBlocks } from '../../../src/kernel/aes/aes.ts';
import { cmac, dbl } from '../../../src/kernel/aes/cmac.ts';
import { bareSiv, SIV_LENGTH, SLOTS, type Under, type Values } from '../../../src/kernel/siv/columns.ts';
import { checkedValues, knownAnswer } from '../../../src/kernel/siv/self-test.ts';
import { aesSiv } from '../../../src/kernel/siv/siv.ts';
import { bytes, hex } from '../../helpers/hex.ts';
import { sivDecrypt, sivEncrypt } from '../../reference/seal.ts';
import { source } from '../../reference/texts.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

const WAYS = [
  ['node:crypto', manyBlocks],
  ['portable', portableBlocks],
] as const;

/** Values of one length with gaps between them. A gap may hold anything, except in the space that the kernel needs. */
function layOut(texts: readonly Uint8Array[], at = 3, gap = 5): { bytes: Uint8Array; values: Values } {
  const length = texts[0]!.length;
  const room = Math.max(16, 16 * Math.ceil(length / 16));
  const stride = SIV_LENGTH + room + gap;
  const bytes = new Uint8Array(at + texts.length * stride).fill(0xa5);
  texts.forEach((text, k) => {
    bytes.fill(0, at + k * stride + SIV_LENGTH, at + (k + 1) * stride - gap);
    bytes.set(text, at + k * stride + SIV_LENGTH);
  });
  return { bytes, values: { view: new DataView(bytes.buffer), at, stride, length, count: texts.length } };
}

/** V and text of each value. */
function pick(bytes: Uint8Array, { at, stride, length, count }: Values): Uint8Array[] {
  return Array.from({ length: count }, (_, k) => bytes.slice(at + k * stride, at + k * stride + SIV_LENGTH + length));
}

function sealMany(under: ReturnType<Under>, texts: readonly Uint8Array[]): Uint8Array[] {
  const { bytes, values } = layOut(texts);
  under.seal(values);
  for (let k = 0; k < texts.length; k++) {
    const end = values.at + (k + 1) * values.stride;
    expect(bytes.slice(end - 5, end)).toEqual(new Uint8Array(5).fill(0xa5));
  }
  return pick(bytes, values);
}

function openMany(under: ReturnType<Under>, sealed: readonly Uint8Array[]): (Uint8Array | null)[] {
  const { bytes, values } = layOut(sealed.map((z) => z.slice(SIV_LENGTH)));
  for (const [k, z] of sealed.entries()) bytes.set(z, values.at + k * values.stride);
  // The bytes after a ciphertext may be anything.
  const room = values.stride - 5 - SIV_LENGTH;
  for (let k = 0; k < sealed.length; k++) {
    const at = values.at + k * values.stride + SIV_LENGTH;
    bytes.fill(0x5a, at + values.length, at + room);
  }
  const verdicts = new Uint8Array(sealed.length).fill(7);
  under.open(values, verdicts);
  return pick(bytes, values).map((zp, k) => {
    const text = zp.slice(SIV_LENGTH);
    if (verdicts[k] === 1) return text;
    expect(verdicts[k]).toBe(0);
    expect(text).toEqual(new Uint8Array(values.length));
    return null;
  });
}

describe.each(WAYS)('against aessiv of @noble/ciphers, %s', (_, makeBlocks) => {
  it('many values of every length from 0 to 300, every length of key, associated data of 0 to 64 bytes', () => {
    const { below, bytes } = source(1);
    let cases = 0;
    for (let length = 0; length <= 300; length++) {
      const key = bytes([32, 48, 64][length % 3]!);
      const associated = bytes(below(65));
      const count = [1, 2, 7, 8, 9, 20, 3][length % 7]!;
      const under = bareSiv(key, makeBlocks)(associated);
      const texts = Array.from({ length: count }, () => bytes(length));
      const sealed = sealMany(under, texts);
      for (const [k, z] of sealed.entries()) expect(hex(z)).toBe(hex(aessiv(key, associated).encrypt(texts[k]!)));
      expect(openMany(under, sealed)).toEqual(texts);
      cases += count;
    }
    expect(cases).toBeGreaterThan(2000);
  });

  it('one by one, lengths in any order under one key', () => {
    const { below, bytes } = source(2);
    for (const keyLength of [32, 48, 64]) {
      const key = bytes(keyLength);
      const prepare = bareSiv(key, makeBlocks);
      for (let i = 0; i < 40; i++) {
        const associated = bytes(below(65));
        const under = prepare(associated);
        for (let j = 0; j < 10; j++) {
          const text = bytes(below(301));
          const z = sealMany(under, [text])[0]!;
          expect(hex(z)).toBe(hex(aessiv(key, associated).encrypt(text)));
          expect(openMany(under, [z])).toEqual([text]);
        }
      }
    }
  });

  it('the most values at once, and values of more blocks than go to AES at once', () => {
    const { bytes } = source(3);
    const key = bytes(64);
    const under = bareSiv(key, makeBlocks)(key);
    const sizes = [
      [SLOTS, 32],
      [SLOTS, 100],
      [700, 128],
      [3, 40_000],
      [1, 70_000],
    ] as const;
    for (const [count, length] of sizes) {
      const texts = Array.from({ length: count }, () => bytes(length));
      const sealed = sealMany(under, texts);
      for (let k = 0; k < count; k += 1 + (k % 97)) {
        expect(Buffer.from(sealed[k]!).equals(aessiv(key, key).encrypt(texts[k]!))).toBe(true);
      }
      const opened = openMany(under, sealed);
      for (let k = 0; k < count; k++) expect(Buffer.from(opened[k]!).equals(texts[k]!)).toBe(true);
    }
  });

  it('a changed value does not open, and its neighbours do', () => {
    const { below, bytes } = source(4);
    for (const [count, length] of [
      [1, 0],
      [1, 33],
      [20, 1],
      [20, 32],
      [9, 47],
    ] as const) {
      const under = bareSiv(bytes(48), makeBlocks)(bytes(9));
      const texts = Array.from({ length: count }, () => bytes(length));
      const sealed = sealMany(under, texts);
      for (let bit = 0; bit < (SIV_LENGTH + length) * 8; bit++) {
        const slot = below(count);
        const changed = sealed.map((z) => z.slice());
        changed[slot]![bit >> 3]! ^= 1 << (bit & 7);
        expect(openMany(under, changed)).toEqual(texts.map((text, k) => (k === slot ? null : text)));
      }
    }
  });

  it('counts on from a synthetic IV of ones as RFC 5297 says, without a carry out of the last word', () => {
    const given: string[] = [];
    const spy = (key: Uint8Array): Blocks => {
      const blocks = makeBlocks(key);
      return (buffer) => {
        given.push(hex(buffer));
        return blocks(buffer);
      };
    };
    const { bytes } = source(5);
    const key = bytes(64);
    const sealed = Uint8Array.of(...new Uint8Array(16).fill(0xff), ...bytes(160));
    expect(openMany(bareSiv(key, spy)(key), [sealed])).toEqual([null]);
    expect(sivDecrypt(key, sealed, key)).toBeNull();
    expect(given[0]).toBe(
      Array.from({ length: 10 }, (_, i) => {
        const Q = 0xffffffffffffffff7fffffff7fffffffn + BigInt(i);
        return Q.toString(16);
      }).join(''),
    );
  });

  it('gives the known answer', () => {
    expect(() => knownAnswer(makeBlocks)).not.toThrow();
  });
});

describe('published vectors', () => {
  it('RFC 5297, appendix A.1', () => {
    const siv = aesSiv(bytes('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'));
    const associated = bytes('101112131415161718191a1b1c1d1e1f2021222324252627');
    const plaintext = bytes('112233445566778899aabbccddee');
    const sealed = '85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c';
    expect(hex(siv.seal(plaintext, associated))).toBe(sealed);
    expect(siv.open(bytes(sealed), associated)).toEqual(plaintext);
  });

  it.each([
    ['', 'bb1d6929e95937287fa37d129b756746'],
    ['6bc1bee22e409f96e93d7e117393172a', '070a16b46b4d4144f79bdd9dd04a287c'],
    [
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411',
      'dfa66747de9ae63030ca32611497c827',
    ],
    [
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
        '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
      '51f0bebf7e3b9d92fc49741779363cfe',
    ],
  ])('RFC 4493, section 4: CMAC of %s', (message, tag) => {
    const { k1, k2, tag: tagOf } = cmac(expandKey(bytes('2b7e151628aed2a6abf7158809cf4f3c')));
    expect(hex(k1)).toBe('fbeed618357133667c85e08f7236a8de');
    expect(hex(k2)).toBe('f7ddac306ae266ccf90bc11ee46d513b');
    expect(hex(tagOf(bytes(message)))).toBe(tag);
  });

  it('RFC 5297, appendix A.1: doubling', () => {
    expect(hex(dbl(bytes('0e04dfafc1efbf040140582859bf073a')))).toBe('1c09bf5f83df7e080280b050b37e0e74');
    expect(hex(dbl(bytes('edf09de876c642ee4d78bce4ceedfc4f')))).toBe('dbe13bd0ed8c85dc9af179c99ddbf819');
  });

  it.skipIf(!sharedIsThere)('Wycheproof: CMAC', () => {
    const file = sharedJson<{
      testGroups: {
        keySize: number;
        tagSize: number;
        tests: { tcId: number; key: string; msg: string; tag: string; result: string }[];
      }[];
    }>('vectors/wycheproof/aes_cmac_test.json.gz');
    let run = 0;
    for (const { keySize, tagSize, tests } of file.testGroups) {
      if (![128, 192, 256].includes(keySize)) continue;
      for (const { tcId, key, msg, tag, result } of tests) {
        const computed = hex(cmac(expandKey(bytes(key))).tag(bytes(msg))).slice(0, tagSize / 4);
        expect(computed === tag, `test ${tcId}`).toBe(result === 'valid');
        run++;
      }
    }
    expect(run).toBeGreaterThan(200);
  });
});

describe('the two verbs', () => {
  it('are those of @noble/ciphers for any length, and take parts of larger arrays', () => {
    const { below, bytes } = source(6);
    for (let i = 0; i < 1500; i++) {
      const key = bytes([32, 48, 64][i % 3]!).subarray(0);
      const siv = aesSiv(key);
      const [text, associated] = [bytes(1 + below(301)).subarray(1), bytes(2 + below(65)).subarray(2)];
      const sealed = siv.seal(text, associated);
      expect(hex(sealed)).toBe(hex(aessiv(key, associated).encrypt(Uint8Array.from(text))));
      expect(hex(siv.open(sealed, associated)!)).toBe(hex(text));
      sealed[below(sealed.length)]! ^= 1 + below(255);
      expect(siv.open(sealed, associated)).toBeNull();
    }
  });

  it('prepared data is a copy', () => {
    const { bytes } = source(7);
    const [key, associated, text] = [bytes(64), bytes(20), bytes(32)];
    const before = sivEncrypt(key, text, associated);
    const under = aesSiv(key).under(associated);
    key.fill(0);
    associated.fill(0);
    expect(hex(sealMany(under, [text])[0]!)).toBe(hex(before));
    // So many values that one is computed again by noble, which needs key and data.
    const { values } = layOut(Array.from({ length: SLOTS }, () => text));
    for (let i = 0; i < 40; i++) under.seal({ ...values, length: 16 });
    expect(hex(sealMany(under, [text])[0]!)).toBe(hex(before));
  });
});

describe('a machine that computes wrongly is noticed', () => {
  const FAULT = 'the self-test of AES-SIV failed';

  it.each(WAYS)('by the known answer: %s', (_, makeBlocks) => {
    for (const bit of [0, 77, 127]) {
      const wrong = (key: Uint8Array): Blocks => {
        const blocks = makeBlocks(key);
        return (buffer) => {
          const out = Uint8Array.from(blocks(buffer));
          // One bit of one block of a call for eighteen, which is what two blocks of nine values are.
          if (buffer.length >= 18 * 16) out[16 * 8 + (bit >> 3)]! ^= 1 << (bit & 7);
          return out;
        };
      };
      expect(() => knownAnswer(wrong)).toThrow(FAULT);
    }
  });

  it('by the value that is done again, sealed and opened', () => {
    const { bytes } = source(8);
    const [key, associated] = [bytes(64), bytes(10)];
    const bare = bareSiv(key)(associated);
    const texts = Array.from({ length: 1000 }, () => bytes(32));
    const flip = ({ view, at, stride, count }: Values, place: number) => {
      for (let k = 0; k < count; k++)
        view.setUint8(at + k * stride + place, view.getUint8(at + k * stride + place) ^ 1);
    };
    for (const place of [0, 15, 16, 47]) {
      const wrong = checkedValues(
        {
          seal(values) {
            bare.seal(values);
            flip(values, place);
          },
          open(values, verdicts) {
            bare.open(values, verdicts);
            if (place < 16) verdicts.fill(0);
            else flip(values, place);
          },
        },
        key,
        associated,
      );
      const runs = (work: (values: Values) => void) => () => {
        for (let i = 0; i < 35; i++) work(layOut(texts).values);
      };
      expect(runs((values) => wrong.seal(values))).toThrow(FAULT);
      expect(
        runs((values) => {
          bare.seal(values);
          wrong.open(values, new Uint8Array(1000));
        }),
      ).toThrow(FAULT);
    }
  });

  it('what verifies and should not, too', () => {
    const { bytes } = source(9);
    const [key, associated] = [bytes(64), bytes(10)];
    const yes = checkedValues({ seal: () => {}, open: (_, verdicts) => void verdicts.fill(1) }, key, associated);
    const { values } = layOut([bytes(32)]);
    expect(() => {
      for (let i = 0; i < 40_000; i++) yes.open(values, new Uint8Array(1));
    }).toThrow(FAULT);
  });

  it('and one that computes rightly is left alone', () => {
    const { bytes } = source(10);
    const [key, associated] = [bytes(64), bytes(10)];
    const under = aesSiv(key).under(associated);
    const texts = Array.from({ length: SLOTS }, () => bytes(32));
    const right = aessiv(key, associated).encrypt(texts[5]!);
    for (let i = 0; i < 45; i++) {
      const sealed = sealMany(under, texts);
      expect(Buffer.from(sealed[5]!).equals(right)).toBe(true);
      if (i % 2 === 0) sealed[5]![0]! ^= 1;
      expect(openMany(under, sealed)[5]).toEqual(i % 2 === 0 ? null : texts[5]);
    }
  });
});
