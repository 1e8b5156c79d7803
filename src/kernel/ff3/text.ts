/** FF3 and FF3-1 on texts over an alphabet, decryption only: ff3.ts with an alphabet, separators and missing values. */

import { badRange, badType, checkOptions, checkText, typeName } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import type { Missing } from '../../core/missing.ts';
import { fail, type Issue, MAX_ISSUES, TrefoilError } from '../../errors.ts';
import { alphabet as makeAlphabet, type Symbols } from '../alphabet.ts';
import { type Ff3Lengths, type Ff3Options, ff3, ff3Lengths, ofBatch, tweakWords } from './ff3.ts';

/** Options of {@link ff3Text}. */
export interface Ff3TextOptions extends Ff3Options {
  /** Characters that were not encrypted and stay where they are: `'- '`. The default is none. */
  readonly separators?: string;
}

/** FF3 and FF3-1 on texts, decryption only. */
export interface Ff3Text {
  /** Decrypts a text. `null`, `undefined` and the empty text are returned as they are. */
  readonly decrypt: <V extends string | null | undefined>(text: V, tweak: Uint8Array) => string | Missing<V>;
  /**
   * Decrypts a column, under one tweak for all texts or one for each. Missing values need no tweak. If texts are wrong,
   * one error is thrown with the first 100 issues and their rows, counted from 1.
   */
  readonly decryptMany: <V extends string | null | undefined>(
    column: readonly V[],
    tweaks: Uint8Array | readonly (Uint8Array | null | undefined)[],
  ) => (string | Missing<V>)[];
}

/**
 * {@link ff3} on texts. Numeral 0 is the first character of `alphabet`, numeral 1 the second, and so on.
 *
 * *Warning*: this is for migration only, as {@link ff3} says. A wrong key, tweak or alphabet cannot be noticed: it
 * yields another text. Decrypt a value that you know before you decrypt a table.
 *
 * @param key AES key of 16, 24 or 32 bytes. The bytes are copied.
 * @param alphabet 2 to 65,536 different characters (code points), in the order of the old system.
 * @param options `separators`: characters that stay where they are and are not part of the ciphertext. `minDomain`: as
 *   in {@link ff3}.
 * @throws TypeError or RangeError for a wrong argument.
 * @throws TrefoilError `outside_format` for a text with other characters or of another length, `wrong_type` for a value
 *   that is not text, `lone_surrogate` for a text that holds half of a surrogate pair. No message contains a value.
 *
 * Source: as {@link ff3}.
 *
 * @example
 * ```ts
 * import { ff3Text } from 'trefoil/ff3';
 *
 * const hex = (text: string) => Uint8Array.from(text.match(/../g)!, (byte) => Number.parseInt(byte, 16));
 * const old = ff3Text(hex('ad41ec5d2356deae53ae76f50b4ba6d2'), '0123456789', { separators: '-' });
 *
 * old.decrypt('4716-569-208', hex('cf29da1e18d970')); // → '6520-935-496'
 * old.decryptMany(['4716569208', null], hex('cf29da1e18d970')); // → ['6520935496', null]
 * ```
 */
export function ff3Text(key: Uint8Array, alphabet: string, options: Ff3TextOptions = {}): Ff3Text {
  const { minDomain, separators = '' } = checkOptions('options', options, [
    'minDomain',
    'separators',
  ]) as Ff3TextOptions;
  const symbols = makeAlphabet(alphabet);
  const { radix } = symbols;
  const staying = checkSeparators(separators, symbols);
  const floor = given({ minDomain });
  const { numeralsOf, textOf } = separated(symbols, staying, ff3Lengths(radix, floor));
  const cipher = ff3(key, radix, floor);

  function decrypt<V extends string | null | undefined>(text: V, tweak: Uint8Array): string | Missing<V> {
    tweakWords('tweak', tweak, '');
    if (isMissing(text)) return text as '' | Missing<V>;
    return textOf(cipher.decrypt(numeralsOf(text), tweak), text as string);
  }

  function decryptMany<V extends string | null | undefined>(
    column: readonly V[],
    tweaks: Uint8Array | readonly (Uint8Array | null | undefined)[],
  ): (string | Missing<V>)[] {
    if (!Array.isArray(column)) badType('column', `expected an array of texts, got ${typeName(column)}`);
    const tweakOf = tweakOfRow(tweaks, column.length);
    const out = new Array<string | Missing<V>>(column.length);
    const rows: number[] = [];
    const texts: string[] = [];
    const batch: number[][] = [];
    const own: Uint8Array[] = [];
    const issues: Issue[] = [];
    let total = 0;
    for (let i = 0; i < out.length; i++) {
      const text: unknown = column[i];
      if (isMissing(text)) {
        out[i] = text as '' | Missing<V>;
        continue;
      }
      const tweak = tweakOf(i);
      try {
        batch.push(numeralsOf(text));
      } catch (error) {
        if (!(error instanceof TrefoilError)) throw error;
        total++;
        if (issues.length < MAX_ISSUES) issues.push({ ...error.issues[0]!, row: i + 1 });
        continue;
      }
      rows.push(i);
      texts.push(text as string);
      own.push(tweak);
    }
    if (total > 0) throw new TrefoilError(issues, total);
    const plain = cipher.decryptMany(batch, own);
    for (let k = 0; k < rows.length; k++) out[rows[k]!] = textOf(plain[k]!, texts[k]!);
    return out;
  }

  return Object.freeze({ decrypt, decryptMany });
}

