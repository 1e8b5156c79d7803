/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) for keys that seal one value, or few with associated data
 * of their own each.
 *
 * Key set-up is most of the work of such a key, so nothing is prepared that one value does not need, and all of it is done
 * on words: siv-values.ts, which is for many values under one key and one string of associated data, takes several times as
 * long for this.
 */

import { encryptWords, expandKey, type RoundKeys, swapBytes } from './aes.ts';
import { SIV_LENGTH } from './siv-values.ts';

/** AES-SIV under one key. */
export interface SivOnce {
  /** Z = V || C. `null` for no string of associated data at all, which is not the same as an empty one. */
  readonly seal: (plaintext: Uint8Array, associatedData: Uint8Array | null) => Uint8Array;
  /** The plaintext, or `null` when the synthetic IV does not verify. */
  readonly open: (sealed: Uint8Array, associatedData: Uint8Array | null) => Uint8Array | null;
}

/** Z = V || C, without associated data. @param key K1 || K2: 32, 48 or 64 bytes (section 2.2). */
export function sealOnce(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return sivOnce(key).seal(plaintext, null);
}

/** The plaintext, or `null` when the synthetic IV does not verify. */
export function openOnce(key: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  return sivOnce(key).open(sealed, null);
}

// A message, zeros behind it, on its way through CMAC or CTR. Nothing here calls anyone back, so one room does for all.
let room: Uint8Array = /* @__PURE__ */ new Uint8Array(1024);
let view: DataView = /* @__PURE__ */ new DataView(room.buffer);

// A block of four little-endian words: what goes into AES and comes out of it.
let x0 = 0;
let x1 = 0;
let x2 = 0;
let x3 = 0;

