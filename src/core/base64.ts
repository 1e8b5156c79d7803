/**
 * Base64 of RFC 4648: base64url without padding (section 5), and base64 with padding (section 4), which signed notes
 * and the APIs of key management services use. Both are canonical: the same bytes always have the same text, and any
 * other text is refused.
 */

const SYMBOLS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The character codes of the symbols. */
const CODES: Uint8Array = /* @__PURE__ */ new TextEncoder().encode(SYMBOLS);
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder();

/**
 * Encodes bytes: four symbols for three bytes, two or three for the rest.
 *
 * The symbols are written as bytes first. A text that grows symbol by symbol is a rope of as many pieces, which takes
 * twenty times the memory and several times the time (measured).
 */
export function encodeBase64url(bytes: Uint8Array): string {
  const { length } = bytes;
  const out = new Uint8Array(Math.ceil((length * 4) / 3));
  for (let i = 0, at = 0; i < length; i += 3, at += 4) {
    // A byte beyond the end is 0, and a write beyond the end of the array has no effect.
    const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out[at] = CODES[bits >>> 18]!;
    out[at + 1] = CODES[(bits >>> 12) & 63]!;
    out[at + 2] = CODES[(bits >>> 6) & 63]!;
    out[at + 3] = CODES[bits & 63]!;
  }
  return decoder.decode(out);
}

/** Decodes a text. Returns `null` if {@link encodeBase64url} does not write it. */
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
  // The bits after the last byte must be 0. Otherwise several texts would be decoded to the same bytes.
  return (bits & ((1 << count) - 1)) === 0 ? bytes : null;
}

/** Encodes bytes, with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

/** Decodes a text with padding. Returns `null` if {@link encodeBase64} does not write it. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || /[-_]/.test(text)) return null;
  return decodeBase64url(
    text
      .replace(/={1,2}$/, '')
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  );
}
