/**
 * Sealed values against AES-SIV of @noble/ciphers with the same padding, associated data and encoding. Names of persons
 * are protected as texts of 85 characters, and revealed.
 */
import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { keyset, seal } from 'trefoil';
import { revealAccess } from 'trefoil/reveal';
import { oneByOne, random, valueByValue, wholeColumn } from '../inputs.mjs';
import { nobleSiv } from '../rivals/noble-siv.mjs';
import { KEYSET, list, ruleKey } from '../rivals/tree-by-hand.mjs';

const AGAINST = '@noble/ciphers aessiv';
const FIRST =
  'Ada Zoë Jan Li Maximilian Guðrún Jo Anne-Sophie Tomás Bartholomäus Ruth Ingeborg Łukasz Aleksandra Per'.split(' ');
const LAST = 'Ek|Müller|Berg|van der Meulen|Wu|Lovelace|Sørensen|Oppenheimer|Nowak|Smith|de la Cruz|Haas'.split('|');

/** Names of 5 to 30 characters, all different. One in four has letters outside ASCII, as in a list of customers. */
function names(count) {
  const next = random(23);
  const made = new Set();
  while (made.size < count) {
    const name = `${FIRST[next(FIRST.length)]} ${letters(next, 1 + next(8))} ${LAST[next(LAST.length)]}`;
    // A flat string, as a driver or a parser returns it.
    if (name.length >= 5 && name.length <= 30) made.add(Buffer.from(name).toString());
  }
  return [...made];
}

function letters(next, count) {
  return Array.from({ length: count }, (_, i) => String.fromCharCode((i === 0 ? 65 : 97) + next(26))).join('');
}

const values = names(10_000);
const keys = keyset.parse(KEYSET).domain('bench');
const bound = seal({ scope: 'person.name' }).bind(keys, revealAccess);
const header = Uint8Array.of(1, 1);
const node = ruleKey('bench', 'seal', 'person.name', ['aes-256-siv', 'buckets-1']);
const key = new Uint8Array(hkdfSync('sha256', node, 'trefoil keyset-v1', list('aes-256-siv'), 64));
const rival = nobleSiv(
  key,
  Uint8Array.from(list('seal-v1', header, keys.keyId, 'bench', 'person.name')),
  keys.keyId,
  header,
);
const sealed = bound.protectMany(values);

function checkSealed() {
  const back = bound.revealMany(sealed);
  for (const [i, value] of values.entries()) {
    assert.equal(sealed[i], rival.protect(value));
    assert.equal(bound.protect(value), sealed[i]);
    assert.equal(rival.reveal(sealed[i]), value);
    assert.equal(bound.reveal(sealed[i]), value);
    assert.equal(back[i], value);
  }
}

function pair(work, floors, ours, theirs) {
  return { work, against: AGAINST, ...floors, check: checkSealed, ours, rival: theirs };
}

/** Values of a larger bucket: comments of about 600 characters. */
function comments() {
  const next = random(29);
  const texts = Array.from({ length: 2000 }, () => Buffer.from(letters(next, 550 + next(100))).toString());
  return {
    work: 'seal.protectMany of 2,000 texts of 600 characters',
    against: AGAINST,
    floor: 4,
    check() {
      const all = bound.protectMany(texts);
      for (const [i, text] of texts.entries()) assert.equal(all[i], rival.protect(text));
    },
    ours: wholeColumn(texts, bound.protectMany),
    rival: valueByValue(texts, rival.protect, 50),
  };
}

export const cases = [
  () => pair('seal.protect, name', { floor: 4 }, oneByOne(values, bound.protect), oneByOne(values, rival.protect)),
  () =>
    pair(
      'seal.protectMany of 10,000 names',
      { floor: 12, aim: 25 },
      wholeColumn(values, bound.protectMany),
      valueByValue(values, rival.protect, 500),
    ),
  () => pair('seal.reveal, name', { floor: 5 }, oneByOne(sealed, bound.reveal), oneByOne(sealed, rival.reveal)),
  () =>
    pair(
      'seal.revealMany of 10,000 names',
      { floor: 15 },
      wholeColumn(sealed, bound.revealMany),
      valueByValue(sealed, rival.reveal, 500),
    ),
  comments,
];
