/**
 * The rounds of FF1 for short values: a half fits in one double, and Q ends in one block. Most values are short: card
 * numbers, dates, identity numbers. The result is the same as that of rounds.ts.
 *
 * A round is one call of AES over the batch and one pass. The pass takes S, changes a half, and writes the half into
 * the next Q, of which only the last eight bytes differ from round to round. A single value stays in local variables.
 */

import { type AesBackend, BLOCK, encryptWords, swapBytes } from '../aes/aes.ts';
import { addColumn, doublesHalf, fitsDouble, reduceBytes } from './halves.ts';
import { makeOneBlock } from './one-block.ts';
import type { Sizes } from './prf.ts';
import type { Lane } from './rounds.ts';

const ROUNDS = 10;

/** Returns whether values of these sizes are short: halves up to 2^36, so b <= 5, d <= 12, and S is one block. */
export function isShort({ radix, v }: Sizes): boolean {
  return fitsDouble(radix, v);
}

/** Makes the rounds for one length. */
export function makeShortLane(aes: AesBackend, sizes: Sizes): Lane {
  const { radix, u, v, d } = sizes;
  // 2. Let A = X[1 .. u]; B = X[u + 1 .. n].
  const a = doublesHalf(radix, u);
  const b = doublesHalf(radix, v);
  const blocks = makeOneBlock(aes, sizes, a, b);
  // [i]^1 is the byte before [NUM(B)]^b. It lies in the last word of Q, or in the word before it.
  const shift = 8 * (sizes.b % 4);
  const inLow = sizes.b < 4;

  function run(count: number, sign: 1 | -1): void {
    if (count === 1) runOne(sign);
    else runMany(count, sign);
  }

  /** Steps 6.i to ix for a batch. */
  function runMany(count: number, sign: 1 | -1): void {
    const q = blocks.q(count);
    const { base } = blocks;
    for (let turn = 0; turn <= ROUNDS; turn++) {
      // 6. For i from 0 to 9 (Algorithm 8: from 9 to 0). This pass ends round i and begins round `next`.
      const i = sign === 1 ? turn - 1 : ROUNDS - turn;
      const next = sign === 1 ? turn : ROUNDS - 1 - turn;
      // An even round changes A, and A is then the input of the next round; in an odd round it is B. The first pass
      // ends no round: it only writes the input of the first.
      const { values, modulus, inverse } = (i & 1) === 0 ? a : b;
      const first = turn === 0;
      const s = first ? q : blocks.encrypt();
      const high = inLow ? 0 : next << shift;
      const low = inLow ? next << shift : 0;
      // iv. Let y = NUM(S). v, vi. Let c = (NUM(A) + y) mod radix^m. vii to ix: the halves change places.
      if (!first) addColumn(values, count, s, 0, d, modulus, inverse, sign);
      if (turn === ROUNDS) break;
      for (let k = 0, at = 0; k < count; k++, at += BLOCK) {
        const x = values[k]!;
        // i. Q, whose last eight bytes end in [i]^1 || [NUM(B)]^b.
        const upper = Math.floor(x * 2 ** -32);
        q.setUint32(at + 8, base.getUint32(at + 8) ^ high ^ upper);
        q.setUint32(at + 12, base.getUint32(at + 12) ^ low ^ (x - upper * 2 ** 32));
      }
    }
  }

  const block = new DataView(new ArrayBuffer(BLOCK));

  /** The same for a batch of one value. */
  function runOne(sign: 1 | -1): void {
    const { base } = blocks;
    const base0 = base.getUint32(0, true);
    const base1 = base.getUint32(4, true);
    const base2 = base.getUint32(8, true);
    const base3 = base.getUint32(12, true);
    let changed = sign === 1 ? a : b;
    let fed = sign === 1 ? b : a;
    for (let turn = 0; turn < ROUNDS; turn++) {
      const i = sign === 1 ? turn : ROUNDS - 1 - turn;
      const x = fed.values[0]!;
      const upper = Math.floor(x * 2 ** -32);
      const high = upper ^ (inLow ? 0 : i << shift);
      const low = (x - upper * 2 ** 32) ^ (inLow ? i << shift : 0);
      const { s0, s1, s2 } = encryptWords(aes.block, base0, base1, base2 ^ swapBytes(high), base3 ^ swapBytes(low));
      block.setUint32(0, s0, true);
      block.setUint32(4, s1, true);
      block.setUint32(8, s2, true);
      const { modulus } = changed;
      const c = changed.values[0]! + sign * reduceBytes(block, 0, d, modulus, changed.inverse);
      changed.values[0] = c >= modulus ? c - modulus : c < 0 ? c + modulus : c;
      const half = changed;
      changed = fed;
      fed = half;
    }
  }

  return { u, v, short: true, a, b, load: blocks.load, run };
}
