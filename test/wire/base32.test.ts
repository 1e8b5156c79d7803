import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALPHABET, ALPHABET_CLASS, decode, encode, symbolValue } from '../../src/wire/base32.ts';
import { base32 } from '../reference/tree.ts';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('encode', () => {
  it('is the slow one, for whole bytes and for any number of bits', () => {
    fc.assert(
      fc.property(bytes, fc.nat(512), (input, most) => {
        const bits = Math.min(most, input.length * 8);
        expect(encode(input)).toBe(base32(input));
        expect(encode(input, bits)).toBe(base32(input, bits));
      }),
      { numRuns: 2000 },
    );
  });

  it('has a length of five bits a symbol, rounded up', () => {
    for (let length = 0; length <= 40; length++) {
      expect(encode(new Uint8Array(length))).toHaveLength(Math.ceil((length * 8) / 5));
    }
  });

  it('a shorter text is the beginning of a longer one at every whole symbol', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.integer({ min: 0, max: 32 }),
        (input, symbols) => {
          expect(encode(input).startsWith(encode(input, symbols * 5))).toBe(true);
        },
      ),
    );
  });
});

describe('decode', () => {
  it('gives back what encode wrote', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(decode(encode(input))).toEqual(input);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes one spelling of every value: what it takes, encode writes', () => {
    const texts = fc.string({
      unit: fc.constantFrom(...ALPHABET, 'O', 'I', 'l', 'u', 'A', '-', ' ', '=', '\u00e9'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(texts, (text) => {
        const decoded = decode(text);
        if (decoded !== null) expect(encode(decoded)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses every other symbol in every position', () => {
    const text = encode(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
    expect(decode(text)).not.toBeNull();
    for (let at = 0; at < text.length; at++) {
      for (let code = 0; code < 0x300; code++) {
        const symbol = String.fromCharCode(code);
        if (ALPHABET.includes(symbol)) continue;
        expect(decode(text.slice(0, at) + symbol + text.slice(at + 1))).toBeNull();
      }
    }
  });

  it('refuses upper case, aliases, padding, hyphens, white space and surrogates', () => {
    expect(decode('00')).toEqual(Uint8Array.of(0));
    for (const other of [
      '0O',
      'o0',
      '0I',
      '0l',
      '0L',
      '0u',
      '0U',
      '00======',
      '0-0',
      ' 00',
      '00\n',
      '\ud83d\ude00',
      '0\ud800',
    ]) {
      expect(decode(other)).toBeNull();
    }
  });

  it('refuses bits set behind the last byte, for every length', () => {
    for (let length = 1; length <= 10; length++) {
      const text = encode(new Uint8Array(length));
      const free = text.length * 5 - length * 8;
      for (let value = 1; value < 32; value++) {
        const other = text.slice(0, -1) + ALPHABET[value];
        expect(decode(other) === null).toBe(value % 2 ** free !== 0);
      }
    }
  });

  it('refuses lengths that no bytes have', () => {
    for (let length = 0; length <= 40; length++) {
      expect(decode('0'.repeat(length)) === null).toBe([1, 3, 6].includes(length % 8));
    }
  });
});

it('the class of the alphabet is the alphabet', () => {
  const one = new RegExp(`^[${ALPHABET_CLASS}]$`);
  for (let code = 0; code < 0x300; code++) {
    const symbol = String.fromCharCode(code);
    expect(one.test(symbol)).toBe(ALPHABET.includes(symbol));
    expect(symbolValue(code)).toBe(ALPHABET.indexOf(symbol));
  }
  expect(symbolValue(0xd800)).toBe(-1);
  expect([...ALPHABET]).toEqual([...ALPHABET].sort());
  expect(new Set(ALPHABET).size).toBe(32);
});
