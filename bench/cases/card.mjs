/** Card numbers with the first 6 and the last 4 digits in clear, through a rule, as in a column of a policy. */
import assert from 'node:assert/strict';
import { fpe, keyset } from 'trefoil';
import { card } from 'trefoil/format';
import { revealAccess } from 'trefoil/reveal';
import { bytes, texts, valueByValue, wholeColumn } from '../inputs.mjs';
import { ff3Card } from '../rivals/ff3-card.mjs';

const ISSUERS = ['411111', '424242', '510510', '555555', '374245', '601100', '352800', '222300'];

/** The digit that makes the Luhn sum a multiple of ten. It is computed here a second time, without the library. */
function luhn(body) {
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    const digit = Number(body[body.length - 1 - i]) * (i % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

function rule(format) {
  const set = keyset.generate();
  // Revealing requires the key check.
  const keys = set.domain('bench', { keyCheck: set.domain('bench').keyCheck });
  return fpe({ scope: 'card.pan', format }).bind(keys, revealAccess);
}

function checkColumn(bound, values) {
  const safe = bound.protectMany(values);
  values.forEach((value, i) => {
    assert.equal(safe[i].slice(0, 6), value.slice(0, 6));
    assert.equal(safe[i].slice(12), value.slice(12));
    if (i % 16 === 0) assert.equal(safe[i], bound.protect(value));
  });
  assert.deepEqual(bound.revealMany(safe), values);
  return safe;
}

function anyLuhn() {
  const values = texts(10_000, 10, '0123456789', 6).map((ten, i) => ISSUERS[i % ISSUERS.length] + ten);
  const bound = rule(card({ clear: { first: 6, last: 4 }, length: 16, luhn: 'any' }));
  const rival = ff3Card(bytes(32, 4));
  return {
    work: "card, 6 + 4 clear, luhn: 'any' (10^6), column of 10,000",
    against: 'npm ff3 (FF3-1), the same digits',
    floor: 30,
    check() {
      checkColumn(bound, values);
      for (const value of values.slice(0, 1000)) {
        const safe = rival.encrypt(value);
        assert.equal(safe.slice(0, 6) + safe.slice(12), value.slice(0, 6) + value.slice(12));
        assert.equal(rival.decrypt(safe), value);
      }
    },
    ours: wholeColumn(values, bound.protectMany),
    rival: valueByValue(values, rival.encrypt, 500),
  };
}

function validLuhn() {
  const values = texts(1000, 9, '0123456789', 7).map((nine, i) => {
    const body = ISSUERS[i % ISSUERS.length] + nine;
    return body + luhn(body);
  });
  const bound = rule(card({ clear: { first: 6, last: 4 }, length: 16, luhn: 'valid' }));
  return {
    work: "card, 6 + 4 clear, luhn: 'valid' (10^5, a tweak each), column of 1,000",
    target: 20_000,
    check() {
      for (const safe of checkColumn(bound, values)) assert.equal(luhn(safe.slice(0, -1)), safe.slice(-1));
    },
    ours: wholeColumn(values, bound.protectMany),
  };
}

export const cases = [anyLuhn, validLuhn];
