/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) for keys that seal one value, or few with associated data
 * of their own each.
 *
 * Key set-up is most of the work of such a key, so nothing is prepared that one value does not need, and all of it is done
 * on words where the value lies: siv-values.ts, which is for many values under one key, takes several times as long for
 * this.
 */

import { swapBytes } from './aes.ts';
import { type BlockWords, encipher, expandInto, makeSchedule, type Schedule } from './aes-few.ts';
import { compare, isTurn, mustNotOpen } from './siv-once-self-test.ts';
import { SIV_LENGTH } from './siv-values.ts';

/** AES-SIV under one key. */
export interface SivOnce {
  /** Z = V || C. `null` for no string of associated data at all, which is not the same as an empty one. */
  readonly seal: (plaintext: Uint8Array, associatedData: Uint8Array | null) => Uint8Array;
  /** The plaintext, or `null` when the synthetic IV does not verify. */
  readonly open: (sealed: Uint8Array, associatedData: Uint8Array | null) => Uint8Array | null;
}

/** A key that was set up. */
interface Keys {
  /** K1, the key of S2V, and K2, the key of CTR. */
  readonly s2v: Schedule;
  readonly ctr: Schedule;
  /** RFC 4493, section 2.3: the subkey of CMAC for a message whose last block is whole, and that for any other. */
  readonly whole: BlockWords;
  readonly padded: BlockWords;
  /** Section 2.4: AES-CMAC(K, <zero>). */
  readonly zero: BlockWords;
}

function makeKeys(): Keys {
  const words = () => new Int32Array(4);
  return { s2v: makeSchedule(), ctr: makeSchedule(), whole: words(), padded: words(), zero: words() };
}

/** The key at work. Nothing here calls anyone back, so one does for all. */
const once: Keys = /* @__PURE__ */ makeKeys();

/**
 * Turns a plaintext into V and its ciphertext, without associated data. V comes to `at`, the text is behind it, and zeros
 * behind that to a whole block, at least one; afterwards there is anything.
 *
 * @param length K1 || K2: 32, 48 or 64 bytes (section 2.2) of `keys` from `key` on.
 * @param size Bytes of the text.
 */
export function sealAt(keys: DataView, key: number, length: number, view: DataView, at: number, size: number): void {
  setUp(once, keys, key, length);
  const before = isTurn() ? bytesOf(view, at + SIV_LENGTH, size) : null;
  seal(once, view, at, size, null);
  if (before !== null) compare(bytesOf(keys, key, length), null, before, bytesOf(view, at, SIV_LENGTH + size));
}

/** The other way: whether V verifies. Where not, there is anything in the place of the plaintext. */
export function openAt(keys: DataView, key: number, length: number, view: DataView, at: number, size: number): boolean {
  setUp(once, keys, key, length);
  const before = isTurn() ? bytesOf(view, at, SIV_LENGTH + size) : null;
  const opens = open(once, view, at, size, null);
  if (before !== null) {
    const own = bytesOf(keys, key, length);
    if (opens) compare(own, null, bytesOf(view, at + SIV_LENGTH, size), before);
    else mustNotOpen(own, null, before);
  }
  return opens;
}

/** Z = V || C, without associated data. @param key K1 || K2: 32, 48 or 64 bytes (section 2.2). */
export function sealOnce(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const bytes = roomFor(plaintext, SIV_LENGTH);
  sealAt(viewOf(key), 0, key.length, viewOf(bytes), 0, plaintext.length);
  return bytes.slice(0, SIV_LENGTH + plaintext.length);
}

/** The plaintext, or `null` when the synthetic IV does not verify. */
export function openOnce(key: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < SIV_LENGTH) return null;
  const bytes = roomFor(sealed, 0);
  const opens = openAt(viewOf(key), 0, key.length, viewOf(bytes), 0, sealed.length - SIV_LENGTH);
  return opens ? bytes.slice(SIV_LENGTH, sealed.length) : null;
}

