/**
 * Self-tests of AES-SIV while it runs, for the reasons that kernel/prf/self-test.ts gives. A wrong ciphertext would
 * only be noticed when it is opened, perhaps years later. Therefore:
 *
 * - Before the first value, known plaintexts are sealed and opened, alone and together. Their lengths are those at the
 *   edges of a block. All results are hashed into one number, which is compared with the known answer. This is repeated
 *   after 20,000 values, when V8 has compiled the code.
 * - One of every 32,768 values is computed again by @noble/ciphers.
 *
 * If there is a difference, the call throws. That is a fault of the machine or of this library and not of the data, so
 * it is an `Error` and not a `TrefoilError`.
 */

import { aessiv } from '@noble/ciphers/aes.js';
import { equalBytes } from '../../core/bytes.ts';
import type { Blocks } from '../aes/aes.ts';
import { bareRows, bareSiv, type Data, SIV_LENGTH, type SivRows, type SivValues, type Values } from './columns.ts';

/** Lengths of the known plaintexts in bytes. */
const LENGTHS = [0, 15, 16, 31, 32, 81];

/** How many known plaintexts there are of each length: enough for AES over many blocks at once. */
const EACH = 8;

/**
 * The known answer. test/kernel/siv/siv.test.ts compares AES-SIV with RFC 5297, Wycheproof and the literal reference.
 */
const ANSWER = 447111639;

/** After this many values V8 has compiled all that it will compile. */
const WARM = 20_000;

/** One of this many values is computed again. Measured: a comparison takes some 30 µs, which is 1 ns a value. */
const EVERY = 32_768;

/** How many values were sealed or opened in this process; `null` before the known answer was checked. */
let done: number | null = null;

/** How many values are left until one is computed again, and what decides which of its column that is. */
let left = 1024;
let turn = 0;

/** Adds self-tests to AES-SIV with one string of associated data. */
export function checkedValues(bare: SivValues, key: Uint8Array, associatedData: Uint8Array): SivValues {
  const check = checker(key);
  const dataOf = () => associatedData;
  return {
    seal: (values) => check.seal(values, dataOf, () => bare.seal(values)),
    open: (values, verdicts) => check.open(values, verdicts, dataOf, () => bare.open(values, verdicts)),
  };
}

/** Adds self-tests to AES-SIV with a string of associated data for each value. */
export function checkedRows(bare: SivRows, key: Uint8Array): SivRows {
  const check = checker(key);
  const dataOf =
    ({ view, at, stride, length }: Data) =>
    (slot: number) =>
      bytesOf(view, at + slot * stride, length);
  return {
    seal: (values, data) => check.seal(values, dataOf(data), () => bare.seal(values, data)),
    open: (values, data, verdicts) => {
      check.open(values, verdicts, dataOf(data), () => bare.open(values, data, verdicts));
    },
  };
}

/** Makes verbs that do the passed work, and compute one value of it again when it is time. */
function checker(key: Uint8Array) {
  if (done === null) {
    knownAnswer();
    done = 0;
  }

  /** Counts values and returns whether one of them is computed again. */
  function isTurn(count: number): boolean {
    left -= count;
    if (done! < WARM) {
      done! += count;
      if (done! >= WARM) knownAnswer();
    }
    if (left > 0 || count === 0) return false;
    left = EVERY;
    turn = (turn + 619) % 1024;
    return true;
  }

  return {
    seal(values: Values, dataOf: (slot: number) => Uint8Array, work: () => void): void {
      if (!isTurn(values.count)) {
        work();
        return;
      }
      const slot = turn % values.count;
      const plaintext = textOf(values, slot).slice(SIV_LENGTH);
      work();
      // Noble's instances refuse a second value, so one is made for each.
      if (!equalBytes(textOf(values, slot), aessiv(key, dataOf(slot)).encrypt(plaintext))) throwFault();
    },
    open(values: Values, verdicts: Uint8Array, dataOf: (slot: number) => Uint8Array, work: () => void): void {
      if (!isTurn(values.count)) {
        work();
        return;
      }
      const slot = turn % values.count;
      const sealed = textOf(values, slot);
      work();
      const plaintext = openByNoble(key, dataOf(slot), sealed);
      if ((verdicts[slot] === 1) !== (plaintext !== null)) throwFault();
      if (plaintext !== null && !equalBytes(textOf(values, slot).subarray(SIV_LENGTH), plaintext)) throwFault();
    },
  };
}

