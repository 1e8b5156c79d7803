/**
 * A format under keys: columns of values in, columns of values out. Values of one shape go through the engine together;
 * which engine that is, the format alone decides (docs/spec/fpe-v1.md, "Engines").
 */

import { encode } from '../core/base32.ts';
import { encodeList, utf8 } from '../core/bytes.ts';
import { cycleWalking } from '../kernel/cycle-walking.ts';
import { ff1, type TweakColumn } from '../kernel/ff1.ts';
import { hmacSha256 } from '../kernel/hmac.ts';
import { sometimesRecurse, tablePermutation } from '../kernel/permutation.ts';
import {
  engineName,
  type FormatEngine,
  type Index,
  type IndexParts,
  indexOf,
  joinIndex,
  type NumeralParts,
  sizeOf,
} from './engine.ts';

type AnyParts = NumeralParts | IndexParts;

/** A value that was read and waits for its column. */
export type Pending = AnyParts;

/** A format with its keys. */
export interface FormatCipher {
  /** Reads one value. @throws TrefoilError `outside_format`. */
  readonly read: (text: string) => Pending;
  /** The texts of a column of values that were read. */
  readonly runMany: (column: readonly Pending[]) => string[];
}

/** Derives the key of an engine: its name is the last parameter of the key's node. */
export type KeyOf = (engine: string) => Uint8Array;

/** The engine of one shape: what stands in the parts of a column as secret, turned into texts. */
type ShapeCipher = (column: readonly AnyParts[]) => string[];

/** Shapes whose engines are kept. A bound on memory, not on values. */
const KEPT_SHAPES = 1024;

/** @param direction `protect` reads plain values and writes enciphered ones, `reveal` the other way round. */
export function formatCipher(engine: FormatEngine, direction: 'protect' | 'reveal', keyOf: KeyOf): FormatCipher {
  const forward = direction === 'protect';
  const enciphered = (engine.enciphered ?? engine) as Pick<FormatEngine, 'split' | 'join'>;
  const from = forward ? engine : enciphered;
  const to = { ...engine, join: (forward ? enciphered : engine).join } as FormatEngine;
  const blind = forward && engine.blind !== undefined ? blindWith(engine.blind, keyOf) : null;
  const shapes = new Map<string, ShapeCipher>();

  function cipherOf(parts: AnyParts): ShapeCipher {
    let cipher = shapes.get(parts.shape);
    if (cipher === undefined) {
      if (shapes.size >= KEPT_SHAPES) shapes.clear();
      cipher = shapeCipher(to, parts.shape, sizeOf(engine, parts), forward, keyOf);
      shapes.set(parts.shape, cipher);
    }
    return cipher;
  }

  if (engine.own !== undefined) {
    const own = engine.own.bind(keyOf(engine.own.name));
    const run = forward ? own.encryptMany : own.decryptMany;
    return {
      // The engine takes the text as it is; reading it says whether it can.
      read: (text) => ({ ...from.split(text), layout: text }),
      runMany: (column) => run(column.map(({ layout }) => layout as string)),
    };
  }

  return {
    read(text) {
      const parts = from.split(text);
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

/** The row numbers of each shape; `null` where all have one, as in most columns. */
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
 * The same in one array of bytes, for clear parts of ASCII and of one length, which is what those of a card are; `null`
 * for others. It halves the time of a column of cards.
 */
function tweakColumn(shape: string, column: readonly AnyParts[]): TweakColumn | null {
  const { length } = column[0]!.clear;
  const head = encodeList([shape, '\0'.repeat(length)]);
  const each = head.length;
  const bytes = new Uint8Array(each * column.length);
  for (let row = 0, at = 0; row < column.length; row++) {
    const { clear } = column[row]!;
    if (clear.length !== length) return null;
    for (let i = 0; i < each - length; i++) bytes[at++] = head[i]!;
    for (let i = 0; i < length; i++) {
      const code = clear.charCodeAt(i);
      if (code > 127) return null;
      bytes[at++] = code;
    }
  }
  return { bytes, each };
}

function shapeCipher(engine: FormatEngine, shape: string, size: Index, forward: boolean, keyOf: KeyOf): ShapeCipher {
  const name = engineName(engine, size);
  const key = keyOf(name);
  const fixed = encodeList([shape, '']);
  const { hasClear } = engine;
  if (name === 'ff1' && engine.kind === 'numerals') {
    const cipher = ff1(key, engine.radix);
    const run = forward ? cipher.encryptMany : cipher.decryptMany;
    return (column) => {
      const parts = column as readonly NumeralParts[];
      const numerals = new Array<readonly number[]>(parts.length);
      for (let i = 0; i < parts.length; i++) numerals[i] = parts[i]!.numerals;
      const done = run(numerals, hasClear ? (tweakColumn(shape, column) ?? tweaksOf(shape, column)) : fixed);
      const out = new Array<string>(parts.length);
      for (let i = 0; i < parts.length; i++) out[i] = engine.join(parts[i]!, done[i]!);
      return out;
    };
  }
  const run = indexCipher(name, key, size, forward);
  return (column) => {
    const indices = new Array<Index>(column.length);
    for (let i = 0; i < column.length; i++) indices[i] = indexOf(engine, column[i]!);
    const done = run(indices, hasClear ? tweaksOf(shape, column) : fixed);
    const out = new Array<string>(column.length);
    for (let i = 0; i < column.length; i++) out[i] = joinIndex(engine, column[i]!, done[i]!);
    return out;
  };
}

/** The engines over whole numbers. */
function indexCipher(name: string, key: Uint8Array, size: Index, forward: boolean) {
  if (name === 'ff1-cycle-walking') {
    const walk = cycleWalking(key, size);
    return forward ? walk.encryptMany : walk.decryptMany;
  }
  const permutation = (name === 'table' ? tablePermutation : sometimesRecurse)(key, Number(size));
  const run = forward ? permutation.encryptMany : permutation.decryptMany;
  return (indices: readonly Index[], tweaks: Uint8Array | readonly Uint8Array[]): Index[] =>
    run(indices as readonly number[], tweaks);
}

/** The keyed one-way function of a format that blinds its clear part: HMAC-SHA-256, 128 bits, base32. */
function blindWith(blind: NonNullable<FormatEngine['blind']>, keyOf: KeyOf): (clear: string) => string {
  const mac = hmacSha256(keyOf('blind'));
  return (clear) => blind(clear, (text) => encode(mac(utf8(text)).subarray(0, 16)));
}
