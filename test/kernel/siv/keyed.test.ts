/**
 * AES-SIV for values that each have a key of their own, in TypeScript and in WebAssembly: compared with @noble/ciphers
 * and with RFC 5297 literally, and with damaged values.
 */
import { type Cipher, createCipheriv, createDecipheriv, createHash, type Decipher } from 'node:crypto';
import { aessiv } from '@noble/ciphers/aes.js';
import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/core/bytes.ts';
import { dbl } from '../../../src/kernel/aes/cmac.ts';
import { SIV_LENGTH } from '../../../src/kernel/siv/columns.ts';
import { openEach, sealEach } from '../../../src/kernel/siv/keyed.ts';
import { plainEngine } from '../../../src/kernel/siv/keyed-plain.ts';
import { wasmEngine } from '../../../src/kernel/siv/keyed-wasm.ts';
import { bytes, hex } from '../../helpers/hex.ts';
import { cmac, sivEncrypt } from '../../reference/seal.ts';
import { source } from '../../reference/texts.ts';

const KEYS = [32, 48, 64] as const;

const wasm = wasmEngine();

it('WebAssembly with vectors is there', () => expect(wasm).not.toBeNull());

describe.each([
  ['in TypeScript', plainEngine],
  ['in WebAssembly', wasm ?? plainEngine],
] as const)('%s', (_, engine) => {
  /** One key for one value at a time. */
  const keyed = (key: Uint8Array) => ({
    seal: (text: Uint8Array, data: Uint8Array | null) =>
      sealEach({ keys: key, keyLength: key.length }, [text], data === null ? null : [data], engine)[0]!,
    open: (sealed: Uint8Array, data: Uint8Array | null) =>
      openEach({ keys: key, keyLength: key.length }, [sealed], data === null ? null : [data], 0, engine)[0]!,
  });
  const sealOnce = (key: Uint8Array, text: Uint8Array) => keyed(key).seal(text, null);
  const openOnce = (key: Uint8Array, sealed: Uint8Array) => keyed(key).open(sealed, null);

  describe.each(KEYS)('a key of %i bytes', (keyLength) => {
    it('every length from 0 to 100 is as @noble/ciphers and the reference have it, and comes back', () => {
      const { bytes } = source(1000 + keyLength);
      for (let length = 0; length <= 100; length++) {
        const [key, text] = [bytes(keyLength), bytes(length)];
        const sealed = sealOnce(key, text);
        expect(hex(sealed)).toBe(hex(aessiv(key).encrypt(text)));
        expect(hex(sealed)).toBe(hex(sivEncrypt(key, text)));
        expect(openOnce(key, sealed)).toEqual(text);
      }
    });

    it('a sealed text with any byte changed, cut anywhere or longer does not open', () => {
      const { bytes, below } = source(2000 + keyLength);
      for (const length of [0, 1, 15, 16, 17, 21, 32, 64]) {
        const [key, text] = [bytes(keyLength), bytes(length)];
        const sealed = sealOnce(key, text);
        for (let at = 0; at < sealed.length; at++) {
          const changed = sealed.slice();
          changed[at]! ^= 1 << below(8);
          expect(openOnce(key, changed)).toBeNull();
          expect(openOnce(key, sealed.slice(0, at))).toBeNull();
          expect(openOnce(key, sealed.slice(at + 1))).toBeNull();
        }
        expect(openOnce(key, Uint8Array.of(...sealed, 0))).toBeNull();
        expect(openOnce(key, Uint8Array.of(0, ...sealed))).toBeNull();
      }
    });

    it('no other key opens it', () => {
      const { bytes } = source(3000 + keyLength);
      const [key, text] = [bytes(keyLength), bytes(40)];
      const sealed = sealOnce(key, text);
      for (let at = 0; at < keyLength; at++) {
        const other = key.slice();
        other[at]! ^= 0x10;
        expect(openOnce(other, sealed)).toBeNull();
      }
    });
  });

  it('1,000 cases of up to 300 bytes, also parts of larger arrays, are as @noble/ciphers has them', () => {
    const { bytes, below } = source(1);
    const digest = createHash('sha256');
    for (let i = 0; i < 1000; i++) {
      const key = bytes(3 + KEYS[i % 3]!).subarray(3);
      const text = bytes(1 + below(301)).subarray(1);
      const before = hex(key) + hex(text);
      const sealed = sealOnce(key, text);
      expect(hex(sealed)).toBe(hex(aessiv(Uint8Array.from(key)).encrypt(Uint8Array.from(text))));
      expect(sealed).toHaveLength(SIV_LENGTH + text.length);
      expect(hex(openOnce(key, Uint8Array.of(9, ...sealed, 9).subarray(1, -1))!)).toBe(hex(text));
      expect(hex(key) + hex(text)).toBe(before);
      digest.update(sealed);
    }
    expect(digest.digest('hex')).toBe('61db86fd6e3c5bb9d9b02bedc4b3f23a1e66d71e652dac67e96d1dbe8c35df7b');
  });

  describe('with associated data', () => {
    it('1,000 cases are as @noble/ciphers and the reference have them, many under one key', () => {
      const { bytes, below } = source(2);
      for (let i = 0; i < 40; i++) {
        const key = bytes(KEYS[i % 3]!);
        const siv = keyed(key);
        for (let j = 0; j < 25; j++) {
          const [text, associated] = [bytes(below(301)), bytes(j < 3 ? 16 * j : below(80))];
          const sealed = siv.seal(text, associated);
          expect(hex(sealed)).toBe(hex(aessiv(key, associated).encrypt(text)));
          expect(hex(sealed)).toBe(hex(sivEncrypt(key, text, associated)));
          expect(siv.open(sealed, associated)).toEqual(text);
          expect(siv.open(sealed, Uint8Array.of(...associated, 0))).toBeNull();
          expect(siv.open(sealed, null)).toBeNull();
          if (associated.length === 0) continue;
          associated[below(associated.length)]! ^= 0x40;
          expect(siv.open(sealed, associated)).toBeNull();
        }
      }
    });

    it('none is not the same as an empty string', () => {
      const { bytes } = source(3);
      const [key, text] = [bytes(64), bytes(33)];
      const siv = keyed(key);
      const none = new Uint8Array(0);
      expect(siv.seal(text, null)).toEqual(sealOnce(key, text));
      expect(siv.open(siv.seal(text, none), null)).toBeNull();
      expect(siv.open(siv.seal(text, null), none)).toBeNull();
    });
  });

  it('texts of all sizes in turn, under several keys, leave nothing to each other', () => {
    const { bytes, below } = source(4);
    const keys = KEYS.map((length) => bytes(length));
    const sivs = keys.map(keyed);
    const lengths = [5, 70_000, 3, 1000, 1007, 1008, 1024, 0, 16, 40_001, 15, 1_048_576, 1];
    for (const [i, length] of [...lengths, ...lengths.toReversed()].entries()) {
      const k = below(3);
      const [text, associated] = [bytes(length), i % 2 === 0 ? null : bytes(lengths[(i * 5) % 11]!)];
      const sealed = sivs[k]!.seal(text, associated);
      const right = associated === null ? aessiv(keys[k]!) : aessiv(keys[k]!, associated);
      expect(Buffer.from(sealed).equals(right.encrypt(text))).toBe(true);
      expect(Buffer.from(sivs[k]!.open(sealed, associated)!).equals(text)).toBe(true);
    }
  });

  it('counts on from a synthetic IV of ones as RFC 5297 says, without a carry out of the last word', () => {
    const { bytes } = source(5);
    const [key, begin, V] = [bytes(64), bytes(160), new Uint8Array(16).fill(0xff)];
    const k1 = key.subarray(0, 32);
    const zero = new Uint8Array(16);
    const block = (cipher: Cipher | Decipher, input: Uint8Array) => cipher.setAutoPadding(false).update(input);
    // Anyone with the key can choose V: V = AES(X xor last xor D xor subkey), X the CBC-MAC of what is before the last
    // block.
    const X = block(createCipheriv('aes-256-cbc', k1, zero), begin).subarray(-16);
    const subkey = dbl(block(createCipheriv('aes-256-ecb', k1, null), zero));
    const last = Uint8Array.from(block(createDecipheriv('aes-256-ecb', k1, null), V));
    for (const part of [X, cmac(k1, zero), subkey]) for (let i = 0; i < 16; i++) last[i]! ^= part[i]!;
    const text = Uint8Array.of(...begin, ...last);
    const sealed = sealOnce(key, text);
    expect(hex(sealed.slice(0, 16))).toBe('f'.repeat(32));
    expect(hex(sealed)).toBe(hex(sivEncrypt(key, text)));
    expect(hex(sealed)).toBe(hex(aessiv(key).encrypt(text)));
    expect(openOnce(key, sealed)).toEqual(text);
  });

  describe('published vectors', () => {
    it('RFC 5297, appendix A.1', () => {
      const siv = keyed(bytes('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'));
      const associated = bytes('101112131415161718191a1b1c1d1e1f2021222324252627');
      const plaintext = bytes('112233445566778899aabbccddee');
      const sealed = '85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c';
      expect(hex(siv.seal(plaintext, associated))).toBe(sealed);
      expect(siv.open(bytes(sealed), associated)).toEqual(plaintext);
    });
  });

  describe('computed with the AESSIV of the cryptography package of Python', () => {
    const key = bytes('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
    it.each([
      ['112233445566778899aabbccddee', 'f1c5fdeac1f15a26779c1501f9fb758827e946c669088ab06da58c5c831c'],
      ['112233445566778899aabbccddeeff00', '6e068ffe8c0bcac7cec44347b9d27516987488d34958561d54367f3bc022a979'],
      ['112233445566778899aabbccddeeff0011', 'eb511fc5f34dcb889b66d20ff5aacb48c5e30d8a0de32370eb46371eef79acb2d0'],
    ])('%s', (text, sealed) => {
      expect(hex(sealOnce(key, bytes(text)))).toBe(sealed);
      expect(hex(openOnce(key, bytes(sealed))!)).toBe(text);
    });
  });

  it.each(KEYS)('columns of keys of %i bytes: what does not open stands between what does', (keyLength) => {
    const { bytes, below } = source(6000 + keyLength);
    for (const [count, most] of [
      [0, 70],
      [1, 70],
      [2, 70],
      [3, 70],
      [1023, 70],
      [1024, 70],
      [1025, 70],
      [2500, 70],
      // More than fits in the memory of WebAssembly at once.
      [1000, 2000],
    ] as const) {
      const texts = Array.from({ length: count }, (_, i) => bytes(i % 100 === 7 ? below(5000) : below(most)));
      // And one value that does not fit at all.
      if (count === 1000) texts[500] = bytes(600_000);
      const data = Array.from({ length: count }, () => bytes(below(40)));
      const keys = { keys: bytes(count * keyLength), keyLength };
      for (const associated of [null, data]) {
        const sealed = sealEach(keys, texts, associated, engine);
        for (let i = 0; i < count; i += 1 + below(50)) {
          const key = keys.keys.slice(i * keyLength, (i + 1) * keyLength);
          const expected = sivEncrypt(key, texts[i]!, ...(associated === null ? [] : [data[i]!]));
          expect(hex(sealed[i]!)).toBe(hex(expected));
        }
        const broken = sealed.map((one, i) => {
          const given = concat([Uint8Array.of(1, 2, 3), one]);
          if (i % 5 === 1) given[3 + below(one.length)]! ^= 1;
          return i % 5 === 2 ? given.slice(0, below(19)) : given;
        });
        const opened = openEach(keys, broken, associated, 3, engine);
        const expected = texts.map((text, i) => (i % 5 === 1 || i % 5 === 2 ? null : hex(text)));
        expect(opened.map((text) => text && hex(text))).toEqual(expected);
      }
    }
  });
});

it('a process that goes over to WebAssembly gives the same before and after', () => {
  const { bytes } = source(7);
  for (let i = 0; i < 24; i++) {
    const keys = { keys: bytes(32_000), keyLength: 32 };
    const texts = Array.from({ length: 1000 }, () => bytes(16));
    const sealed = sealEach(keys, texts, null);
    expect(hex(sealed[i]!)).toBe(hex(aessiv(keys.keys.slice(32 * i, 32 * i + 32)).encrypt(texts[i]!)));
    expect(Buffer.concat(sealed).equals(Buffer.concat(sealEach(keys, texts, null, plainEngine)))).toBe(true);
    expect(openEach(keys, sealed, null)).toEqual(texts);
  }
});
