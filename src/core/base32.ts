/**
 * Base32 in the alphabet of Crockford (https://www.crockford.com/base32.html), lower case, most significant bit first,
 * without his check symbol and without his aliases: `decode` takes exactly what `encode` writes, so that a value has
 * one spelling. Lower case, because a case-folding database column must not merge two values.
 */

export const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The alphabet as the inside of a character class of a regular expression. */
export const ALPHABET_CLASS = '0-9a-hjkmnp-tv-z';

const VALUES: Int8Array = /* @__PURE__ */ (() => {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < 32; i++) values[ALPHABET.charCodeAt(i)] = i;
  return values;
})();

/** The number that a symbol stands for, or -1. */
export function symbolValue(code: number): number {
  return code < 128 ? VALUES[code]! : -1;
}

/** The first `bits` of `bytes`, five to a symbol; the last symbol is filled up with zero bits. */
export function encode(bytes: Uint8Array, bits: number = bytes.length * 8): string {
  let out = '';
  let buffer = 0;
  let held = 0;
  for (let i = 0, left = bits; left > 0; i++, left -= 8) {
    const take = Math.min(left, 8);
    buffer = ((buffer << take) | (bytes[i]! >>> (8 - take))) & 0x1fff;
    held += take;
    while (held >= 5) {
      held -= 5;
      out += ALPHABET[(buffer >>> held) & 31];
    }
  }
  if (held > 0) out += ALPHABET[(buffer << (5 - held)) & 31];
  return out;
}

/** The bytes of a text that {@link encode} wrote for whole bytes; `null` for anything else. */
export function decode(text: string): Uint8Array | null {
  const length = Math.floor((text.length * 5) / 8);
  // A length that no number of bytes encodes to.
  if (Math.ceil((length * 8) / 5) !== text.length) return null;
  const out = new Uint8Array(length);
  let buffer = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = symbolValue(text.charCodeAt(i));
    if (value < 0) return null;
    buffer = ((buffer << 5) | value) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out[at++] = (buffer >>> held) & 255;
    }
  }
  // The bits that fill up the last symbol are zero.
  if ((buffer & ((1 << held) - 1)) !== 0) return null;
  return out;
}
