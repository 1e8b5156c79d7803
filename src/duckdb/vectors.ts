/// <reference types="node" />
/**
 * Reads and writes the texts of DuckDB's vectors.
 *
 * A text has a slot of 16 bytes in the vector. The package makes one call into the engine for each text that does not
 * fit into its slot. That takes 0.5 to 1 µs, which is more than most rules take (measured: 60 % of a run). This file
 * makes one call a vector.
 *
 * The slot is a `duckdb_string_t` of DuckDB's C API: 4 bytes of length; then the text itself if it has at most 12
 * bytes, or its first 4 bytes and a pointer to it. All numbers are little-endian. If anything is not as expected, the
 * package's own functions are used.
 */

import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { pathToFileURL } from 'node:url';
import { utf8Column } from '../core/columns.ts';
import { fail } from '../errors.ts';
import type { Vector } from './module.ts';

/** Size of a `duckdb_string_t`, and the longest text inside it, in bytes. */
const SLOT = 16;
const INLINE = 12;

/**
 * Texts that are closer in memory than this are read in one piece, together with the gap between them. A gap smaller
 * than the smallest memory page touches no page except those of the texts at its ends, so reading it is safe. Its bytes
 * are not used.
 */
const GAP = 4096;

/** The functions of `@duckdb/node-bindings` that are used. */
interface Bindings {
  /** Returns the bytes to which a pointer in a buffer leads. */
  readonly get_data_from_pointer: (buffer: ArrayBufferLike, offset: number, length: number) => Uint8Array;
  /** Copies a text into the vector's own memory and sets slot `index` to it. */
  readonly vector_assign_string_element_len: (vector: unknown, index: number, bytes: Uint8Array) => void;
  /** Returns a copy of the first bytes of the slots. */
  readonly vector_get_data: (vector: unknown, length: number) => Uint8Array;
  /** Overwrites the bytes of the slots, from `at` on. */
  readonly copy_data_to_vector: (
    vector: unknown,
    at: number,
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => void;
}

const NEEDED = [
  'get_data_from_pointer',
  'vector_assign_string_element_len',
  'vector_get_data',
  'copy_data_to_vector',
] as const;

/** Private properties of a vector of the package. */
interface Inside {
  readonly dataView: DataView;
  readonly validity: { readonly data: BigUint64Array | null; readonly offset: number };
  readonly vector: unknown;
  readonly itemOffset: number;
}

/** Reads and writes vectors of VARCHAR. */
export interface Vectors {
  readonly read: (vector: Vector, rows: number) => (string | null)[];
  readonly write: (vector: Vector, texts: readonly (string | null)[]) => void;
}

/** The package's own functions, item by item. They drop a byte order mark at the beginning of a text. */
export const byItem: Vectors = {
  read(vector, rows) {
    const texts = new Array<string | null>(rows);
    for (let i = 0; i < rows; i++) texts[i] = vector.getItem(i) as string | null;
    return texts;
  },
  write(vector, texts) {
    for (let i = 0; i < texts.length; i++) vector.setItem(i, texts[i]!);
    vector.flush();
  },
};

/** Returns the fastest functions that work in this process. */
export function makeVectors(): Vectors {
  const bindings = endianness() === 'LE' ? loadBindings() : null;
  if (bindings === null) return byItem;
  return {
    read(vector, rows) {
      const inside = insideOf(vector);
      const texts = inside === null ? null : gather(inside, rows, bindings);
      return texts ?? byItem.read(vector, rows);
    },
    write(vector, texts) {
      const inside = insideOf(vector);
      // If the vector marks values as missing already, every mark has to be set again.
      if (inside === null || !isAllValid(inside, texts.length)) return byItem.write(vector, texts);
      scatter(inside, texts, bindings);
      if (!texts.includes(null)) return;
      for (let i = 0; i < texts.length; i++) if (texts[i] === null) vector.setItem(i, null);
      vector.flush();
    },
  };
}

/** Loads the bindings that the package itself uses. They are its dependency, so they are resolved from its place. */
function loadBindings(): Bindings | null {
  const here = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;
  try {
    const api = createRequire(here).resolve('@duckdb/node-api');
    const bindings = createRequire(pathToFileURL(api))('@duckdb/node-bindings') as Partial<Bindings>;
    return NEEDED.every((name) => typeof bindings[name] === 'function') ? (bindings as Bindings) : null;
  } catch {
    return null;
  }
}

function insideOf(vector: Vector): Inside | null {
  const { dataView, validity, vector: raw, itemOffset } = vector as unknown as Partial<Inside>;
  const known = dataView instanceof DataView && validity?.offset === 0 && raw !== undefined && itemOffset === 0;
  return known ? { dataView, validity, vector: raw, itemOffset } : null;
}

/** The validity marks of a vector: bit i % 8 of byte i >> 3 is 0 if text i is NULL. Returns `null` if no text is. */
function marksOf({ validity: { data } }: Inside): Uint8Array | null {
  return data === null ? null : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function isAllValid(inside: Inside, rows: number): boolean {
  const marks = marksOf(inside);
  if (marks === null) return true;
  for (let i = 0; i < rows >> 3; i++) if (marks[i] !== 0xff) return false;
  const last = (1 << (rows & 7)) - 1;
  return (marks[rows >> 3]! & last) === last;
}

/** Reads all texts of a vector. Returns `null` if a pointer is too large for a double. */
function gather(inside: Inside, rows: number, bindings: Bindings): (string | null)[] | null {
  const { dataView } = inside;
  const { buffer, byteOffset } = dataView;
  const own = new Uint8Array(buffer, byteOffset, rows * SLOT);
  const marks = marksOf(inside);

  // Texts inside their slots and missing texts have the pointer 0.
  const lengths = new Int32Array(rows);
  const pointers = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    if (marks !== null && ((marks[i >> 3]! >> (i & 7)) & 1) === 0) {
      lengths[i] = -1;
      continue;
    }
    lengths[i] = dataView.getUint32(i * SLOT, true);
    if (lengths[i]! <= INLINE) continue;
    pointers[i] = dataView.getUint32(i * SLOT + 8, true) + dataView.getUint32(i * SLOT + 12, true) * 0x100000000;
    if (pointers[i]! > Number.MAX_SAFE_INTEGER) return null;
  }

  const texts = new Array<string | null>(rows);
  let piece = own;
  let begin = 0;
  let end = 0;
  for (let i = 0; i < rows; i++) {
    const length = lengths[i]!;
    const pointer = pointers[i]!;
    if (pointer === 0) {
      texts[i] = length < 0 ? null : decode(own, i * SLOT + 4, length);
      continue;
    }
    if (pointer < begin || pointer + length > end) {
      begin = pointer;
      end = endOfPiece(pointers, lengths, i);
      piece = bindings.get_data_from_pointer(buffer, byteOffset + i * SLOT + 8, end - begin);
    }
    texts[i] = decode(piece, pointer - begin, length);
  }
  return texts;
}

const utf8Slice: (this: Uint8Array, from: number, to: number) => string = (
  Buffer.prototype as unknown as { utf8Slice: (this: Uint8Array, from: number, to: number) => string }
).utf8Slice;
const strict: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes a text. Node's fast decoder writes U+FFFD in place of invalid bytes. A text with U+FFFD is decoded again by
 * the strict decoder, because it may be valid.
 */
function decode(bytes: Uint8Array, from: number, length: number): string {
  const text = utf8Slice.call(bytes, from, from + length);
  return text.includes('\ufffd') ? strict.decode(bytes.subarray(from, from + length)) : text;
}

/** The end of the piece that begins with text i and includes all texts that follow closely in memory. */
function endOfPiece(pointers: Float64Array, lengths: Int32Array, i: number): number {
  const begin = pointers[i]!;
  let end = begin + lengths[i]!;
  for (let k = i + 1; k < pointers.length; k++) {
    const pointer = pointers[k]!;
    if (pointer === 0) continue;
    if (pointer < begin || pointer - end >= GAP) return end;
    end = Math.max(end, pointer + lengths[k]!);
  }
  return end;
}

/**
 * Writes texts into a vector. All of them together are copied into the vector's memory as one text, and then each slot
 * is set to its part of that text.
 */
function scatter({ vector }: Inside, texts: readonly (string | null)[], bindings: Bindings): void {
  const { offsets, bytes } = utf8Column(texts);
  let low = 0;
  let high = 0;
  if (bytes.length > INLINE) {
    bindings.vector_assign_string_element_len(vector, 0, bytes);
    const first = bindings.vector_get_data(vector, SLOT);
    const view = new DataView(first.buffer, first.byteOffset, SLOT);
    if (view.getUint32(0, true) !== bytes.length)
      fail(
        'engine_failed',
        'DuckDB stores texts in a way that trefoil does not know; install another version of @duckdb/node-api',
      );
    low = view.getUint32(8, true);
    high = view.getUint32(12, true);
  }
  // A new array is all zeros. In a slot, the bytes after a text of at most 12 bytes must be zero.
  const slots = new Uint8Array(texts.length * SLOT);
  const words = new Uint32Array(slots.buffer);
  for (let i = 0; i < texts.length; i++) {
    const from = offsets[i]!;
    const length = offsets[i + 1]! - from;
    const slot = i * SLOT;
    words[slot >> 2] = length;
    const shown = length <= INLINE ? length : 4;
    for (let k = 0; k < shown; k++) slots[slot + 4 + k] = bytes[from + k]!;
    if (length <= INLINE) continue;
    const sum = low + from;
    words[(slot >> 2) + 2] = sum;
    words[(slot >> 2) + 3] = sum > 0xffffffff ? high + 1 : high;
  }
  bindings.copy_data_to_vector(vector, 0, slots.buffer, 0, slots.length);
}
