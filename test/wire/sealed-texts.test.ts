import { describe, expect, it } from 'vitest';
import { ALPHABET, decode, encode, readSymbols, symbolsOf, writeSymbols } from '../../src/wire/base32.ts';
import { bucketOf, bucketOfText, idNumber } from '../../src/wire/sealed-texts.ts';
import { source } from '../reference/texts.ts';
import { base32 } from '../reference/tree.ts';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

describe('symbols in a buffer', () => {
  it('are those of the slow encoding, at any place, and nothing beside them is written', () => {
    const { below, bytes } = source(21);
    for (let length = 0; length <= 200; length++) {
      for (let i = 0; i < 5; i++) {
        const [at, to] = [below(9), below(9)];
        const from = bytes(at + length + below(9));
        const out = new Uint8Array(to + symbolsOf(length) + 8).fill(1);
        writeSymbols(viewOf(from), at, length, viewOf(out), to);
        const text = Buffer.from(out).toString('latin1');
        const right = base32(from.subarray(at, at + length));
        expect(text).toBe('\x01'.repeat(to) + right + '\x01'.repeat(8));

        const back = new Uint8Array(at + length + 8).fill(2);
        expect(readSymbols(viewOf(out), to, right.length, viewOf(back), at)).toBe(true);
        const wanted = new Uint8Array(at + length + 8).fill(2);
        wanted.set(from.subarray(at, at + length), at);
        expect(back).toEqual(wanted);
      }
    }
  });

  it('every byte that is no symbol is refused in every place, of whole groups and of the rest', () => {
    for (const length of [5, 7, 10, 13]) {
      const symbols = Uint8Array.from(encode(new Uint8Array(length)), (c) => c.charCodeAt(0));
      const out = viewOf(new Uint8Array(length));
      const read = () => readSymbols(viewOf(symbols), 0, symbols.length, out, 0);
      for (let at = 0; at < symbols.length; at++) {
        for (let code = 0; code < 256; code++) {
          symbols[at] = code;
          const isLast = at === symbols.length - 1;
          const value = ALPHABET.indexOf(String.fromCharCode(code));
          const free = symbols.length * 5 - length * 8;
          expect(read()).toBe(value >= 0 && (!isLast || value % 2 ** free === 0));
        }
        symbols[at] = 48;
      }
      expect(read()).toBe(true);
    }
  });

  it('lengths that no bytes have are refused', () => {
    const zeros = new Uint8Array(64).fill(48);
    for (let length = 0; length <= 40; length++) {
      const out = new Uint8Array(64);
      expect(readSymbols(viewOf(zeros), 0, length, viewOf(out), 0)).toBe(![1, 3, 6].includes(length % 8));
    }
  });

  it('encode leaves the bytes that it was given, also where it takes a part of the last', () => {
    for (const bytes of [Buffer.from([255, 255, 255]), Uint8Array.of(255, 255, 255)]) {
      expect(encode(bytes, 13)).toBe('zzw');
      expect([...bytes]).toEqual([255, 255, 255]);
    }
  });

  it('decode refuses every character beyond ASCII whose low byte or UTF-8 looks like symbols', () => {
    for (const c of ['\u0130', '\u3030', '\u0430', '\uff10', '\u{1f600}', '\ud800']) {
      for (let at = 0; at <= 8; at++) expect(decode('0'.repeat(at) + c + '0'.repeat(8 - at))).toBeNull();
    }
  });
});

describe('buckets', () => {
  it('of a length: the smallest that holds it and the padding', () => {
    expect([0, 31, 32, 63, 64, 1000, 1_048_575].map(bucketOf)).toEqual([32, 32, 64, 64, 128, 1024, 1_048_576]);
    expect(bucketOf(1_048_576)).toBe(2_097_152);
  });

  it('of a number of characters: those that a bucket gives, and no other', () => {
    const lengths = new Map(
      Array.from({ length: 16 }, (_, i) => 2 ** (i + 5)).map((size) => [5 + Math.ceil(((18 + size) * 8) / 5), size]),
    );
    expect([...lengths.keys()].slice(0, 4)).toEqual([85, 137, 239, 444]);
    for (let characters = 0; characters < 200_000; characters++) {
      const bucket = bucketOfText(characters);
      if (bucket !== (lengths.get(characters) ?? 0)) expect(bucket).toBe(lengths.get(characters) ?? 0);
    }
    for (const [characters, size] of lengths) expect(bucketOfText(characters)).toBe(size);
    expect(bucketOfText(5 + Math.ceil(((18 + 2_097_152) * 8) / 5))).toBe(0);
  });
});

it('the number of a key id tells any two apart', () => {
  const ids = ['s0nr0', 's0nr1', '0s0nr', '00000', 'zzzzz', 'zzzz0'];
  expect(new Set(ids.map(idNumber)).size).toBe(ids.length);
  expect(idNumber('s0nr')).toBeNaN();
});
