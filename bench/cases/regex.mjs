/**
 * The rank and the unrank of a regular expression against FF1 of this library on one value. If the automaton took
 * longer than the cipher that follows it, the format would dominate the cost, and not the cryptography.
 */
import assert from 'node:assert/strict';
import { alphabet, ff1 } from 'trefoil/ff1';
import { regex } from 'trefoil/format';
import { bytes, oneByOne, random, texts } from '../inputs.mjs';

/** Two forms of passport numbers that are in use: a letter and eight digits, or two letters and seven digits. */
const PASSPORT = '[A-Z][0-9]{8}|[A-Z]{2}[0-9]{7}';

function passport() {
  const next = random(9);
  const letter = () => String.fromCharCode(65 + next(26));
  const values = texts(1024, 8, '0123456789', 9).map((digits, i) =>
    i % 2 === 0 ? letter() + digits : letter() + letter() + digits.slice(1),
  );
  const format = regex(PASSPORT);
  const there = (value) => format.unrank(format.rank(value));

  const { parse, format: text } = alphabet('0123456789');
  const cipher = ff1(bytes(32, 1), 10);
  const tweak = bytes(8, 2);
  const plain = texts(1024, 16, '0123456789', 10);
  const encrypt = (value) => text(cipher.encrypt(parse(value), tweak));
  return {
    work: 'regex of a passport number, rank + unrank, one value',
    against: 'FF1 of this library, 16 digits',
    floor: 1,
    check() {
      assert.equal(format.size, 26n * 10n ** 8n + 26n ** 2n * 10n ** 7n);
      for (const value of values) {
        const index = format.rank(value);
        assert.ok(index >= 0n && index < format.size);
        assert.equal(format.unrank(index), value);
      }
    },
    ours: oneByOne(values, there),
    rival: oneByOne(plain, encrypt),
  };
}

export const cases = [passport];
