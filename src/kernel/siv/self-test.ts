/**
 * Self-tests of AES-SIV, for the reasons that self-test.ts gives: a wrong ciphertext is noticed when it is to be opened,
 * years later. So
 *
 * - before the first value, and again when 20,000 values have gone through and the code runs compiled, known plaintexts
 *   of the lengths at the edges of a block are sealed and opened, alone and many at once, and all that comes out is
 *   hashed to one number that is known;
 * - of every 32,768 values one is done again by @noble/ciphers.
 *
 * A difference throws. It is a fault of the machine or of this library, not of the data, so it is no `TrefoilError`.
 */

import { aessiv } from '@noble/ciphers/aes.js';
import { equalBytes } from '../../core/bytes.ts';
import type { Blocks } from '../aes/aes.ts';
import { bareRows, bareSiv, type Data, SIV_LENGTH, type SivRows, type SivValues, type Values } from './columns.ts';

/** Lengths of the known plaintexts in bytes. */
const LENGTHS = [0, 15, 16, 31, 32, 81];

/** Known plaintexts of each length: enough for the door of AES for many blocks. */
const EACH = 8;

/** The known answer. RFC 5297, Wycheproof and the literal reference hold the same function in test/kernel/siv/siv.test.ts. */
const ANSWER = 447111639;

/** Values after which V8 has compiled what it will compile. */
const WARM = 20_000;

/** One of so many values is done again by another hand. Measured: a comparison takes some 30 µs, 1 ns a value. */
const EVERY = 32_768;

/** Values that went through in this process; `null` before the known answer was given. */
let done: number | null = null;

/** Values until one is done again, and which of its batch it is. */
let left = 1024;
let turn = 0;

/** Values with one string of associated data, and the self-tests around them. */
export function checkedValues(bare: SivValues, key: Uint8Array, associatedData: Uint8Array): SivValues {
  const check = checker(key);
  const dataOf = () => associatedData;
  return {
    seal: (values) => check.seal(values, dataOf, () => bare.seal(values)),
    open: (values, verdicts) => check.open(values, verdicts, dataOf, () => bare.open(values, verdicts)),
  };
}

/** The same for values with associated data of their own. */
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

/** Does the work that it is given, and one value again where it is time for that. */
function checker(key: Uint8Array) {
  if (done === null) {
    knownAnswer();
    done = 0;
  }

  /** Counts values, and tells whether one of them is done again. */
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

/** A copy of V and the text of one value. */
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

/** Every known plaintext each way, and all that comes out to one number. Tests give another `many`. */
export function knownAnswer(many?: (key: Uint8Array) => Blocks): void {
  const key = Uint8Array.from({ length: 64 }, (_, i) => i);
  const data = Uint8Array.from({ length: 32 }, (_, i) => (i < 20 ? 255 - i : 0));
  const under = bareSiv(key, many)(data.subarray(0, 20));
  // The same associated data for each value of its own: what comes out is the same.
  const rows = bareRows(key, many);
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
    // One of them alone, sealed and opened.
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
    // All of them opened, one of which was changed.
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

/** FNV-1a: enough to notice a fault. A MAC would cost 15 µs a block of AES while nothing is compiled. */
function fnv(hash: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

/** Ends the work: for siv-once-self-test.ts as well. */
export function throwFault(): never {
  throw new Error(
    'the self-test of AES-SIV failed: this machine or JavaScript engine computed a wrong value; nothing that this ' +
      'process protected is to be used',
  );
}
