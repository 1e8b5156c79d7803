/**
 * Patterns: strings of one fixed form, such as number plates. Every position is a class of characters or a literal.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { asIndex, type Format, type FormatEngine, type Index, makeFormat, NO_PARTS } from './engine.ts';
import { MAX_FORMAT_LENGTH } from './lengths.ts';

/** The format that {@link pattern} makes. */
export interface PatternFormat extends Format {
  readonly type: 'pattern';
  readonly pattern: string;
}

/** The symbols of each class. */
const CLASSES: Readonly<Record<string, string>> = {
  A: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  a: 'abcdefghijklmnopqrstuvwxyz',
  '9': '0123456789',
};

interface Position {
  /** The symbols of a class, or one literal code point. */
  readonly symbols: string;
  readonly literal: boolean;
}

/**
 * Strings of one form. In the pattern `A` stands for a letter A–Z, `a` for a letter a–z and `9` for a digit. Every
 * other character is a literal; `\` makes the next character a literal, too.
 *
 * Literals stay where they are. All other positions together form one space, so two values that differ in one letter
 * have unrelated ciphertexts.
 *
 * @param source 1 to 256 positions, at least one of them a class.
 * @throws TypeError or RangeError if it is not such a pattern.
 *
 * @example
 * ```ts
 * import { pattern } from 'trefoil/format';
 *
 * const passport = pattern('A999999');
 * passport.test('K013377'); // → true
 * passport.size; // → 26000000n
 * ```
 */
export function pattern(source: string): PatternFormat {
  const positions = readPattern(source);
  return makeFormat({ type: 'pattern', pattern: source }, engineOf(positions)) as PatternFormat;
}

function engineOf(positions: readonly Position[]): FormatEngine {
  const radices = positions.filter((position) => !position.literal).map((position) => position.symbols.length);
  const [first] = radices;
  const size = radices.reduce((product, each) => product * BigInt(each), 1n);
  const facts = {
    descriptor: ['pattern@1', positions.map(canonical).join('')],
    smallest: { size, because: `the classes of the pattern: ${radices.join(' × ')}` },
    hasClear: false,
    visible: positions.some((position) => position.literal) ? 'the form and its literal characters' : 'the form',
    outline: { min: positions.length, max: positions.length, at: (i: number) => positions[i]?.symbols ?? '' },
  };

  function split(value: string): number[] {
    const numerals: number[] = [];
    let at = 0;
    for (const symbol of value) {
      const position = positions[at++];
      if (position === undefined) break;
      const numeral = position.symbols.indexOf(symbol);
      if (numeral < 0) fail('outside_format', `character ${at} does not fit the pattern`, { actual: at });
      if (!position.literal) numerals.push(numeral);
    }
    if (at !== positions.length) {
      const expected = positions.length;
      const count = at > expected ? `more than ${expected}` : `${at}`;
      fail('outside_format', `the value has ${count} characters, expected ${expected}`, { expected });
    }
    return numerals;
  }

  function assemble(numerals: readonly number[]): string {
    let next = 0;
    let out = '';
    for (const { symbols, literal } of positions) out += literal ? symbols : symbols[numerals[next++]!];
    return out;
  }

  // If all positions have one radix, FF1 takes the string as it is (docs/spec/fpe-v1.md, "Engines").
  if (radices.every((each) => each === first)) {
    return {
      ...facts,
      kind: 'numerals',
      radix: first!,
      sample: { ...NO_PARTS, numerals: radices.map(() => 0) },
      split: (value) => ({ ...NO_PARTS, numerals: split(value) }),
      assemble: (_, numerals) => assemble(numerals),
    };
  }
  const mixed = mixedRadix(radices, asIndex(size));
  return {
    ...facts,
    kind: 'index',
    sample: { ...NO_PARTS, size: mixed.size, index: mixed.rank(radices.map(() => 0)) },
    split: (value) => ({ ...NO_PARTS, size: mixed.size, index: mixed.rank(split(value)) }),
    assemble: (_, index) => assemble(mixed.unrank(index)),
  };
}

/** Numerals of different radices as one number, most significant first, and back. */
function mixedRadix(radices: readonly number[], size: Index) {
  const wide = typeof size === 'bigint' ? radices.map(BigInt) : null;
  return {
    size,
    rank(numerals: readonly number[]): Index {
      if (wide !== null) return numerals.reduce((index, numeral, i) => index * wide[i]! + BigInt(numeral), 0n);
      return numerals.reduce((index, numeral, i) => index * radices[i]! + numeral, 0);
    },
    unrank(index: Index): number[] {
      const numerals = new Array<number>(radices.length);
      let rest = index;
      for (let i = radices.length - 1; i >= 0; i--) {
        if (typeof rest === 'bigint') {
          numerals[i] = Number(rest % wide![i]!);
          rest /= wide![i]!;
        } else {
          const next = Math.floor(rest / radices[i]!);
          numerals[i] = rest - next * radices[i]!;
          rest = next;
        }
      }
      return numerals;
    },
  };
}

function readPattern(source: unknown): readonly Position[] {
  if (typeof source !== 'string') badType('pattern', `expected text, got ${typeName(source)}`);
  if (!source.isWellFormed()) badRange('pattern', 'expected text without halves of surrogate pairs');
  const positions: Position[] = [];
  let escaped = false;
  for (const character of source) {
    if (!escaped && character === '\\') {
      escaped = true;
      continue;
    }
    const symbols = escaped ? undefined : CLASSES[character];
    positions.push({ symbols: symbols ?? character, literal: symbols === undefined });
    escaped = false;
  }
  if (escaped) badRange('pattern', 'ends with a "\\" that has nothing to escape');
  if (positions.length > MAX_FORMAT_LENGTH) {
    badRange('pattern', `expected at most ${MAX_FORMAT_LENGTH} positions, got ${positions.length}`);
  }
  if (positions.every((position) => position.literal)) {
    badRange('pattern', 'expected at least one of A, a and 9, because nothing else is enciphered');
  }
  return positions;
}

/** The one spelling of a position: a literal is escaped only if it would be read as a class or an escape. */
function canonical({ symbols, literal }: Position): string {
  if (!literal) return Object.keys(CLASSES).find((name) => CLASSES[name] === symbols)!;
  return symbols === '\\' || Object.hasOwn(CLASSES, symbols) ? `\\${symbols}` : symbols;
}
