/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) over a column of values of one length, under one key and
 * one string of associated data. The values are changed in place.
 *
 * Everything that does not depend on a value is computed before. If the associated data are fixed, D of S2V (section
 * 2.4) is a constant of the key. If the length of the plaintext is fixed too, so is everything that is XORed into the
 * last two blocks of its CMAC. Block j of all values is then one call of AES, and the key streams of all values are
 * another. A single value is a column of one, whose blocks are enciphered one at a time.
 */

import { type AesBackend, BLOCK, type Blocks, encryptWords, expandKey, manyBlocks, WORTH_A_CALL } from '../aes/aes.ts';
import { type Cmac, cmac, dbl, xorInto } from '../aes/cmac.ts';

/** Bytes that sealing adds to a text: the synthetic IV, which is also the authentication tag (section 2.6). */
export const SIV_LENGTH = 16;

/** The most values of one call. */
export const SLOTS = 1024;

/** The most blocks that go to AES at once: 64 KiB, which fit in the processor's second cache. */
const MAX_BLOCKS = 4096;

/** The input of AES. Nothing here calls back, so one buffer is enough for all keys. */
const bytes: Uint8Array = /* @__PURE__ */ new Uint8Array(MAX_BLOCKS * BLOCK);
const view: DataView = /* @__PURE__ */ new DataView(bytes.buffer);

/** The chaining value before the first block of a CMAC, for every value. */
const zeros: DataView = /* @__PURE__ */ new DataView(new ArrayBuffer(SLOTS * BLOCK));

/**
 * Where the values of a column lie. The synthetic IV V of value k is at `at + k * stride`, and its text follows:
 * `length` bytes, before and after. After the text there is space up to a whole block, and at least one block in all.
 */
export interface Values {
  readonly view: DataView;
  readonly at: number;
  readonly stride: number;
  readonly length: number;
  /** At most {@link SLOTS}. */
  readonly count: number;
}

/** AES-SIV under one key and one string of associated data. */
export interface SivValues {
  /**
   * Turns plaintexts into V and ciphertexts. The space after each plaintext must hold zeros, and holds anything
   * afterwards.
   */
  readonly seal: (values: Values) => void;
  /**
   * Turns ciphertexts into plaintexts. Writes a verdict for each value: 1 if V verifies, 0 if not. If it does not, the
   * plaintext is overwritten with zeros.
   */
  readonly open: (values: Values, verdicts: Uint8Array) => void;
}

/** Prepares AES-SIV for one string of associated data and many values. The bytes are not kept. */
export type Under = (associatedData: Uint8Array) => SivValues;

/**
 * Where the associated data of the values lie: those of value k at `at + k * stride`, followed by zeros to a whole
 * block.
 */
export interface Data {
  readonly view: DataView;
  readonly at: number;
  readonly stride: number;
  /** At least 16. So is the `length` of the values, because S2V treats shorter ones in another way. */
  readonly length: number;
}

/** AES-SIV under one key, with a string of associated data for each value. Otherwise it is like {@link SivValues}. */
export interface SivRows {
  readonly seal: (values: Values, data: Data) => void;
  readonly open: (values: Values, data: Data, verdicts: Uint8Array) => void;
}

/**
 * Key set-up without self-tests, which siv.ts adds.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2).
 * @param blocks Key set-up of AES for many blocks. Tests pass the portable one.
 */
export function bareSiv(key: Uint8Array, blocks: (key: Uint8Array) => Blocks = manyBlocks): Under {
  const [s2vKey, ctrKey] = halvesOf(key, blocks);
  const mac = cmac(s2vKey.block);
  // Section 2.4: D = AES-CMAC(K, <zero>).
  const zero = mac.tag(new Uint8Array(16));
  return (associatedData) => {
    // D = dbl(D) xor AES-CMAC(K, Si), for the one string of associated data.
    const D = dbl(zero);
    xorInto(D, mac.tag(associatedData));
    return sivValues(s2vKey, mac, ctrKey, D);
  };
}

