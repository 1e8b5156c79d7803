/** The binary texts of SSH: RFC 4251, section 5 (https://www.rfc-editor.org/rfc/rfc4251#section-5). */

import { concat } from '../../core/bytes.ts';

/** Reads from the front to the end. Every method returns `null` if there are not enough bytes. */
export interface SshReader {
  readonly byte: () => number | null;
  readonly uint32: () => number | null;
  /** A length in four bytes and so many bytes. */
  readonly string: () => Uint8Array | null;
  /** Such bytes as text: printable ASCII alone, because names of SSH are. */
  readonly text: () => string | null;
  /** A number of at most 32 bytes that is not negative, in its one shortest spelling; returned in 32 bytes. */
  readonly scalar: () => Uint8Array | null;
  readonly isAtEnd: () => boolean;
}

/** Bytes of a scalar. */
const SCALAR_BYTES = 32;

/** Starts at the front of the bytes. What is returned are copies. */
export function sshReader(bytes: Uint8Array): SshReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const isThere = (count: number) => count <= bytes.length - at;
  const uint32 = () => {
    if (!isThere(4)) return null;
    at += 4;
    return view.getUint32(at - 4, false);
  };
  const string = () => {
    const length = uint32();
    if (length === null || !isThere(length)) return null;
    at += length;
    return bytes.slice(at - length, at);
  };
  return {
    byte: () => (isThere(1) ? bytes[at++]! : null),
    uint32,
    string,
    text: () => asciiOf(string()),
    scalar: () => scalarOf(string()),
    isAtEnd: () => at === bytes.length,
  };
}

function asciiOf(bytes: Uint8Array | null): string | null {
  if (bytes === null || bytes.some((byte) => byte < 0x20 || byte > 0x7e)) return null;
  return new TextDecoder().decode(bytes);
}

/** Reads an `mpint` without its length. OpenSSH also takes zeros in front, which would give a number many spellings. */
function scalarOf(bytes: Uint8Array | null): Uint8Array | null {
  if (bytes === null || bytes.length === 0) return null;
  const isNegative = bytes[0]! >= 0x80;
  const isLonger = bytes[0] === 0 && (bytes.length === 1 || bytes[1]! < 0x80);
  if (isNegative || isLonger) return null;
  const digits = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  if (digits.length > SCALAR_BYTES) return null;
  const out = new Uint8Array(SCALAR_BYTES);
  out.set(digits, SCALAR_BYTES - digits.length);
  return out;
}

/** Writes a number in four bytes. */
export function sshUint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, false);
  return bytes;
}

/** Writes bytes with their length in front. */
export function sshString(bytes: Uint8Array): Uint8Array {
  return concat([sshUint32(bytes.length), bytes]);
}
