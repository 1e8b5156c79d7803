/**
 * What the two permutations of small spaces share (docs/spec/fpe-v1.md, "Small spaces"): their verbs, the checks of
 * arguments, the keyed function of a tweak, and whole numbers drawn from a keystream without bias.
 */

import { concat, encodeList } from '../../core/bytes.ts';
import { badRange, badType, checkInteger, typeName } from '../../core/checks.ts';
import { BLOCK, type Blocks } from '../aes/aes.ts';
import { hmacBytes } from '../prf/hmac.ts';

/** The most values of a space. Rules use these permutations below 1,000,000 values; tests use them up to this limit. */
export const MAX_SPACE: number = 2 ** 20;

/** The longest tweak in bytes, as for FF1. */
const MAX_TWEAK = 65_536;

/** The tweaks of a column: one for all values, or one for each value. */
export type Tweaks = Uint8Array | readonly Uint8Array[];

/** A permutation of the whole numbers from 0 to `size` - 1, chosen by key and tweak. */
export interface Permutation {
  readonly size: number;
  readonly encrypt: (index: number, tweak: Uint8Array) => number;
  readonly decrypt: (index: number, tweak: Uint8Array) => number;
  readonly encryptMany: (indices: readonly number[], tweaks: Tweaks) => number[];
  readonly decryptMany: (indices: readonly number[], tweaks: Tweaks) => number[];
}

/** Checks the key and the size of a permutation. */
export function checkSpace(key: Uint8Array, size: number, minimum: number): void {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== 32) badRange('key', `expected 32 bytes, got ${key.length}`);
  checkInteger('size', size, minimum, MAX_SPACE);
}

/** Checks a point of the space. */
export function checkIndex(index: number, size: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= size) checkInteger('index', index, 0, size - 1);
}

/** Checks a tweak. */
export function checkTweak(tweak: Uint8Array): void {
  if (!(tweak instanceof Uint8Array)) badType('tweak', `expected bytes, got ${typeName(tweak)}`);
  if (tweak.length > MAX_TWEAK) badRange('tweak', `expected at most ${MAX_TWEAK} bytes, got ${tweak.length}`);
}

/** Checks a whole column before the first value is enciphered. */
export function checkColumn(indices: readonly number[], tweaks: Tweaks, size: number): void {
  if (!Array.isArray(indices)) badType('indices', `expected a list of numbers, got ${typeName(indices)}`);
  for (const index of indices) checkIndex(index, size);
  if (tweaks instanceof Uint8Array) {
    checkTweak(tweaks);
    return;
  }
  if (!Array.isArray(tweaks)) badType('tweaks', `expected bytes or a list of them, got ${typeName(tweaks)}`);
  if (tweaks.length !== indices.length) {
    badRange('tweaks', `expected one for each of ${indices.length} values, got ${tweaks.length}`);
  }
  for (const tweak of tweaks) checkTweak(tweak);
}

/** Derives a 32-byte key for one purpose: HMAC-SHA-256(key, encode(names…, size)). */
export function subkey(key: Uint8Array, names: readonly string[], size: number): Uint8Array {
  return hmacBytes(key)(encodeList([...names, bigEndian(size)])).slice();
}

/**
 * Makes a keyed function of the tweak: HMAC-SHA-256(key, encode(names…, size, tweak)). Its result is reused: read it
 * before the next call.
 */
export function tweakFunction(
  key: Uint8Array,
  names: readonly string[],
  size: number,
): (tweak: Uint8Array) => Uint8Array {
  const mac = hmacBytes(key);
  // The encoding of a list is the encodings of its items, one after another.
  const head = encodeList([...names, bigEndian(size)]);
  return (tweak) => mac(concat([head, encodeList([tweak])]));
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, false);
  return bytes;
}

/** The most counter blocks that are enciphered at once. */
const CHUNK = 512;

/** Draws a whole number from 0 to `limit` - 1, each with the same probability. `limit` is at most 2^20. */
export type Draw = (limit: number) => number;

/**
 * Makes a function that draws from the keystream E(0), E(1), E(2), … of 128-bit big-endian counters, read as 32-bit
 * big-endian words.
 *
 * @param expected About how many draws there will be, so that not many more blocks are enciphered than are used.
 */
export function drawsFrom(blocks: Blocks, expected: number): Draw {
  const input = new Uint8Array(BLOCK * Math.max(1, Math.min(CHUNK, Math.ceil(expected / 4))));
  const counters = new DataView(input.buffer);
  let counter = 0;
  let words: DataView = counters;
  let at = input.length;

  function word(): number {
    if (at === input.length) {
      for (let block = 0; block < input.length; block += BLOCK) counters.setUint32(block + 12, counter++, false);
      const out = blocks(input);
      words = new DataView(out.buffer, out.byteOffset, out.length);
      at = 0;
    }
    at += 4;
    return words.getUint32(at - 4, false);
  }

  return (limit) => {
    for (;;) {
      // 1. Let p = w * limit for the next word w. It is below 2^52, so it is exact.
      const product = word() * limit;
      // 2. If p mod 2^32 < 2^32 mod limit, take the next word. Of the remaining words, each result has the same number.
      const low = product >>> 0;
      if (low < limit && low < 2 ** 32 % limit) continue;
      // 3. The result is floor(p / 2^32).
      return (product - low) / 2 ** 32;
    }
  };
}
