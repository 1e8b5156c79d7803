/**
 * What a format is made of. The visible part of a format is plain data, which is written in the policy file. The engine
 * is a property with a registered symbol.
 *
 * A format splits a text into four parts: a public *shape* and a public *clear* part, which enter the tweak, a
 * *layout*, which does not, and a secret. For each shape and clear part, every secret is one value and every value is
 * one secret. Secrets are the numeral strings of one length in one radix (`kind: 'numerals'`), or the whole numbers
 * below a size (`kind: 'index'`). All values of one shape have the same size.
 */

import { badRange, badType, checkText, typeName } from '../core/checks.ts';
import type { Symbols } from '../kernel/alphabet.ts';
import { MIN_DOMAIN } from '../kernel/domain.ts';

const ENGINE = Symbol.for('trefoil.format.v1');

/** With fewer values than this, a cipher is a code book that staff can write down. */
export const CODE_BOOK = 10_000;

/** Up to this many values, the engine is a table for each tweak (docs/spec/fpe-v1.md, "Engines"). */
const TABLE_PER_TWEAK = 4096;

/** A whole number: `number` if the size is at most 2^53, else `bigint`. Values of one shape never mix the two. */
export type Index = number | bigint;

/** Public parts that are empty: for formats whose values have no shape, no clear part and no layout. */
export const NO_PARTS: Parts = { shape: '', clear: '', layout: null };

/** The public parts of one value. */
export interface Parts {
  /** What is public about the form of the value, such as the number of its characters without layout. May be empty. */
  readonly shape: string;
  /** The characters that stay in clear. */
  readonly clear: string;
  /** What else `assemble` needs to write the value, such as spaces. Never secret, and never in the tweak. */
  readonly layout: unknown;
}

/** A value whose secret is a numeral string, with one numeral for each position. */
export interface NumeralParts extends Parts {
  readonly numerals: readonly number[];
}

/** A value whose secret is a whole number below the size of its shape. */
export interface IndexParts extends Parts {
  readonly size: Index;
  readonly index: Index;
}

/** The smallest set of values that a value of this format is hidden among. */
export interface Smallest {
  readonly size: bigint;
  /** How the size is computed, in words for messages and for the record of processing. */
  readonly because: string;
}

/** What is known about the text of a value before it is split, so that formats can be combined without ambiguity. */
export interface Outline {
  /** The fewest and the most code points of a value. */
  readonly min: number;
  readonly max: number;
  /** The characters that values can have at a position, from 0; `null` if they are not known. */
  readonly at: (position: number) => string | null;
}

interface EngineFacts {
  /** Enters the key derivation; see docs/spec/fpe-v1.md, "Descriptors". Limits of length are not in it. */
  readonly descriptor: readonly string[];
  readonly smallest: Smallest;
  /** Whether values can have clear parts, so that the tweak differs from value to value of one shape. */
  readonly hasClear: boolean;
  /** One line for people: what stays visible. */
  readonly visible: string;
  /**
   * Whether all values of one shape and layout have the same length, plain and enciphered. The default is `true` for
   * numerals and for formats whose values all have one length, else `false`.
   */
  readonly steady?: boolean;
  readonly outline: Outline;
  /**
   * Replaces the clear part of a plain value by the one that is written in the output, with a keyed one-way function of
   * a text (lower-case base32, 128 bits). Revealing does not undo it.
   */
  readonly blind?: (clear: string, digest: (text: string) => string) => string;
  /** A cipher of the format's own, used in place of the engine that the size decides. */
  readonly own?: OwnCipher;
}

/** A format over numeral strings of one radix, which FF1 takes as they are. */
export interface NumeralEngine extends EngineFacts, Face<NumeralParts, readonly number[]> {
  readonly kind: 'numerals';
  readonly radix: number;
  /** How enciphered values are written, if they are written differently from plain ones. */
  readonly enciphered?: Face<NumeralParts, readonly number[]>;
  /** A value of the smallest shape. */
  readonly sample: NumeralParts;
}

/** A format over whole numbers. */
export interface IndexEngine extends EngineFacts, Face<IndexParts, Index> {
  readonly kind: 'index';
  readonly enciphered?: Face<IndexParts, Index>;
  readonly sample: IndexParts;
}

/** A value whose numeral string is a part of its text, over one alphabet. */
export interface TextParts extends Parts {
  readonly secret: string;
}

