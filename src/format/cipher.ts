/**
 * A format under keys: columns of values in, columns of values out. Values of one shape go through the engine together;
 * which engine that is, the format alone decides (docs/spec/fpe-v1.md, "Engines").
 */

import { encode } from '../core/base32.ts';
import { encodeList, utf8 } from '../core/bytes.ts';
import { cycleWalking } from '../kernel/cycle-walking.ts';
import { ff1, type Tweaks } from '../kernel/ff1.ts';
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
export interface Pending {
  readonly text: string;
  readonly parts: AnyParts;
}

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
type ShapeCipher = (column: readonly AnyParts[], tweaks: Tweaks) => string[];

/** Tweaks that are kept, so that a column of few clear parts encodes each once. A bound on memory, not on values. */
const KEPT_TWEAKS = 4096;

/** @param direction `protect` reads plain values and writes enciphered ones, `reveal` the other way round. */
export function formatCipher(engine: FormatEngine, direction: 'protect' | 'reveal', keyOf: KeyOf): FormatCipher {
  const forward = direction === 'protect';
  const enciphered = (engine.enciphered ?? engine) as Pick<FormatEngine, 'split' | 'join'>;
  const from = forward ? engine : enciphered;
  const to = { ...engine, join: (forward ? enciphered : engine).join } as FormatEngine;
  const blind = forward && engine.blind !== undefined ? blindWith(engine.blind, keyOf) : null;
  const shapes = new Map<string, ShapeCipher>();
  const tweaks = new Map<string, Uint8Array>();

  function cipherOf(parts: AnyParts): ShapeCipher {
    let cipher = shapes.get(parts.shape);
    if (cipher === undefined) {
      if (shapes.size >= KEPT_TWEAKS) shapes.clear();
      cipher = shapeCipher(to, sizeOf(engine, parts), forward, keyOf);
      shapes.set(parts.shape, cipher);
    }
    return cipher;
  }

  function tweakOf({ shape, clear }: AnyParts): Uint8Array {
    const name = `${shape.length}:${shape}${clear}`;
    let tweak = tweaks.get(name);
    if (tweak === undefined) {
      if (tweaks.size >= KEPT_TWEAKS) tweaks.clear();
      tweak = encodeList([shape, clear]);
      tweaks.set(name, tweak);
    }
    return tweak;
  }

  if (engine.own !== undefined) {
    const own = engine.own.bind(keyOf(engine.own.name));
    const run = forward ? own.encryptMany : own.decryptMany;
    return {
      read: (text) => ({ text, parts: from.split(text) }),
      runMany: (column) => run(column.map(({ text }) => text)),
    };
  }

  return {
    read(text) {
      const parts = from.split(text);
      return { text, parts: blind === null ? parts : { ...parts, clear: blind(parts.clear) } };
    },
    runMany(column) {
      const out = new Array<string>(column.length);
      for (const rows of byShape(column)) {
        const parts =
          rows.length === column.length ? column.map((each) => each.parts) : rows.map((i) => column[i]!.parts);
        const texts = cipherOf(parts[0]!)(parts, engine.hasClear ? parts.map(tweakOf) : tweakOf(parts[0]!));
        for (let i = 0; i < rows.length; i++) out[rows[i]!] = texts[i]!;
      }
      return out;
    },
  };
}

/** The row numbers of each shape. */
function byShape(column: readonly Pending[]): Iterable<number[]> {
  const groups = new Map<string, number[]>();
  let shape: string | null = null;
  let rows: number[] = [];
  for (let i = 0; i < column.length; i++) {
    const next = column[i]!.parts.shape;
    if (next !== shape) {
      shape = next;
      rows = groups.get(next) ?? [];
      groups.set(next, rows);
    }
    rows.push(i);
  }
  return groups.values();
}

function shapeCipher(engine: FormatEngine, size: Index, forward: boolean, keyOf: KeyOf): ShapeCipher {
  const name = engineName(engine, size);
  const key = keyOf(name);
  if (name === 'ff1' && engine.kind === 'numerals') {
    const cipher = ff1(key, engine.radix);
    const run = forward ? cipher.encryptMany : cipher.decryptMany;
    return (column, tweaks) => {
      const parts = column as readonly NumeralParts[];
      const done = run(
        parts.map(({ numerals }) => numerals),
        tweaks,
      );
      return done.map((numerals, i) => engine.join(parts[i]!, numerals as number[]));
    };
  }
  const run = indexCipher(name, key, size, forward);
  return (column, tweaks) => {
    const done = run(
      column.map((parts) => indexOf(engine, parts)),
      tweaks,
    );
    return done.map((index, i) => joinIndex(engine, column[i]!, index));
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
  return (indices: readonly Index[], tweaks: Tweaks): Index[] => run(indices as readonly number[], tweaks);
}

/** The keyed one-way function of a format that blinds its clear part: HMAC-SHA-256, 128 bits, base32. */
function blindWith(blind: NonNullable<FormatEngine['blind']>, keyOf: KeyOf): (clear: string) => string {
  const mac = hmacSha256(keyOf('blind'));
  return (clear) => blind(clear, (text) => encode(mac(utf8(text)).subarray(0, 16)));
}