/**
 * Key set-up for values with associated data of their own, without self-tests, which siv.ts adds.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2).
 */
export function bareRows(key: Uint8Array, blocks: (key: Uint8Array) => Blocks = manyBlocks): SivRows {
  const [s2vKey, ctrKey] = halvesOf(key, blocks);
  const mac = cmac(s2vKey.block);
  const zero = wordsOf(dbl(mac.tag(new Uint8Array(16))));
  // With D = 0, `s2v` returns the CMAC of its input: of associated data, or of a plaintext into whose end D was XORed.
  const bare = sivValues(s2vKey, mac, ctrKey, new Uint8Array(BLOCK));

  /** D of every value (section 2.4): dbl(AES-CMAC(K, <zero>)) xor AES-CMAC(K, Si). */
  function dataOf({ view: from, at, stride, length }: Data, count: number): DataView {
    const D = new DataView(new ArrayBuffer(count * BLOCK));
    const macs = bare.s2v({ view: from, at: at - SIV_LENGTH, stride, length, count });
    for (let x = 0; x < count * BLOCK; x += 4) {
      D.setInt32(x, macs.getInt32(x, true) ^ zero[(x >>> 2) & 3]!, true);
    }
    return D;
  }

  return {
    seal(values, data) {
      bare.seal(values, dataOf(data, values.count));
    },
    open(values, data, verdicts) {
      bare.open(values, verdicts, dataOf(data, values.count));
    },
  };
}

/** K1 = leftmost(K, len(K)/2) is the key of S2V, K2 = rightmost(K, len(K)/2) the key of CTR (section 2.6). */
function halvesOf(key: Uint8Array, blocks: (key: Uint8Array) => Blocks): [AesBackend, AesBackend] {
  const half = key.length / 2;
  return [lazyBackend(key.slice(0, half), blocks), lazyBackend(key.slice(half), blocks)];
}

/**
 * Many keys never see a column, so the key set-up for many blocks, which takes 2 to 11 µs, waits until it is needed.
 */
function lazyBackend(key: Uint8Array, makeBlocks: (key: Uint8Array) => Blocks): AesBackend {
  let made: Blocks | null = null;
  return {
    block: expandKey(key),
    blocks(buffer) {
      made ??= makeBlocks(key);
      return made(buffer);
    },
  };
}

/** The verbs of this file, and S2V, of which they are made. */
interface Bare {
  /** Section 2.4: returns V of every value. Read it before the next call. */
  readonly s2v: (values: Values) => DataView;
  /** @param ends A block for each value that is XORed into the end of its plaintext while it goes through S2V. */
  readonly seal: (values: Values, ends?: DataView) => void;
  readonly open: (values: Values, verdicts: Uint8Array, ends?: DataView) => void;
}

/**
 * The verbs under a key.
 *
 * @param D D of section 2.4, after the associated data.
 */
