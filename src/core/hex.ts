/** Bytes as hexadecimal text. It is written in lower case and read in either case. */

const PAIRS: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Writes bytes as two digits each. */
export function writeHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i]!]!;
  return text;
}

/** Reads exactly `length` bytes. Returns `null` for any other text. */
export function readHex(text: string, length: number): Uint8Array | null {
  if (text.length !== 2 * length) return null;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const high = hexDigit(text.charCodeAt(2 * i));
    const low = hexDigit(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return null;
    bytes[i] = 16 * high + low;
  }
  return bytes;
}

/** Returns the value of a hexadecimal digit by its character code, or -1 if it is not a digit. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  // Lower case and upper case differ in the bit 32.
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
