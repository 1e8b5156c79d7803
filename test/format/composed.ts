/**
 * What holds for every value of a format, through its engine as `fpe` uses it.
 */
import { expect } from 'vitest';
import {
  type Format,
  type FormatEngine,
  formatEngine,
  indexOf,
  indexToNumerals,
  type NumeralParts,
  sizeOf,
} from '../../src/format/engine.ts';
import type { TrefoilError } from '../../src/index.ts';
import { thrown } from '../helpers/errors.ts';

/** The error with which a value is refused. */
export function refusal(format: Format, value: string): TrefoilError {
  expect(format.test(value)).toBe(false);
  return thrown(() => formatEngine('format', format).split(value));
}

/**
 * The value comes back from its parts, from its number, and through a permutation of the numbers of its shape, with
 * enciphered values in the form that they are written in.
 */
export function there(format: Format, value: string): void {
  const engine = formatEngine('format', format);
  const parts = engine.split(value);
  const size = BigInt(sizeOf(engine, parts));
  const index = indexOf(engine, parts);
  const written = { ...engine, ...(engine.enciphered ?? {}) } as FormatEngine;
  expect(typeof index).toBe(typeof sizeOf(engine, parts));
  expect(format.test(value)).toBe(true);
  expect(format.unrank(format.rank(value), value)).toBe(value);
  for (const step of [0n, 1n, size / 2n, size - 1n]) {
    const other = (BigInt(index) + step) % size;
    const out = assemble(written, parts, other);
    const back = written.split(out);
    expect([back.shape, back.clear, sizeOf(engine, back)]).toEqual([parts.shape, parts.clear, sizeOf(engine, parts)]);
    expect(BigInt(indexOf(engine, back))).toBe(other);
    // Layout is not part of the secret: the value's own number, put into the other's public parts.
    expect(assemble(engine, back, BigInt(index))).toBe(value);
  }
}

function assemble(engine: FormatEngine, parts: ReturnType<FormatEngine['split']>, index: bigint): string {
  const size = sizeOf(engine, parts);
  const exact = typeof size === 'number' ? Number(index) : index;
  if (engine.kind === 'index') return engine.assemble(parts as never, exact);
  const { length } = (parts as NumeralParts).numerals;
  return engine.assemble(parts as never, indexToNumerals(exact, engine.radix, length));
}
