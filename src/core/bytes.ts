/**
 * Bytes: UTF-8, concatenation, and the one injective encoding that every derivation, tweak and associated data uses.
 */

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** UTF-8 of a text. The caller has refused lone surrogates: `TextEncoder` would turn each into U+FFFD. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Copies the bytes behind the first `from` to a place in others. Short ones one by one: a call costs more. */
export function copyTo(bytes: Uint8Array, from: number, to: Uint8Array, at: number): void {
  if (bytes.length > 80) to.set(bytes.subarray(from), at);
  else for (let i = from, j = at; i < bytes.length; i++, j++) to[j] = bytes[i]!;
}

/** Joins arrays of bytes. */
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
 * The encoding of a list: each item as its length in four bytes, big-endian, then the item. Texts are UTF-8. Two
 * different lists never have the same encoding, which is what keeps `("ab", "c")` and `("a", "bc")` apart
 * (docs/spec/keyset-v1.md, "Encoding of lists").
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

/** Compares bytes of one length without stopping at the first difference; other lengths are different. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}

/** Bytes with the padding `0x80 00 …` behind them, `length` in all: more than there are. */
export function padTo(bytes: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes);
  out[bytes.length] = 0x80;
  return out;
}

/** The bytes before such a padding; `null` where there is none. */
export function unpadded(bytes: Uint8Array): Uint8Array | null {
  let end = bytes.length - 1;
  while (end >= 0 && bytes[end] === 0) end--;
  return end >= 0 && bytes[end] === 0x80 ? bytes.subarray(0, end) : null;
}

/** The parts of a column, of so many bytes each. */
export function cut(column: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: column.length / size }, (_, i) => column.subarray(size * i, size * (i + 1)));
}
