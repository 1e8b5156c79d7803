/**
 * The outer layer of docs/spec/vault-v1.md, which is what somebody sees who holds the store but no key. Its key can be
 * changed without any token or value. It works on columns: a column of indexes is one array with 16 bytes for each.
 */

import { copyTo, encodeList } from '../../core/bytes.ts';
import { encryptEach, expandKey, manyBlocks } from '../../kernel/aes/aes.ts';
import { decryptWords, expandInverseKey } from '../../kernel/aes/inverse.ts';
import { hmacBytes } from '../../kernel/prf/hmac.ts';
import { aesSivRows, SIV_LENGTH, SLOTS } from '../../kernel/siv/siv.ts';
import { type DomainKey, expandNode } from '../../keys/domain-keys.ts';
import { INDEX, type Row, TABLES, type Table } from '../stores/store.ts';

/** The fields of a row that are bound to its body. */
export type Bound = Pick<Row, 'index' | 'version' | 'expires'>;

/** Reads a content from `from` to `to` of some bytes; `null` if it is not one. */
export type ReadBytes<T> = (bytes: Uint8Array, from: number, to: number) => T | null;

/** The outer layer under one key. */
export interface Outer {
  /** Shown id of the key. */
  readonly id: string;
  /** Returns the indexes of inner indexes: one block of AES-256 each. */
  readonly indexesOf: (inners: Uint8Array) => Uint8Array;
  readonly indexOf: (inner: Uint8Array) => Uint8Array;
  /** The inverse of `indexOf`. */
  readonly innerOf: (index: Uint8Array) => Uint8Array;
  /** Seals contents of at least 16 bytes each, and returns the rows. */
  readonly sealMany: (table: Table, bounds: readonly Bound[], contents: readonly Uint8Array[]) => Row[];
  readonly seal: (table: Table, bound: Bound, content: Uint8Array) => Row;
  /** Opens rows, and returns what `read` returns for their contents; `null` for a row that does not verify. */
  readonly openMany: <T>(table: Table, rows: readonly Row[], read: ReadBytes<T>) => (T | null)[];
  readonly open: (table: Table, row: Row) => Uint8Array | null;
  /** HMAC-SHA-256 for the metadata and for exports. */
  readonly mac: (message: Uint8Array) => Uint8Array;
}

/** Bytes of the shortest content. AES-SIV treats shorter ones differently, and no row has one (content.ts). */
const SHORTEST = 16;

/** From this many indexes, AES over many blocks is faster than block by block (kernel/ff1/prf.ts measured 6). */
const MANY = 8;

/** Bytes of version and day. */
const NUMBERS = 8;

/** The day of a row that never expires. */
const NEVER = 0xffffffff;

type Siv = ReturnType<typeof aesSivRows>;

/** One key, expanded. */
interface Keys {
  readonly id: string;
  readonly forward: ReturnType<typeof expandKey>;
  readonly backward: ReturnType<typeof expandInverseKey>;
  readonly many: ReturnType<typeof manyBlocks>;
  readonly siv: Siv;
  /** The associated data of each table, with zeros for index, version and day. */
  readonly data: ReadonlyMap<Table, Uint8Array>;
}

/** Key set-up. */
export function outerLayer(key: DomainKey, store: string): Outer {
  const { id } = key;
  const node = key.derive('vault', store, ['outer']);
  const indexKey = expandNode(node, 'index', 32);
  const keys: Keys = {
    id,
    forward: expandKey(indexKey),
    backward: expandInverseKey(indexKey),
    many: manyBlocks(indexKey),
    siv: aesSivRows(expandNode(node, 'content', 64)),
    data: new Map(TABLES.map((table) => [table, emptyData(table, id)])),
  };
  const indexes = (inners: Uint8Array) => indexesOf(keys, inners);
  return {
    id,
    indexesOf: indexes,
    indexOf: indexes,
    innerOf: (index) => innerOf(keys, index),
    sealMany: (table, bounds, contents) => sealMany(keys, table, bounds, contents),
    seal: (table, bound, content) => sealMany(keys, table, [bound], [content])[0]!,
    openMany: (table, rows, read) => openMany(keys, table, rows, read),
    open: (table, row) => openMany(keys, table, [row], (bytes, from, to) => bytes.subarray(from, to))[0]!,
    mac: hmacBytes(expandNode(node, 'meta', 32)),
  };
}

/** encode("vault-v1", table, id, index, version || day) with zeros for the last two. */
function emptyData(table: Table, id: string): Uint8Array {
  return encodeList(['vault-v1', table, id, new Uint8Array(INDEX), new Uint8Array(NUMBERS)]);
}

function indexesOf({ forward, many }: Keys, inners: Uint8Array): Uint8Array {
  const out = new Uint8Array(inners.length);
  if (inners.length >= MANY * INDEX) {
    out.set(many(inners));
  } else {
    encryptEach(forward, new DataView(inners.buffer, inners.byteOffset, inners.length), new DataView(out.buffer));
  }
  return out;
}

