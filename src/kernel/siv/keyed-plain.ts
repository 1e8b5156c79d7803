/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) for values that have a key each.
 *
 * Key set-up is most of the work of such a key, so nothing is prepared that one value does not need, and all of it is done
 * on words where the value lies: siv-values.ts, which is for many values under one key, takes several times as long for
 * this. siv-once-wasm.ts does the same in WebAssembly.
 */

import { swapBytes } from '../aes/aes.ts';
import { type BlockWords, encipher, expandInto, makeSchedule, type Schedule } from '../aes/short-lived.ts';
import { SIV_LENGTH } from './columns.ts';

/** Texts behind each other in one array, each with at least sixteen zeros behind it. */
export interface Texts {
  readonly bytes: Uint8Array;
  /** Where each begins, and the bytes that it has. */
  readonly starts: Int32Array;
  readonly sizes: Int32Array;
}

/** Keys of a column: K1 || K2 of each value, 32, 48 or 64 bytes (section 2.2), behind each other. */
export interface EachKeys {
  readonly keys: Uint8Array;
  readonly keyLength: number;
}

/** Values with a key each. */
export interface KeyedValues extends EachKeys {
  /** V (16 bytes) at the start of each, and the text behind it; the size is that of the text alone. */
  readonly values: Texts;
  /** A string of associated data for each; `null` for none at all, which is not the same as an empty one. */
  readonly data: Texts | null;
}

/** AES-SIV in place, for the values from one to another. Zeros behind texts stay zeros, or become anything. */
export interface SivEngine {
  readonly seal: (column: KeyedValues, from: number, to: number) => void;
  /** Whether each V verifies: 1 or 0. Where not, there is anything in the place of the plaintext. */
  readonly open: (column: KeyedValues, from: number, to: number, verdicts: Uint8Array) => void;
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

/** In TypeScript. */
export const plainEngine: SivEngine = {
  seal({ keys, keyLength, values, data }, from, to) {
    const [keyView, view, dataView] = [viewOf(keys), viewOf(values.bytes), data === null ? null : viewOf(data.bytes)];
    for (let i = from; i < to; i++) {
      setUp(once, keyView, i * keyLength, keyLength);
      const [at, size] = [values.starts[i]!, values.sizes[i]!];
      s2v(once, view, at + SIV_LENGTH, size, dataView, data?.starts[i] ?? 0, data?.sizes[i] ?? 0);
      for (let j = 0; j < 4; j++) view.setInt32(at + 4 * j, x[j]!, true);
      counter(once, view, at, size);
    }
  },
  open({ keys, keyLength, values, data }, from, to, verdicts) {
    const [keyView, view, dataView] = [viewOf(keys), viewOf(values.bytes), data === null ? null : viewOf(data.bytes)];
    for (let i = from; i < to; i++) {
      setUp(once, keyView, i * keyLength, keyLength);
      const [at, size] = [values.starts[i]!, values.sizes[i]!];
      counter(once, view, at, size);
      // What the key stream left behind the text, up to a whole block.
      const text = at + SIV_LENGTH;
      for (let j = size; j < size + 16; j++) view.setUint8(text + j, 0);
      s2v(once, view, text, size, dataView, data?.starts[i] ?? 0, data?.sizes[i] ?? 0);
      let difference = 0;
      for (let j = 0; j < 4; j++) difference |= x[j]! ^ view.getInt32(at + 4 * j, true);
      verdicts[i] = difference === 0 ? 1 : 0;
    }
  },
};

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
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

/** Section 2.4: V of a plaintext, into the block. The text is as it was afterwards, with zeros behind it. */
function s2v(
  keys: Keys,
  view: DataView,
  at: number,
  length: number,
  data: DataView | null,
  dataAt: number,
  dataLength: number,
): void {
  copy(keys.zero, D);
  if (data !== null) {
    // D = dbl(D) xor AES-CMAC(K, Si).
    mac(keys, data, dataAt, dataLength);
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