/** @param key K1 || K2: 32, 48 or 64 bytes (section 2.2). */
export function sivOnce(key: Uint8Array): SivOnce {
  // K1 = leftmost(K, len(K)/2) is the key of S2V, K2 = rightmost(K, len(K)/2) the key of CTR.
  const k1 = expandKey(key.subarray(0, key.length / 2));
  const k2 = expandKey(key.subarray(key.length / 2));
  // RFC 4493, section 2.3: both subkeys of CMAC.
  load(0, 0, 0, 0);
  encipher(k1);
  double();
  const whole = Int32Array.of(x0, x1, x2, x3);
  double();
  const padded = Int32Array.of(x0, x1, x2, x3);
  // Section 2.4: D = AES-CMAC(K, <zero>), a message of one whole block.
  load(whole[0]!, whole[1]!, whole[2]!, whole[3]!);
  encipher(k1);
  const zero = Int32Array.of(x0, x1, x2, x3);

  /** AES-CMAC of the first `length` bytes of the room, into the block. */
  function mac(length: number): void {
    const blocks = Math.max(1, Math.ceil(length / 16));
    const isWhole = length === 16 * blocks;
    const subkey = isWhole ? whole : padded;
    if (!isWhole) room[length] = 0x80;
    load(0, 0, 0, 0);
    for (let i = 0; i < blocks; i++) {
      const at = 16 * i;
      x0 ^= view.getInt32(at, true);
      x1 ^= view.getInt32(at + 4, true);
      x2 ^= view.getInt32(at + 8, true);
      x3 ^= view.getInt32(at + 12, true);
      if (i === blocks - 1) {
        x0 ^= subkey[0]!;
        x1 ^= subkey[1]!;
        x2 ^= subkey[2]!;
        x3 ^= subkey[3]!;
      }
      encipher(k1);
    }
    if (!isWhole) room[length] = 0;
  }

  /** Section 2.4: V of a plaintext, into the block. */
  function s2v(P: Uint8Array, associatedData: Uint8Array | null): void {
    load(zero[0]!, zero[1]!, zero[2]!, zero[3]!);
    if (associatedData !== null) {
      // D = dbl(D) xor AES-CMAC(K, Si).
      double();
      const [d0, d1, d2, d3] = [x0, x1, x2, x3];
      put(associatedData);
      mac(associatedData.length);
      load(x0 ^ d0, x1 ^ d1, x2 ^ d2, x3 ^ d3);
    }
    if (P.length < 16) {
      // T = dbl(D) xor pad(Sn).
      double();
      const [d0, d1, d2, d3] = [x0, x1, x2, x3];
      put(P);
      room[P.length] = 0x80;
      xorAt(0, d0, d1, d2, d3);
      mac(16);
    } else {
      // T = Sn xorend D.
      const [d0, d1, d2, d3] = [x0, x1, x2, x3];
      put(P);
      xorAt(P.length - 16, d0, d1, d2, d3);
      mac(P.length);
    }
  }

  /** Section 2.5: XORs into a text the key stream that begins at Q. */
  function ctr(Z: Uint8Array, from: Uint8Array, to: Uint8Array): void {
    put(from);
    const V = new DataView(Z.buffer, Z.byteOffset, SIV_LENGTH);
    // Section 2.6: Q = V bitand (1^64 || 0^1 || 1^31 || 0^1 || 1^31), so that no carry leaves the last word.
    const q3 = V.getInt32(12, false) & 0x7fffffff;
    for (let at = 0, i = 0; at < from.length; at += 16, i++) {
      load(V.getInt32(0, true), V.getInt32(4, true), V.getInt32(8, true) & 0xffffff7f, swapBytes(q3 + i));
      encipher(k2);
      xorAt(at, x0, x1, x2, x3);
    }
    to.set(room.subarray(0, from.length));
  }

  return {
    // Section 2.6.
    seal(plaintext, associatedData) {
      const Z = new Uint8Array(SIV_LENGTH + plaintext.length);
      const V = new DataView(Z.buffer);
      s2v(plaintext, associatedData);
      V.setInt32(0, x0, true);
      V.setInt32(4, x1, true);
      V.setInt32(8, x2, true);
      V.setInt32(12, x3, true);
      ctr(Z, plaintext, Z.subarray(SIV_LENGTH));
      return Z;
    },
    // Section 2.7.
    open(sealed, associatedData) {
      if (sealed.length < SIV_LENGTH) return null;
      const plaintext = new Uint8Array(sealed.length - SIV_LENGTH);
      ctr(sealed, sealed.subarray(SIV_LENGTH), plaintext);
      s2v(plaintext, associatedData);
      const V = new DataView(sealed.buffer, sealed.byteOffset, SIV_LENGTH);
      const difference =
        (x0 ^ V.getInt32(0, true)) |
        (x1 ^ V.getInt32(4, true)) |
        (x2 ^ V.getInt32(8, true)) |
        (x3 ^ V.getInt32(12, true));
      return difference === 0 ? plaintext : null;
    },
  };
}

function load(a: number, b: number, c: number, d: number): void {
  x0 = a;
  x1 = b;
  x2 = c;
  x3 = d;
}

function encipher(keys: RoundKeys): void {
  const { s0, s1, s2, s3 } = encryptWords(keys, x0, x1, x2, x3);
  load(s0, s1, s2, s3);
}

/** Doubling in GF(2^128) (section 2.3): on big-endian words a shift to the left, and 0x87 when a bit falls out. */
function double(): void {
  const [a, b, c, d] = [swapBytes(x0), swapBytes(x1), swapBytes(x2), swapBytes(x3)];
  load(
    swapBytes((a << 1) | (b >>> 31)),
    swapBytes((b << 1) | (c >>> 31)),
    swapBytes((c << 1) | (d >>> 31)),
    swapBytes((d << 1) ^ (0x87 & -(a >>> 31))),
  );
}

/** A message into the room, with zeros behind it to two whole blocks at least. */
function put(message: Uint8Array): void {
  if (room.length < message.length + 32) {
    room = new Uint8Array(2 * message.length + 32);
    view = new DataView(room.buffer);
  }
  room.set(message);
  room.fill(0, message.length, message.length + 32);
}

function xorAt(at: number, a: number, b: number, c: number, d: number): void {
  view.setInt32(at, view.getInt32(at, true) ^ a, true);
  view.setInt32(at + 4, view.getInt32(at + 4, true) ^ b, true);
  view.setInt32(at + 8, view.getInt32(at + 8, true) ^ c, true);
  view.setInt32(at + 12, view.getInt32(at + 12, true) ^ d, true);
}
