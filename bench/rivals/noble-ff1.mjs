/**
 * FF1 of @noble/ciphers, from text to text. The instance is made once. It expands the AES key at every call, and its
 * interface has no way to avoid that.
 */
import { FF1 } from '@noble/ciphers/ff1.js';
import { alphabetOf } from '../inputs.mjs';

export function nobleFf1(key, tweak, alphabet) {
  const { numerals, text } = alphabetOf(alphabet);
  const cipher = FF1(alphabet.length, key, tweak);
  return {
    encrypt: (plain) => text(cipher.encrypt(numerals(plain))),
    decrypt: (enciphered) => text(cipher.decrypt(numerals(enciphered))),
  };
}

/** The same, with a tweak for each value. */
export function nobleFf1WithTweaks(key, alphabet) {
  const { numerals, text } = alphabetOf(alphabet);
  return {
    encrypt: (plain, tweak) => text(FF1(alphabet.length, key, tweak).encrypt(numerals(plain))),
    decrypt: (enciphered, tweak) => text(FF1(alphabet.length, key, tweak).decrypt(numerals(enciphered))),
  };
}
