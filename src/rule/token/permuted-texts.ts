/**
 * Writes the tokens of a key that is bound to a base: the first bits of the tag go through the permutation of the key,
 * and the result is written in the place of the bits (docs/spec/renewal-v1.md, "Steps").
 */

import type { TokenTexts } from '../../wire/token-texts.ts';
import type { BodyPermutation } from './keys.ts';

/** Words of a body. */
export const BODY_WORDS = 4;

/** Where the words of a body begin, if bodies lie one after another. */
export const bodyAt = (slot: number): number => BODY_WORDS * slot;

/** Wraps the writer of tokens of one key. */
export function permutedTexts(texts: TokenTexts, permutation: BodyPermutation): TokenTexts {
  return permutation.unit === 'bits' ? overBits(texts, permutation.bits) : overDigits(texts, permutation.digits);
}

function overBits(texts: TokenTexts, { encrypt }: Extract<BodyPermutation, { unit: 'bits' }>['bits']): TokenTexts {
  const alone = new Int32Array(BODY_WORDS);
  let words = new Int32Array(0);

  const permuted = (tag: Int32Array): Int32Array => {
    for (let j = 0; j < BODY_WORDS; j++) alone[j] = tag[j]!;
    encrypt(alone, 0, 1);
    return alone;
  };

  return {
    one: (tag) => texts.one(permuted(tag)),
    body: (tag) => texts.body(permuted(tag)),
    many(tags, tagAt, step, rows, count, out) {
      // The words are kept for the next batch.
      if (words.length < BODY_WORDS * count) words = new Int32Array(BODY_WORDS * count);
      for (let slot = 0; slot < count; slot++) {
        const at = tagAt(slot);
        for (let j = 0; j < BODY_WORDS; j++) words[BODY_WORDS * slot + j] = tags[at + j * step]!;
      }
      encrypt(words, 0, count);
      texts.many(words, bodyAt, 1, rows, count, out);
    },
  };
}

/** Bodies of digits are permuted as texts. Such tokens have nothing but the body. */
function overDigits(
  texts: TokenTexts,
  { encrypt, encryptMany }: Extract<BodyPermutation, { unit: 'digits' }>['digits'],
): TokenTexts {
  return {
    one: (tag) => encrypt(texts.one(tag)),
    body: (tag) => encrypt(texts.body(tag)),
    many(tags, tagAt, step, rows, count, out) {
      texts.many(tags, tagAt, step, rows, count, out);
      const bodies = new Array<string>(count);
      for (let slot = 0; slot < count; slot++) bodies[slot] = out[rows[slot]!] as string;
      const done = encryptMany(bodies);
      for (let slot = 0; slot < count; slot++) out[rows[slot]!] = done[slot];
    },
  };
}
