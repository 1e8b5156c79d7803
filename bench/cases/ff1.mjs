/**
 * FF1 with AES-256 against @noble/ciphers, from text to text. Our side converts text by `alphabet`, the rival's by
 * inputs.mjs.
 */
import assert from 'node:assert/strict';
import { ff1Text } from 'trefoil/ff1';
import { bytes, oneByOne, texts, valueByValue, wholeColumn } from '../inputs.mjs';
import { nobleFf1, nobleFf1WithTweaks } from '../rivals/noble-ff1.mjs';

const DIGITS = '0123456789';
const LOWER = `${DIGITS}abcdefghijklmnopqrstuvwxyz`;
const WORDS = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const AGAINST = '@noble/ciphers FF1';

const key = bytes(32, 1);
const tweak = bytes(8, 2);

function ours(alphabet) {
  const cipher = ff1Text(key, alphabet);
  return {
    encrypt: (plain) => cipher.encrypt(plain, tweak),
    decrypt: (enciphered) => cipher.decrypt(enciphered, tweak),
    encryptMany: (plain) => cipher.encryptMany(plain, tweak),
    encryptManyTweaks: (plain, tweaks) => cipher.encryptMany(plain, tweaks),
  };
}

function oneValue(alphabet, length, floor) {
  const values = texts(1024, length, alphabet, length);
  const mine = ours(alphabet);
  const noble = nobleFf1(key, tweak, alphabet);
  return {
    work: `FF1 radix ${alphabet.length}, ${length} symbols, one value`,
    against: AGAINST,
    floor,
    check() {
      for (const value of values) {
        const enciphered = mine.encrypt(value);
        assert.equal(enciphered, noble.encrypt(value));
        assert.equal(mine.decrypt(enciphered), value);
      }
    },
    ours: oneByOne(values, mine.encrypt),
    rival: oneByOne(values, noble.encrypt),
  };
}

function column(alphabet, length, floor, aim) {
  const values = texts(10_000, length, alphabet, length + 1);
  const mine = ours(alphabet);
  const noble = nobleFf1(key, tweak, alphabet);
  return {
    work: `FF1 radix ${alphabet.length}, ${length} symbols, column of 10,000`,
    against: AGAINST,
    floor,
    aim,
    check() {
      const many = mine.encryptMany(values);
      assert.equal(many.length, values.length);
      values.forEach((value, i) => {
        assert.equal(many[i], mine.encrypt(value));
        if (i % 8 === 0) assert.equal(many[i], noble.encrypt(value));
      });
    },
    ours: wholeColumn(values, mine.encryptMany),
    rival: valueByValue(values, noble.encrypt),
  };
}

function columnWithTweaks(alphabet, length) {
  const values = texts(10_000, length, alphabet, length + 2);
  const all = bytes(8 * values.length, 3);
  const tweaks = values.map((_, i) => all.slice(8 * i, 8 * i + 8));
  const mine = ours(alphabet);
  const noble = nobleFf1WithTweaks(key, alphabet);
  const part = Array.from({ length: 100 }, (_, i) => i);
  return {
    work: `FF1 radix ${alphabet.length}, ${length} symbols, column of 10,000, a tweak each`,
    against: AGAINST,
    check() {
      const many = mine.encryptManyTweaks(values, tweaks);
      for (let i = 0; i < values.length; i += 8) assert.equal(many[i], noble.encrypt(values[i], tweaks[i]));
    },
    ours: wholeColumn(values, () => mine.encryptManyTweaks(values, tweaks)),
    rival: { values: part.length, run: () => part.map((i) => noble.encrypt(values[i], tweaks[i])) },
  };
}

export const cases = [
  () => oneValue(DIGITS, 16, 15),
  () => column(DIGITS, 16, 75, 120),
  () => columnWithTweaks(DIGITS, 16),
  () => oneValue(LOWER, 20, 8),
  () => oneValue(WORDS, 40, 8),
  // 122 bits, as a UUID has them.
  () => column('01', 122, 55),
];
