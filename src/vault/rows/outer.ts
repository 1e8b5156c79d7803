/**
 * The outer layer of docs/spec/vault-v1.md: what whoever holds the store without a key sees. Its key can be changed
 * without any token or value. It works on columns; a column of indexes is one array of 16 bytes each.
 */

import { copyTo, encodeList } from '../../core/bytes.ts';
import { encryptEach, expandKey, manyBlocks } from '../../kernel/aes/aes.ts';
import { decryptWords, expandInverseKey } from '../../kernel/aes/inverse.ts';
import { hmacBytes } from '../../kernel/prf/hmac.ts';
import { aesSivRows, SIV_LENGTH, SLOTS } from '../../kernel/siv/siv.ts';
import { type DomainKey, expandNode } from '../../keys/domain-keys.ts';
import type { Row, Table } from '../stores/store.ts';

/** Bytes of an index. */
export const INDEX = 16;

/** What of a row is bound to its body. */
export type Bound = Pick<Row, 'index' | 'version' | 'expires'>;

/** The outer layer under one key. */
export interface Outer {
  /** Shown id of the key. */
  readonly id: string;
  /** One block of AES-256 each. */
  readonly indexesOf: (inners: Uint8Array) => Uint8Array;
  readonly indexOf: (inner: Uint8Array) => Uint8Array;
  /** The inverse. */
  readonly innerOf: (index: Uint8Array) => Uint8Array;
  /** Rows from what is to stand in them: at least 16 bytes each. */
  readonly sealMany: (table: Table, bounds: readonly Bound[], contents: readonly Uint8Array[]) => Row[];
  readonly seal: (table: Table, bound: Bound, content: Uint8Array) => Row;
  /** What stands in rows, as `read` makes it of the bytes from one place to another; `null` for those that do not verify. */
  readonly openMany: <T>(
    table: Table,
    rows: readonly Row[],
    read: (bytes: Uint8Array, from: number, to: number) => T | null,
  ) => (T | null)[];
  readonly open: (table: Table, row: Row) => Uint8Array | null;
  /** HMAC-SHA-256 for the metadata. */
  readonly mac: (message: Uint8Array) => Uint8Array;
}

/** Shortest content: shorter ones would take another way through AES-SIV, and no row has one (content.ts). */
const SHORTEST = 16;

/** From this many indexes on, the door of AES for many blocks is faster (ff1-prf.ts measured 6). */
const MANY = 8;