function sivValues(s2vKey: AesBackend, mac: Cmac, ctrKey: AesBackend, D: Uint8Array): Bare {
  const tails = new Array<Int32Array | null>(2 * BLOCK).fill(null);

  /** Returns what S2V and CMAC XOR into the last two blocks. Of the length, only that of the last block matters. */
  function tailOf(length: number): Int32Array {
    const name = length < BLOCK ? length : BLOCK + (length % BLOCK);
    let tail = tails[name]!;
    if (tail === null) {
      tail = makeTail(mac, D, name);
      tails[name] = tail;
    }
    return tail;
  }

  const s2v = (values: Values): DataView => s2vOf(s2vKey, values, tailOf(values.length));

  function s2vWith(values: Values, ends: DataView | undefined): DataView {
    if (ends === undefined) return s2v(values);
    xorEnds(values, ends);
    const v = s2v(values);
    xorEnds(values, ends);
    return v;
  }

  return {
    s2v,
    // Section 2.6.
    seal(values, ends) {
      const { view: to, at, stride, count } = values;
      const v = s2vWith(values, ends);
      for (let x = 0, p = at; x < count * BLOCK; x += BLOCK, p += stride) {
        to.setInt32(p, v.getInt32(x, true), true);
        to.setInt32(p + 4, v.getInt32(x + 4, true), true);
        to.setInt32(p + 8, v.getInt32(x + 8, true), true);
        to.setInt32(p + 12, v.getInt32(x + 12, true), true);
      }
      ctr(ctrKey, values);
    },
    // Section 2.7.
    open(values, verdicts, ends) {
      const { view: to, at, stride, length, count } = values;
      ctr(ctrKey, values);
      clear(values, length, BLOCK * Math.max(1, Math.ceil(length / BLOCK)));
      const t = s2vWith(values, ends);
      let all = 1;
      for (let k = 0, x = 0, p = at; k < count; k++, x += BLOCK, p += stride) {
        const difference =
          (t.getInt32(x, true) ^ to.getInt32(p, true)) |
          (t.getInt32(x + 4, true) ^ to.getInt32(p + 4, true)) |
          (t.getInt32(x + 8, true) ^ to.getInt32(p + 8, true)) |
          (t.getInt32(x + 12, true) ^ to.getInt32(p + 12, true));
        const verdict = ((difference | -difference) >>> 31) ^ 1;
        verdicts[k] = verdict;
        all &= verdict;
      }
      if (all === 1) return;
      for (let k = 0; k < count; k++) {
        if (verdicts[k] === 0) clear({ view: to, at: at + k * stride, stride, length, count: 1 }, 0, length);
      }
    },
  };
}

/**
 * Section 2.4: V of every value. Block j of all values is enciphered at once.
 *
 * @param tail What is XORed into the last two blocks of every plaintext.
 */
function s2vOf(key: AesBackend, { view: from, at, stride, length, count }: Values, tail: Int32Array): DataView {
  const blocks = Math.max(1, Math.ceil(length / BLOCK));
  let y = zeros;
  for (let j = 0; j < blocks; j++) {
    const k = 4 * (j - blocks + 2);
    const t0 = k < 0 ? 0 : tail[k]!;
    const t1 = k < 0 ? 0 : tail[k + 1]!;
    const t2 = k < 0 ? 0 : tail[k + 2]!;
    const t3 = k < 0 ? 0 : tail[k + 3]!;
    let p = at + SIV_LENGTH + j * BLOCK;
    for (let x = 0; x < count * BLOCK; x += BLOCK) {
      view.setInt32(x, y.getInt32(x, true) ^ from.getInt32(p, true) ^ t0, true);
      view.setInt32(x + 4, y.getInt32(x + 4, true) ^ from.getInt32(p + 4, true) ^ t1, true);
      view.setInt32(x + 8, y.getInt32(x + 8, true) ^ from.getInt32(p + 8, true) ^ t2, true);
      view.setInt32(x + 12, y.getInt32(x + 12, true) ^ from.getInt32(p + 12, true) ^ t3, true);
      p += stride;
    }
    y = encrypt(key, count);
  }
  return y;
}

