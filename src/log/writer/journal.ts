/**
 * The journal: the group that is being written, with a tag that names the tree it extends (docs/spec/log-v1.md,
 * "Journal"). After a crash it is taken only if it extends exactly the tree of the head, so nobody who lacks the key
 * can have something signed by writing into this file.
 */

import { concat, encodeList, equalBytes, utf8 } from '../../core/bytes.ts';
import { HASH_BYTES, sha256To } from '../../kernel/merkle.ts';
import { hmacBytes } from '../../kernel/prf/hmac.ts';
import { LENGTH_BYTES, MOST_ENTRY_BYTES, walkBundle } from '../tree/bundle.ts';
import { MOST_BYTES, MOST_ENTRIES } from './group.ts';

const MAGIC = 'trefoil log-v1 journal\n';
const HEADER = MAGIC.length + 16;

/** Bytes of the tag, and of the key. */
const TAG = 32;
export const JOURNAL_KEY = 32;

/** The most bytes of a journal: a group of the most bytes, or a single entry of the most. */
export const MOST_JOURNAL: number = HEADER + MOST_BYTES + LENGTH_BYTES + MOST_ENTRY_BYTES + TAG;

/** The tree that a group extends. */
export interface Base {
  /** The origin of the log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * The size of the tree that the journal of a store says it extends; `null` if it is no journal. The tag is not looked
 * at, because it needs the root at that size.
 */
export function sizeInJournal(bytes: Uint8Array): bigint | null {
  if (bytes.length < HEADER || !equalBytes(bytes.subarray(0, MAGIC.length), utf8(MAGIC))) return null;
  return new DataView(bytes.buffer, bytes.byteOffset + MAGIC.length, 16).getBigUint64(0);
}

/** Writes and reads journals under one key. */
export interface Journal {
  /** The bytes of the journal for a group that extends a tree. */
  readonly write: (base: Base, records: Uint8Array, count: number) => Uint8Array;
  /** The group in a journal. `null`: it is none, or it does not extend this tree. */
  readonly read: (base: Base, bytes: Uint8Array) => { readonly records: Uint8Array; readonly count: number } | null;
}

/** Makes the journal of a key of 32 bytes. */
export function journalOf(key: Uint8Array): Journal {
  const mac = hmacBytes(key);

  function tagOf({ origin, size, root }: Base, records: Uint8Array, count: number): Uint8Array {
    const digest = new Uint8Array(HASH_BYTES);
    sha256To(records, digest, 0);
    return mac(encodeList(['log-v1 journal', origin, String(size), root, String(count), digest])).slice();
  }

  return {
    write(base, records, count) {
      const header = new Uint8Array(HEADER);
      header.set(utf8(MAGIC));
      const view = new DataView(header.buffer, MAGIC.length);
      view.setBigUint64(0, BigInt(base.size));
      view.setUint32(8, count);
      view.setUint32(12, records.length);
      return concat([header, records, tagOf(base, records, count)]);
    },
    read(base, bytes) {
      if (bytes.length < HEADER + TAG || !equalBytes(bytes.subarray(0, MAGIC.length), utf8(MAGIC))) return null;
      const view = new DataView(bytes.buffer, bytes.byteOffset + MAGIC.length, 16);
      if (view.getBigUint64(0) !== BigInt(base.size)) return null;
      const count = view.getUint32(8);
      const length = view.getUint32(12);
      if (count === 0 || count > MOST_ENTRIES || bytes.length < HEADER + length + TAG) return null;
      const records = bytes.slice(HEADER, HEADER + length);
      const tag = bytes.subarray(HEADER + length, HEADER + length + TAG);
      if (!equalBytes(tagOf(base, records, count), tag)) return null;
      const { whole, end } = walkBundle(records, count, () => {});
      return whole === count && end === length ? { records, count } : null;
    },
  };
}