/** Key set-up. */
export function outerLayer(key: DomainKey, store: string): Outer {
  const { id } = key;
  const node = key.derive('vault', store, ['outer']);
  const indexKey = expandNode(node, 'index', 32);
  const [forward, backward, many] = [expandKey(indexKey), expandInverseKey(indexKey), manyBlocks(indexKey)];
  const siv = aesSivRows(expandNode(node, 'content', 64));

  function indexesOf(inners: Uint8Array): Uint8Array {
    const out = new Uint8Array(inners.length);
    if (inners.length >= MANY * INDEX) {
      out.set(many(inners));
    } else {
      encryptEach(forward, new DataView(inners.buffer, inners.byteOffset, inners.length), new DataView(out.buffer));
    }
    return out;
  }

  /** encodeList(['vault-v1', table, id, index, version || expires]) without the last three, and how long it is in all. */
  const heads = new Map<Table, Uint8Array>();
  function headOf(table: Table): Uint8Array {
    let head = heads.get(table);
    if (head === undefined) {
      head = encodeList(['vault-v1', table, id, new Uint8Array(INDEX), new Uint8Array(NUMBERS)]);
      heads.set(table, head);
    }
    return head;
  }

  /** Does the work for some rows of one length: values with associated data, as kernel/siv.ts wants them. */
  function over(
    table: Table,
    bounds: readonly Bound[],
    places: readonly number[],
    length: number,
    put: (place: number, bytes: Uint8Array, at: number) => void,
    work: (values: Parameters<typeof siv.seal>[0], data: Parameters<typeof siv.seal>[1], first: number) => void,
  ): { readonly bytes: Uint8Array; readonly stride: number } {
    const stride = SIV_LENGTH + 16 * Math.ceil(length / 16);
    const bytes = new Uint8Array(places.length * stride);
    const view = new DataView(bytes.buffer);
    const head = headOf(table);
    const dataStride = 16 * Math.ceil(head.length / 16);
    const slots = Math.min(SLOTS, places.length);
    const data = new Uint8Array(slots * dataStride);
    const dataView = new DataView(data.buffer);
    for (let slot = 0; slot < slots; slot++) data.set(head, slot * dataStride);
    for (let first = 0; first < places.length; first += SLOTS) {
      const count = Math.min(SLOTS, places.length - first);
      for (let slot = 0, at = head.length; slot < count; slot++, at += dataStride) {
        const place = places[first + slot]!;
        const { index, version, expires } = bounds[place]!;
        for (let i = 0; i < INDEX; i++) data[at - NUMBERS - 4 - INDEX + i] = index[i]!;
        dataView.setUint32(at - 8, version);
        dataView.setUint32(at - 4, expires ?? NEVER);
        put(place, bytes, (first + slot) * stride);
      }
      work(
        { view, at: first * stride, stride, length, count },
        { view: dataView, at: 0, stride: dataStride, length: head.length },
        first,
      );
    }
    return { bytes, stride };
  }

  function sealMany(table: Table, bounds: readonly Bound[], contents: readonly Uint8Array[]): Row[] {
    const rows = new Array<Row>(bounds.length);
    for (const [length, places] of byLength(contents, 0)) {
      const put = (place: number, bytes: Uint8Array, at: number) => copyTo(contents[place]!, 0, bytes, at + SIV_LENGTH);
      const { bytes, stride } = over(table, bounds, places, length, put, siv.seal);
      for (let k = 0; k < places.length; k++) {
        const place = places[k]!;
        const { index, version, expires } = bounds[place]!;
        const body = bytes.subarray(k * stride, k * stride + SIV_LENGTH + length);
        rows[place] = { index, key: id, version, expires, body };
      }
    }
    return rows;
  }

  function openMany<T>(
    table: Table,
    rows: readonly Row[],
    read: (bytes: Uint8Array, from: number, to: number) => T | null,
  ): (T | null)[] {
    const out = new Array<T | null>(rows.length).fill(null);
    const bodies = rows.map((row) => (isRow(row) ? row.body : null));
    for (const [length, places] of byLength(bodies, SIV_LENGTH)) {
      const verdicts = new Uint8Array(places.length);
      const put = (place: number, bytes: Uint8Array, at: number) => copyTo(bodies[place]!, 0, bytes, at);
      const { bytes, stride } = over(table, rows, places, length, put, (values, data, first) => {
        siv.open(values, data, verdicts.subarray(first));
      });
      for (let k = 0; k < places.length; k++) {
        const at = k * stride + SIV_LENGTH;
        if (verdicts[k] === 1) out[places[k]!] = read(bytes, at, at + length);
      }
    }
    return out;
  }

  return {
    id,
    indexesOf,
    indexOf: indexesOf,
    innerOf(index) {
      // A store may hand over a `Buffer`, whose `slice` does not copy.
      const out = Uint8Array.from(index);
      const view = new DataView(out.buffer);
      const [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [number, number, number, number];
      const { s0, s1, s2, s3 } = decryptWords(backward, a, b, c, d);
      for (const [i, word] of [s0, s1, s2, s3].entries()) view.setUint32(4 * i, word, true);
      return out;
    },
    sealMany,
    seal: (table, bound, content) => sealMany(table, [bound], [content])[0]!,
    openMany,
    open: (table, row) => openMany(table, [row], (bytes, from, to) => bytes.subarray(from, to))[0]!,
    mac: hmacBytes(expandNode(node, 'meta', 32)),
  };
}

/** The places of texts by their length, which is `more` less than they have; those too short for a content are left out. */
function byLength(texts: readonly (Uint8Array | null)[], more: number): Map<number, number[]> {
  const places = new Map<number, number[]>();
  let last = -1;
  let list: number[] = [];
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text === null) continue;
    const length = text!.length - more;
    if (length < SHORTEST) continue;
    if (length !== last) {
      last = length;
      list = places.get(length) ?? [];
      places.set(length, list);
    }
    list.push(i);
  }
  return places;
}

/** Whether the parts of a row have the sizes in which they are bound to its body: a store may hand over anything. */
function isRow({ index, version, expires, body }: Row): boolean {
  if (!(index instanceof Uint8Array) || !(body instanceof Uint8Array)) return false;
  return index.length === INDEX && fits(version, 1) && (expires === null || fits(expires, 0));
}

function fits(number: number, least: number): boolean {
  return Number.isInteger(number) && number >= least && number < 2 ** 31;
}

/** Bytes of version and day. */
const NUMBERS = 8;

/** What stands for "never" among the days. */
const NEVER = 0xffffffff;
