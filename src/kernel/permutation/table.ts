/**
 * A permutation as a table: the Fisher–Yates shuffle in Durstenfeld's form (Knuth, The Art of Computer Programming,
 * volume 2, section 3.4.2, algorithm P), drawn from an AES-256 keystream. Every size and tweak has a key of its own
 * (docs/spec/fpe-v1.md, "Table").
 *
 * The numbers are drawn without bias, so the permutation is uniform if the keystream is.
 */

import { equalBytes } from '../../core/bytes.ts';
import { manyBlocks } from '../aes/aes.ts';
import {
  checkColumn,
  checkIndex,
  checkSpace,
  checkTweak,
  drawsFrom,
  type Permutation,
  type Tweaks,
  tweakFunction,
} from './small-space.ts';

/**
 * How many entries the tables under one key may have together: 16 MiB. A larger table is kept, but no other with it.
 */
const MAX_ENTRIES = 2 ** 22;

/** The memory that a small table takes beside its entries, as a number of entries. */
const OVERHEAD = 96;

/** A permutation and its inverse. */
interface Table {
  readonly forward: Uint32Array;
  /** Computed when a value is deciphered for the first time. */
  backward: Uint32Array | null;
}

/**
 * Key set-up.
 *
 * @param key 32 bytes.
 * @param size N, 1 to 2^20.
 */
export function tablePermutation(key: Uint8Array, size: number): Permutation {
  return tablePermutations(key)(size);
}

/** The same for one key and any size. All tables of the key together are limited to {@link MAX_ENTRIES}. */
export function tablePermutations(key: Uint8Array): (size: number) => Permutation {
  const cache = tableCache();
  return (size) => permutation(key, size, cache);
}

function permutation(key: Uint8Array, size: number, cache: Cache): Permutation {
  checkSpace(key, size, 1);
  const tableKey = tweakFunction(key, ['fisher-yates'], size);
  const make = (tweak: Uint8Array): Table => ({ forward: shuffle(tableKey(tweak), size), backward: null });

  function one(direction: Direction, index: number, tweak: Uint8Array): number {
    checkIndex(index, size);
    checkTweak(tweak);
    return side(cache.of(tweak, size, make), direction)[index]!;
  }

  function many(direction: Direction, indices: readonly number[], tweaks: Tweaks): number[] {
    checkColumn(indices, tweaks, size);
    if (tweaks instanceof Uint8Array) {
      if (indices.length === 0) return [];
      const table = side(cache.of(tweaks, size, make), direction);
      return indices.map((index) => table[index]!);
    }
    const out = new Array<number>(indices.length);
    // Rows are grouped by tweak, so that each table is made once even if the cache cannot hold the tables of all
    // tweaks.
    for (const { tweak, rows } of groups(tweaks)) {
      const table = side(cache.of(tweak, size, make), direction);
      for (const row of rows) out[row] = table[indices[row]!]!;
    }
    return out;
  }

  return {
    size,
    encrypt: (index, tweak) => one('forward', index, tweak),
    decrypt: (index, tweak) => one('backward', index, tweak),
    encryptMany: (indices, tweaks) => many('forward', indices, tweaks),
    decryptMany: (indices, tweaks) => many('backward', indices, tweaks),
  };
}

type Direction = 'forward' | 'backward';

/** Runs the shuffle and returns where each index goes. */
function shuffle(key: Uint8Array, size: number): Uint32Array {
  const draw = drawsFrom(manyBlocks(key), size);
  // 1. Let T[i] = i.
  const T = new Uint32Array(size);
  for (let i = 0; i < size; i++) T[i] = i;
  // 2. For i from N - 1 down to 1: draw j from 0 to i and exchange T[i] and T[j].
  for (let i = size - 1; i > 0; i--) {
    const j = draw(i + 1);
    const held = T[i]!;
    T[i] = T[j]!;
    T[j] = held;
  }
  return T;
}

function side(table: Table, direction: Direction): Uint32Array {
  if (direction === 'forward') return table.forward;
  if (table.backward === null) {
    const backward = new Uint32Array(table.forward.length);
    for (let i = 0; i < backward.length; i++) backward[table.forward[i]!] = i;
    table.backward = backward;
  }
  return table.backward;
}

/** The tables under one key. */
interface Cache {
  /** Returns the table of a tweak and a size, and makes it if it is not there. */
  readonly of: (tweak: Uint8Array, size: number, make: (tweak: Uint8Array) => Table) => Table;
}

/**
 * A cache of tables by size and tweak, in two generations. A table that is used moves into the younger generation. When
 * that is full, the older one is dropped and the younger one takes its place. A hit in the younger generation writes
 * nothing, and the table that was used last is never dropped.
 */
function tableCache(): Cache {
  let younger = new Map<string, Table>();
  let older = new Map<string, Table>();
  let entries = 0;
  // The tweak is copied: a caller may write another one into the same array.
  let last: { readonly tweak: Uint8Array; readonly table: Table } | null = null;

  const find: Cache['of'] = (tweak, size, make) => {
    const name = `${size}:${nameOf(tweak)}`;
    const known = younger.get(name);
    if (known !== undefined) return known;
    const table = older.get(name) ?? make(tweak);
    // Both directions are counted, although the second may never be computed.
    const cost = 2 * size + OVERHEAD + tweak.length;
    if (entries + cost > MAX_ENTRIES / 2) {
      older = younger;
      younger = new Map();
      entries = 0;
    }
    entries += cost;
    younger.set(name, table);
    return table;
  };

  return {
    of(tweak, size, make) {
      if (last === null || last.table.forward.length !== size || !equalBytes(last.tweak, tweak)) {
        last = { tweak: Uint8Array.from(tweak), table: find(tweak, size, make) };
      }
      return last.table;
    },
  };
}

/** The rows that have one tweak. */
interface Group {
  readonly tweak: Uint8Array;
  readonly rows: number[];
}

/** Groups the rows of a column by their tweak. */
function groups(tweaks: readonly Uint8Array[]): Iterable<Group> {
  const byName = new Map<string, Group>();
  let group: Group | null = null;
  for (let row = 0; row < tweaks.length; row++) {
    const tweak = tweaks[row]!;
    if (group === null || (group.tweak !== tweak && !equalBytes(group.tweak, tweak))) {
      const name = nameOf(tweak);
      const known = byName.get(name);
      group = known ?? { tweak, rows: [] };
      if (known === undefined) byName.set(name, group);
    }
    group.rows.push(row);
  }
  return byName.values();
}

/**
 * Returns bytes as a text, a character for each byte. A map finds a text by its hash, and no caller can choose bytes so
 * that hashes collide.
 */
function nameOf(bytes: Uint8Array): string {
  let name = '';
  // In pieces, because the arguments of a call are put on the stack.
  for (let at = 0; at < bytes.length; at += 4096) {
    name += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096) as unknown as number[]);
  }
  return name;
}
