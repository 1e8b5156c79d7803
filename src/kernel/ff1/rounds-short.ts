/**
 * The rounds of FF1 for short values, which are most of all that is enciphered (a card number, a date, an identity
 * number): the same as ff1-rounds.ts where a half fits in one double and the end of Q is one block.
 *
 * A round is one call of AES over the batch and one pass: the pass takes S, changes a half, and writes it into the next
 * Q, of which only the last eight bytes differ from round to round. One value alone stays in local variables.
 */

import { BLOCK, encryptWords, swapBytes } from '../aes/aes.ts';
import { addColumn, doublesHalf, fitsDouble, reduceBytes } from './halves.ts';
import { type AesBackend, makeBases, makeBatch, type Sizes, type Tweaks } from './prf.ts';
import type { Lane } from './rounds.ts';

const ROUNDS = 10;

/** Whether this file can do it: halves up to 2^36, so that b <= 5, d <= 12 and S is the first block. */
export function isShort({ radix, v }: Sizes): boolean {
  return fitsDouble(radix, v);
}

/** The rounds for one length. */
export function makeShortLane(doors: AesBackend, sizes: Sizes): Lane {
  const { radix, u, v, d } = sizes;
  // 2. Let A = X[1 .. u]; B = X[u + 1 .. n].
  const a = doublesHalf(radix, u);
  const b = doublesHalf(radix, v);
  const bases = makeBases(doors, sizes);
  const batch = makeBatch(doors);
  // [i]^1 stands before [NUM(B)]^b: in the last word of Q, or in the one before it.
  const shift = 8 * (sizes.b % 4);
  const inLow = sizes.b < 4;

  function load(count: number, tweaks: Tweaks): void {
    a.reserve(count);
    b.reserve(count);
    const changed = bases.load(count, tweaks);
    const q = batch.reserve(count);
    // All of Q but its last eight bytes stays as it is while the tweaks do.
    if (changed) q.bytes.set(bases.room.bytes);
  }

  function run(count: number, sign: 1 | -1): void {
    if (count === 1) runOne(sign);
    else runMany(count, sign);
  }

  /** Steps 6.i to ix for a batch. */
  function runMany(count: number, sign: 1 | -1): void {
    const q = batch.reserve(count).view;
    const base = bases.room.view;
    for (let turn = 0; turn <= ROUNDS; turn++) {
      // 6. For i from 0 to 9 (Algorithm 8: from 9 to 0). This pass ends round i and begins the next.
      const i = sign === 1 ? turn - 1 : ROUNDS - turn;
      const next = sign === 1 ? turn : ROUNDS - 1 - turn;
      // Round 0 changes A and feeds the next with it. Before the first round, what is fed is what round i would change.
      const { values, modulus, inverse } = (i & 1) === 0 ? a : b;
      const first = turn === 0;
      const s = first ? q : batch.encrypt().view;
      const high = inLow ? 0 : next << shift;
      const low = inLow ? next << shift : 0;
      // iv. Let y = NUM(S). v, vi. Let c = (NUM(A) + y) mod radix^m. vii, viii, ix: the half takes the other's place.
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

  /** The same for one value. */
  function runOne(sign: 1 | -1): void {
    const base = bases.room.view;
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
      const { s0, s1, s2 } = encryptWords(doors.few, base0, base1, base2 ^ swapBytes(high), base3 ^ swapBytes(low));
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

  return { u, v, short: true, a, b, load, run };
}
