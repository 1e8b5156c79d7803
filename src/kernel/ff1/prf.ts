/**
 * What FF1 computes once per key, length and tweak: steps 5 and 6.i of SP 800-38G, Algorithms 7 and 8, and the part of
 * the CBC-MAC of step 6.ii that is the same in every round.
 */

import { equalBytes } from '../../core/bytes.ts';
import { type AesBackend, BLOCK, encryptEach, WORTH_A_CALL } from '../aes/aes.ts';
import { bytesOf } from './halves.ts';

/** Tweaks of one length, one for each value, written one after another. */
export interface TweakColumn {
  readonly bytes: Uint8Array;
  /** Bytes of each tweak. */
  readonly each: number;
}

/** One tweak for all values, or one for each value. */
export type Tweaks = Uint8Array | readonly Uint8Array[] | TweakColumn;

/** Returns whether there is one tweak for all values. */
export function isOneTweak(tweaks: Tweaks): tweaks is Uint8Array {
  return tweaks instanceof Uint8Array;
}

/** Writes tweaks of one length one after another. */
function columnOf(tweaks: readonly Uint8Array[]): TweakColumn {
  const each = tweaks[0]!.length;
  const bytes = new Uint8Array(each * tweaks.length);
  for (let k = 0; k < tweaks.length; k++) bytes.set(tweaks[k]!, k * each);
  return { bytes, each };
}

