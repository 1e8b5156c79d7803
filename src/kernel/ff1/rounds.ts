/**
 * The rounds of FF1 for values of any length: SP 800-38G, Algorithms 7 and 8, step 6, over a batch. A round calls AES
 * once for each block at the end of Q, and once more for all further blocks of S. If Q ends in one block, S has one
 * block and a half fits in a double, rounds-short.ts does the same in fewer passes.
 */

import { type AesBackend, BLOCK } from '../aes/aes.ts';
import { type Half, type LaneHalf, makeHalf } from './halves.ts';
import { type Buffers, makeBases, makeBlockBatch, makeBuffers, type Sizes, type Tweaks, xorBytes } from './prf.ts';

/** The rounds for values of one length. */
export interface Lane {
  /** LEN(A) and LEN(B). */
  readonly u: number;
  readonly v: number;
  /** Whether the halves are doubles. */
  readonly short: boolean;
  /** The two halves of every value. After `run` they are those of the result. */
  readonly a: LaneHalf;
  readonly b: LaneHalf;
  /** Allocates buffers for `count` values and computes what depends on the tweaks. */
  readonly load: (count: number, tweaks: Tweaks) => void;
  /** Runs the ten rounds over the loaded values: Algorithm 7 with a sign of 1, Algorithm 8 with -1. */
  readonly run: (count: number, sign: 1 | -1) => void;
}

/** The rounds for values of any length. */
export interface GeneralLane extends Lane {
  readonly a: Half;
  readonly b: Half;
}

/** Makes the rounds for one length. */
export function makeLane(aes: AesBackend, sizes: Sizes): GeneralLane {
  const { radix, u, v, d, tail, more } = sizes;
  const stride = tail * BLOCK;
  // 2. Let A = X[1 .. u]; B = X[u + 1 .. n].
  const a = makeHalf(radix, u);
  const b = makeHalf(radix, v);
  const bases = makeBases(aes, sizes);
  const chain = makeBlockBatch(aes);
  const counters = makeBlockBatch(aes);
  let q = makeBuffers(0);
  let s = q;

  function load(count: number, tweaks: Tweaks): void {
    a.reserve(count);
    b.reserve(count);
    bases.load(count, tweaks);
    // If the tail is one block, it is written straight into the input of AES.
    if (tail === 1) q = chain.reserve(count);
    else if (q.bytes.length !== count * stride) q = makeBuffers(count * stride);
    if (more > 0) s = makeBuffers(count * (more + 1) * BLOCK);
  }

  /** Steps 6.ii and iii: R = PRF(P || Q), and S, in strides of 16 · ceil(d / 16) bytes. */
  function macs(count: number): DataView {
    if (tail === 1 && more === 0) return chain.encrypt().view;
    const input = chain.reserve(count).bytes;
    let r = input;
    for (let block = 0; block < tail; block++) {
      if (tail > 1) {
        if (block === 0) input.fill(0);
        else input.set(r);
        for (let k = 0; k < count; k++) {
          const at = k * stride + block * BLOCK;
          xorBytes(input, k * BLOCK, q.bytes, at, at + BLOCK);
        }
      }
      r = chain.encrypt().bytes;
    }
    if (more === 0) return viewOf(r);
    // iii. Let S be the first d bytes of R || CIPH(R xor [1]^16) || CIPH(R xor [2]^16) …
    const next = counters.reserve(count * more);
    for (let k = 0, at = 0; k < count; k++) {
      for (let j = 1; j <= more; j++, at += BLOCK) {
        copyBytes(next.bytes, at, r, k * BLOCK);
        // j is at most 2^16, so [j]^16 is in the last four bytes.
        next.view.setUint32(at + 12, next.view.getUint32(at + 12) ^ j);
      }
    }
    const rest = counters.encrypt().bytes;
    for (let k = 0, at = 0, from = 0; k < count; k++) {
      copyBytes(s.bytes, at, r, k * BLOCK);
      at += BLOCK;
      for (let j = 0; j < more; j++, at += BLOCK, from += BLOCK) copyBytes(s.bytes, at, rest, from);
    }
    return s.view;
  }

  function run(count: number, sign: 1 | -1): void {
    // 6. For i from 0 to 9 (Algorithm 8: from 9 to 0). The halves change roles in each round, so A is A after ten
    // rounds.
    for (let turn = 0; turn < 10; turn++) {
      const i = sign === 1 ? turn : 9 - turn;
      const even = i % 2 === 0;
      copyAll(q, bases.buffers);
      for (let at = stride - sizes.b - 1; at < q.bytes.length; at += stride) q.bytes[at] = q.bytes[at]! ^ i;
      (even ? b : a).xorInto(q.view, count, stride);
      // iv. Let y = NUM(S). v. If i is even, let m = u; else, let m = v. vi. Let c = (NUM(A) + y) mod radix^m.
      // vii. Let C = STR(c). viii. Let A = B. ix. Let B = C.
      (even ? a : b).add(macs(count), count, (more + 1) * BLOCK, d, sign);
    }
    // 7. Return A || B.
  }

  return { u, v, short: false, a, b, load, run };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Copies a buffer. A small one is copied word by word, because a call of `set` costs as much as 16 words. */
function copyAll(to: Buffers, from: Buffers): void {
  const { length } = from.bytes;
  if (length > 4 * BLOCK) to.bytes.set(from.bytes);
  else for (let at = 0; at < length; at += 4) to.view.setUint32(at, from.view.getUint32(at));
}

/** Copies one block. */
function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number): void {
  for (let i = 0; i < BLOCK; i++) to[at + i] = from[start + i]!;
}
