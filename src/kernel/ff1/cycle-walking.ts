/**
 * A permutation of the integers below N, for an N that is not a power of a radix. FF1 in radix 2 permutes the integers
 * below the next power of two, 2^k, and is applied again until the result is below N (cycle walking: Black and Rogaway,
 * "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 3). This is a permutation because a walk stays on one
 * cycle of FF1, and the point below N where it ends is reached from exactly one other point below N.
 *
 * 2^k is less than 2N, so a step lands below N with a probability of more than 1/2, and the expected number of steps is
 * less than two. The values of a batch that are not below N yet take the next step together.
 */

import { aesBackend } from '../aes/aes.ts';
import { type Network, networkOf } from './ff1.ts';
import { type GeneralLane, makeLane } from './rounds.ts';
import { type BinaryLane, MAX_BITS, makeBinaryLane, WORDS } from './rounds-binary.ts';

/**
 * The most steps of a walk. A longer one has a probability below 2^-256, so it means that the machine or this code is
 * at fault.
 */
const MAX_STEPS = 256;

/** An index is a `number` if N is at most 2^53, and a `bigint` if not. */
type Integer = number | bigint;

/** One tweak for all values, or one for each value. */
type WalkTweaks = Uint8Array | readonly Uint8Array[];

/** A permutation of the integers below a size, chosen by key and tweak. */
export interface Walk {
  readonly encryptMany: (indices: readonly Integer[], tweaks: WalkTweaks) => Integer[];
  readonly decryptMany: (indices: readonly Integer[], tweaks: WalkTweaks) => Integer[];
}

/**
 * Makes the permutation for a key and an N.
 *
 * @param size N, from 1,000,000 to 2^4096: a `number` up to 2^53, a `bigint` above.
 */
export function cycleWalking(key: Uint8Array, size: Integer): Walk {
  return cycleWalks(key)(size);
}

/** The same for one key and any N. The key is set up once. */
export function cycleWalks(key: Uint8Array): (size: Integer) => Walk {
  const aes = aesBackend(key);
  const binary = networkOf(aes, 2, makeBinaryLane);
  const general = networkOf(aes, 2, makeLane);
  return (size) => {
    // k = the number of bits of N - 1, so that 2^(k-1) < N <= 2^k.
    const k = (BigInt(size) - 1n).toString(2).length;
    const walk = k <= MAX_BITS ? walkOverWords(binary, size, k) : walkOverIntegers(general, BigInt(size), k);
    return {
      encryptMany: (indices, tweaks) => walk(indices, tweaks, 1),
      decryptMany: (indices, tweaks) => walk(indices, tweaks, -1),
    };
  };
}

/** A walk of every index of a column, in one of the two directions of FF1. */
type WalkColumn = (indices: readonly Integer[], tweaks: WalkTweaks, sign: 1 | -1) => Integer[];

/**
 * Takes steps until all values of a column are below N. `step` enciphers the values with these rows, and returns the
 * rows of those that are not below N yet.
 */
function walkAll(
  count: number,
  tweaks: WalkTweaks,
  step: (rows: readonly number[], tweaks: WalkTweaks) => readonly number[],
): void {
  // The values that are still walking: at first all of them.
  let rows: readonly number[] = Array.from({ length: count }, (_, row) => row);
  for (let steps = 0; rows.length > 0; steps++) {
    if (steps === MAX_STEPS) badWalk();
    rows = step(rows, Array.isArray(tweaks) ? rows.map((row) => tweaks[row] as Uint8Array) : tweaks);
  }
}

function badWalk(): never {
  throw new Error('internal fault: a walk of 256 steps; please report it');
}