/** One way to write values, plain or enciphered: how they are split and assembled. */
interface Face<P extends Parts, Secret> {
  /** @throws TrefoilError `outside_format`, without the value. */
  readonly split: (text: string) => P;
  /** Writes the value that has a secret and the public parts of `parts`. The secret of `parts` is not looked at. */
  readonly assemble: (parts: P, secret: Secret) => string;
  /**
   * The same with the numerals as text, for formats whose values contain them so. Columns use it, because it is faster.
   */
  readonly texts?: TextFace;
}

/** A face of a format whose numerals are symbols of one alphabet. */
export interface TextFace {
  readonly symbols: Symbols;
  readonly split: (text: string) => TextParts;
  readonly assemble: (parts: Parts, secret: string) => string;
}

/** Makes a face of numerals from a face of texts. */
export function faceOfTexts(texts: TextFace): Face<NumeralParts, readonly number[]> {
  const { symbols, split, assemble } = texts;
  return {
    split(text) {
      const { shape, clear, layout, secret } = split(text);
      return { shape, clear, layout, numerals: symbols.parse(secret) };
    },
    assemble: (parts, numerals) => assemble(parts, symbols.format(numerals)),
    texts,
  };
}

/** What a format does. */
export type FormatEngine = NumeralEngine | IndexEngine;

/** A cipher that is not chosen by size: prefix-preserving addresses. */
export interface OwnCipher {
  /** Name of the engine; it enters the key derivation. */
  readonly name: string;
  /** @param key 32 bytes. The functions take texts that `split` has accepted. */
  readonly bind: (key: Uint8Array) => {
    readonly encryptMany: (texts: readonly string[]) => string[];
    readonly decryptMany: (texts: readonly string[]) => string[];
  };
}

/** How hard it is to guess a value among the others of its format. */
export interface Strength {
  /** Number of values in the smallest shape: one guess is right with a probability of 1 in `size`. */
  readonly size: bigint;
  /** log2 of the size, rounded down to a tenth. */
  readonly bits: number;
  /** Engine of the smallest shape; see docs/spec/fpe-v1.md, "Engines". */
  readonly engine: string;
  /**
   * Fewer than 10,000 values: anyone who may protect can write down the whole table, and `fpe` needs `allowCodebook`.
   */
  readonly codebook: boolean;
  /** How the size is computed, in words. */
  readonly because: string;
}

/** A format: frozen plain data. Its methods are not enumerable. */
export interface Format {
  /** Name of the format, as in the policy file. */
  readonly type: string;
  /** Number of values in the smallest shape of this format. Not enumerable. */
  readonly size: bigint;
  /** Returns whether a text is a value of this format. Not enumerable. */
  readonly test: (text: string) => boolean;
  /** Returns the number of a value, from 0, among those of its shape and clear parts. Not enumerable. */
  readonly rank: (text: string) => bigint;
  /**
   * Returns the value of a number, with the shape, clear parts and layout of the value `like`. Without `like`, it has
   * the smallest shape. Not enumerable.
   */
  readonly unrank: (index: bigint | number, like?: string) => string;
  /** Returns how hard it is to guess a value. Not enumerable. */
  readonly strength: () => Strength;
}

/** Puts the engine on a format's data and freezes it. */
export function makeFormat<T extends { readonly type: string }>(data: T, engine: FormatEngine): T & Format {
  const split = (text: unknown): NumeralParts | IndexParts => engine.split(checkText(text));
  const verbs: Omit<Format, 'type'> = {
    size: engine.smallest.size,
    test(text) {
      try {
        split(text);
        return true;
      } catch {
        return false;
      }
    },
    rank: (text) => BigInt(indexOf(engine, split(text))),
    unrank(index, like) {
      if (typeof index !== 'bigint' && !Number.isSafeInteger(index)) {
        badType('index', `expected a whole number or a bigint, got ${typeName(index)}`);
      }
      const parts = like === undefined ? engine.sample : split(like);
      const size = BigInt(sizeOf(engine, parts));
      if (index < 0 || index >= size) badRange('index', `expected 0 to ${size - 1n}`);
      return assembleIndex(engine, parts, typeof sizeOf(engine, parts) === 'number' ? Number(index) : BigInt(index));
    },
    strength() {
      const { size, because } = engine.smallest;
      return {
        size,
        bits: Math.floor(log2(size) * 10) / 10,
        engine: engineName(engine, size),
        codebook: size < CODE_BOOK,
        because,
      };
    },
  };
  for (const [name, value] of Object.entries(verbs)) Object.defineProperty(data, name, { value });
  Object.defineProperty(data, ENGINE, { value: engine });
  return Object.freeze(data) as T & Format;
}

