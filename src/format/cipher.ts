/**
 * A format with its keys: it takes columns of values and returns columns of values. Values of one shape go through the
 * engine together. The format alone decides which engine that is (docs/spec/fpe-v1.md, "Engines").
 */

import { encodeList, utf8 } from '../core/bytes.ts';
import { cycleWalks } from '../kernel/ff1/cycle-walking.ts';
import { ff1, type TweakColumn } from '../kernel/ff1/ff1.ts';
import { ff1Symbols } from '../kernel/ff1/text.ts';
import { type Permutation, sometimesRecurse, tablePermutations } from '../kernel/permutation/permutation.ts';
import { hmacBytes } from '../kernel/prf/hmac.ts';
import { encode } from '../wire/base32.ts';
import {
  assembleIndex,
  engineName,
  type FormatEngine,
  type Index,
  type IndexParts,
  indexOf,
  type NumeralEngine,
  type NumeralParts,
  sizeOf,
  sizeOfNumerals,
  type TextParts,
} from './engine.ts';

type AnyParts = NumeralParts | IndexParts | TextParts;

/** The plain or the enciphered face of a format. */
type AnyFace = Pick<FormatEngine, 'split' | 'assemble' | 'texts'>;

/** A value that was read, and will be enciphered with its column. */
export type Pending = AnyParts;

/** A format with its keys. */
export interface FormatCipher {
  /** Reads one value. @throws TrefoilError `outside_format`. */
  readonly read: (text: string) => Pending;
  /** Enciphers or reveals a column of values that were read, and returns their texts. */
  readonly runMany: (column: readonly Pending[]) => string[];
}

/** Derives the key of an engine. The name of the engine is the last parameter of the derivation. */
export type KeyOf = (engine: string) => Uint8Array;

/** The engine of one shape: it takes the parts of a column and returns the texts with the new secrets. */
type ShapeCipher = (column: readonly AnyParts[]) => string[];

/** Number of shapes whose engines are kept. A bound on memory, not on values; one of them is small. */
const KEPT_SHAPES = 1024;

/** Number of sizes whose shuffles are kept. One of them has 30 KB of round keys and up to 200 KB of working space. */
const KEPT_SHUFFLES = 64;

/** @param direction `protect` reads plain values and writes enciphered values, `reveal` the reverse. */
export function formatCipher(engine: FormatEngine, direction: 'protect' | 'reveal', keyOf: KeyOf): FormatCipher {
  const forward = direction === 'protect';
  const enciphered = (engine.enciphered ?? engine) as AnyFace;
  const from = forward ? engine : enciphered;
  const split: (text: string) => AnyParts = from.texts?.split ?? from.split;
  const to = forward ? enciphered : engine;
  const blind = forward && engine.blind !== undefined ? blindWith(engine.blind, keyOf) : null;
  const shapes = new Map<string, ShapeCipher>();
  const engines = makeEngines(engine, to, keyOf, forward);

  function cipherOf(parts: AnyParts): ShapeCipher {
    let cipher = shapes.get(parts.shape);
    if (cipher === undefined) {
      if (shapes.size >= KEPT_SHAPES) shapes.clear();
      cipher = shapeCipher(engine, to, parts, engines);
      shapes.set(parts.shape, cipher);
    }
    return cipher;
  }

  if (engine.own !== undefined) {
    const own = engine.own.bind(keyOf(engine.own.name));
    const run = forward ? own.encryptMany : own.decryptMany;
    return {
      // The engine takes the text as it is. Splitting it only checks that it is a value.
      read: (text) => ({ ...split(text), layout: text }),
      runMany: (column) => run(column.map(({ layout }) => layout as string)),
    };
  }

  return {
    read(text) {
      const parts = split(text);
      return blind === null ? parts : { ...parts, clear: blind(parts.clear) };
    },
    runMany(column) {
      const groups = byShape(column);
      if (groups === null) return column.length === 0 ? [] : cipherOf(column[0]!)(column);
      const out = new Array<string>(column.length);
      for (const rows of groups) {
        const texts = cipherOf(column[rows[0]!]!)(rows.map((i) => column[i]!));
        for (let i = 0; i < rows.length; i++) out[rows[i]!] = texts[i]!;
      }
      return out;
    },
  };
}

/** The row numbers of each shape; `null` if all values have one shape, as in most columns. */
function byShape(column: readonly Pending[]): Iterable<number[]> | null {
  let same = 0;
  while (same < column.length && column[same]!.shape === column[0]!.shape) same++;
  if (same === column.length) return null;
  const groups = new Map<string, number[]>();
  for (let i = 0; i < column.length; i++) {
    const { shape } = column[i]!;
    const rows = groups.get(shape);
    if (rows === undefined) groups.set(shape, [i]);
    else rows.push(i);
  }
  return groups.values();
}

/** The tweaks of values of one shape: shape and clear part, each with its length (docs/spec/fpe-v1.md, "Tweak"). */
function tweaksOf(shape: string, column: readonly AnyParts[]): readonly Uint8Array[] {
  return column.map(({ clear }) => encodeList([shape, clear]));
}

/**
 * The same tweaks in one array of bytes; `null` unless all clear parts are ASCII and of one length, as those of a card
 * are. It halves the time of a column of cards.
 */
function tweakColumn(shape: string, column: readonly AnyParts[]): TweakColumn | null {
  const { length } = column[0]!.clear;
  const head = encodeList([shape, '\0'.repeat(length)]);
  const each = head.length;
  const bytes = new Uint8Array(each * column.length);
  bytes.set(head);
  for (let filled = each; filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled);
  for (let row = 0; row < column.length; row++) {
    const { clear } = column[row]!;
    if (clear.length !== length) return null;
    const at = (row + 1) * each - length;
    for (let i = 0; i < length; i++) {
      const code = clear.charCodeAt(i);
      if (code > 127) return null;
      bytes[at + i] = code;
    }
  }
  return { bytes, each };
}

