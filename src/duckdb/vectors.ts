/// <reference types="node" />
/**
 * Texts in and out of DuckDB's vectors.
 *
 * The package reads and writes a text that does not fit into its 16 bytes by a call into the engine each, 0.5 to 1 µs:
 * more than most rules take (measured: 60 % of a run). Here it is one call a vector. The layout is that of
 * `duckdb_string_t` in DuckDB's C API: 4 bytes of length, then the text itself where it has at most 12 bytes, else its
 * first 4 and a pointer; all little-endian. Where anything is not as expected, the package's own way is taken.
 */

import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { pathToFileURL } from 'node:url';
import { utf8Column } from '../core/columns.ts';
import { fail } from '../errors.ts';
import type { Vector } from './module.ts';

/** Size of a `duckdb_string_t`, and the longest text that stands in it. */
const SLOT = 16;
const INLINE = 12;

/**
 * Texts whose pointers lie closer than this are read in one piece, with what lies between them. Both ends of such a gap
 * are texts, and a gap of less than the smallest page touches no page but theirs; what is in it is not looked at.
 */
const GAP = 4096;

/** What `@duckdb/node-bindings` does for us. */
interface Bindings {
  /** The bytes behind the pointer that stands in a buffer. */
  readonly get_data_from_pointer: (buffer: ArrayBufferLike, offset: number, length: number) => Uint8Array;
  /** Copies a text into the vector's own memory and points slot `index` at it. */
  readonly vector_assign_string_element_len: (vector: unknown, index: number, bytes: Uint8Array) => void;
  /** A copy of the first bytes of the slots. */
  readonly vector_get_data: (vector: unknown, length: number) => Uint8Array;
  /** Bytes over those of the slots, from `at` on. */
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

/** What a vector of the package has inside. */
interface Inside {
  readonly dataView: DataView;
  readonly validity: { readonly data: BigUint64Array | null; readonly offset: number };
  readonly vector: unknown;
  readonly itemOffset: number;
}

/** Reading and writing vectors of VARCHAR. */
export interface Vectors {
  readonly read: (vector: Vector, rows: number) => (string | null)[];
  readonly write: (vector: Vector, texts: readonly (string | null)[]) => void;
}

/** The package's own way, item by item. It drops a byte order mark at the beginning of a text. */
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

/** The quickest way that this process has. */
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
      // A vector that marks values as missing already wants each mark set anew.
      if (inside === null || !isAllValid(inside, texts.length)) return byItem.write(vector, texts);
      scatter(inside, texts, bindings);
      if (!texts.includes(null)) return;
      for (let i = 0; i < texts.length; i++) if (texts[i] === null) vector.setItem(i, null);
      vector.flush();
    },
  };
}

/** The bindings that the package itself uses: a dependency of it, so they are looked for from where it lies. */
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

/** The marks of a vector: bit i % 8 of byte i >> 3 is 0 where there is no text; `null` when all are there. */
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

/** All texts of a vector; `null` where a pointer is none that a double can hold. */
function gather(inside: Inside, rows: number, bindings: Bindings): (string | null)[] | null {
  const { dataView } = inside;
  const { buffer, byteOffset } = dataView;
  const own = new Uint8Array(buffer, byteOffset, rows * SLOT);
  const marks = marksOf(inside);

  // Texts that stand in their slots, and missing ones, have no pointer.
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

/** A text out of its bytes. What Node's quick decoder puts in the place of bad bytes may also stand there rightly. */
function decode(bytes: Uint8Array, from: number, length: number): string {
  const text = utf8Slice.call(bytes, from, from + length);
  return text.includes('\ufffd') ? strict.decode(bytes.subarray(from, from + length)) : text;
}

/** Where the texts end that lie close behind text i, one after the other. */
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

/** Texts into a vector: all of them as one text, which becomes the vector's, and then a slot for each that points into it. */
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
  // New, so all zeros: what is behind a text of at most 12 bytes must be.
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
