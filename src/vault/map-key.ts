/** Bytes as keys of maps and sets, which compare texts by content but arrays by identity. */

/**
 * Returns a text that equals another one only if the bytes are equal: one character for each byte. For short arrays.
 */
export function mapKey(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
