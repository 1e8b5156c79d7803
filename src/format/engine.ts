/**
 * What a format is made of. The visible part of a format is plain data (it stands in the policy file); the engine hangs
 * on a registered symbol.
 *
 * A format splits a text into its public *shape* and *clear* parts, which enter the tweak, its *layout*, which does not,
 * and a secret. For each shape and clear part the secrets are in bijection with the values: they are the numeral strings
 * of one length in one radix (`kind: 'numerals'`), or the whole numbers below a size (`kind: 'index'`). Shape and size
 * belong together: two values of one shape have one size.
 */

import { badRange, badType, checkText, typeName } from '../core/checks.ts';
import type { Symbols } from '../kernel/alphabet.ts';
import { MIN_DOMAIN } from '../kernel/ff1/ff1.ts';

const ENGINE = Symbol.for('trefoil.format.v1');

/** Below this many values a cipher is a code book that staff can write down. */
export const CODE_BOOK = 10_000;

/** Up to this many values there is a table for every tweak (docs/spec/fpe-v1.md, "Engines"). */
const TABLE_PER_TWEAK = 4096;

/** A whole number: `number` where the size is at most 2^53, else `bigint`; never mixed within one shape. */
export type Index = number | bigint;

/** The public parts of one value. */
export interface Parts {
  /** What is public about the value's form: the number of its characters without layout, or nothing. */
  readonly shape: string;
  /** What stays in clear. */
  readonly clear: string;
  /** What `join` needs to put the value together again; never secret, never in the tweak. */
  readonly layout: unknown;
}

/** A value whose secret is a numeral string, one numeral a position. */
export interface NumeralParts extends Parts {
  readonly numerals: readonly number[];
}

/** A value whose secret is a whole number below the size of its shape. */
export interface IndexParts extends Parts {
  readonly size: Index;
  readonly index: Index;
}

/** The smallest set of values that a value of this format can be hidden in. */
export interface Smallest {
  readonly size: bigint;
  /** How the number comes about, for the message and for the record. */
  readonly because: string;
}

/** What is known of a value's text before it is parsed, so that formats can be put together without ambiguity. */
export interface Outline {
  /** Fewest and most code points of a value. */
  readonly min: number;
  readonly max: number;
  /** The characters that can stand at a position, from 0, of any value; `null`: not known. */
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
   * Whether shape and layout fix the length of a value, in both written forms. Where nothing is said they do for numerals
   * and where all values have one length; for anything else say so.
   */
  readonly steady?: boolean;
  readonly outline: Outline;
  /**
   * Turns the clear part of a plain value into what stands in the output, with a keyed one-way function of a text
   * (lower-case base32, 128 bits). Revealing does not undo it.
   */
  readonly blind?: (clear: string, digest: (text: string) => string) => string;
  /** A cipher of the format's own, in place of the engine that the size decides. */
  readonly own?: OwnCipher;
}

/** Formats over numeral strings of one radix: FF1 takes them as they are. */
export interface NumeralEngine extends EngineFacts, Face<NumeralParts, readonly number[]> {
  readonly kind: 'numerals';
  readonly radix: number;
  /** The other face: how enciphered values are written, where they are told apart from plain ones. */
  readonly enciphered?: Face<NumeralParts, readonly number[]>;
  /** A value of the smallest shape. */
  readonly sample: NumeralParts;
}

/** Formats over an index. */
export interface IndexEngine extends EngineFacts, Face<IndexParts, Index> {
  readonly kind: 'index';
  readonly enciphered?: Face<IndexParts, Index>;
  readonly sample: IndexParts;
}

/** A value whose numeral string stands in it as a text over an alphabet. */
export interface TextParts extends Parts {
  readonly secret: string;
}

interface Face<P extends Parts, Secret> {
  /** @throws TrefoilError `outside_format`, without the value. */
  readonly split: (text: string) => P;
  /** Writes a secret into the public parts of a value; what stood in `parts` as secret is not looked at. */
  readonly assemble: (parts: P, secret: Secret) => string;
  /** The same with the numerals as text, where that is what stands in a value: columns take it, since it is faster. */
  readonly texts?: TextFace;
}

