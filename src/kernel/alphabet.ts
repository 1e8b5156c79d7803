/**
 * Alphabets: the symbols of a text as numerals, and back (SP 800-38G, section 3.2, "alphabet" and "numeral").
 *
 * A text is looked up by UTF-16 unit if every symbol is one unit, and by code point if not. A text is written from runs
 * of symbols that were concatenated before, because each `+` costs more than the arithmetic around it (16 digits: 124
 * ns from single symbols, 30 ns from runs of four).
 */

import { badRange, badType, typeName } from '../core/checks.ts';

/** The most symbols of an alphabet: the largest radix of FF1. */
const MAX_SYMBOLS = 65_536;

/** The most runs that are kept. The smaller the radix, the longer the runs can be. */
const MAX_RUNS = 10_000;

/** The symbols of a text as numerals, and back. */
export interface Alphabet {
  /** How many symbols there are. */
  readonly radix: number;
  /** Returns the numerals of a text. A symbol that is not in the alphabet is a RangeError with its position, from 1. */
  readonly parse: (text: string) => number[];
  /** Returns the text of numerals. */
  readonly format: (numerals: ArrayLike<number>) => string;
}

/** An alphabet with the verbs that formats and FF1 on texts use. */
export interface Symbols extends Alphabet {
  /**
   * Returns the numerals of a text, or at most `limit` + 1 of them. If a symbol is not in the alphabet, it returns a
   * negative number: -1 for the first symbol of the text, -2 for the second, and so on.
   */
  readonly read: (text: string, limit: number) => number[] | number;
  /** Returns how many symbols a text has, at most `limit` + 1, or a negative number as `read` does. */
  readonly measure: (text: string, limit: number) => number;
  /** The numeral of each UTF-16 unit, or -1 if it is not a symbol; `null` if a symbol of the alphabet is two units. */
  readonly units: Int32Array | null;
  /** Returns the text of a number x, written with `digits` symbols in the radix. */
  readonly write: (x: number, digits: number) => string;
}

/**
 * Makes an alphabet.
 *
 * @param symbols 2 to 65,536 different code points. Their order is their value.
 */
export function alphabet(symbols: string): Symbols {
  if (typeof symbols !== 'string') badType('alphabet', `expected text, got ${typeName(symbols)}`);
  if (!symbols.isWellFormed()) badRange('alphabet', 'expected text without halves of surrogate pairs');
  const list = [...symbols];
  const radix = list.length;
  if (radix < 2 || radix > MAX_SYMBOLS) badRange('alphabet', `expected 2 to ${MAX_SYMBOLS} characters, got ${radix}`);
  if (new Set(list).size !== radix) badRange('alphabet', 'expected different characters; one of them occurs twice');

  const single = list.every((symbol) => symbol.length === 1);
  const units = single ? unitsOf(symbols) : null;
  const read = units === null ? readCodePoints(list) : readUnits(units);
  return Object.freeze({
    radix,
    read,
    units,
    measure:
      units === null
        ? (text: string, limit: number) => countOf(read(text, limit))
        : (text: string, limit: number) => measureUnits(units, text, limit),
    ...writeRuns(list),
    parse(text: string) {
      if (typeof text !== 'string') badType('text', `expected text, got ${typeName(text)}`);
      const numerals = read(text, Number.POSITIVE_INFINITY);
      if (typeof numerals === 'number')
        badRange('text', `character ${-numerals} is not one of the ${radix} of the alphabet`);
      return numerals;
    },
  });
}

function unitsOf(symbols: string): Int32Array {
  let last = 0;
  for (let i = 0; i < symbols.length; i++) last = Math.max(last, symbols.charCodeAt(i));
  const units = new Int32Array(last + 1).fill(-1);
  for (let i = 0; i < symbols.length; i++) units[symbols.charCodeAt(i)] = i;
  return units;
}

function countOf(numerals: number[] | number): number {
  return typeof numerals === 'number' ? numerals : numerals.length;
}

function measureUnits(units: Int32Array, text: string, limit: number): number {
  const length = Math.min(text.length, limit + 1);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= units.length || units[code]! < 0) return -1 - i;
  }
  return length;
}

function readUnits(units: Int32Array): Symbols['read'] {
  return (text, limit) => {
    const length = Math.min(text.length, limit + 1);
    const numerals = new Array<number>(length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      const numeral = code < units.length ? units[code]! : -1;
      if (numeral < 0) return -1 - i;
      numerals[i] = numeral;
    }
    return numerals;
  };
}

function readCodePoints(list: readonly string[]): Symbols['read'] {
  const numeralOf = new Map(list.map((symbol, numeral) => [symbol, numeral]));
  return (text, limit) => {
    const numerals: number[] = [];
    for (const symbol of text) {
      const numeral = numeralOf.get(symbol);
      if (numeral === undefined) return -1 - numerals.length;
      numerals.push(numeral);
      if (numerals.length > limit) break;
    }
    return numerals;
  };
}

function writeRuns(list: readonly string[]): Pick<Symbols, 'format' | 'write'> {
  const radix = list.length;
  let run = 1;
  while (radix ** (run + 1) <= MAX_RUNS) run++;
  const base = radix ** run;
  // For each length up to `run`: all texts of this length in the order of their numerals. They are made when needed.
  const made: (readonly string[])[] = [[''], list];

  function runsOf(length: number): readonly string[] {
    for (let next = made.length; next <= length; next++) {
      made.push(made[next - 1]!.flatMap((head) => list.map((symbol) => head + symbol)));
    }
    return made[length]!;
  }

  return {
    format(numerals) {
      const { length } = numerals;
      let out = '';
      let i = 0;
      if (length >= run && run > 1) {
        const runs = runsOf(run);
        for (; i + run <= length; i += run) {
          let index = numerals[i]!;
          for (let k = 1; k < run; k++) index = index * radix + numerals[i + k]!;
          out += runs[index];
        }
      }
      for (; i < length; i++) out += list[numerals[i]!];
      return out;
    },
    write(x, digits) {
      if (digits <= run) return runsOf(digits)[x]!;
      const runs = runsOf(run);
      let out = '';
      let rest = x;
      let left = digits;
      for (; left > run; left -= run) {
        const next = Math.floor(rest / base);
        out = runs[rest - next * base] + out;
        rest = next;
      }
      return runsOf(left)[rest]! + out;
    },
  };
}