/**
 * AES-SIV for associated data. The bytes of the key are copied, and set up anew for every value, which is a tenth of the
 * work: most keys of this kind are used once or twice before they are dropped.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2).
 */
export function sivOnce(key: Uint8Array): SivOnce {
  const own = key.slice();
  const ownView = viewOf(own);
  return {
    seal(plaintext, associatedData) {
      const bytes = roomFor(plaintext, SIV_LENGTH);
      setUp(once, ownView, 0, own.length);
      seal(once, viewOf(bytes), 0, plaintext.length, associatedData);
      const sealed = bytes.slice(0, SIV_LENGTH + plaintext.length);
      if (isTurn()) compare(own, associatedData, plaintext, sealed);
      return sealed;
    },
    open(sealed, associatedData) {
      if (sealed.length < SIV_LENGTH) return null;
      const bytes = roomFor(sealed, 0);
      setUp(once, ownView, 0, own.length);
      const opens = open(once, viewOf(bytes), 0, sealed.length - SIV_LENGTH, associatedData);
      const plaintext = bytes.slice(SIV_LENGTH, sealed.length);
      if (isTurn()) {
        if (opens) compare(own, associatedData, plaintext, sealed);
        else mustNotOpen(own, associatedData, sealed);
      }
      return opens ? plaintext : null;
    },
  };
}

/** A copy of a text, or of V and a text, with room before it and zeros behind it. */
function roomFor(text: Uint8Array, at: number): Uint8Array {
  const bytes = new Uint8Array(at + text.length + 16);
  bytes.set(text, at);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + at, length).slice();
}

/** The block that AES works on, and D of section 2.4. */
const x: BlockWords = /* @__PURE__ */ new Int32Array(4);
const D: BlockWords = /* @__PURE__ */ new Int32Array(4);

function setUp({ s2v, ctr, whole, padded, zero }: Keys, key: DataView, at: number, length: number): void {
  const half = length / 2;
  // K1 = leftmost(K, len(K)/2), K2 = rightmost(K, len(K)/2).
  expandInto(s2v, key, at, half);
  expandInto(ctr, key, at + half, half);
  load(0, 0, 0, 0);
  encipher(s2v, x);
  copy(x, whole);
  double(whole);
  copy(whole, padded);
  double(padded);
  // A message of one whole block of zeros.
  copy(whole, x);
  encipher(s2v, x);
  copy(x, zero);
}

/** Section 2.6, in place: V at `at`, the text behind it, and room to a whole block behind that, at least one. */
function seal(keys: Keys, view: DataView, at: number, length: number, associatedData: Uint8Array | null): void {
  s2v(keys, view, at + SIV_LENGTH, length, associatedData);
  for (let i = 0; i < 4; i++) view.setInt32(at + 4 * i, x[i]!, true);
  counter(keys, view, at, length);
}

/** Section 2.7, in place. */
function open(keys: Keys, view: DataView, at: number, length: number, associatedData: Uint8Array | null): boolean {
  counter(keys, view, at, length);
  // What the key stream left behind the text, up to a whole block.
  const text = at + SIV_LENGTH;
  for (let i = length; i < length + 16; i++) view.setUint8(text + i, 0);
  s2v(keys, view, text, length, associatedData);
  let difference = 0;
  for (let i = 0; i < 4; i++) difference |= x[i]! ^ view.getInt32(at + 4 * i, true);
  return difference === 0;
}

/** Section 2.4: V of a plaintext, into the block. The text is as it was afterwards, with zeros behind it. */
function s2v(keys: Keys, view: DataView, at: number, length: number, associatedData: Uint8Array | null): void {
  copy(keys.zero, D);
  if (associatedData !== null) {
    // D = dbl(D) xor AES-CMAC(K, Si).
    const data = new Uint8Array(associatedData.length + 16);
    data.set(associatedData);
    mac(keys, viewOf(data), 0, associatedData.length);
    double(D);
    for (let i = 0; i < 4; i++) D[i]! ^= x[i]!;
  }
  if (length < 16) {
    // T = dbl(D) xor pad(Sn).
    double(D);
    view.setUint8(at + length, 0x80);
    xorAt(view, at, D);
    mac(keys, view, at, 16);
    xorAt(view, at, D);
    view.setUint8(at + length, 0);
  } else {
    // T = Sn xorend D.
    const end = at + length - 16;
    xorAt(view, end, D);
    mac(keys, view, at, length);
    xorAt(view, end, D);
  }
}

