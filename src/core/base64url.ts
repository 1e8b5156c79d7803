/** Base64url without padding: RFC 4648, section 5. Canonical: one text for the same bytes, any other is refused. */

const SYMBOLS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Four symbols for three bytes; two or three for the rest. */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += SYMBOLS[bits >>> 18]! + SYMBOLS[(bits >>> 12) & 63]!;
    if (left > 1) text += SYMBOLS[(bits >>> 6) & 63]!;
    if (left > 2) text += SYMBOLS[bits & 63]!;
  }
  return text;
}

/** The bytes, or `null` for a text that {@link encodeBase64url} does not write. */
export function decodeBase64url(text: string): Uint8Array | null {
  const { length } = text;
  if (length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const value = SYMBOLS.indexOf(text[i]!);
    if (value === -1) return null;
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = (bits >>> count) & 0xff;
    }
  }
  // Bits behind the last byte must be 0, or several texts would stand for the same bytes.
  return (bits & ((1 << count) - 1)) === 0 ? bytes : null;
}
