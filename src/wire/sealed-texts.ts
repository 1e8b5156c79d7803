/**
 * The text of a sealed value and the bytes that are sealed in it (docs/spec/seal-v1.md, "Buckets" and "Steps"). To
 * protect, plaintexts are padded into buffers, where they are sealed, and taken out as sealed texts. To reveal, it goes
 * the other way.
 *
 * All values in the buffers have one bucket. Each lies there as the bytes that base32 shows: header, synthetic IV,
 * text.
 */

import { decodeAscii, GROUP } from '../core/ascii.ts';
import { checkText } from '../core/checks.ts';
import { readSymbols, symbolsOf, writeSymbols } from './base32.ts';
import { ID_LENGTH } from './labelled-token.ts';

/**
 * The version of sealed values, and the algorithm: 1 is AES-256-SIV. The other numbers are free; one of them is meant
 * for sealing to a public key.
 */
export const VERSION = 1;
export const ALGORITHM_BYTE = 1;
const HEADER: number = (VERSION << 8) | ALGORITHM_BYTE;
const HEADER_LENGTH = 2;

/** Bytes of the synthetic IV. */
const IV_LENGTH = 16;

/** Where the text begins in a value. */
const TEXT_AT: number = HEADER_LENGTH + IV_LENGTH;

/**
 * The buckets, which are the lengths of padded plaintexts in bytes: powers of two from 32 to 2^20. The length of a name
 * can identify it, so nothing of the length is visible for a value of up to 31 bytes, and only the power of two for a
 * longer one.
 */
const SMALLEST_BUCKET = 32;
export const LARGEST_BUCKET = 1_048_576;

/** First byte of the padding (ISO/IEC 7816-4). */
const PAD = 0x80;

/** The most values in buffers; the most bytes of buffers with several values; the most characters decoded at once. */
const SLOTS = 1024;
const MAX_BYTES = 131_072;
const GROUP_CHARACTERS = 8192;

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of the text that is read at present. Texts that do not fit get an array of their own. */
const SHORT = 4096;
const short: Bytes = /* @__PURE__ */ bytesOf(SHORT);
let current: Bytes = short;

/** The characters of texts that are decoded together: sealed texts, or plaintexts in ASCII. */
const group: Bytes = /* @__PURE__ */ bytesOf(GROUP_CHARACTERS);

interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function bytesOf(length: number): Bytes {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Buffers for values of one bucket, laid out as kernel/siv wants values. */
export interface Buffers extends Bytes {
  /** Where the synthetic IV of the first value is. */
  readonly at: number;
  /** The bucket: bytes of a padded value. */
  readonly length: number;
  /** Bytes of header, synthetic IV and padded value. */
  readonly stride: number;
  /** How many values fit. */
  readonly slots: number;
  /** For the caller: how many values there are, and the row of each. */
  count: number;
  readonly rows: Int32Array;
  /** For the caller: for each value, 1 if it could be opened and 0 if not. */
  readonly verdicts: Uint8Array;
}

/** Returns the bucket of a value of `length` bytes. */
export function bucketOf(length: number): number {
  let bucket = SMALLEST_BUCKET;
  while (bucket <= length) bucket *= 2;
  return bucket;
}

/** Returns the bucket of a sealed text of `characters` characters, or 0 if no sealed text has this length. */
export function bucketOfText(characters: number): number {
  const bucket = Math.floor(((characters - ID_LENGTH) * 5) / 8) - TEXT_AT;
  const is = bucket >= SMALLEST_BUCKET && bucket <= LARGEST_BUCKET && (bucket & (bucket - 1)) === 0;
  return is && charactersOf(bucket) === characters ? bucket : 0;
}

function charactersOf(bucket: number): number {
  return ID_LENGTH + symbolsOf(TEXT_AT + bucket);
}

/** For each bucket, buffers that are not lent at present, by the bucket's logarithm. */
const spare: (Buffers | null)[] = /* @__PURE__ */ new Array<Buffers | null>(21).fill(null);

/**
 * Lends buffers for up to `count` values. They may have fewer slots, so the caller empties them when they are full. A
 * column with getters can start another column in the middle of this one; the inner column then gets buffers of its
 * own.
 */
export function borrowBuffers(bucket: number, count: number): Buffers {
  const stride = TEXT_AT + bucket;
  const slots = Math.min(count, SLOTS, Math.max(1, Math.floor(MAX_BYTES / stride)));
  const place = 31 - Math.clz32(bucket);
  const buffers = spare[place]!;
  if (buffers !== null && buffers.slots >= slots) {
    spare[place] = null;
    return buffers;
  }
  return {
    ...bytesOf(slots * stride),
    at: HEADER_LENGTH,
    length: bucket,
    stride,
    slots,
    count: 0,
    rows: new Int32Array(slots),
    verdicts: new Uint8Array(slots),
  };
}

/** Takes buffers back and keeps them for the next caller, unless they are large. */
export function returnBuffers(buffers: Buffers): void {
  if (buffers.bytes.length > MAX_BYTES) return;
  buffers.count = 0;
  spare[31 - Math.clz32(buffers.length)] = buffers;
}

/** After this many rows all buffers are emptied. */
const CHUNK = 1024;

/** Buffers that are lent to a column for one key and one bucket. */
interface Lent<Key> {
  readonly key: Key;
  readonly buffers: Buffers;
}

/**
 * Goes through the rows of a column and collects their values in batches, one for each key and bucket.
 *
 * @param put Puts the value of a row into slot `count` of the buffers that `buffersFor` returns for its key and bucket,
 *   and returns these buffers; `null` if the row needs no work.
 * @param run Does the work on buffers that are full, and on all others at the end of a chunk of rows.
 * @param chunkDone Is called at the end of a chunk, after all its buffers were run.
 */
export function inBatches<Key>(
  rows: number,
  put: (row: number, buffersFor: (key: Key, bucket: number) => Buffers) => Buffers | null,
  run: (key: Key, buffers: Buffers) => void,
  chunkDone: () => void = () => {},
): void {
  const lent: Lent<Key>[] = [];
  let last: Lent<Key> | null = null;

  function buffersFor(key: Key, bucket: number): Buffers {
    if (last !== null && last.key === key && last.buffers.length === bucket) return last.buffers;
    last = lent.find(({ key: other, buffers }) => other === key && buffers.length === bucket) ?? null;
    if (last === null) {
      last = { key, buffers: borrowBuffers(bucket, rows) };
      lent.push(last);
    }
    return last.buffers;
  }

  function empty(key: Key, buffers: Buffers): void {
    if (buffers.count > 0) run(key, buffers);
    buffers.count = 0;
  }

  for (let first = 0; first < rows; first += CHUNK) {
    const end = Math.min(rows, first + CHUNK);
    for (let row = first; row < end; row++) {
      const buffers = put(row, buffersFor);
      if (buffers === null) continue;
      buffers.rows[buffers.count++] = row;
      if (buffers.count === buffers.slots) empty(last!.key, buffers);
    }
    for (const { key, buffers } of lent) empty(key, buffers);
    chunkDone();
  }
  for (const { buffers } of lent) returnBuffers(buffers);
}

/**
 * Encodes a plaintext as UTF-8 for {@link putPlain}, and returns its length in bytes. A lone surrogate is refused
 * (`lone_surrogate`).
 */
export function givePlain(text: string): number {
  // Too long in any case, because a character takes at least one byte. The caller refuses it by this length.
  if (text.length >= LARGEST_BUCKET) return checkText(text).length;
  reserve(3 * text.length);
  const { written } = encoder.encodeInto(text, current.bytes);
  if (written !== text.length) checkText(text);
  return written;
}

/** Encodes a sealed text as ASCII for {@link putSealed}. Returns `false` if it has other characters. */
export function giveSealed(text: string): boolean {
  reserve(text.length);
  // A character outside ASCII yields more bytes than one, or does not fit.
  return encoder.encodeInto(text, current.bytes).written === text.length;
}

/** Makes space for the bytes of a text. */
function reserve(bytes: number): void {
  // And for one word, because putPlain writes the padding after the text.
  current = bytes <= SHORT - 4 ? short : bytesOf(bytes + 4);
}

/** Returns the key id at the beginning of the text that {@link giveSealed} encoded, as {@link idNumber} returns it. */
export function givenId(): number {
  return (current.view.getInt32(0) >>> 0) * 256 + current.bytes[4]!;
}

/** Returns the five characters of a key id as one number. */
export function idNumber(id: string): number {
  let number = 0;
  for (let i = 0; i < ID_LENGTH; i++) number = number * 256 + id.charCodeAt(i);
  return number;
}

/**
 * Writes the plaintext that {@link givePlain} encoded, of `length` bytes, into a slot with its padding: m || 0x80 ||
 * 00…
 */
export function putPlain({ view, stride, length: bucket }: Buffers, slot: number, length: number): void {
  const from = current.view;
  from.setInt32(length, PAD, true);
  let to = slot * stride;
  view.setUint16(to, HEADER);
  to += TEXT_AT;
  let i = 0;
  for (; i <= length; i += 4) view.setInt32(to + i, from.getInt32(i, true), true);
  for (; i < bucket; i += 4) view.setInt32(to + i, 0, true);
}

/** Decodes the sealed text that {@link giveSealed} encoded into a slot. Returns `false` if it is not a sealed value. */
export function putSealed({ view, stride }: Buffers, slot: number, characters: number): boolean {
  const to = slot * stride;
  return readSymbols(current.view, ID_LENGTH, characters - ID_LENGTH, view, to) && view.getUint16(to) === HEADER;
}

/** Writes the sealed text of every value, preceded by the shown key id, into its row of `out`. */
export function takeSealed({ view, stride, length: bucket, count, rows }: Buffers, id: string, out: unknown[]): void {
  const width = charactersOf(bucket);
  const together = width <= GROUP_CHARACTERS / GROUP ? GROUP : 1;
  const to = width <= GROUP_CHARACTERS ? group : bytesOf(width);
  for (let first = 0; first < count; first += together) {
    const size = Math.min(together, count - first);
    for (let k = 0, at = 0; k < size; k++, at += width) {
      for (let i = 0; i < ID_LENGTH; i++) to.bytes[at + i] = id.charCodeAt(i);
      writeSymbols(view, (first + k) * stride, stride, to.view, at + ID_LENGTH);
    }
    const text = decodeAscii(to.bytes, 0, size * width);
    if (together === 1) {
      out[rows[first]!] = text;
    } else {
      for (let k = 0; k < size; k++) out[rows[first + k]!] = text.slice(k * width, (k + 1) * width);
    }
  }
}

/** For each text of a group: its slot, and where it ends in the group. */
const slots: Int32Array = /* @__PURE__ */ new Int32Array(GROUP);
const ends: Int32Array = /* @__PURE__ */ new Int32Array(GROUP);

/**
 * Writes the plaintext of every slot into its row of `out`, and wipes the buffers. `refuse` is called for a row whose
 * verdict is 0, or whose padding or encoding is not what {@link putPlain} writes.
 */
export function takePlain(buffers: Buffers, out: unknown[], refuse: (row: number) => void): void {
  const { bytes, view, stride, length: bucket, count, rows, verdicts } = buffers;
  // Texts in ASCII are collected in a group and decoded together.
  let size = 0;
  let end = 0;
  let most = 0;
  const flush = () => {
    const text = decodeAscii(group.bytes, 0, end);
    for (let k = 0; k < size; k++) out[rows[slots[k]!]!] = text.slice(k === 0 ? 0 : ends[k - 1]!, ends[k]!);
    most = Math.max(most, end);
    size = 0;
    end = 0;
  };
  for (let slot = 0; slot < count; slot++) {
    if (verdicts[slot] !== 1) {
      refuse(rows[slot]!);
      continue;
    }
    const at = slot * stride + TEXT_AT;
    // The last word that is not zero contains the first byte of the padding as its last byte that is not zero.
    let i = bucket - 4;
    while (i > 0 && view.getInt32(at + i, true) === 0) i -= 4;
    const last = view.getInt32(at + i, true);
    const shift = (31 - Math.clz32(last)) & 24;
    const length = i + (shift >>> 3);
    // A plaintext in a bucket that is larger than its own is refused, because each value has only one sealed text.
    if (last >>> shift !== PAD || bucketOf(length) !== bucket) {
      refuse(rows[slot]!);
      continue;
    }
    let all = last ^ (PAD << shift);
    for (let k = 0; k < i; k += 4) all |= view.getInt32(at + k, true);
    if ((all & 0x80808080) === 0 && bucket <= GROUP_CHARACTERS / GROUP) {
      for (let k = 0; k < length; k += 4) group.view.setInt32(end + k, view.getInt32(at + k, true), true);
      end += length;
      slots[size] = slot;
      ends[size++] = end;
      if (size === GROUP) flush();
      continue;
    }
    try {
      out[rows[slot]!] = decoder.decode(bytes.subarray(at, at + length));
    } catch {
      refuse(rows[slot]!);
    }
  }
  if (size > 0) flush();
  bytes.fill(0, 0, count * stride);
  group.bytes.fill(0, 0, most + 4);
}
