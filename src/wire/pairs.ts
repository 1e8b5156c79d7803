/** Tables of the pairs of characters of an alphabet. Texts are written and read a pair at a time. */

/** Returns the character codes of all pairs, the first character in the upper byte, by the values of both. */
export function pairCodes(alphabet: string): Uint16Array {
  const { length } = alphabet;
  return Uint16Array.from({ length: length * length }, (_, both) => {
    return (alphabet.charCodeAt(Math.floor(both / length)) << 8) | alphabet.charCodeAt(both % length);
  });
}

/**
 * Returns the inverse: the values of two characters, by the seven bits of each, or -1. It has 32 KiB, and only the
 * cache lines of the alphabet are read.
 *
 * @param alphabet 2^n characters of ASCII.
 */
export function pairValues(alphabet: string): Int16Array {
  const values = new Int16Array(1 << 14).fill(-1);
  for (const [both, code] of pairCodes(alphabet).entries()) {
    values[((code >>> 1) & 0x3f80) | (code & 0x7f)] = both;
  }
  return values;
}

/** Returns the values of the two characters of a text from `from` on. The result is negative if one has none. */
export function pairAt(values: Int16Array, text: string, from: number): number {
  const c0 = text.charCodeAt(from);
  const c1 = text.charCodeAt(from + 1);
  // A code above 127 sets a bit above the index, and must not select the entry of another character.
  return (c0 | c1) < 128 ? values[(c0 << 7) | c1]! : -1;
}