/** The engine of a format. */
export function formatEngine(argument: string, format: unknown): FormatEngine {
  const engine =
    typeof format === 'object' && format !== null ? (format as Record<symbol, unknown>)[ENGINE] : undefined;
  if (engine === undefined) badType(argument, `expected a format of trefoil/format, got ${typeName(format)}`);
  return engine as FormatEngine;
}

/**
 * The engine for a shape of a size. It depends on the format and the size alone, never on limits, options, caches or
 * batches (docs/spec/fpe-v1.md, "Engines").
 */
export function engineName(engine: FormatEngine, size: Index): string {
  if (engine.own !== undefined) return engine.own.name;
  if (size >= MIN_DOMAIN) return engine.kind === 'numerals' ? 'ff1' : 'ff1-cycle-walking';
  return engine.hasClear && size > TABLE_PER_TWEAK ? 'sometimes-recurse' : 'table';
}

/** The names of everything of a format that has a key: the engines that its shapes may get, and `blind`. */
export function engineNames(engine: FormatEngine): readonly string[] {
  const blind = engine.blind === undefined ? [] : ['blind'];
  if (engine.own !== undefined) return [engine.own.name, ...blind];
  const large = engine.kind === 'numerals' ? 'ff1' : 'ff1-cycle-walking';
  return [large, 'sometimes-recurse', 'table', ...blind];
}

/** The number of values that have the shape of a value. */
export function sizeOf(engine: FormatEngine, parts: NumeralParts | IndexParts): Index {
  if (engine.kind === 'index') return (parts as IndexParts).size;
  return sizeOfNumerals(engine, (parts as NumeralParts).numerals.length);
}

/** The number of numeral strings of a length. */
export function sizeOfNumerals(engine: FormatEngine, length: number): Index {
  return power((engine as NumeralEngine).radix, length);
}

/** The secret of a value as a whole number: numerals are read in their radix, most significant first. */
export function indexOf(engine: FormatEngine, parts: NumeralParts | IndexParts): Index {
  if (engine.kind === 'index') return (parts as IndexParts).index;
  const { numerals } = parts as NumeralParts;
  return numeralsToIndex(numerals, engine.radix);
}

/** The value of a whole number, in the public parts of another value. */
export function assembleIndex(engine: FormatEngine, parts: NumeralParts | IndexParts, index: Index): string {
  if (engine.kind === 'index') return engine.assemble(parts as IndexParts, index);
  const { numerals } = parts as NumeralParts;
  return engine.assemble(parts as NumeralParts, indexToNumerals(index, engine.radix, numerals.length));
}

/** NUM of SP 800-38G. */
export function numeralsToIndex(numerals: readonly number[], radix: number): Index {
  if (typeof power(radix, numerals.length) === 'number') {
    return numerals.reduce((index, numeral) => index * radix + numeral, 0);
  }
  return numerals.reduce((index, numeral) => index * BigInt(radix) + BigInt(numeral), 0n);
}

/** STR of SP 800-38G. */
export function indexToNumerals(index: Index, radix: number, length: number): number[] {
  const numerals = new Array<number>(length);
  if (typeof index === 'number') {
    for (let i = length - 1, rest = index; i >= 0; i--) {
      const next = Math.floor(rest / radix);
      numerals[i] = rest - next * radix;
      rest = next;
    }
    return numerals;
  }
  const divisor = BigInt(radix);
  for (let i = length - 1, rest = index; i >= 0; i--, rest /= divisor) numerals[i] = Number(rest % divisor);
  return numerals;
}

/** A size as an index type: `number` if it is at most 2^53, else `bigint`. */
export function asIndex(value: bigint): Index {
  return value <= 2n ** 53n ? Number(value) : value;
}

/** radix^length. It is exact, because the products of the loop are at most 2^53. */
function power(radix: number, length: number): Index {
  let size = 1;
  for (let i = 0; i < length; i++) {
    size *= radix;
    if (size > 2 ** 53) return BigInt(radix) ** BigInt(length);
  }
  return size;
}

/**
 * Writes several texts as one: for each the decimal number of its code points, a colon and the text. Two different
 * lists never give the same text.
 */
export function listText(items: readonly string[]): string {
  return items.map((item) => `${[...item].length}:${item}`).join('');
}

function log2(size: bigint): number {
  const excess = Math.max(0, size.toString(2).length - 53);
  return excess + Math.log2(Number(size >> BigInt(excess)));
}
