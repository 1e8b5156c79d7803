/**
 * Values of a list: one code of a closed set becomes another code of the set.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { type Format, makeFormat, NO_PARTS } from './engine.ts';
import { MAX_FORMAT_LENGTH } from './lengths.ts';

/** The format that {@link enumOf} makes. */
export interface EnumOfFormat extends Format {
  readonly type: 'enumOf';
  readonly values: readonly string[];
}

/** The most values of a list. A longer list is data rather than a format. */
const MAX_VALUES = 65_536;

/**
 * The texts of a list. They are compared code point by code point: `b` is not `B`, and a composed `é` is not a
 * decomposed one.
 *
 * The list and its order are part of the key derivation. If a value is added or the order is changed, every output
 * changes, and values that were protected with the old list can be revealed only with the old list.
 *
 * *Warning*: a list of a few hundred values is a code book. Anyone who may protect can write down the whole table, and
 * how often each value occurs stays visible. With fewer than 10,000 values `fpe` needs `allowCodebook`. It is often
 * better to drop such a field.
 *
 * @param values 2 to 65,536 different texts of 1 to 256 characters; the list is copied.
 * @throws TypeError or RangeError if it is not such a list.
 *
 * @example
 * ```ts
 * import { enumOf } from 'trefoil/format';
 *
 * const ward = enumOf(['cardiology', 'oncology', 'surgery']);
 * ward.test('oncology'); // → true
 * ward.test('Oncology'); // → false
 * ward.rank('surgery'); // → 2n
 * ward.strength().codebook; // → true
 * ```
 */
export function enumOf(values: readonly string[]): EnumOfFormat {
  const { list, indices, shortest, longest } = readValues(values);
  const size = list.length;
  let characters: readonly string[] | null = null;

  return makeFormat(
    { type: 'enumOf', values: list },
    {
      kind: 'index',
      descriptor: ['enumOf@1', ...list],
      smallest: { size: BigInt(size), because: `the values of the list: ${size}` },
      hasClear: false,
      visible: 'only the list',
      outline: {
        min: shortest,
        max: longest,
        at(position) {
          // Made when a position is first asked for: only composed formats ask, and a long list has many characters.
          characters ??= charactersOf(list, longest);
          return characters[position] ?? '';
        },
      },
      sample: { ...NO_PARTS, size, index: 0 },
      split(value) {
        const index = indices.get(value);
        if (index === undefined) {
          fail('outside_format', `the value is not one of the ${size} values of the list, spelt as they are there`, {
            expected: size,
          });
        }
        return { shape: '', clear: '', layout: null, size, index };
      },
      assemble: (_, index) => list[index as number]!,
    },
  ) as EnumOfFormat;
}

/** The characters at each position, in one pass over the list. */
function charactersOf(list: readonly string[], longest: number): readonly string[] {
  const sets = Array.from({ length: longest }, () => new Set<string>());
  for (const value of list) {
    let position = 0;
    for (const character of value) sets[position++]!.add(character);
  }
  return sets.map((set) => [...set].join(''));
}

interface Values {
  readonly list: readonly string[];
  readonly indices: ReadonlyMap<string, number>;
  /** The fewest and the most characters of a value. */
  readonly shortest: number;
  readonly longest: number;
}

function readValues(values: unknown): Values {
  if (!Array.isArray(values)) badType('values', `expected a list of texts, got ${typeName(values)}`);
  const count = values.length;
  if (count < 2 || count > MAX_VALUES) badRange('values', `expected 2 to ${MAX_VALUES} values, got ${count}`);
  const list: string[] = [];
  const indices = new Map<string, number>();
  let shortest = MAX_FORMAT_LENGTH;
  let longest = 0;
  // By index and not by iterator, so that holes are refused and every value is read once.
  for (let i = 0; i < count; i++) {
    const value: unknown = values[i];
    if (typeof value !== 'string') badType('values', `expected texts, got ${typeName(value)} at index ${i}`);
    const length = value.length > 2 * MAX_FORMAT_LENGTH ? value.length : [...value].length;
    if (length === 0 || length > MAX_FORMAT_LENGTH) {
      badRange('values', `expected texts of 1 to ${MAX_FORMAT_LENGTH} characters; the text at index ${i} is not one`);
    }
    if (!value.isWellFormed()) badRange('values', `the text at index ${i} has half of a surrogate pair`);
    if (indices.has(value)) badRange('values', `expected every value once; the text at index ${i} is there twice`);
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
    indices.set(value, i);
    list.push(value);
  }
  return { list: Object.freeze(list), indices, shortest, longest };
}
