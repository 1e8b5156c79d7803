/**
 * The policy of the people example written by hand, one record at a time, as a careful engineer would write it: with
 * HMAC of node:crypto on KeyObjects, AES-SIV and FF1 of @noble/ciphers, and every key and constant made once.
 *
 * The outputs equal ours byte for byte, except for the card number. Here, the nine digits between the first six and the
 * check digit are encrypted by FF1 in radix 10. That is what one would write by hand, and it is faster than the
 * construction of the specification (an index in radix 2 with cycle walking). So the result is a different card number.
 */
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { nobleFf1 } from './noble-ff1.mjs';
import { nobleSiv } from './noble-siv.mjs';
import { child, domainKey, list, ruleKey } from './tree-by-hand.mjs';

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const HEADER = Uint8Array.of(1, 1);

/** The key id of a domain, as outputs show it: 25 bits. */
function keyId(domain) {
  return base32(child(domainKey(domain), 'key id', []), 25);
}

function base32(bytes, bits) {
  let out = '';
  let buffer = 0;
  let held = 0;
  for (let i = 0, left = bits; left > 0; i++, left -= 8) {
    const take = Math.min(left, 8);
    buffer = ((buffer << take) | (bytes[i] >> (8 - take))) & 0x1fff;
    for (held += take; held >= 5; held -= 5) out += BASE32[(buffer >> (held - 5)) & 31];
  }
  return held > 0 ? out + BASE32[(buffer << (5 - held)) & 31] : out;
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 12;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000 ? ((crc << 1) ^ 0xda3) & 0xfffff : crc << 1;
  return crc;
});

function check(text) {
  let crc = 0;
  for (let i = 0; i < text.length; i++) crc = ((crc << 8) & 0xfffff) ^ CRC[(crc >> 12) ^ text.charCodeAt(i)];
  return BASE32[crc >> 15] + BASE32[(crc >> 10) & 31] + BASE32[(crc >> 5) & 31] + BASE32[crc & 31];
}

function token(domain, scope, label, steps) {
  const key = createSecretKey(ruleKey(domain, 'token', scope, ['hmac-sha256', list(...steps), 'equal values']));
  const head = `${label}_${keyId(domain)}`;
  return (value) => {
    const text = head + base32(createHmac('sha256', key).update(value).digest(), 128);
    return text + check(text);
  };
}

function seal(domain, scope) {
  const node = ruleKey(domain, 'seal', scope, ['aes-256-siv', 'buckets-1']);
  const key = new Uint8Array(hkdfSync('sha256', node, 'trefoil keyset-v1', list('aes-256-siv'), 64));
  const id = keyId(domain);
  return nobleSiv(key, Uint8Array.from(list('seal-v1', HEADER, id, domain, scope)), id, HEADER).protect;
}

function luhn(digits) {
  let sum = 0;
  for (let i = digits.length - 1, double = true; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48;
    sum += double ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

/** Keeps the first six digits, spaces and dashes, encrypts the other digits, and computes the check digit. */
function card(domain, scope) {
  const key = ruleKey(domain, 'fpe', scope, ['by hand']);
  const ciphers = new Map();
  return (value) => {
    const digits = value.replace(/[ -]/g, '');
    if (!/^[0-9]{13,19}$/.test(digits) || luhn(digits.slice(0, -1)) !== digits.at(-1))
      throw new Error('not a card number');
    const first = digits.slice(0, 6);
    let cipher = ciphers.get(first);
    if (cipher === undefined) {
      cipher = nobleFf1(key, Buffer.from(`${digits.length}:${first}`), '0123456789');
      ciphers.set(first, cipher);
    }
    const body = first + cipher.encrypt(digits.slice(6, -1));
    const out = body + luhn(body);
    if (out.length === value.length) return out;
    let at = 0;
    return value.replace(/[0-9]/g, () => out[at++]);
  };
}

const EMAIL = /^[^\s@"(),:;<>[\\\]]{1,64}@[^\s@"(),:;<>[\\\]]+\.[^\s@"(),:;<>[\\\]]+$/;
const PHONE = /^\+[1-9][0-9]{6,14}$/;

/** Returns a function that protects one record. Missing and empty values pass unchanged. */
export function peopleByHand(domain) {
  const id = token(domain, 'person', 'cust', []);
  const name = seal(domain, 'person.name');
  const email = token(domain, 'person.email', 'mail', ['emailAddress']);
  const phone = token(domain, 'person.phone', 'tel', ['phoneE164']);
  const pan = card(domain, 'card.pan');
  const iban = seal(domain, 'person.iban');
  const some = (value, work) => (value === null || value === undefined || value === '' ? value : work(value));

  function mailbox(value) {
    const address = value.trim().normalize('NFC').toLowerCase();
    if (!EMAIL.test(address)) throw new Error('not an e-mail address');
    return email(address);
  }
  function number(value) {
    const digits = `+${value.replace(/[^0-9]/g, '')}`;
    if (!value.startsWith('+') || !PHONE.test(digits)) throw new Error('not a phone number');
    return phone(digits);
  }

  return (row) => ({
    id: some(row.id, id),
    name: some(row.name, name),
    email: some(row.email, mailbox),
    phone: some(row.phone, number),
    card: some(row.card, pan),
    iban: some(row.iban, iban),
    born: some(row.born, (date) => date.slice(0, 4)),
    city: row.city,
  });
}
