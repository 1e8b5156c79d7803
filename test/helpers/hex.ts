/** Bytes and their hexadecimal texts. */

/** The hexadecimal text of some bytes, in lower case. */
export function hex(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.length).toString('hex');
}

/** The bytes of a hexadecimal text, in an array that shares its memory with no other. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