/** N up to 2^128. The indices stay in words during the walk: four of each, the highest first. */
function walkOverWords(network: Network<BinaryLane>, size: Integer, k: number): WalkColumn {
  const isNumber = typeof size === 'number';
  const write = isNumber ? writeNumber : writeBigint;
  const read = isNumber ? readNumber : readBigint;
  const last = new Int32Array(WORDS);
  writeBigint(last, 0, BigInt(size) - 1n);
  // The bits of an index are the last k of its words.
  const from = MAX_BITS - k;
  const alone = new Int32Array(WORDS);

  /** The walk of one value, with less to set up. */
  function walkOne(index: Integer, tweak: Uint8Array, sign: 1 | -1): Integer {
    write(alone, 0, index);
    const lane = network.lane(k);
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      lane.load(1, tweak);
      lane.read(alone, 0, from, 0, 1);
      lane.run(1, sign);
      lane.write(alone, 0, from, 0, 1);
      if (!isAbove(alone, 0, last)) return read(alone, 0);
    }
    badWalk();
  }

  /** One step for some rows of the column. */
  function step(words: Int32Array, rows: readonly number[], isAll: boolean, tweaks: WalkTweaks, sign: 1 | -1): void {
    network.forEachChunk(
      rows.length,
      () => k,
      tweaks,
      (lane, count, group, first) => {
        // In the first step all values of a column with one length of tweak lie one after another.
        const each = isAll && group === null ? count : 1;
        const placeOf = (slot: number): number => WORDS * rows[group === null ? first + slot : group[first + slot]!]!;
        for (let slot = 0; slot < count; slot += each) lane.read(words, placeOf(slot), from, slot, each);
        lane.run(count, sign);
        for (let slot = 0; slot < count; slot += each) lane.write(words, placeOf(slot), from, slot, each);
      },
    );
  }

  return (indices, tweaks, sign) => {
    const { length } = indices;
    if (length === 1) return [walkOne(indices[0]!, Array.isArray(tweaks) ? tweaks[0] : tweaks, sign)];
    const words = new Int32Array(WORDS * length);
    for (let row = 0; row < length; row++) write(words, WORDS * row, indices[row]!);
    walkAll(length, tweaks, (rows, theirs) => {
      step(words, rows, rows.length === length, theirs, sign);
      return rows.filter((row) => isAbove(words, WORDS * row, last));
    });
    const out = new Array<Integer>(length);
    for (let row = 0; row < length; row++) out[row] = read(words, WORDS * row);
    return out;
  };
}

/** Writes an index of up to 53 bits as four words. */
function writeNumber(words: Int32Array, at: number, index: Integer): void {
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = ((index as number) / 2 ** 32) | 0;
  words[at + 3] = (index as number) | 0;
}

function readNumber(words: Int32Array, at: number): number {
  return words[at + 2]! * 2 ** 32 + (words[at + 3]! >>> 0);
}

/** The sixteen bytes of a bigint on its way into words, and out of them. */
const BYTES: DataView = /* @__PURE__ */ new DataView(new ArrayBuffer(16));

/** Writes an index of up to 128 bits as four words. */
function writeBigint(words: Int32Array, at: number, index: Integer): void {
  BYTES.setBigUint64(0, (index as bigint) >> 64n);
  // Only the lowest 64 bits are stored.
  BYTES.setBigUint64(8, index as bigint);
  for (let j = 0; j < 4; j++) words[at + j] = BYTES.getInt32(4 * j);
}

function readBigint(words: Int32Array, at: number): bigint {
  for (let j = 0; j < 4; j++) BYTES.setInt32(4 * j, words[at + j]!);
  const low = BYTES.getBigUint64(8);
  return words[at] === 0 && words[at + 1] === 0 ? low : (BYTES.getBigUint64(0) << 64n) | low;
}

/** Whether four words are a larger number than another four. */
function isAbove(words: Int32Array, at: number, last: Int32Array): boolean {
  for (let j = 0; j < 4; j++) {
    const word = words[at + j]! >>> 0;
    const limit = last[j]! >>> 0;
    if (word !== limit) return word > limit;
  }
  return false;
}

/** N above 2^128. */
function walkOverIntegers(network: Network<GeneralLane>, size: bigint, k: number): WalkColumn {
  // STR and NUM of SP 800-38G in radix 2: the halves of an index, its higher bits first.
  const low = BigInt(k - Math.floor(k / 2));
  const mask = (1n << low) - 1n;

  return (indices, tweaks, sign) => {
    const out = indices.slice() as bigint[];
    walkAll(indices.length, tweaks, (rows, theirs) => {
      const above: number[] = [];
      network.forEachLane(
        rows.length,
        () => k,
        theirs,
        sign,
        ({ a, b }, slot, at) => {
          const index = out[rows[at]!]!;
          a.loadBits(slot, index >> low);
          b.loadBits(slot, index & mask);
        },
        ({ a, b }, slot, at) => {
          const index = (BigInt(a.bits(slot)) << low) | BigInt(b.bits(slot));
          out[rows[at]!] = index;
          if (index >= size) above.push(rows[at]!);
        },
      );
      return above;
    });
    return out;
  };
}
