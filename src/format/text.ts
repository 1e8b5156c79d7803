/**
 * Uniform strings: every position takes a symbol of one alphabet. `digits` is the text over 0 to 9.
 */

import { badRange, badType, checkOptions, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { minimumLength } from '../kernel/ff1.ts';
import { type Format, makeFormat, type NumeralEngine, type Parts } from './engine.ts';
import { checkLengths, givenLengths, LENGTH_OPTIONS, type Lengths, MAX_FORMAT_LENGTH } from './lengths.ts';

/** Most symbols in an alphabet: the largest radix of the engine. */
const MAX_ALPHABET = 65_536;

/** The format that {@link digits} makes. */
export interface DigitsFormat extends Format, Lengths {
  readonly type: 'digits';
}

/** The format that {@link text} makes. */
export interface TextFormat extends Format, Lengths {
  readonly type: 'text';
  readonly alphabet: string;
}

/** Engine of uniform strings: numerals are indices into the alphabet, the shape is the length. */
function uniform(
  name: string,
  symbols: readonly string[],
  descriptor: readonly string[],
  limits: { min: number; max: number },
): NumeralEngine {
  const radix = symbols.length;
  const numeralOf = new Map(symbols.map((symbol, index) => [symbol, index]));
  const { min, max } = limits;
  const length = min === max ? `${min}` : `${min} to ${max}`;
  const alphabet = symbols.join('');
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
    split(value: string) {
      const numerals: number[] = [];
      for (const symbol of value) {
        const numeral = numeralOf.get(symbol);
        if (numeral === undefined) {
          fail('outside_format', `character ${numerals.length + 1} is not one of the ${radix} of ${name}`, {
            actual: numerals.length + 1,
          });
        }
        numerals.push(numeral);
        if (numerals.length > max) break;
      }
      if (numerals.length < min || numerals.length > max) {
        const got = numerals.length > max ? 'more' : `${numerals.length}`;
        fail('outside_format', `expected ${length} characters of ${name}, got ${got}`, { minimum: min, maximum: max });
      }
      return { shape: `${numerals.length}`, clear: '', numerals, layout: null };
    },
    join(_: Parts, numerals: readonly number[]) {
      let out = '';
      for (let i = 0; i < numerals.length; i++) out += symbols[numerals[i]!];
      return out;
    },
  };
}

/**
 * Strings of ASCII digits, leading zeros included.
 *
 * The length stays visible and enters the tweak. By default 6 to 64 digits; `length`, or `min` and `max`, say otherwise,
 * up to 256. The limits are a check: they change no output. Six digits are the 1,000,000 values that a rule needs.
 *
 * @throws RangeError for limits that do not fit.
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
  checkOptions('options', options, LENGTH_OPTIONS);
  const limits = checkLengths(options, { min: 6, max: 64 });
  const engine = uniform('the digits', [...'0123456789'], ['digits@1'], limits);
  return makeFormat({ type: 'digits', ...givenLengths(options) }, engine) as DigitsFormat;
}

/**
 * Strings over an alphabet of your own, by code point.
 *
 * The length in code points stays visible and enters the tweak. The shortest length is by default the first that has
 * 1,000,000 values, the longest 256. The alphabet's order is part of the key derivation. What comes out is any string
 * over the alphabet: with combining marks in it, the output may not be normalised.
 *
 * @param alphabet 2 to 65,536 different code points.
 * @throws RangeError for a bad alphabet or limits that do not fit.
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
  if (typeof alphabet !== 'string') badType('alphabet', `expected text, got ${typeName(alphabet)}`);
  if (!alphabet.isWellFormed()) badRange('alphabet', 'expected text without halves of surrogate pairs');
  const symbols = [...alphabet];
  if (symbols.length < 2 || symbols.length > MAX_ALPHABET) {
    badRange('alphabet', `expected 2 to ${MAX_ALPHABET} characters, got ${symbols.length}`);
  }
  if (new Set(symbols).size !== symbols.length) badRange('alphabet', 'expected every character once');
  checkOptions('options', options, LENGTH_OPTIONS);
  const limits = checkLengths(options, { min: minimumLength(symbols.length), max: MAX_FORMAT_LENGTH });
  const engine = uniform('the alphabet', symbols, ['text@1', alphabet], limits);
  return makeFormat({ type: 'text', alphabet, ...givenLengths(options) }, engine) as TextFormat;
}