/** Section 2.5: XORs the key stream that begins at Q into every text. */
function ctr(key: AesBackend, { view: text, at, stride, length, count }: Values): void {
  const blocks = Math.ceil(length / BLOCK);
  const most = Math.floor(MAX_BLOCKS / count);
  for (let from = 0; from < blocks; from += most) {
    const now = Math.min(most, blocks - from);
    let x = 0;
    for (let k = 0, v = at; k < count; k++, v += stride) {
      const q0 = text.getInt32(v, true);
      const q1 = text.getInt32(v + 4, true);
      // Section 2.6: Q = V bitand (1^64 || 0^1 || 1^31 || 0^1 || 1^31), so that no carry leaves the last word.
      const q2 = text.getInt32(v + 8, true) & 0xffffff7f;
      const q3 = (text.getInt32(v + 12, false) & 0x7fffffff) + from;
      for (let i = 0; i < now; i++, x += BLOCK) {
        view.setInt32(x, q0, true);
        view.setInt32(x + 4, q1, true);
        view.setInt32(x + 8, q2, true);
        view.setInt32(x + 12, q3 + i, false);
      }
    }
    const y = encrypt(key, count * now);
    x = 0;
    for (let k = 0, p = at + SIV_LENGTH + from * BLOCK; k < count; k++, p += stride) {
      for (let i = 0; i < 4 * now; i++, x += 4) {
        text.setInt32(p + 4 * i, text.getInt32(p + 4 * i, true) ^ y.getInt32(x, true), true);
      }
    }
  }
}

/** T = Sn xorend D of section 2.4, in place. */
function xorEnds({ view: text, at, stride, length, count }: Values, ends: DataView): void {
  for (let x = 0, p = at + length; x < count * BLOCK; x += BLOCK, p += stride) {
    // The last sixteen bytes of the text: V before the text is sixteen bytes as well, so they begin at `at + length`.
    text.setInt32(p, text.getInt32(p, true) ^ ends.getInt32(x, true), true);
    text.setInt32(p + 4, text.getInt32(p + 4, true) ^ ends.getInt32(x + 4, true), true);
    text.setInt32(p + 8, text.getInt32(p + 8, true) ^ ends.getInt32(x + 8, true), true);
    text.setInt32(p + 12, text.getInt32(p + 12, true) ^ ends.getInt32(x + 12, true), true);
  }
}

/** Writes zeros from byte `from` to byte `to` of every text. */
function clear({ view: text, at, stride, count }: Values, from: number, to: number): void {
  for (let k = 0, p = at + SIV_LENGTH; k < count; k++, p += stride) {
    for (let i = from; i < to; i++) text.setUint8(p + i, 0);
  }
}

/**
 * Computes the words for the last block but one and the last block. `length` may be that of the plaintext less any
 * number of whole blocks.
 */
function makeTail(mac: Cmac, D: Uint8Array, length: number): Int32Array {
  const tail = new Uint8Array(2 * BLOCK);
  const last = tail.subarray(BLOCK);
  if (length < BLOCK) {
    // T = dbl(D) xor pad(Sn), one whole block.
    last.set(dbl(D));
    last[length]! ^= 0x80;
    xorInto(last, mac.k1);
  } else {
    // T = Sn xorend D. If its last block is not whole, the CMAC pads it.
    const end = length % BLOCK === 0 ? 2 * BLOCK : BLOCK + (length % BLOCK);
    tail.set(D, end - BLOCK);
    if (end < 2 * BLOCK) tail[end] = 0x80;
    xorInto(last, end < 2 * BLOCK ? mac.k2 : mac.k1);
  }
  return wordsOf(tail);
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new DataView(bytes.buffer);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => words.getInt32(4 * i, true));
}

/** Enciphers the first `count` blocks of the input, at once or one at a time, whichever is faster. */
function encrypt({ block, blocks }: AesBackend, count: number): DataView {
  if (count >= WORTH_A_CALL) {
    const out = blocks(bytes.subarray(0, count * BLOCK));
    return new DataView(out.buffer, out.byteOffset, out.length);
  }
  for (let x = 0; x < count * BLOCK; x += BLOCK) {
    const { s0, s1, s2, s3 } = encryptWords(
      block,
      view.getInt32(x, true),
      view.getInt32(x + 4, true),
      view.getInt32(x + 8, true),
      view.getInt32(x + 12, true),
    );
    view.setInt32(x, s0, true);
    view.setInt32(x + 4, s1, true);
    view.setInt32(x + 8, s2, true);
    view.setInt32(x + 12, s3, true);
  }
  return view;
}
