/**
 * Strings over one alphabet: every position can have any of its symbols. `digits` is such a format over 0 to 9.
 */

import { checkOptions } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { alphabet as makeAlphabet, type Symbols } from '../kernel/alphabet.ts';
import { minimumLength } from '../kernel/domain.ts';
import { type Format, faceOfTexts, makeFormat, type NumeralEngine } from './engine.ts';
import { checkLengths, givenLengths, LENGTH_OPTIONS, type Lengths, MAX_FORMAT_LENGTH } from './lengths.ts';

const DIGITS = '0123456789';

/** The format that {@link digits} makes. */
export interface DigitsFormat extends Format, Lengths {
  readonly type: 'digits';
}

/** The format that {@link text} makes. */
export interface TextFormat extends Format, Lengths {
  readonly type: 'text';
  readonly alphabet: string;
}

/**
 * The engine of strings over one alphabet: numerals are indices into the alphabet, the shape is the length. `misfit`
 * says what a character is not.
 */
function uniform(
  misfit: string,
  alphabet: string,
  symbols: Symbols,
  descriptor: readonly string[],
  { min, max }: { min: number; max: number },
): NumeralEngine {
  const { radix, measure } = symbols;
  const length = min === max ? `${min}` : `${min} to ${max}`;
  return {
    kind: 'numerals',
    descriptor,
    radix,
    hasClear: false,
    outline: { min, max, at: () => alphabet },
    sample: { shape: `${min}`, clear: '', numerals: new Array<number>(min).fill(0), layout: null },
    smallest: {
      size: BigInt(radix) ** BigInt(min),
      because: `${min} ${min === 1 ? 'character' : 'characters'} of an alphabet of ${radix}: ${radix}^${min}`,
    },
    visible: `the length (${length})`,
    ...faceOfTexts({
      symbols,
      split(value) {
        const count = measure(value, max);
        if (count < 0) {
          fail('outside_format', `character ${-count} is not ${misfit}`, { actual: -count });
        }
        if (count < min || count > max) {
          const got = count > max ? `more than ${max}` : `${count}`;
          fail('outside_format', `the value has ${got} characters, expected ${length}`, {
            minimum: min,
            maximum: max,
          });
        }
        return { shape: `${count}`, clear: '', secret: value, layout: null };
      },
      assemble: (_, secret) => secret,
    }),
  };
}

/**
 * Strings of ASCII digits, leading zeros included.
 *
 * The length stays visible and enters the tweak. Values have 6 to 64 digits, unless `length`, or `min` and `max`, set
 * other limits, up to 256. The limits are only a check and change no output. Six digits have 1,000,000 values, which is
 * the least that FF1 takes.
 *
 * @throws TypeError or RangeError if a limit is not a length, or if `min` is greater than `max`.
 *
 * @example
 * ```ts
 * import { digits } from 'trefoil/format';
 *
 * digits({ length: 9 }).test('012345678'); // → true
 * digits({ length: 9 }).size; // → 1000000000n
 * ```
 */
export function digits(options: Lengths = {}): DigitsFormat {
  const own = checkOptions<Lengths>('options', options, LENGTH_OPTIONS);
  const limits = checkLengths(own, { min: 6, max: 64 });
  const engine = uniform('a digit', DIGITS, makeAlphabet(DIGITS), ['digits@1'], limits);
  return makeFormat({ type: 'digits', ...givenLengths(own) }, engine) as DigitsFormat;
}

/**
 * Strings over an alphabet of your own, by code point.
 *
 * The length in code points stays visible and enters the tweak. By default the shortest length is the first that has
 * 1,000,000 values, and the longest is 256. The alphabet and its order are part of the key derivation. An output can be
 * any string over the alphabet: if the alphabet has combining marks, the output may not be normalised.
 *
 * @param alphabet 2 to 65,536 different code points.
 * @throws TypeError or RangeError if it is not such an alphabet, or if the limits do not fit.
 *
 * @example
 * ```ts
 * import { text } from 'trefoil/format';
 *
 * const plate = text('ABCDEFGHJKLMNPRSTUVWXYZ0123456789', { min: 5, max: 8 });
 * plate.test('AB123'); // → true
 * plate.test('ab123'); // → false
 * ```
 */
export function text(alphabet: string, options: Lengths = {}): TextFormat {
  const symbols = makeAlphabet(alphabet);
  const own = checkOptions<Lengths>('options', options, LENGTH_OPTIONS);
  const limits = checkLengths(own, { min: minimumLength(symbols.radix), max: MAX_FORMAT_LENGTH });
  const engine = uniform(
    `one of the ${symbols.radix} characters of the alphabet`,
    alphabet,
    symbols,
    ['text@1', alphabet],
    limits,
  );
  return makeFormat({ type: 'text', alphabet, ...givenLengths(own) }, engine) as TextFormat;
}
