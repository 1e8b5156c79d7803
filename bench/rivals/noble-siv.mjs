/**
 * Sealed values (docs/spec/seal-v1.md) by hand on AES-SIV of @noble/ciphers: the best form that a user would write. An
 * instance of noble's refuses a second value and expands its keys anew, which its interface leaves no way around; all
 * else is done once: the associated data, a buffer for the padded value of each size, a table for base32.
 */
import { aessiv } from '@noble/ciphers/aes.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Two symbols by their ten bits, high byte first. */
const PAIRS = Uint16Array.from(
  { length: 1024 },
  (_, bits) => (ALPHABET.charCodeAt(bits >> 5) << 8) | ALPHABET.charCodeAt(bits & 31),
);
const VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < 32; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Base32 of bytes behind a head, as text. */
function base32(head, bytes) {
  const out = Buffer.allocUnsafe(head.length + Math.ceil((bytes.length * 8) / 5));
  let to = out.latin1Write(head, 0);
  let at = 0;
  for (; at + 5 <= bytes.length; at += 5) {
    const high = (bytes[at] << 12) | (bytes[at + 1] << 4) | (bytes[at + 2] >> 4);
    const low = ((bytes[at + 2] & 15) << 16) | (bytes[at + 3] << 8) | bytes[at + 4];
    to = out.writeUInt16BE(PAIRS[high >> 10], to);
    to = out.writeUInt16BE(PAIRS[high & 1023], to);
    to = out.writeUInt16BE(PAIRS[low >> 10], to);
    to = out.writeUInt16BE(PAIRS[low & 1023], to);
  }
  let buffer = 0;
  let held = 0;
  for (; at < bytes.length; at++) {
    buffer = (buffer << 8) | bytes[at];
    for (held += 8; held >= 5; held -= 5) out[to++] = ALPHABET.charCodeAt((buffer >> (held - 5)) & 31);
  }
  if (held > 0) out[to] = ALPHABET.charCodeAt((buffer << (5 - held)) & 31);
  return out.latin1Slice(0, out.length);
}

/** The bytes behind the head; a symbol that is none is an error. */
function bytesOf(text, from) {
  const symbols = Buffer.from(text, 'latin1');
  const out = new Uint8Array(Math.floor(((symbols.length - from) * 5) / 8));
  let buffer = 0;
  let held = 0;
  for (let i = from, at = 0; i < symbols.length; i++) {
    const value = VALUES[symbols[i]];
    if (value < 0) throw new Error('no base32');
    buffer = ((buffer << 5) | value) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out[at++] = buffer >> held;
    }
  }
  return out;
}

/** @param head what stands before the base32; @param header the first bytes in it */
export function nobleSiv(key, associatedData, head, header) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const padded = new Map();

  function pad(value) {
    if (!value.isWellFormed()) throw new Error('half of a surrogate pair');
    const bytes = encoder.encode(value);
    let size = 32;
    while (size <= bytes.length) size *= 2;
    let room = padded.get(size);
    if (room === undefined) {
      room = new Uint8Array(size);
      padded.set(size, room);
    }
    room.fill(0, bytes.length);
    room.set(bytes);
    room[bytes.length] = 0x80;
    return room;
  }

  return {
    protect(value) {
      const sealed = aessiv(key, associatedData).encrypt(pad(value));
      const all = new Uint8Array(header.length + sealed.length);
      all.set(header);
      all.set(sealed, header.length);
      return base32(head, all);
    },
    reveal(text) {
      if (!text.startsWith(head)) throw new Error('not sealed with this key');
      const plain = aessiv(key, associatedData).decrypt(bytesOf(text, head.length).subarray(header.length));
      const end = plain.lastIndexOf(0x80);
      return decoder.decode(plain.subarray(0, end));
    },
  };
}
