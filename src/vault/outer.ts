/**
 * The outer layer of docs/spec/vault-v1.md: what whoever holds the store without a key sees. Its key can be changed
 * without any token or value.
 */

import { encodeList, utf8 } from '../core/bytes.ts';
import { encryptEach, expandKey } from '../kernel/aes.ts';
import { decryptWords, expandInverseKey } from '../kernel/aes-inverse.ts';
import { hmacBytes } from '../kernel/hmac.ts';
import { sivOnce } from '../kernel/siv-once.ts';
import { type DomainKey, expandNode } from '../keys/domain-keys.ts';
import type { Row, Table } from './store.ts';

/** Bytes of an index. */
export const INDEX = 16;

/** What of a row is bound to its body. */
type Bound = Pick<Row, 'index' | 'version' | 'expires'>;

/** The outer layer under one key. */
export interface Outer {
  /** Shown id of the key. */
  readonly id: string;
  /** One block of AES-256. */
  readonly indexOf: (inner: Uint8Array) => Uint8Array;
  /** The inverse. */
  readonly innerOf: (index: Uint8Array) => Uint8Array;
  /** A row from what is to stand in it. */
  readonly seal: (table: Table, bound: Bound, content: Uint8Array) => Row;
  /** What stands in a row; `null` when it does not verify. */
  readonly open: (table: Table, row: Row) => Uint8Array | null;
  /** HMAC-SHA-256 for the metadata. */
  readonly mac: (message: Uint8Array) => Uint8Array;
}

/** Key set-up. */
export function outerLayer(key: DomainKey, store: string): Outer {
  const { id } = key;
  const node = key.derive('vault', store, ['outer']);
  const indexKey = expandNode(node, 'index', 32);
  const [forward, backward] = [expandKey(indexKey), expandInverseKey(indexKey)];
  const siv = sivOnce(expandNode(node, 'content', 64));

  // encodeList(['vault-v1', table, id, index, version || expires]); all but the last two are the same for every row.
  const data = new Map<Table, Uint8Array>();
  function dataOf(table: Table, { index, version, expires }: Bound): Uint8Array {
    let bytes = data.get(table);
    if (bytes === undefined) {
      bytes = encodeList([utf8('vault-v1'), table, id, new Uint8Array(INDEX), new Uint8Array(8)]);
      data.set(table, bytes);
    }
    const view = new DataView(bytes.buffer);
    bytes.set(index, bytes.length - 28);
    view.setUint32(bytes.length - 8, version);
    view.setUint32(bytes.length - 4, expires ?? NEVER);
    return bytes;
  }

  return {
    id,
    indexOf(inner) {
      const out = inner.slice();
      const view = new DataView(out.buffer);
      encryptEach(forward, view, view);
      return out;
    },
    innerOf(index) {
      const out = index.slice();
      const view = new DataView(out.buffer);
      const [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [number, number, number, number];
      const { s0, s1, s2, s3 } = decryptWords(backward, a, b, c, d);
      for (const [i, word] of [s0, s1, s2, s3].entries()) view.setUint32(4 * i, word, true);
      return out;
    },
    seal(table, bound, content) {
      return { ...bound, key: id, body: siv.seal(content, dataOf(table, bound)) };
    },
    open: (table, row) => (isRow(row) ? siv.open(row.body, dataOf(table, row)) : null),
    mac: hmacBytes(expandNode(node, 'meta', 32)),
  };
}

/** Whether the parts of a row have the sizes in which they are bound to its body: a store may hand over anything. */
function isRow({ index, version, expires }: Row): boolean {
  const fits = (number: number, least: number) => Number.isInteger(number) && number >= least && number < 2 ** 31;
  return index.length === INDEX && fits(version, 1) && (expires === null || fits(expires, 0));
}

/** What stands for "never" among the days. */
const NEVER = 0xffffffff;