/** AES-CMAC (RFC 4493, section 2.4) of bytes with zeros behind them, into the block. */
function mac({ s2v: key, whole, padded }: Keys, view: DataView, at: number, length: number): void {
  const last = at + Math.max(0, ((length - 1) >> 4) << 4);
  const isWhole = at + length === last + 16;
  const subkey = isWhole ? whole : padded;
  if (!isWhole) view.setUint8(at + length, 0x80);
  load(0, 0, 0, 0);
  for (let p = at; p < last; p += 16) {
    x[0]! ^= view.getInt32(p, true);
    x[1]! ^= view.getInt32(p + 4, true);
    x[2]! ^= view.getInt32(p + 8, true);
    x[3]! ^= view.getInt32(p + 12, true);
    encipher(key, x);
  }
  x[0]! ^= view.getInt32(last, true) ^ subkey[0]!;
  x[1]! ^= view.getInt32(last + 4, true) ^ subkey[1]!;
  x[2]! ^= view.getInt32(last + 8, true) ^ subkey[2]!;
  x[3]! ^= view.getInt32(last + 12, true) ^ subkey[3]!;
  encipher(key, x);
  if (!isWhole) view.setUint8(at + length, 0);
}

/** Section 2.5: XORs into the text behind V the key stream that begins at Q, up to a whole block. */
function counter({ ctr: key }: Keys, view: DataView, at: number, length: number): void {
  // Section 2.6: Q = V bitand (1^64 || 0^1 || 1^31 || 0^1 || 1^31), so that no carry leaves the last word.
  const q0 = view.getInt32(at, true);
  const q1 = view.getInt32(at + 4, true);
  const q2 = view.getInt32(at + 8, true) & 0xffffff7f;
  const q3 = view.getInt32(at + 12, false) & 0x7fffffff;
  const end = at + SIV_LENGTH + length;
  for (let p = at + SIV_LENGTH, i = 0; p < end; p += 16, i++) {
    load(q0, q1, q2, swapBytes(q3 + i));
    encipher(key, x);
    xorAt(view, p, x);
  }
}

function load(a: number, b: number, c: number, d: number): void {
  x[0] = a;
  x[1] = b;
  x[2] = c;
  x[3] = d;
}

function copy(from: BlockWords, to: BlockWords): void {
  to[0] = from[0]!;
  to[1] = from[1]!;
  to[2] = from[2]!;
  to[3] = from[3]!;
}

/** Doubling in GF(2^128) (section 2.3): on big-endian words a shift to the left, and 0x87 when a bit falls out. */
function double(block: BlockWords): void {
  const a = swapBytes(block[0]!);
  const b = swapBytes(block[1]!);
  const c = swapBytes(block[2]!);
  const d = swapBytes(block[3]!);
  block[0] = swapBytes((a << 1) | (b >>> 31));
  block[1] = swapBytes((b << 1) | (c >>> 31));
  block[2] = swapBytes((c << 1) | (d >>> 31));
  block[3] = swapBytes((d << 1) ^ (0x87 & -(a >>> 31)));
}

function xorAt(view: DataView, at: number, words: BlockWords): void {
  view.setInt32(at, view.getInt32(at, true) ^ words[0]!, true);
  view.setInt32(at + 4, view.getInt32(at + 4, true) ^ words[1]!, true);
  view.setInt32(at + 8, view.getInt32(at + 8, true) ^ words[2]!, true);
  view.setInt32(at + 12, view.getInt32(at + 12, true) ^ words[3]!, true);
}