function innerOf({ backward }: Keys, index: Uint8Array): Uint8Array {
  // A store may return a `Buffer`, whose `slice` does not copy.
  const out = Uint8Array.from(index);
  const view = new DataView(out.buffer);
  const [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  const { s0, s1, s2, s3 } = decryptWords(backward, a, b, c, d);
  for (const [i, word] of [s0, s1, s2, s3].entries()) view.setUint32(4 * i, word, true);
  return out;
}

function sealMany(keys: Keys, table: Table, bounds: readonly Bound[], contents: readonly Uint8Array[]): Row[] {
  const rows = new Array<Row>(bounds.length);
  for (const [length, positions] of byLength(contents, 0)) {
    const put = (position: number, bytes: Uint8Array, at: number) =>
      copyTo(contents[position]!, 0, bytes, at + SIV_LENGTH);
    const { bytes, stride } = forEachSlot(keys, table, bounds, positions, length, put, keys.siv.seal);
    for (let k = 0; k < positions.length; k++) {
      const position = positions[k]!;
      const { index, version, expires } = bounds[position]!;
      const body = bytes.subarray(k * stride, k * stride + SIV_LENGTH + length);
      rows[position] = { index, key: keys.id, version, expires, body };
    }
  }
  return rows;
}

function openMany<T>(keys: Keys, table: Table, rows: readonly Row[], read: ReadBytes<T>): (T | null)[] {
  const out = new Array<T | null>(rows.length).fill(null);
  const bodies = rows.map((row) => (isRow(row) ? row.body : null));
  for (const [length, positions] of byLength(bodies, SIV_LENGTH)) {
    const verdicts = new Uint8Array(positions.length);
    const put = (position: number, bytes: Uint8Array, at: number) => copyTo(bodies[position]!, 0, bytes, at);
    const { bytes, stride } = forEachSlot(keys, table, rows, positions, length, put, (values, data, first) => {
      keys.siv.open(values, data, verdicts.subarray(first));
    });
    for (let k = 0; k < positions.length; k++) {
      const at = k * stride + SIV_LENGTH;
      if (verdicts[k] === 1) out[positions[k]!] = read(bytes, at, at + length);
    }
  }
  return out;
}

/**
 * Lays rows of one length out as kernel/siv/siv.ts takes them, values and associated data in slots of equal size, and
 * calls `work` for at most `SLOTS` rows at a time.
 *
 * @param positions positions of the rows in `bounds`.
 * @param put writes the value of a row to `at` of `bytes`.
 * @returns all values, one slot of `stride` bytes for each of `positions`.
 */
function forEachSlot(
  keys: Keys,
  table: Table,
  bounds: readonly Bound[],
  positions: readonly number[],
  length: number,
  put: (position: number, bytes: Uint8Array, at: number) => void,
  work: (values: Parameters<Siv['seal']>[0], data: Parameters<Siv['seal']>[1], first: number) => void,
): { readonly bytes: Uint8Array; readonly stride: number } {
  const stride = SIV_LENGTH + 16 * Math.ceil(length / 16);
  const bytes = new Uint8Array(positions.length * stride);
  const view = new DataView(bytes.buffer);
  const empty = keys.data.get(table)!;
  const dataStride = 16 * Math.ceil(empty.length / 16);
  const slots = Math.min(SLOTS, positions.length);
  const data = new Uint8Array(slots * dataStride);
  const dataView = new DataView(data.buffer);
  for (let slot = 0; slot < slots; slot++) data.set(empty, slot * dataStride);
  for (let first = 0; first < positions.length; first += SLOTS) {
    const count = Math.min(SLOTS, positions.length - first);
    for (let slot = 0, end = empty.length; slot < count; slot++, end += dataStride) {
      const position = positions[first + slot]!;
      const { index, version, expires } = bounds[position]!;
      // The list ends with index, length of the numbers (4 bytes), version, day.
      for (let i = 0; i < INDEX; i++) data[end - NUMBERS - 4 - INDEX + i] = index[i]!;
      dataView.setUint32(end - 8, version);
      dataView.setUint32(end - 4, expires ?? NEVER);
      put(position, bytes, (first + slot) * stride);
    }
    work(
      { view, at: first * stride, stride, length, count },
      { view: dataView, at: 0, stride: dataStride, length: empty.length },
      first,
    );
  }
  return { bytes, stride };
}

/**
 * Returns the positions of texts by the length of their content, which is `overhead` bytes shorter. Texts that are too
 * short for a content are left out.
 */
function byLength(texts: readonly (Uint8Array | null)[], overhead: number): Map<number, number[]> {
  const positions = new Map<number, number[]>();
  let last = -1;
  let list: number[] = [];
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text === null) continue;
    const length = text!.length - overhead;
    if (length < SHORTEST) continue;
    if (length !== last) {
      last = length;
      list = positions.get(length) ?? [];
      positions.set(length, list);
    }
    list.push(i);
  }
  return positions;
}

/** Whether the fields of a row have the sizes in which they are bound to its body. A store may return anything. */
function isRow({ index, version, expires, body }: Row): boolean {
  if (!(index instanceof Uint8Array) || !(body instanceof Uint8Array)) return false;
  return index.length === INDEX && fits(version, 1) && (expires === null || fits(expires, 0));
}

function fits(number: number, least: number): boolean {
  return Number.isInteger(number) && number >= least && number < 2 ** 31;
}
