/**
 * What AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) does a value, for values of one length under one key
 * and one string of associated data, in place.
 *
 * All that does not depend on the value is made before: with fixed associated data, D of S2V (section 2.4) is a constant
 * of the key, and with the length of the plaintext so is everything that is XORed into the last two blocks of its CMAC.
 * So block j of all values is one call of AES, and so are the key streams of all of them. One value is a batch of one,
 * with the door of AES for few blocks.
 */

import { BLOCK, type Blocks, encryptWords, expandKey, manyBlocks, type RoundKeys } from '../aes/aes.ts';
import { type Cmac, cmac, dbl, xorInto } from '../aes/cmac.ts';

/** Bytes that sealing adds: the synthetic IV, which is also the authentication tag (section 2.6). */
export const SIV_LENGTH = 16;

/** Values at once, at most. */
export const SLOTS = 1024;

/** From this many blocks on, one call of the door for many is faster than single ones (ff1-prf.ts measured 6). */
const MANY = 8;

/** Blocks that go to AES at once at most: 64 KiB, which stays in the processor's second cache. */
const ROOM = 4096;

/** Blocks on their way to AES. Nothing here calls anyone back, so one room is enough for all keys. */
const bytes: Uint8Array = /* @__PURE__ */ new Uint8Array(ROOM * BLOCK);
const view: DataView = /* @__PURE__ */ new DataView(bytes.buffer);

/** What comes before the first block of a CMAC. */
const zeros: DataView = /* @__PURE__ */ new DataView(new ArrayBuffer(SLOTS * BLOCK));

/** The two doors of AES under one key. */
interface AesBackend {
  readonly few: RoundKeys;
  readonly many: Blocks;
}

/**
 * Where values lie: value k has its synthetic IV V at `at + k * stride`, and its text behind it: `length` bytes, which
 * are the same number before and after, and room up to a whole block, at least one.
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
  /** Turns plaintexts into V and ciphertexts. The room behind each plaintext holds zeros, and anything afterwards. */
  readonly seal: (values: Values) => void;
  /**
   * Turns ciphertexts into plaintexts and tells for each whether V verifies, 1 or 0. Where it does not, zeros take the
   * place of the plaintext.
   */
  readonly open: (values: Values, verdicts: Uint8Array) => void;
}

/** Prepares one string of associated data for many values. The bytes are not kept. */
export type Under = (associatedData: Uint8Array) => SivValues;

/** Where the associated data of values lie: those of value k at `at + k * stride`, zeros behind them to a whole block. */
export interface Data {
  readonly view: DataView;
  readonly at: number;
  readonly stride: number;
  /** At least 16, and so is the `length` of the values: shorter ones would go another way through S2V. */
  readonly length: number;
}

/** AES-SIV under one key, with one string of associated data for each value; otherwise as {@link SivValues}. */
export interface SivRows {
  readonly seal: (values: Values, data: Data) => void;
  readonly open: (values: Values, data: Data, verdicts: Uint8Array) => void;
}

/**
 * Key set-up, without self-tests: siv.ts has them.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2).
 * @param many The door of AES for many blocks: tests give the portable one.
 */
export function bareSiv(key: Uint8Array, many: (key: Uint8Array) => Blocks = manyBlocks): Under {
  // K1 = leftmost(K, len(K)/2) is the key of S2V, K2 = rightmost(K, len(K)/2) the key of CTR.
  const [s2vKey, ctrKey] = [doors(key.slice(0, key.length / 2), many), doors(key.slice(key.length / 2), many)];
  const mac = cmac(s2vKey.few);
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
 * Key set-up for values with associated data of their own, without self-tests: siv.ts has them.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2).
 */