/** An array of bytes, and a view on it. */
export interface Buffers {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Allocates zeros. */
export function makeBuffers(length: number): Buffers {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Blocks that are enciphered together. The buffers are reused: read the output before the next call. */
export interface BlockBatch {
  /** Returns the buffers for the input of `count` blocks. */
  readonly reserve: (count: number) => Buffers;
  /** Enciphers the blocks that were written there. */
  readonly encrypt: () => Buffers;
}

/** Makes a batch of blocks. Its size decides in which of the two ways of AES it is enciphered. */
export function makeBlockBatch(aes: AesBackend): BlockBatch {
  let input = makeBuffers(0);
  let output = input;
  return {
    reserve(count: number): Buffers {
      if (input.bytes.length !== count * BLOCK) {
        input = makeBuffers(count * BLOCK);
        output = count < WORTH_A_CALL ? makeBuffers(count * BLOCK) : input;
      }
      return input;
    },
    encrypt(): Buffers {
      if (input.bytes.length < WORTH_A_CALL * BLOCK) {
        encryptEach(aes.block, input.view, output.view);
        return output;
      }
      const bytes = aes.blocks(input.bytes);
      return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
    },
  };
}

/** The numbers of Algorithm 7 that depend on radix and length alone. */
export interface Sizes {
  readonly radix: number;
  readonly n: number;
  readonly u: number;
  readonly v: number;
  /** b: bytes of [NUM(B)]. */
  readonly b: number;
  /** d: bytes of S. */
  readonly d: number;
  /**
   * How many blocks at the end of Q hold [i]^1 || [NUM(B)]^b. The end of the tweak and its padding may be there too.
   */
  readonly tail: number;
  /** How many blocks S has after the first (step 6.iii). */
  readonly more: number;
}

/** Steps 1, 3 and 4 of Algorithm 7. */
export function sizesOf(radix: number, n: number): Sizes {
  // 1. Let u = floor(n / 2); v = n - u.
  const u = Math.floor(n / 2);
  const v = n - u;
  // 3. Let b = ceil(ceil(v · LOG(radix)) / 8).
  const b = bytesOf(radix, v);
  // 4. Let d = 4 · ceil(b / 4) + 4.
  const d = 4 * Math.ceil(b / 4) + 4;
  return { radix, n, u, v, b, d, tail: Math.ceil((b + 1) / BLOCK), more: Math.ceil(d / BLOCK) - 1 };
}

/**
 * The last blocks of Q of every value, without [i]^1 || [NUM(B)]^b, XORed with the CBC-MAC of all blocks before them. A
 * round only has to XOR i and NUM(B) into them.
 */
export interface Bases {
  readonly buffers: Buffers;
  /** Whether one tweak is that of all values, so that all bases are equal. */
  readonly areEqual: boolean;
  /** Computes the bases of `count` values. Returns whether anything changed since the last call. */
  readonly load: (count: number, tweaks: Tweaks) => boolean;
}

/** Folds tweaks into bases. A copy of the last tweak is kept, so that a caller who uses it again needs no new bases. */
export function makeBases(aes: AesBackend, sizes: Sizes): Bases {
  const { radix, n, u, b, tail } = sizes;
  const stride = tail * BLOCK;
  const fold = makeBlockBatch(aes);
  let buffers = makeBuffers(0);
  let held: Uint8Array | null = null;

  const start = makeBuffers(BLOCK);
  let startLength = -1;

  /** Step 5 and the first block of step 6.ii: CIPH(P) depends on the length of the tweak alone. */
  function startOf(t: number): void {
    if (startLength === t) return;
    // 5. Let P = [1]^1 || [2]^1 || [1]^1 || [radix]^3 || [10]^1 || [u mod 256]^1 || [n]^4 || [t]^4.
    const p = makeBuffers(BLOCK);
    p.bytes.set([1, 2, 1, radix >>> 16, (radix >>> 8) & 255, radix & 255, 10, u & 255]);
    p.view.setUint32(8, n);
    p.view.setUint32(12, t);
    encryptEach(aes.block, p.view, start.view);
    startLength = t;
  }

  function foldTweaks({ bytes: tweaks, each: t }: TweakColumn, count: number): void {
    startOf(t);
    // 6.i. Let Q = T || [0]^((-t-b-1) mod 16) || [i]^1 || [NUM(B)]^b. The blocks before the tail hold only T and zeros.
    const folded = BLOCK * Math.ceil((t + b + 1) / BLOCK) - stride;
    const input = fold.reserve(count);
    let r: Uint8Array = new Uint8Array(count * BLOCK);
    r.set(start.bytes);
    repeat(r, BLOCK);
    // 6.ii. Let R = PRF(P || Q): here the part that is the same in every round.
    for (let at = 0; at < folded; at += BLOCK) {
      input.bytes.set(r);
      for (let k = 0; k < count; k++)
        xorBytes(input.bytes, k * BLOCK, tweaks, k * t + at, k * t + Math.min(t, at + BLOCK));
      r = fold.encrypt().bytes;
    }
    if (tail === 1) {
      buffers.bytes.set(r.length === buffers.bytes.length ? r : r.subarray(0, count * BLOCK));
    } else {
      buffers.bytes.fill(0);
      for (let k = 0; k < count; k++) xorBytes(buffers.bytes, k * stride, r, k * BLOCK, (k + 1) * BLOCK);
    }
    for (let k = 0; k < count && t > folded; k++) {
      xorBytes(buffers.bytes, k * stride, tweaks, k * t + folded, k * t + t);
    }
  }

  return {
    get buffers() {
      return buffers;
    },
    get areEqual() {
      return held !== null;
    },
    load(count, tweaks) {
      if (buffers.bytes.length !== count * stride) {
        buffers = makeBuffers(count * stride);
        held = null;
      }
      if (!isOneTweak(tweaks)) {
        held = null;
        foldTweaks('each' in tweaks ? tweaks : columnOf(tweaks), count);
        return true;
      }
      if (held !== null && equalBytes(held, tweaks)) return false;
      // A copy, and not `slice`: that of a Node `Buffer` is a view, which the caller could change afterwards.
      held = Uint8Array.from(tweaks);
      foldTweaks({ bytes: held, each: held.length }, 1);
      repeat(buffers.bytes, stride);
      return true;
    },
  };
}

/** Repeats the first `length` bytes of an array until its end. */
function repeat(bytes: Uint8Array, length: number): void {
  for (let filled = length; filled < bytes.length; filled *= 2) {
    bytes.copyWithin(filled, 0, Math.min(filled, bytes.length - filled));
  }
}

/** XORs `from[start..end]` into `into` at `at`. */
export function xorBytes(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  for (let i = start, to = at; i < end; i++, to++) into[to] = into[to]! ^ from[i]!;
}