/**
 * The engines of a rule in one direction. A key depends on the name of the engine alone, so it is derived and set up
 * once for all shapes. What is computed for a length or a tweak has one limit of memory for all shapes together.
 */
interface Engines {
  readonly texts: () => (column: readonly string[], tweaks: ColumnTweaks) => string[];
  readonly numerals: () => (column: readonly (readonly number[])[], tweaks: ColumnTweaks) => number[][];
  /** An engine over the whole numbers below a size. */
  readonly indices: (name: string, size: Index) => IndexRun;
}

/** One tweak for all values, a list with one for each, or tweaks of one length in one array of bytes. */
type ColumnTweaks = IndexTweaks | TweakColumn;
type IndexTweaks = Uint8Array | readonly Uint8Array[];
type IndexRun = (indices: readonly Index[], tweaks: IndexTweaks) => Index[];

function makeEngines(engine: FormatEngine, to: AnyFace, keyOf: KeyOf, forward: boolean): Engines {
  const walks = once(() => cycleWalks(keyOf('ff1-cycle-walking')));
  const tables = once(() => tablePermutations(keyOf('table')));
  const shuffles = once(() => shufflesOf(keyOf('sometimes-recurse')));

  function indices(name: string, size: Index): IndexRun {
    if (name === 'ff1-cycle-walking') {
      const walk = walks()(size);
      return forward ? walk.encryptMany : walk.decryptMany;
    }
    const permutation = (name === 'table' ? tables() : shuffles())(Number(size));
    return (forward ? permutation.encryptMany : permutation.decryptMany) as IndexRun;
  }

  return {
    texts: once(() => {
      const cipher = ff1Symbols(keyOf('ff1'), to.texts!.symbols);
      return forward ? cipher.encryptMany : cipher.decryptMany;
    }),
    numerals: once(() => {
      const cipher = ff1(keyOf('ff1'), (engine as NumeralEngine).radix);
      return (forward ? cipher.encryptMany : cipher.decryptMany)<readonly number[]>;
    }),
    indices,
  };
}

/** Makes a thing when it is first needed, and keeps it. */
function once<T>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

function shufflesOf(key: Uint8Array): (size: number) => Permutation {
  const kept = new Map<number, Permutation>();
  return (size) => {
    let permutation = kept.get(size);
    if (permutation === undefined) {
      if (kept.size >= KEPT_SHUFFLES) kept.clear();
      permutation = sometimesRecurse(key, size);
      kept.set(size, permutation);
    }
    return permutation;
  };
}

/** The engine of the shape that a value has. */
function shapeCipher(
  engine: FormatEngine,
  to: AnyFace,
  { shape, ...like }: AnyParts,
  { texts, numerals, indices }: Engines,
): ShapeCipher {
  const size =
    'secret' in like ? sizeOfNumerals(engine, countOf(to, like.secret)) : sizeOf(engine, like as NumeralParts);
  const name = engineName(engine, size);
  const fixed = encodeList([shape, '']);
  const tweaks = (column: readonly AnyParts[]) => (engine.hasClear ? tweaksOf(shape, column) : fixed);
  const columnOfTweaks = (column: readonly AnyParts[]) =>
    engine.hasClear ? (tweakColumn(shape, column) ?? tweaksOf(shape, column)) : fixed;

  if (name === 'ff1' && to.texts !== undefined) {
    const { assemble } = to.texts;
    const run = texts();
    return (column) => {
      const secrets = new Array<string>(column.length);
      for (let i = 0; i < column.length; i++) secrets[i] = (column[i] as TextParts).secret;
      const out = run(secrets, columnOfTweaks(column));
      for (let i = 0; i < column.length; i++) out[i] = assemble(column[i]!, out[i]!);
      return out;
    };
  }
  if (name === 'ff1' && engine.kind === 'numerals') {
    const run = numerals();
    const { assemble } = to as NumeralEngine;
    return (column) => {
      const parts = column as readonly NumeralParts[];
      const done = run(
        parts.map((each) => each.numerals),
        columnOfTweaks(column),
      );
      return done.map((each, i) => assemble(parts[i]!, each));
    };
  }
  // A shuffle is looked up for every column and not kept with the shape, so that it can be dropped from memory.
  const run = name === 'sometimes-recurse' ? null : indices(name, size);
  const whole = { ...engine, assemble: to.assemble } as FormatEngine;
  return (column) => {
    const parts = column.map((each) => withNumerals(to, each));
    const secrets = parts.map((each) => indexOf(whole, each));
    const out = (run ?? indices(name, size))(secrets, tweaks(column));
    return out.map((index, i) => assembleIndex(whole, parts[i]!, index));
  };
}

/** A value with its numerals, if they were left as text: for engines that take whole numbers. */
function withNumerals(to: AnyFace, parts: AnyParts): NumeralParts | IndexParts {
  return 'secret' in parts ? { ...parts, numerals: to.texts!.symbols.parse(parts.secret) } : parts;
}

function countOf(to: AnyFace, secret: string): number {
  return to.texts!.symbols.parse(secret).length;
}

/** The keyed one-way function of a format that blinds its clear part: HMAC-SHA-256, 128 bits, base32. */
function blindWith(blind: NonNullable<FormatEngine['blind']>, keyOf: KeyOf): (clear: string) => string {
  const mac = hmacBytes(keyOf('blind'));
  return (clear) => blind(clear, (text) => encode(mac(utf8(text)).subarray(0, 16)));
}
