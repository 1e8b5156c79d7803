/**
 * Columns other than arrays of values: numbers in typed arrays, and texts as UTF-8 with offsets, as in Apache Arrow
 * (https://arrow.apache.org/docs/format/Columnar.html, "Variable-size Binary Layout").
 */

import { fail } from '../errors.ts';
import { badRange, badType, checkText, typeName } from './checks.ts';

/** A column of numbers. A `Uint8Array` is not one, because bytes are more often a text that was not decoded. */
export type NumberColumn =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A column of texts, laid out as Arrow's `Utf8`: text i is the bytes from `offsets[i]` to `offsets[i + 1]`. */
export interface Utf8Column {
  /** One offset more than there are texts, in ascending order. */
  readonly offsets: Int32Array;
  /** The UTF-8 of all texts, one after another. */
  readonly bytes: Uint8Array;
  /**
   * If text i is missing, bit i % 8 (from the lowest) of byte i >> 3 is 0. The array may be absent if none is missing.
   */
  readonly validity?: Uint8Array | null;
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How many texts are decoded at once: see core/ascii.ts. */
const GROUP = 16;

/** The most bytes of a column, because offsets have 32 bits. */
const MAX_BYTES = 0x7fffffff;

/** A column in any of its forms. */
export type Column = readonly unknown[] | NumberColumn | Utf8Column;

/** The type of a column after each of its values became a `T`. Missing values stay, and UTF-8 stays UTF-8. */
export type ColumnOf<C, T> = C extends Utf8Column
  ? Utf8Column
  : C extends readonly (infer V)[]
    ? (T | Extract<V, null | undefined>)[]
    : T[];

/** Returns how many values a column has, or `null` if the argument is not a column. */
export function columnLength(column: unknown): number | null {
  if (Array.isArray(column) || isNumberColumn(column)) return column.length;
  return isUtf8Column(column) ? Math.max(0, (column.offsets?.length ?? 0) - 1) : null;
}

const NUMBERS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...['Int8Array', 'Int16Array', 'Int32Array', 'Uint16Array', 'Uint32Array'],
  ...['Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
]);

/**
 * Returns the name of a typed array's kind. Unlike `instanceof`, this works for arrays of another realm, such as a test
 * runner's.
 */
function kindOf(value: unknown): string {
  return ArrayBuffer.isView(value) ? Object.prototype.toString.call(value).slice(8, -1) : '';
}

/** Returns whether a column is a typed array of numbers. */
export function isNumberColumn(column: unknown): column is NumberColumn {
  return NUMBERS.has(kindOf(column));
}

/** Returns whether a column has the members of a {@link Utf8Column}. */
export function isUtf8Column(column: unknown): column is Utf8Column {
  if (typeof column !== 'object' || column === null || Array.isArray(column) || ArrayBuffer.isView(column))
    return false;
  return 'offsets' in column && 'bytes' in column;
}

/**
 * Makes a column of UTF-8 from texts. `null` and `undefined` become missing texts.
 *
 * @throws TypeError if the argument is not an array, RangeError for more than 2^31 - 1 bytes, TrefoilError `wrong_type`
 *   or `lone_surrogate` for a wrong text.
 *
 * @example
 * ```ts
 * import { utf8Column, utf8Texts } from 'trefoil';
 *
 * const column = utf8Column(['Ada', null, 'Zoë']);
 * column.bytes.length; // → 7
 * utf8Texts(column); // → ['Ada', null, 'Zoë']
 * ```
 */
export function utf8Column(texts: readonly (string | null | undefined)[]): Utf8Column {
  if (!Array.isArray(texts)) badType('texts', `expected an array, got ${typeName(texts)}`);
  const count = texts.length;
  const offsets = new Int32Array(count + 1);
  const validity = new Uint8Array(Math.ceil(count / 8));
  let bytes = new Uint8Array(Math.max(64, 16 * count));
  let end = 0;
  let missing = 0;
  for (let first = 0; first < count; first += GROUP) {
    const last = Math.min(count, first + GROUP);
    // A group of texts is encoded at once. Most are ASCII, and then each text has as many bytes as characters.
    let group = '';
    for (let i = first; i < last; i++) {
      const text = texts[i];
      if (typeof text === 'string') group += text;
      else if (text !== null && text !== undefined) checkText(text);
    }
    if (end + 3 * group.length > bytes.length) bytes = grown(bytes, end, 3 * group.length);
    const free = bytes.subarray(end);
    const ascii = encoder.encodeInto(group, free).written === group.length;
    const from = end;
    for (let i = first; i < last; i++) {
      const text = texts[i];
      if (typeof text === 'string') {
        // Encoded one by one: together, a half of a surrogate pair in one text and one in the next would be a
        // character.
        end += ascii ? text.length : encoder.encodeInto(checkText(text), free.subarray(end - from)).written;
        validity[i >> 3]! |= 1 << (i & 7);
      } else {
        missing++;
      }
      offsets[i + 1] = end;
    }
  }
  const all = bytes.subarray(0, end);
  return missing === 0 ? { offsets, bytes: all } : { offsets, bytes: all, validity };
}