/** Numerals of texts with separators, and back. */
interface SeparatedTexts {
  /** Returns the numerals of a text, without its separators. */
  readonly numeralsOf: (value: unknown) => number[];
  /** Returns the text of numerals, with separators at the positions where the text `model` has them. */
  readonly textOf: (numerals: readonly number[], model: string) => string;
}

function separated(symbols: Symbols, staying: ReadonlySet<string>, { minimum, maximum }: Ff3Lengths): SeparatedTexts {
  const { radix } = symbols;

  function numeralsOf(value: unknown): number[] {
    const text = checkText(value);
    const bare = staying.size === 0 ? text : Array.from(text, (symbol) => (staying.has(symbol) ? '' : symbol)).join('');
    const numerals = symbols.read(bare, maximum);
    if (typeof numerals === 'number') {
      const actual = placeOf(-numerals, text);
      const neither = staying.size === 0 ? 'not one' : 'neither a separator nor one';
      fail('outside_format', `character ${actual} is ${neither} of the ${radix} of the alphabet`, { actual });
    }
    if (numerals.length < minimum || numerals.length > maximum) {
      const got = numerals.length > maximum ? 'more' : `${numerals.length}`;
      const message = `expected ${minimum} to ${maximum} characters of the alphabet, got ${got}`;
      fail('outside_format', message, { minimum, maximum });
    }
    return numerals;
  }

  /** Returns the position in a text of its n-th character that is not a separator. Both are counted from 1. */
  function placeOf(n: number, text: string): number {
    let place = 0;
    for (const symbol of text) {
      place++;
      if (!staying.has(symbol) && --n === 0) break;
    }
    return place;
  }

  function textOf(numerals: readonly number[], model: string): string {
    const bare = symbols.format(numerals);
    if (staying.size === 0) return bare;
    const rest = bare[Symbol.iterator]();
    return Array.from(model, (symbol) => (staying.has(symbol) ? symbol : rest.next().value)).join('');
  }

  return { numeralsOf, textOf };
}

/** Returns whether a value is missing. Rules of trefoil return missing values as they are as well. */
function isMissing(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

function checkSeparators(separators: unknown, symbols: Symbols): ReadonlySet<string> {
  if (typeof separators !== 'string') badType('separators', `expected text, got ${typeName(separators)}`);
  if (!separators.isWellFormed()) badRange('separators', 'expected text without halves of surrogate pairs');
  const staying = new Set(separators);
  for (const symbol of staying) {
    if (typeof symbols.read(symbol, 1) !== 'number') {
      badRange('separators', 'expected characters that are not in the alphabet');
    }
  }
  return staying;
}

/** Returns a function for the tweak of a row. A tweak of a list is checked when its row is decrypted. */
function tweakOfRow(tweaks: unknown, count: number): (i: number) => Uint8Array {
  if (tweaks instanceof Uint8Array) {
    tweakWords('tweaks', tweaks, '');
    return () => tweaks;
  }
  if (!Array.isArray(tweaks)) badType('tweaks', `expected bytes or an array of them, got ${typeName(tweaks)}`);
  if (tweaks.length !== count) {
    badRange('tweaks', `expected one tweak, or one for each of ${count} values, got ${tweaks.length}`);
  }
  return (i) => {
    const tweak = tweaks[i] as Uint8Array;
    tweakWords('tweaks', tweak, ofBatch(i));
    return tweak;
  };
}
