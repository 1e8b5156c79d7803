/** What every format keeps, for the tests of formats over an index. */
import { expect } from 'vitest';
import { formatEngine, type IndexEngine, type IndexParts } from '../../src/format/engine.ts';
import type { Format } from '../../src/format.ts';
import type { TrefoilError } from '../../src/index.ts';
import { thrown } from '../helpers/errors.ts';
import { random } from '../reference/random.ts';

export const engineOf = (format: Format): IndexEngine => formatEngine('format', format) as IndexEngine;

/** The parts of a value that splits and joins byte for byte. */
export function kept(format: Format, value: string): IndexParts {
  const { split, assemble } = engineOf(format);
  expect(format.test(value)).toBe(true);
  const parts = split(value);
  expect(assemble(parts, parts.index)).toBe(value);
  // What stands in the parts as secret is not looked at.
  expect(assemble({ ...parts, index: typeof parts.size === 'number' ? 0 : 0n }, parts.index)).toBe(value);
  expect(parts.index >= 0 && parts.index < parts.size).toBe(true);
  expect(typeof parts.index).toBe(parts.size <= 2n ** 53n ? 'number' : 'bigint');
  expect(typeof parts.size).toBe(typeof parts.index);
  expect(format.rank(value)).toBe(BigInt(parts.index));
  return parts;
}

function everyMessage(format: Format): string {
  return thrown(() => engineOf(format).split('\u0001')).message;
}

/** The refusal of a value; it says nothing of it. */
export function refusal(format: Format, value: string): TrefoilError {
  expect(format.test(value)).toBe(false);
  const error = thrown(() => engineOf(format).split(value));
  const { code, message } = error;
  expect(code).toBe('outside_format');
  // Not by chance either: limits and forms that are in every message do not count.
  if (value.length > 3 && !everyMessage(format).includes(value)) expect(message.includes(value)).toBe(false);
  expect(message).toMatch(/^[a-z].*[^.]$/);
  return error;
}

/** First, last and pseudo-random numbers of a shape come back from their values. */
export function counted(format: Format, like?: string, count = 300): string[] {
  const size = like === undefined ? format.size : BigInt(engineOf(format).split(like).size);
  const next = random(`${format.type} ${size}`);
  const indices = [0n, 1n, size / 2n, size - 2n, size - 1n];
  while (indices.length < count) indices.push(BigInt(`0x${next.bytes(200).toString('hex')}`) % size);
  const values = indices.map((index) => format.unrank(index, like));
  for (const [i, value] of values.entries()) {
    expect(format.test(value)).toBe(true);
    expect(format.rank(value)).toBe(indices[i]);
    kept(format, value);
  }
  for (const outside of [-1n, size, size + 1n]) expect(() => format.unrank(outside, like)).toThrow(RangeError);
  return values;
}

/** Every number of a small format: all values valid, all different, each with its own rank. */
export function enumerated(format: Format, like?: string): string[] {
  const { split, assemble, sample } = engineOf(format);
  const parts = like === undefined ? sample : split(like);
  const size = Number(parts.size);
  const values: string[] = [];
  let wrong = 0;
  for (let index = 0; index < size; index++) {
    const value = assemble(parts, index);
    const back = split(value);
    if (back.index !== index || back.shape !== parts.shape || back.clear !== parts.clear || back.size !== size) wrong++;
    values.push(value);
  }
  expect(wrong).toBe(0);
  expect(new Set(values).size).toBe(size);
  return values;
}

/** The outline is true of every value. */
export function outlined(format: Format, values: readonly string[]): void {
  const { min, max, at } = engineOf(format).outline;
  for (const value of values) {
    const characters = [...value];
    expect(characters.length).toBeGreaterThanOrEqual(min);
    expect(characters.length).toBeLessThanOrEqual(max);
    const wrong = characters.filter((character, i) => !(at(i) ?? character).includes(character));
    expect(wrong).toEqual([]);
  }
}

/** The data is plain, frozen, and the same after a trip through JSON. */
export function plainData(format: Format, data: object): void {
  expect(JSON.parse(JSON.stringify(format))).toEqual(data);
  expect({ ...format }).toEqual(data);
  expect(Object.isFrozen(format)).toBe(true);
}

/** Texts that are a value of none of these formats. */
export const JUNK: readonly string[] = [
  '',
  ' ',
  '\n',
  '\u0000',
  'null',
  'NaN',
  'Infinity',
  '٤٢',
  '４２',
  '\u{1d7d2}\u{1d7d0}',
  '1e3',
  '0x10',
  '1_000',
  '1,000',
  '−1',
  '1\u0301',
  '[object Object]',
  '1'.repeat(100_000),
];
