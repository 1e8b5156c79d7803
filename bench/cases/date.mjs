/**
 * Dates of 120 years through a rule. All values have the same tweak, so they share one permutation table, which has
 * been built before the measurement.
 */
import assert from 'node:assert/strict';
import { fpe, keyset } from 'trefoil';
import { date } from 'trefoil/format';
import { bytes, random, valueByValue, wholeColumn } from '../inputs.mjs';
import { nobleFf1 } from '../rivals/noble-ff1.mjs';

const FIRST = Date.UTC(1900, 0, 1);
const DAYS = 43_829;

const dayOf = (index) => new Date(FIRST + index * 86_400_000).toISOString().slice(0, 10);

function overACentury() {
  assert.equal(dayOf(DAYS - 1), '2019-12-31');
  const next = random(8);
  const values = Array.from({ length: 10_000 }, () => dayOf(next(DAYS)));
  const bound = fpe({ scope: 'born', format: date({ from: '1900-01-01', to: '2019-12-31' }) }).bind(
    keyset.generate().domain('bench'),
  );
  // What a user of FF1 alone would do: encrypt the eight digits. The result is not a date.
  const digits = values.map((value) => value.replaceAll('-', ''));
  const noble = nobleFf1(bytes(32, 1), bytes(8, 2), '0123456789');
  return {
    work: 'date over 120 years, table warm, column of 10,000',
    against: '@noble/ciphers FF1 on eight digits',
    floor: 100,
    check() {
      const safe = bound.protectMany(values);
      const all = new Map();
      values.forEach((value, i) => {
        const index = (Date.parse(safe[i]) - FIRST) / 86_400_000;
        assert.ok(Number.isInteger(index) && index >= 0 && index < DAYS && dayOf(index) === safe[i]);
        if (i % 16 === 0) assert.equal(bound.protect(value), safe[i]);
        all.set(value, safe[i]);
      });
      assert.equal(new Set(all.values()).size, all.size, 'two days have the same ciphertext');
      for (const eight of digits.slice(0, 200)) assert.equal(noble.decrypt(noble.encrypt(eight)), eight);
    },
    ours: wholeColumn(values, bound.protectMany),
    rival: valueByValue(digits, noble.encrypt),
  };
}

export const cases = [overACentury];
