/**
 * The text of a sealed value, and what is sealed in it (docs/spec/seal-v1.md, "Buckets" and "Steps"): values go into a
 * room, padded, and come out of it as texts; and the other way.
 *
 * A room has values of one bucket, each as the bytes that base32 shows: header, synthetic IV, text.
 */

import { decodeAscii, GROUP } from '../core/ascii.ts';
import { checkText } from '../core/checks.ts';
import { readSymbols, symbolsOf, writeSymbols } from './base32.ts';
import { ID_LENGTH } from './labelled-token.ts';

/** Version of the format, and the algorithm: 1 is AES-256-SIV; the others are free, one for sealing to a public key. */
export const VERSION = 1;
export const ALGORITHM_BYTE = 1;
const HEADER: number = (VERSION << 8) | ALGORITHM_BYTE;
const HEADER_LENGTH = 2;

/** Bytes of the synthetic IV. */
const IV_LENGTH = 16;

/** Where a value begins. */
const TEXT_AT: number = HEADER_LENGTH + IV_LENGTH;

/**
 * Lengths of the padded plaintext in bytes: powers of two from 32 to 2^20. A name's length is a leak; of a value of up
 * to 31 bytes nothing shows, of a longer one the power of two.
 */
const SMALLEST_BUCKET = 32;
export const LARGEST_BUCKET = 1_048_576;

/** First byte of the padding (ISO/IEC 7816-4). */
const PAD = 0x80;

/** Values of a room at most, bytes of a room that has several values, and characters that are decoded at once. */
const SLOTS = 1024;
const ROOM_BYTES = 131_072;
const GROUP_CHARACTERS = 8192;

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a text on its way in, read before the next. Long ones get an array of their own. */
const SHORT = 4096;
const short: Bytes = /* @__PURE__ */ bytesOf(SHORT);
let given: Bytes = short;

/** Characters of texts on their way out: sealed ones, or plain ones in ASCII. */
const group: Bytes = /* @__PURE__ */ bytesOf(GROUP_CHARACTERS);

interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function bytesOf(length: number): Bytes {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Buffers for values of one bucket, laid out as kernel/siv.ts wants values. */
export interface Buffers extends Bytes {
  /** Where the synthetic IV of the first value is. */
  readonly at: number;
  /** Bytes of a padded value, which is its bucket; and of header, IV and padded value. */
  readonly length: number;
  readonly stride: number;
  /** How many values fit in. */
  readonly slots: number;
  /** For the caller: how many there are, and the row of each. */
  count: number;
  readonly rows: Int32Array;
  /** For the caller: what became of each. */
  readonly verdicts: Uint8Array;
}

/** The bucket of a value of so many bytes. */
export function bucketOf(length: number): number {
  let bucket = SMALLEST_BUCKET;
  while (bucket <= length) bucket *= 2;
  return bucket;
}

/** The bucket of a sealed text of so many characters, or 0 when there is none. */
export function bucketOfText(characters: number): number {
  const bucket = Math.floor(((characters - ID_LENGTH) * 5) / 8) - TEXT_AT;
  const is = bucket >= SMALLEST_BUCKET && bucket <= LARGEST_BUCKET && (bucket & (bucket - 1)) === 0;
  return is && charactersOf(bucket) === characters ? bucket : 0;
}

function charactersOf(bucket: number): number {
  return ID_LENGTH + symbolsOf(TEXT_AT + bucket);
}

/** A room of each bucket that nobody uses now, by the bucket's logarithm. */
const spare: (Buffers | null)[] = /* @__PURE__ */ new Array<Buffers | null>(21).fill(null);

/**
 * Lends a room for up to `count` values, which may have less: it is emptied when it is full. A column with getters could
 * start another column in the middle of this one, which then gets a room of its own.
 */
export function borrowBuffers(bucket: number, count: number): Buffers {
  const stride = TEXT_AT + bucket;
  const slots = Math.min(count, SLOTS, Math.max(1, Math.floor(ROOM_BYTES / stride)));
  const place = 31 - Math.clz32(bucket);
  const room = spare[place]!;
  if (room !== null && room.slots >= slots) {
    spare[place] = null;
    return room;
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

/** Takes a room back, without what was in it. A large one is let go. */
export function returnRoom(room: Buffers): void {
  if (room.bytes.length > ROOM_BYTES) return;
  room.count = 0;
  spare[31 - Math.clz32(room.length)] = room;
}

/** Rows after which all rooms are emptied. */
const CHUNK = 1024;

/**
 * Goes over the rows of a column. `put` puts a row's value into the slot `count` of a room for its key and bucket, and
 * gives the room, or `null` when there is nothing to do. `run` does the work of a room that is full, or at the end of a
 * chunk; `chunkDone` comes after all rooms of a chunk.
 */
export function inBatches<Key>(
  rows: number,
  put: (row: number, roomOf: (key: Key, bucket: number) => Buffers) => Buffers | null,
  run: (key: Key, room: Buffers) => void,
  chunkDone: () => void = () => {},
): void {
  const lent: { readonly key: Key; readonly room: Buffers }[] = [];
  let last: { readonly key: Key; readonly room: Buffers } | null = null;

  function roomOf(key: Key, bucket: number): Buffers {
    if (last !== null && last.key === key && last.room.length === bucket) return last.room;
    last = lent.find(({ key: other, room }) => other === key && room.length === bucket) ?? null;
    if (last === null) {
      last = { key, room: borrowBuffers(bucket, rows) };
      lent.push(last);
    }
    return last.room;
  }

  function empty(key: Key, room: Buffers): void {
    if (room.count > 0) run(key, room);
    room.count = 0;
  }

  for (let first = 0; first < rows; first += CHUNK) {
    const end = Math.min(rows, first + CHUNK);
    for (let row = first; row < end; row++) {
      const room = put(row, roomOf);
      if (room === null) continue;
      room.rows[room.count++] = row;
      if (room.count === room.slots) empty(last!.key, room);
    }
    for (const { key, room } of lent) empty(key, room);
    chunkDone();
  }
  for (const { room } of lent) returnRoom(room);
}

/** Puts the UTF-8 of a text where {@link putPlain} takes it from; its length in bytes. Lone surrogates are refused. */
export function givePlain(text: string): number {
  // Too long in any case: a character takes a byte or more.
  if (text.length >= LARGEST_BUCKET) return checkText(text).length;
  take(3 * text.length);
  const { written } = encoder.encodeInto(text, given.bytes);
  if (written !== text.length) checkText(text);
  return written;
}

/** Puts the characters of a text where {@link putSealed} takes them from; `false` when they are not all ASCII. */
export function giveSealed(text: string): boolean {
  take(text.length);
  // A character beyond ASCII gives more bytes, or does not fit in.
  return encoder.encodeInto(text, given.bytes).written === text.length;
}

function take(bytes: number): void {
  // One word of room for what putPlain writes behind the text.
  given = bytes <= SHORT - 4 ? short : bytesOf(bytes + 4);
}

/** The key id that the given text begins with, as {@link idNumber} has it. */
export function givenId(): number {
  return (given.view.getInt32(0) >>> 0) * 256 + given.bytes[4]!;
}

/** The five characters of a key id as one number. */
export function idNumber(id: string): number {
  let number = 0;
  for (let i = 0; i < ID_LENGTH; i++) number = number * 256 + id.charCodeAt(i);
  return number;
}

/** m || 0x80 || 00…: pads the text that was given, of `length` bytes, into a slot. */
export function putPlain({ view, stride, length: bucket }: Buffers, slot: number, length: number): void {
  const from = given.view;
  from.setInt32(length, PAD, true);
  let to = slot * stride;
  view.setUint16(to, HEADER);
  to += TEXT_AT;
  let i = 0;
  for (; i <= length; i += 4) view.setInt32(to + i, from.getInt32(i, true), true);
  for (; i < bucket; i += 4) view.setInt32(to + i, 0, true);
}

/** Reads the base32 of the text that was given, of `characters`, into a slot; `false` when that is no sealed value. */
export function putSealed({ view, stride }: Buffers, slot: number, characters: number): boolean {
  const to = slot * stride;
  return readSymbols(given.view, ID_LENGTH, characters - ID_LENGTH, view, to) && view.getUint16(to) === HEADER;
}

/** Writes the sealed text of every value of a room, with the shown key id before it, into its row. */
export function takeSealed({ view, stride, length: bucket, count, rows }: Buffers, id: string, out: unknown[]): void {
  const width = charactersOf(bucket);
  const many = width <= GROUP_CHARACTERS / GROUP ? GROUP : 1;
  const to = width <= GROUP_CHARACTERS ? group : bytesOf(width);
  for (let first = 0; first < count; first += many) {
    const size = Math.min(many, count - first);
    for (let k = 0, at = 0; k < size; k++, at += width) {
      for (let i = 0; i < ID_LENGTH; i++) to.bytes[at + i] = id.charCodeAt(i);
      writeSymbols(view, (first + k) * stride, stride, to.view, at + ID_LENGTH);
    }
    const text = decodeAscii(to.bytes, 0, size * width);
    if (many === 1) {
      out[rows[first]!] = text;
    } else {
      for (let k = 0; k < size; k++) out[rows[first + k]!] = text.slice(k * width, (k + 1) * width);
    }
  }
}

/** Texts of the group: slots, and where they end. */
const slots: Int32Array = /* @__PURE__ */ new Int32Array(GROUP);
const ends: Int32Array = /* @__PURE__ */ new Int32Array(GROUP);

/**
 * Writes the value of every slot whose verdict is 1 into its row, and tells the rows of those whose padding or encoding
 * nobody writes. Then the room is wiped.
 */
export function takePlain(room: Buffers, out: unknown[], refuse: (row: number) => void): void {
  const { bytes, view, stride, length: bucket, count, rows, verdicts } = room;
  // Texts in ASCII are decoded together: where they end in the group, and their slots.
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
    // The last word that is not zero ends with the padding's first byte.
    let i = bucket - 4;
    while (i > 0 && view.getInt32(at + i, true) === 0) i -= 4;
    const last = view.getInt32(at + i, true);
    const shift = (31 - Math.clz32(last)) & 24;
    const length = i + (shift >>> 3);
    // A plaintext in a bucket larger than its own is not canonical.
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