export function bareRows(key: Uint8Array, many: (key: Uint8Array) => Blocks = manyBlocks): SivRows {
  const [s2vKey, ctrKey] = [doors(key.slice(0, key.length / 2), many), doors(key.slice(key.length / 2), many)];
  const mac = cmac(s2vKey.few);
  const zero = wordsOf(dbl(mac.tag(new Uint8Array(16))));
  // With D = 0, V is the CMAC of what is given: of the associated data, and of a plaintext into whose end D was XORed.
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

/** The door for many blocks is made when it is first gone through: it takes 2 to 11 µs, and many keys never see a column. */
function doors(key: Uint8Array, many: (key: Uint8Array) => Blocks): AesBackend {
  let made: Blocks | null = null;
  return {
    few: expandKey(key),
    many(buffer) {
      made ??= many(key);
      return made(buffer);
    },
  };
}

/** The verbs, and what they are made of. */
interface Bare {
  /** Section 2.4: V of every value, which is read before the next call. */
  readonly s2v: (values: Values) => DataView;
  /** @param ends What is XORed into the end of every plaintext, a block each, on its way through S2V. */
  readonly seal: (values: Values, ends?: DataView) => void;
  readonly open: (values: Values, verdicts: Uint8Array, ends?: DataView) => void;
}

/** @param D of section 2.4, after the associated data. */
function sivValues(s2vKey: AesBackend, mac: Cmac, ctrKey: AesBackend, D: Uint8Array): Bare {
  const tails = new Array<Int32Array | null>(2 * BLOCK).fill(null);

  /** What S2V and CMAC XOR into the last two blocks of a plaintext. It depends on its length only by the last block. */
  function tailOf(length: number): Int32Array {
    const name = length < BLOCK ? length : BLOCK + (length % BLOCK);
    let tail = tails[name]!;
    if (tail === null) {
      tail = makeTail(mac, D, name);
      tails[name] = tail;
    }
    return tail;
  }

  function s2v({ view: from, at, stride, length, count }: Values): DataView {
    const blocks = Math.max(1, Math.ceil(length / BLOCK));
    const tail = tailOf(length);
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
      y = encrypt(s2vKey, count);
    }
    return y;
  }

  /** Section 2.5: XORs into every text the key stream that begins at Q. */
  function ctr({ view: text, at, stride, length, count }: Values): void {
    const blocks = Math.ceil(length / BLOCK);
    const most = Math.floor(ROOM / count);
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
      const y = encrypt(ctrKey, count * now);
      x = 0;
      for (let k = 0, p = at + SIV_LENGTH + from * BLOCK; k < count; k++, p += stride) {
        for (let i = 0; i < 4 * now; i++, x += 4) {
          text.setInt32(p + 4 * i, text.getInt32(p + 4 * i, true) ^ y.getInt32(x, true), true);
        }
      }
    }
  }

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
      ctr(values);
    },
    // Section 2.7.
    open(values, verdicts, ends) {
      const { view: to, at, stride, length, count } = values;
      ctr(values);
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

/** T = Sn xorend D of section 2.4, in place. */
function xorEnds({ view: text, at, stride, length, count }: Values, ends: DataView): void {
  for (let x = 0, p = at + length; x < count * BLOCK; x += BLOCK, p += stride) {
    // The last sixteen bytes: V is as long as what is left out.
    text.setInt32(p, text.getInt32(p, true) ^ ends.getInt32(x, true), true);
    text.setInt32(p + 4, text.getInt32(p + 4, true) ^ ends.getInt32(x + 4, true), true);
    text.setInt32(p + 8, text.getInt32(p + 8, true) ^ ends.getInt32(x + 8, true), true);
    text.setInt32(p + 12, text.getInt32(p + 12, true) ^ ends.getInt32(x + 12, true), true);
  }
}

/** Zeros from byte `from` to byte `to` of every text. */
function clear({ view: text, at, stride, count }: Values, from: number, to: number): void {
  for (let k = 0, p = at + SIV_LENGTH; k < count; k++, p += stride) {
    for (let i = from; i < to; i++) text.setUint8(p + i, 0);
  }
}

/** The words for the last block but one and the last. `length` is that of the plaintext or less by whole blocks. */
function makeTail(mac: Cmac, D: Uint8Array, length: number): Int32Array {
  const tail = new Uint8Array(2 * BLOCK);
  const last = tail.subarray(BLOCK);
  if (length < BLOCK) {
    // T = dbl(D) xor pad(Sn), one whole block.
    last.set(dbl(D));
    last[length]! ^= 0x80;
    xorInto(last, mac.k1);
  } else {
    // T = Sn xorend D, of which the CMAC pads what is no whole block.
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

/** Enciphers the first blocks of the room, by the door that their number asks for. */
function encrypt({ few, many }: AesBackend, count: number): DataView {
  if (count >= MANY) {
    const out = many(bytes.subarray(0, count * BLOCK));
    return new DataView(out.buffer, out.byteOffset, out.length);
  }
  for (let x = 0; x < count * BLOCK; x += BLOCK) {
    const { s0, s1, s2, s3 } = encryptWords(
      few,
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
