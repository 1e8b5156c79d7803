/**
 * FF1 of NIST SP 800-38G by itself, for people who want just the cipher: data of other systems, formats of one's own.
 * In a policy the rule `fpe` takes care of keys, tweaks and formats.
 */

import { type Alphabet, alphabet as makeAlphabet } from './kernel/alphabet.ts';
import { type Ff1, ff1 as kernel, type TweakColumn, type Tweaks } from './kernel/ff1/ff1.ts';
import { ALONE, type NumeralString, type NumeralsLike, takeNumerals } from './kernel/ff1/numerals.ts';
import { type Ff1Text, ff1Text as textKernel } from './kernel/ff1/text.ts';

export type { Alphabet, Ff1, Ff1Text, NumeralString, NumeralsLike, TweakColumn, Tweaks };

/** Longest array (ECMA-262, ArrayCreate). */
const MAX_ARRAY = 2 ** 32 - 1;

/** Options of {@link ff1}. */
export interface Ff1Options {
  /**
   * Smallest radix^length that is taken: 1,000,000 unless lowered, never below 100. Lower it by name to read data of the
   * first edition of the standard; small domains can be guessed and, for FF1, distinguished.
   */
  readonly minDomain?: number;
}

/**
 * FF1 under one key in one radix: numeral strings in, numeral strings of the same length out.
 *
 * Numerals are whole numbers from 0 to radix − 1; a string has at least 2 of them, as many as make 1,000,000 values, and
 * at most 4,096. A tweak has 0 to 65,536 bytes; it is public, and values under different tweaks have unrelated
 * ciphertexts. What is passed in is read during the call and never kept or changed. Key set-up is done here, once;
 * `encryptMany` runs a whole batch through each round together and is several times faster per value. In a batch,
 * `tweaks` is one tweak for all, a list of one a value, or `{ bytes, each }` with tweaks of one length after one another;
 * typed arrays come out as typed arrays of the same kind (a `Buffer` as a `Uint8Array`), and the kind must hold every
 * numeral of the radix.
 *
 * *Warning*: FF1 does not authenticate: a changed ciphertext or another key gives another value. Equal values under one
 * key and tweak have equal ciphertexts. Single values go through table-based AES, whose time depends on the data;
 * batches use AES instructions where node:crypto has them.
 *
 * Source: NIST SP 800-38G, Algorithms 7 and 8, with the floor of Revision 1, second public draft.
 *
 * @param key AES key of 16, 24 or 32 bytes; the bytes are copied.
 * @param radix 2 to 65,536.
 * @throws TypeError or RangeError, naming the argument, for anything that does not fit; never with a numeral in it.
 *
 * @example
 * ```ts
 * import { ff1 } from 'trefoil/ff1';
 *
 * const key = Uint8Array.from({ length: 16 }, (_, i) => i);
 * const cipher = ff1(key, 10);
 * const ciphertext = cipher.encrypt([4, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
 * cipher.decrypt(ciphertext).join(''); // → '4111111111'
 * ```
 */
export function ff1(key: Uint8Array, radix: number, options: Ff1Options = {}): Ff1 {
  return kernel(key, radix, options);
}

/**
 * FF1 on texts over an alphabet: like {@link ff1} with the symbols' places as numerals, and faster than turning texts into
 * numerals first. Every character of a text is enciphered; separators have to be taken out before, or `fpe` does it.
 *
 * Limits, tweaks and warnings are those of {@link ff1}.
 *
 * Source: NIST SP 800-38G, Algorithms 7 and 8, with the floor of Revision 1, second public draft.
 *
 * @param symbols The alphabet, 2 to 65,536 different code points; the order of the symbols is their value.
 * @throws TypeError or RangeError for anything that does not fit, with the place of a character and never the character.
 *
 * @example
 * ```ts
 * import { ff1Text } from 'trefoil/ff1';
 *
 * const cipher = ff1Text(new Uint8Array(32).fill(7), '0123456789');
 * const [first] = cipher.encryptMany(['4111111111111111', '0000000000']);
 * cipher.decrypt(first ?? ''); // → '4111111111111111'
 * ```
 */
export function ff1Text(key: Uint8Array, symbols: string, options: Ff1Options = {}): Ff1Text {
  return textKernel(key, makeAlphabet(symbols), options);
}

/**
 * The symbols of a text as numerals, and back: the order of the symbols is their value.
 *
 * @param symbols 2 to 65,536 different code points.
 * @throws TypeError or RangeError for a bad alphabet; `parse` throws a RangeError for a symbol that is not in it, with the
 *   symbol's place and never the symbol; `format` throws for what is no list of numerals of the alphabet.
 *
 * @example
 * ```ts
 * import { alphabet, ff1 } from 'trefoil/ff1';
 *
 * const base36 = alphabet('0123456789abcdefghijklmnopqrstuvwxyz');
 * const cipher = ff1(new Uint8Array(32).fill(7), base36.radix);
 * const ciphertext = base36.format(cipher.encrypt(base36.parse('k013377zz')));
 * base36.format(cipher.decrypt(base36.parse(ciphertext))); // → 'k013377zz'
 * ```
 */
export function alphabet(symbols: string): Alphabet {
  const { radix, parse, format } = makeAlphabet(symbols);
  const limits = { radix, least: 0, most: MAX_ARRAY };
  return Object.freeze({
    radix,
    parse,
    format(numerals: ArrayLike<number>) {
      return format(takeNumerals(numerals, limits, ALONE));
    },
  });
}
