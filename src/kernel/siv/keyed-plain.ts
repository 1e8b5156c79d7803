/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) for values that each have a key of their own, in plain
 * TypeScript. keyed-wasm.ts does the same in WebAssembly.
 *
 * Key set-up is most of the work under such a key. So nothing is prepared that a single value does not need, and
 * everything is computed on words, in place. columns.ts, which is made for many values under one key, would take
 * several times as long.
 */

import { swapBytes } from '../aes/aes.ts';
import { type BlockWords, encipher, expandInto, makeSchedule, type Schedule } from '../aes/short-lived.ts';
import { SIV_LENGTH } from './columns.ts';

/** Texts one after another in one array. Each is followed by at least sixteen zeros. */
export interface Texts {
  readonly bytes: Uint8Array;
  /** Where each text begins, and how many bytes it has. */
  readonly starts: Int32Array;
  readonly sizes: Int32Array;
}

/** The keys of a column, one after another: K1 || K2 of each value, 32, 48 or 64 bytes (section 2.2). */
export interface EachKeys {
  readonly keys: Uint8Array;
  readonly keyLength: number;
}

/** Values, each with its key. */
export interface KeyedValues extends EachKeys {
  /** Each value starts with V (16 bytes), followed by the text. The size is that of the text alone. */
  readonly values: Texts;
  /** The associated data of each value. `null` means no string at all, which is not the same as an empty one. */
  readonly data: Texts | null;
}

/** AES-SIV in place, for the values `from` to `to`. The zeros after the texts may be overwritten with anything. */
export interface SivEngine {
  readonly seal: (column: KeyedValues, from: number, to: number) => void;
  /** Writes a verdict for each value: 1 if V verifies, 0 if not. If it does not, the plaintext is not to be used. */
  readonly open: (column: KeyedValues, from: number, to: number, verdicts: Uint8Array) => void;
}

/** A key after its set-up. */
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

/** The key in use. Nothing here calls back, so one is enough. */
const current: Keys = /* @__PURE__ */ makeKeys();

/** The engine in plain TypeScript. */
export const plainEngine: SivEngine = {
  seal({ keys, keyLength, values, data }, from, to) {
    const [keyView, view, dataView] = [viewOf(keys), viewOf(values.bytes), data === null ? null : viewOf(data.bytes)];
    for (let i = from; i < to; i++) {
      setUp(current, keyView, i * keyLength, keyLength);
      const [at, size] = [values.starts[i]!, values.sizes[i]!];
      s2v(current, view, at + SIV_LENGTH, size, dataView, data?.starts[i] ?? 0, data?.sizes[i] ?? 0);
      for (let j = 0; j < 4; j++) view.setInt32(at + 4 * j, x[j]!, true);
      counter(current, view, at, size);
    }
  },
  open({ keys, keyLength, values, data }, from, to, verdicts) {
    const [keyView, view, dataView] = [viewOf(keys), viewOf(values.bytes), data === null ? null : viewOf(data.bytes)];
    for (let i = from; i < to; i++) {
      setUp(current, keyView, i * keyLength, keyLength);
      const [at, size] = [values.starts[i]!, values.sizes[i]!];
      counter(current, view, at, size);
      // The key stream was XORed up to a whole block, so the zeros after the text have to be written again.
      const text = at + SIV_LENGTH;
      for (let j = size; j < size + 16; j++) view.setUint8(text + j, 0);
      s2v(current, view, text, size, dataView, data?.starts[i] ?? 0, data?.sizes[i] ?? 0);
      let difference = 0;
      for (let j = 0; j < 4; j++) difference |= x[j]! ^ view.getInt32(at + 4 * j, true);
      verdicts[i] = difference === 0 ? 1 : 0;
    }
  },
};

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The block that AES enciphers, and D of section 2.4. */
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

/**
 * Section 2.4: writes V of a plaintext into the block. The text and the zeros after it are the same before and after.
 */
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

/** AES-CMAC (RFC 4493, section 2.4): writes the tag of bytes, which zeros follow, into the block. */
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

/** Section 2.5: XORs the key stream that begins at Q into the text after V, up to a whole block. */
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

/**
 * Doubling in GF(2^128) (section 2.3): a left shift of big-endian words, and an XOR with 0x87 if a bit is shifted out.
 */
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
