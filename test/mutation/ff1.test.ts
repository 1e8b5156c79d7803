/**
 * FF1 in short: every way through the arithmetic and the rounds a few times, against the literal algorithm. The long
 * runs are in test/kernel; these are what mutation testing runs for every mutant (docs/contributing.md).
 */
import { describe, expect, it } from 'vitest';
import { ff1 } from '../../src/kernel/ff1.ts';
import { ff1Reference } from '../reference/ff1.ts';
import { random } from '../reference/random.ts';

// Radix, length, bytes of tweak. One double a half; limbs; limbs with a second block of S; with a second block of Q;
// BigInt; odd lengths, where the halves differ; halves of 2^36 and one more digit.
const shapes = [
  [10, 6, 0],
  [10, 7, 12],
  [10, 16, 13],
  [10, 20, 7],
  [10, 21, 40],
  [10, 40, 3],
  [10, 41, 16],
  [10, 77, 1],
  [10, 199, 20],
  [10, 203, 5],
  [2, 20, 8],
  [2, 33, 31],
  [2, 72, 10],
  [2, 73, 11],
  [2, 235, 60],
  [2, 721, 2],
  [36, 5, 9],
  [36, 14, 15],
  [36, 30, 17],
  [255, 9, 4],
  [65_536, 2, 32],
  [65_536, 4, 6],
  [65_536, 5, 14],
  [65_536, 47, 33],
] as const;

describe.each(shapes)('radix %i, %i numerals, %i bytes of tweak', (radix, length, tweakLength) => {
  const { bytes, below } = random(`short ff1 ${radix} ${length}`);
  const key = bytes(32);
  const batch = Array.from({ length: 9 }, () => Array.from({ length }, () => below(radix)));
  batch[3] = batch[3]!.fill(0);
  batch[4] = batch[4]!.fill(radix - 1);
  const tweaks = batch.map(() => new Uint8Array(bytes(tweakLength)));
  const encrypted = batch.map((X, i) => ff1Reference('encrypt', key, radix, X, tweaks[i]!));
  const together = batch.map((X) => ff1Reference('encrypt', key, radix, X, tweaks[0]!));

  it('one value', () => {
    const cipher = ff1(key, radix);
    for (let i = 0; i < 5; i++) {
      expect(cipher.encrypt(batch[i]!, tweaks[i]!)).toEqual(encrypted[i]);
      expect(cipher.decrypt(encrypted[i]!, tweaks[i]!)).toEqual(batch[i]);
    }
  });

  it.each([1, 3, 9])('%i together', (count) => {
    const cipher = ff1(key, radix);
    const values = batch.slice(0, count);
    expect(cipher.encryptMany(values, tweaks.slice(0, count))).toEqual(encrypted.slice(0, count));
    expect(cipher.decryptMany(encrypted.slice(0, count), tweaks.slice(0, count))).toEqual(values);
    expect(cipher.encryptMany(values, tweaks[0]!)).toEqual(together.slice(0, count));
    expect(cipher.decryptMany(together.slice(0, count), tweaks[0]!)).toEqual(values);
  });
});

it('a batch of mixed lengths and tweaks, and one of more values than go through the rounds together', () => {
  const { bytes, below } = random('short ff1 batch');
  const cipher = ff1(bytes(16), 10);
  const batch = Array.from({ length: 30 }, (_, i) => Array.from({ length: 6 + ((i >> 1) % 5) }, () => below(10)));
  const tweaks = batch.map((_, i) => new Uint8Array(bytes(i % 3)));
  const encrypted = batch.map((value, i) => cipher.encrypt(value, tweaks[i]!));
  expect(cipher.encryptMany(batch, tweaks)).toEqual(encrypted);
  expect(cipher.decryptMany(encrypted, tweaks)).toEqual(batch);
  const many = Array.from({ length: 1030 }, (_, i) => [...`${100_000 + i}`].map(Number));
  const theirs = many.map((_, i) => Uint8Array.of(i & 1));
  const out = cipher.encryptMany(many, theirs);
  for (const i of [0, 1, 1023, 1024, 1029]) expect(out[i]).toEqual(cipher.encrypt(many[i]!, theirs[i]!));
  expect(cipher.encryptMany(many, theirs[1]!)[1027]).toEqual(cipher.encrypt(many[1027]!, theirs[1]!));
});
