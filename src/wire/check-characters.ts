/**
 * The four check characters at the end of a labelled token and of a root key: a 20-bit CRC over the ASCII bytes before
 * them, written as four base32 symbols.
 *
 * The polynomial is 0x100da3 (x^20 + x^11 + x^10 + x^8 + x^7 + x^5 + x + 1). It was found by exhaustive search over all
 * 2^18 polynomials of degree 20 that are divisible by x + 1. It has Hamming distance 6 up to 512 bits (61 characters
 * and the raw check), and it detects every change of one or two characters, wherever they are, in a token of up to 52
 * characters. `test/wire/check-characters.test.ts` proves both again. Any other damage goes undetected with a
 * probability of 2^-20.
 *
 * A hash would detect as much, but it would take another compression for each token. This takes a table look-up for
 * each character.
 */

import { ALPHABET } from './base32.ts';

/** The low 20 bits of the polynomial. */
export const POLYNOMIAL = 0x00da3;

/** How many check characters there are. */
export const CHECK_LENGTH = 4;

const TABLE: Uint32Array = /* @__PURE__ */ (() => {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 12;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000 ? ((crc << 1) ^ POLYNOMIAL) & 0xfffff : crc << 1;
    table[byte] = crc;
  }
  return table;
})();

/** Continues a CRC over the characters of `text`, which is ASCII. The CRC of no characters is 0. */
export function crc20(text: string, crc = 0): number {
  for (let i = 0; i < text.length; i++) {
    crc = ((crc << 8) & 0xfffff) ^ TABLE[((crc >>> 12) ^ text.charCodeAt(i)) & 255]!;
  }
  return crc;
}

/** Computes the CRC of the ASCII bytes from `from` to `to`. */
export function crc20Ascii(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xfffff) ^ TABLE[((crc >>> 12) ^ bytes[i]!) & 255]!;
  return crc;
}

/** Returns the check characters for a CRC. */
export function checkCharacters(crc: number): string {
  return (
    ALPHABET[(crc >>> 15) & 31]! + ALPHABET[(crc >>> 10) & 31]! + ALPHABET[(crc >>> 5) & 31]! + ALPHABET[crc & 31]!
  );
}