function grown(bytes: Uint8Array, end: number, wanted: number): Uint8Array<ArrayBuffer> {
  const size = Math.max(2 * bytes.length, end + wanted);
  if (end + wanted > MAX_BYTES) badRange('texts', 'have more than 2^31 - 1 bytes in all; divide the column');
  const out = new Uint8Array(Math.min(size, MAX_BYTES));
  out.set(bytes.subarray(0, end));
  return out;
}

/**
 * Returns the texts of a column of UTF-8. A missing text is `null`.
 *
 * @throws TypeError or RangeError for a wrong column, TrefoilError `not_utf8` for a text that is not UTF-8.
 *
 * @example
 * ```ts
 * import { utf8Texts } from 'trefoil';
 *
 * const bytes = new TextEncoder().encode('AdaZoë');
 * utf8Texts({ offsets: Int32Array.of(0, 3, 7), bytes }); // → ['Ada', 'Zoë']
 * utf8Texts({ offsets: Int32Array.of(0, 3, 7), bytes, validity: Uint8Array.of(0b10) }); // → [null, 'Zoë']
 * ```
 */
export function utf8Texts(column: Utf8Column): (string | null)[] {
  return readUtf8(column, () => fail('not_utf8', 'a text of the column is not UTF-8'));
}

/** The same, but for a text that is not UTF-8 it calls `refuse` with the index and returns `null` in its place. */
export function readUtf8(column: Utf8Column, refuse: (index: number) => void): (string | null)[] {
  if (!isUtf8Column(column)) badType('column', `expected { offsets, bytes }, got ${typeName(column)}`);
  const { offsets, bytes, validity = null } = column;
  const count = checkUtf8({ offsets, bytes, validity });
  const texts = new Array<string | null>(count);
  for (let first = 0; first < count; first += GROUP) {
    const last = Math.min(count, first + GROUP);
    const from = offsets[first]!;
    const group = decode(bytes, from, offsets[last]!);
    // If there are as many characters as bytes, all are ASCII, and the offsets of bytes are those of characters.
    const ascii = group !== null && group.length === offsets[last]! - from;
    for (let i = first; i < last; i++) {
      if (validity !== null && ((validity[i >> 3]! >> (i & 7)) & 1) === 0) {
        texts[i] = null;
      } else if (ascii) {
        texts[i] = group.slice(offsets[i]! - from, offsets[i + 1]! - from);
      } else {
        texts[i] = decode(bytes, offsets[i]!, offsets[i + 1]!);
        if (texts[i] === null) refuse(i);
      }
    }
  }
  return texts;
}

function decode(bytes: Uint8Array, from: number, to: number): string | null {
  try {
    return decoder.decode(bytes.subarray(from, to));
  } catch {
    return null;
  }
}

/** Checks that the parts of a column fit together, and returns the number of texts. */
function checkUtf8({ offsets, bytes, validity }: Required<Utf8Column>): number {
  if (kindOf(offsets) !== 'Int32Array') badType('offsets', `expected an Int32Array, got ${typeName(offsets)}`);
  if (kindOf(bytes) !== 'Uint8Array') badType('bytes', `expected bytes, got ${typeName(bytes)}`);
  if (validity !== null && kindOf(validity) !== 'Uint8Array') {
    badType('validity', `expected bytes, got ${typeName(validity)}`);
  }
  const count = offsets.length - 1;
  if (count < 0) badRange('offsets', 'expected one offset more than there are texts');
  if (validity !== null && validity.length < Math.ceil(count / 8))
    badRange('validity', 'has fewer bits than there are texts');
  let before = 0;
  for (const offset of offsets) {
    if (offset < before) badRange('offsets', 'expected whole numbers that ascend from 0');
    before = offset;
  }
  if (offsets[count]! > bytes.length) badRange('offsets', 'reach beyond the end of the bytes');
  return count;
}
