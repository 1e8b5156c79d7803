/**
 * Patterns: strings of one fixed form, such as a number plate. Every position is a class or a literal.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { type Format, makeFormat } from './engine.ts';
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
  /** Symbols of a class, or one literal code point. */
  readonly symbols: string;
  readonly literal: boolean;
}

/**
 * Strings of one form: `A` stands for A–Z, `a` for a–z, `9` for a digit, `\` makes the next character a literal, every
 * other character is a literal.
 *
 * Literals stay where they are. All classes together form one space, so two values that differ in one letter have
 * unrelated ciphertexts.
 *
 * @param source 1 to 256 positions, at least one of them a class.
 * @throws RangeError for a bad pattern.
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
  const classes = positions.filter((position) => !position.literal);
  const radices = classes.map((position) => position.symbols.length);
  const [first] = radices;
  // One radix for all positions makes a uniform string, which FF1 takes as it is (docs/spec/fpe-v1.md, "Engines").
  const radix = radices.every((each) => each === first) ? first! : radices;
  return makeFormat(
    { type: 'pattern', pattern: source },
    {
      descriptor: ['pattern@1', positions.map(canonical).join('')],
      radix,
      smallest: {
        size: radices.reduce((size, each) => size * BigInt(each), 1n),
        because: `the classes of the pattern: ${radices.join(' × ')}`,
      },
      visible: positions.some((position) => position.literal) ? 'the form and its literal characters' : 'the form',
      split(value) {
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
          const got = at > positions.length ? 'more' : `${at}`;
          fail('outside_format', `expected ${positions.length} characters, got ${got}`, { expected: positions.length });
        }
        return { shape: '', clear: '', numerals, layout: '' };
      },
      join(_, numerals) {
        let next = 0;
        return positions.map(({ symbols, literal }) => (literal ? symbols : symbols[numerals[next++]!])).join('');
      },
    },
  ) as PatternFormat;
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
  if (escaped) badRange('pattern', 'ends with a "\\" that escapes nothing');
  if (positions.length > MAX_FORMAT_LENGTH) {
    badRange('pattern', `expected at most ${MAX_FORMAT_LENGTH} positions, got ${positions.length}`);
  }
  if (positions.every((position) => position.literal)) {
    badRange('pattern', 'expected at least one of A, a, 9: nothing in it would be enciphered');
  }
  return positions;
}

/** The one spelling of a position: a literal is escaped where it would otherwise be a class or an escape. */
function canonical({ symbols, literal }: Position): string {
  if (!literal) return Object.keys(CLASSES).find((name) => CLASSES[name] === symbols)!;
  return symbols === '\\' || Object.hasOwn(CLASSES, symbols) ? `\\${symbols}` : symbols;
}
