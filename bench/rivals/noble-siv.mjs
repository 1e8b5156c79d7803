/**
 * Sealed values (docs/spec/seal-v1.md) written by hand with AES-SIV of @noble/ciphers, in the fastest form that a user
 * would write. Each value needs a new instance, which expands its keys again; noble's interface has no way to avoid
 * that. Everything else is made once: the associated data, a buffer for each size of padded values, and a table for
 * base32.
 */
import { aessiv } from '@noble/ciphers/aes.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** For each value of ten bits, its two symbols of base32, the first one in the high byte. */
const PAIRS = Uint16Array.from(
  { length: 1024 },
  (_, bits) => (ALPHABET.charCodeAt(bits >> 5) << 8) | ALPHABET.charCodeAt(bits & 31),
);
const VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < 32; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** The text of a head, followed by bytes in base32. */
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

/** Decodes the base32 that begins at `from`. Throws if a character is not a symbol of base32. */
function bytesOf(text, from) {
  const symbols = Buffer.from(text, 'latin1');
  const out = new Uint8Array(Math.floor(((symbols.length - from) * 5) / 8));
  let buffer = 0;
  let held = 0;
  for (let i = from, at = 0; i < symbols.length; i++) {
    const value = VALUES[symbols[i]];
    if (value < 0) throw new Error('not base32');
    buffer = ((buffer << 5) | value) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out[at++] = buffer >> held;
    }
  }
  return out;
}

/**
 * @param head the text before the base32
 * @param header the first bytes of the base32
 */
export function nobleSiv(key, associatedData, head, header) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const padded = new Map();

  function pad(value) {
    if (!value.isWellFormed()) throw new Error('the value has half of a surrogate pair');
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