/** Returns a copy of V and the text of one value. */
function textOf({ view, at, stride, length }: Values, slot: number): Uint8Array {
  return bytesOf(view, at + slot * stride, SIV_LENGTH + length);
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  const from = view.byteOffset + at;
  return new Uint8Array(view.buffer.slice(from, from + length) as ArrayBuffer);
}

function openByNoble(key: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  try {
    return aessiv(key, associatedData).decrypt(sealed);
  } catch {
    return null;
  }
}

/**
 * Checks the known answer: every known plaintext in every way. Throws if it differs.
 *
 * @param blocks Key set-up of AES for many blocks. Tests pass another one.
 */
export function knownAnswer(blocks?: (key: Uint8Array) => Blocks): void {
  const key = Uint8Array.from({ length: 64 }, (_, i) => i);
  const data = Uint8Array.from({ length: 32 }, (_, i) => (i < 20 ? 255 - i : 0));
  const under = bareSiv(key, blocks)(data.subarray(0, 20));
  // The same associated data, but for each value: the results must be the same.
  const rows = bareRows(key, blocks);
  const datas = { view: new DataView(data.buffer), at: 0, stride: 0, length: 20 };
  const verdicts = new Uint8Array(EACH);
  let answer = 0x811c9dc5;
  let good = 1;
  for (const length of LENGTHS) {
    const stride = SIV_LENGTH + length + 16;
    const bytes = new Uint8Array(EACH * stride);
    const values = { view: new DataView(bytes.buffer), at: 0, stride, length, count: EACH };
    const plain = (slot: number, i: number) => (7 * i + 31 * slot + length) & 255;
    const put = (slot: number) => {
      bytes.fill(0, slot * stride, (slot + 1) * stride);
      for (let i = 0; i < length; i++) bytes[slot * stride + SIV_LENGTH + i] = plain(slot, i);
    };
    for (let slot = 0; slot < EACH; slot++) put(slot);
    under.seal(values);
    const sealed = bytes.slice();
    for (let slot = 0; slot < EACH; slot++) answer = fnv(answer, textOf(values, slot));
    // One of them is sealed and opened alone.
    const one = { ...values, at: stride, count: 1 };
    put(1);
    under.seal(one);
    good &= equalBytes(textOf(one, 0), sealed.subarray(stride, stride + SIV_LENGTH + length)) ? 1 : 0;
    under.open(one, verdicts);
    good &= verdicts[0]!;
    for (let i = 0; i < length; i++) good &= bytes[stride + SIV_LENGTH + i] === plain(1, i) ? 1 : 0;
    if (length >= 16) {
      for (let slot = 0; slot < EACH; slot++) put(slot);
      rows.seal(values, datas);
      for (let slot = 0; slot < EACH; slot++) {
        const from = slot * stride;
        good &= equalBytes(textOf(values, slot), sealed.subarray(from, from + SIV_LENGTH + length)) ? 1 : 0;
      }
      bytes[stride]! ^= 1;
      rows.open(values, datas, verdicts);
      for (let slot = 0; slot < EACH; slot++) {
        const text = textOf(values, slot).subarray(SIV_LENGTH);
        good &= verdicts[slot] === (slot === 1 ? 0 : 1) ? 1 : 0;
        for (let i = 0; i < length; i++) good &= text[i] === (slot === 1 ? 0 : plain(slot, i)) ? 1 : 0;
      }
    }
    // All of them are opened, after one was changed.
    bytes.set(sealed);
    bytes[stride]! ^= 1;
    under.open(values, verdicts);
    for (let slot = 0; slot < EACH; slot++) {
      const text = textOf(values, slot).subarray(SIV_LENGTH);
      good &= verdicts[slot] === (slot === 1 ? 0 : 1) ? 1 : 0;
      for (let i = 0; i < length; i++) good &= text[i] === (slot === 1 ? 0 : plain(slot, i)) ? 1 : 0;
    }
  }
  if (good !== 1 || answer !== ANSWER) throwFault();
}

/** FNV-1a, which is enough to notice a fault. A MAC would cost 15 µs for a block of AES before the code is compiled. */
function fnv(hash: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

/** Ends the work. The self-tests of keyed.ts use it as well. */
export function throwFault(): never {
  throw new Error(
    'the self-test of AES-SIV failed: this machine or JavaScript engine computed a wrong value; do not use ' +
      'anything that this process has protected',
  );
}
