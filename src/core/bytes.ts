/**
 * Bytes: UTF-8, concatenation, and the injective encoding of lists that all derivations, tweaks and associated data
 * use.
 */

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/**
 * Encodes a text as UTF-8. The caller must refuse lone surrogates before: `TextEncoder` would turn each into U+FFFD.
 */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Copies the bytes from `from` on to a place in another array. Few bytes are copied one by one, because a call of `set`
 * costs more.
 */
export function copyTo(bytes: Uint8Array, from: number, to: Uint8Array, at: number): void {
  if (bytes.length > 80) to.set(bytes.subarray(from), at);
  else for (let i = from, j = at; i < bytes.length; i++, j++) to[j] = bytes[i]!;
}

/** Concatenates arrays of bytes. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Encodes a list: for each item its length in four bytes, big-endian, then the item. Texts are encoded as UTF-8. Two
 * different lists never have the same encoding, so `("ab", "c")` and `("a", "bc")` differ (docs/spec/keyset-v1.md,
 * "Encoding of lists").
 */
export function encodeList(items: readonly (string | Uint8Array)[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const item of items) {
    const bytes = typeof item === 'string' ? utf8(item) : item;
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length, false);
    parts.push(length, bytes);
  }
  return concat(parts);
}

/**
 * Returns whether two arrays have the same bytes. It does not stop at the first difference, so the time does not tell
 * where it is.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}

/** Returns the bytes followed by the padding `0x80 00 …`. `length` is the length of the result, and exceeds theirs. */
export function padTo(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes);
  out[bytes.length] = 0x80;
  return out;
}

/** Returns the bytes before such a padding, or `null` if the padding is not there. */
export function unpadded(bytes: Uint8Array): Uint8Array | null {
  let end = bytes.length - 1;
  while (end >= 0 && bytes[end] === 0) end--;
  return end >= 0 && bytes[end] === 0x80 ? bytes.subarray(0, end) : null;
}

/** Divides a column into parts of `size` bytes each. The parts are views on the column. */
export function cut(column: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: column.length / size }, (_, i) => column.subarray(size * i, size * (i + 1)));
}
