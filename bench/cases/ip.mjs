/**
 * Prefix-preserving encryption of version 4 addresses, from text to text, against bit-by-bit implementations of the
 * same ciphers. Our table of the first 16 bits is complete before anything is measured; the rivals have no table.
 */
import assert from 'node:assert/strict';
import { cryptoPan, ipcryptPfx } from 'trefoil/ip';
import { bytes, oneByOne, random, valueByValue, wholeColumn } from '../inputs.mjs';
import { cryptoPanPerBit } from '../rivals/cryptopan-per-bit.mjs';
import { pfxPerBit } from '../rivals/pfx-per-bit.mjs';

function addresses(count, seed) {
  const next = random(seed);
  return Array.from({ length: count }, () => [next(256), next(256), next(256), next(256)].join('.'));
}

function prefixPreserving(name, against, mine, rival, floors) {
  const values = addresses(10_000, 11);
  // The rival is the same cipher, so every output must be the same.
  const check = () => {
    const many = mine.encryptMany(values);
    values.forEach((value, i) => {
      assert.equal(many[i], rival.encrypt(value));
      assert.equal(mine.encrypt(value), many[i]);
    });
  };
  return [
    () => ({
      work: `${name} IPv4, one value`,
      against,
      floor: floors.one,
      check,
      ours: oneByOne(values, mine.encrypt),
      rival: oneByOne(values, rival.encrypt),
    }),
    () => ({
      work: `${name} IPv4, column of 10,000`,
      against,
      floor: floors.column,
      check,
      ours: wholeColumn(values, mine.encryptMany),
      rival: valueByValue(values, rival.encrypt),
    }),
  ];
}

const pfxKey = bytes(32, 12);
const panKey = bytes(32, 13);

export const cases = [
  ...prefixPreserving('ipcrypt-pfx', 'bit by bit, @noble/ciphers AES', ipcryptPfx(pfxKey), pfxPerBit(pfxKey), {
    one: 5,
    column: 30,
  }),
  ...prefixPreserving('Crypto-PAn', 'bit by bit, node:crypto AES', cryptoPan(panKey), cryptoPanPerBit(panKey), {
    one: 10,
    column: 30,
  }),
];
