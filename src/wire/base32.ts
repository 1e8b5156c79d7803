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

/** Two symbols as two characters, by their ten bits. */
export const PAIRS: Uint16Array = /* @__PURE__ */ Uint16Array.from(
  { length: 1024 },
  (_, bits) => (ALPHABET.charCodeAt(bits >>> 5) << 8) | ALPHABET.charCodeAt(bits & 31),
);

/** The other way: ten bits by two characters of seven bits each, or -1. Lines of it that are read make up 6 KiB. */
const PAIR_VALUES: Int16Array = /* @__PURE__ */ (() => {
  const values = new Int16Array(1 << 14).fill(-1);
  for (let bits = 0; bits < 1024; bits++) values[((PAIRS[bits]! >>> 1) & 0x3f80) | (PAIRS[bits]! & 0x7f)] = bits;
  return values;
})();

/** How many symbols whole bytes take. */
export function symbolsOf(bytes: number): number {
  return Math.ceil((bytes * 8) / 5);
}

/**
 * Writes `length` bytes from `at` on as ASCII from `to` on: for columns. Measured for 50 bytes: ten times as fast as
 * {@link encode}, which joins symbols to a text.
 */
export function writeSymbols(bytes: DataView, at: number, length: number, out: DataView, to: number): void {
  const end = at + length;
  for (; at <= end - 5; at += 5, to += 8) {
    const high = bytes.getInt32(at);
    out.setInt32(to, (PAIRS[high >>> 22]! << 16) | PAIRS[(high >>> 12) & 1023]!);
    out.setInt32(to + 4, (PAIRS[(high >>> 2) & 1023]! << 16) | PAIRS[((high & 3) << 8) | bytes.getUint8(at + 4)]!);
  }
  let buffer = 0;
  let held = 0;
  for (; at < end; at++) {
    buffer = ((buffer << 8) | bytes.getUint8(at)) & 0xfff;
    for (held += 8; held >= 5; held -= 5) out.setUint8(to++, symbolCode((buffer >>> (held - 5)) & 31));
  }
  if (held > 0) out.setUint8(to, symbolCode((buffer << (5 - held)) & 31));
}

/**
 * Reads `length` symbols from `at` on into the bytes from `to` on; `false`, and anything in the bytes, for what
 * {@link writeSymbols} does not write.
 */
export function readSymbols(symbols: DataView, at: number, length: number, out: DataView, to: number): boolean {
  // A length that no number of bytes encodes to.
  if (symbolsOf(Math.floor((length * 5) / 8)) !== length) return false;
  const end = at + length;
  // Set in the highest bit by what is no symbol, by the others of these when it is no ASCII.
  let bad = 0;
  for (; at <= end - 8; at += 8, to += 5) {
    const w0 = symbols.getInt32(at);
    const w1 = symbols.getInt32(at + 4);
    const p0 = PAIR_VALUES[((w0 >>> 17) & 0x3f80) | ((w0 >>> 16) & 0x7f)]!;
    const p1 = PAIR_VALUES[((w0 >>> 1) & 0x3f80) | (w0 & 0x7f)]!;
    const p2 = PAIR_VALUES[((w1 >>> 17) & 0x3f80) | ((w1 >>> 16) & 0x7f)]!;
    const p3 = PAIR_VALUES[((w1 >>> 1) & 0x3f80) | (w1 & 0x7f)]!;
    bad |= ((w0 | w1) & 0x80808080) | ((p0 | p1 | p2 | p3) & 0x80000000);
    out.setInt32(to, (p0 << 22) | (p1 << 12) | (p2 << 2) | (p3 >>> 8));
    out.setUint8(to + 4, p3);
  }
  let buffer = 0;
  let held = 0;
  for (; at < end; at++) {
    const value = symbolValue(symbols.getUint8(at));
    bad |= value;
    buffer = ((buffer << 5) | value) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out.setUint8(to++, buffer >>> held);
    }
  }
  // The bits that fill up the last symbol are zero.
  return (bad & 0x80808080) === 0 && (buffer & ((1 << held) - 1)) === 0;
}

function symbolCode(value: number): number {
  return ALPHABET.charCodeAt(value);
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