/** A face of a format whose numerals are symbols of one alphabet. */
export interface TextFace {
  readonly symbols: Symbols;
  readonly split: (text: string) => TextParts;
  readonly assemble: (parts: Parts, secret: string) => string;
}

/** The face of numerals that a face of texts is. */
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

/** The work behind a format. */
export type FormatEngine = NumeralEngine | IndexEngine;

/** A cipher that is not chosen by size: prefix-preserving addresses. */
export interface OwnCipher {
  /** Name of the engine; it enters the key derivation. */
  readonly name: string;
  /** @param key 32 bytes. The verbs take texts that `split` has accepted. */
  readonly bind: (key: Uint8Array) => {
    readonly encryptMany: (texts: readonly string[]) => string[];
    readonly decryptMany: (texts: readonly string[]) => string[];
  };
}

/** How hard a value is to find among the others of its format. */
export interface Strength {
  /** Values in the smallest shape: one guess is right with a probability of 1 in `size`. */
  readonly size: bigint;
  /** log2 of the size, rounded down to a tenth. */
  readonly bits: number;
  /** Engine of the smallest shape; see docs/spec/fpe-v1.md, "Engines". */
  readonly engine: string;
  /** Below 10,000 values: whoever may protect can write down the whole table, and `fpe` wants `allowCodebook`. */
  readonly codebook: boolean;
  /** How the size comes about. */
  readonly because: string;
}

/** A format: frozen plain data with the engine out of sight. */
export interface Format {
  /** Name of the format, as in the policy file. */
  readonly type: string;
  /** How many values the smallest shape of this format has. Not enumerable. */
  readonly size: bigint;
  /** Tells whether a text is a value of this format. Not enumerable. */
  readonly test: (text: string) => boolean;
  /** The number of a value among those of its shape and clear parts, from 0. Not enumerable. */
  readonly rank: (text: string) => bigint;
  /**
   * The value of a number, in the shape, clear parts and layout of the value `like`; without it in the smallest shape.
   * Not enumerable.
   */
  readonly unrank: (index: bigint | number, like?: string) => string;
  /** How hard a value is to find. Not enumerable. */
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
 * The engine for a shape of so many values: a function of the format alone, never of limits, options, caches or batches
 * (docs/spec/fpe-v1.md, "Engines").
 */
export function engineName(engine: FormatEngine, size: Index): string {
  if (engine.own !== undefined) return engine.own.name;
  if (size >= MIN_DOMAIN) return engine.kind === 'numerals' ? 'ff1' : 'ff1-cycle-walking';
  return engine.hasClear && size > TABLE_PER_TWEAK ? 'sometimes-recurse' : 'table';
}

/** How many values the shape of a value has. */
export function sizeOf(engine: FormatEngine, parts: NumeralParts | IndexParts): Index {
  if (engine.kind === 'index') return (parts as IndexParts).size;
  return sizeOfNumerals(engine, (parts as NumeralParts).numerals.length);
}

/** How many numeral strings of a length there are. */
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

/** The product of sizes: `number` where it is at most 2^53, else `bigint`. */
export function asIndex(value: bigint): Index {
  return value <= 2n ** 53n ? Number(value) : value;
}

/** radix^length, exactly: the products of the loop are below 2^53. */
function power(radix: number, length: number): Index {
  let size = 1;
  for (let i = 0; i < length; i++) {
    size *= radix;
    if (size > 2 ** 53) return BigInt(radix) ** BigInt(length);
  }
  return size;
}

/**
 * Several texts as one: each as the decimal number of its code points, a colon and the text, so that two different lists
 * never have one writing.
 */
export function listText(items: readonly string[]): string {
  return items.map((item) => `${[...item].length}:${item}`).join('');
}

function log2(size: bigint): number {
  const excess = Math.max(0, size.toString(2).length - 53);
  return excess + Math.log2(Number(size >> BigInt(excess)));
}
