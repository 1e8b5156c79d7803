/**
 * What a format is made of. The visible part of a format is plain data (it stands in the policy file); the engine hangs
 * on a registered symbol.
 *
 * A format splits a text into its public *shape* and *clear* parts, which enter the tweak, its *layout*, which does not,
 * and a secret numeral string. For each shape and clear part the numeral strings are in bijection with the values.
 */

import { badType, checkText, typeName } from '../core/checks.ts';

const ENGINE = Symbol.for('trefoil.format.v1');

/** The parts of one value. */
export interface Parts {
  /** What is public about the value's form: the number of its characters without layout, or nothing. */
  readonly shape: string;
  /** What stays in clear. */
  readonly clear: string;
  /** The secret part, one numeral a position. */
  readonly numerals: readonly number[];
  /** What `join` needs to put the value together again; never secret, never in the tweak. */
  readonly layout: string;
}

/** The smallest set of values that a value of this format can be hidden in. */
export interface Smallest {
  readonly size: bigint;
  /** How the number comes about, for the message and for the record. */
  readonly because: string;
}

/** The work behind a format. */
export interface FormatEngine {
  /** Enters the key derivation; see docs/spec/fpe-v1.md, "Descriptors". Limits of length are not in it. */
  readonly descriptor: readonly string[];
  /** One radix for every position, or the radix of each position. */
  readonly radix: number | readonly number[];
  readonly smallest: Smallest;
  /** One line for people: what stays visible. */
  readonly visible: string;
  /** @throws TrefoilError `outside_format`, without the value. */
  readonly split: (text: string) => Parts;
  readonly join: (parts: Parts, numerals: readonly number[]) => string;
}

/** A format: frozen plain data with the engine out of sight. */
export interface Format {
  /** Name of the format, as in the policy file. */
  readonly type: string;
  /** How many values the smallest shape of this format has. Not enumerable. */
  readonly size: bigint;
  /** Tells whether a text is a value of this format. Not enumerable. */
  readonly test: (text: string) => boolean;
}

/** Puts the engine on a format's data and freezes it. */
export function makeFormat<T extends { readonly type: string }>(data: T, engine: FormatEngine): T & Format {
  const test = (text: string): boolean => {
    try {
      engine.split(checkText(text));
      return true;
    } catch {
      return false;
    }
  };
  Object.defineProperties(data, {
    size: { value: engine.smallest.size },
    test: { value: test },
    [ENGINE]: { value: engine },
  });
  return Object.freeze(data) as T & Format;
}

/** The engine of a format. */
export function formatEngine(argument: string, format: unknown): FormatEngine {
  const engine =
    typeof format === 'object' && format !== null ? (format as Record<symbol, unknown>)[ENGINE] : undefined;
  if (engine === undefined) badType(argument, `expected a format of trefoil/format, got ${typeName(format)}`);
  return engine as FormatEngine;
}
