/**
 * A group of entries that are written together: one journal, one signature, one set of files. The entries are kept as
 * the bytes of a bundle (each after its length in two bytes), so that journal and bundles are copies of parts of them.
 */

import { LENGTH_BYTES } from '../tree/bundle.ts';
import { TILE_WIDTH } from '../tree/tiles.ts';
import type { StoredOpening } from './store.ts';

/** The most entries of a group: those of a tile. A group ends where a tile does, so that few tiles are partial. */
export const MOST_ENTRIES: number = TILE_WIDTH;

/** The most bytes of a group, except that a single entry is always taken. */
export const MOST_BYTES = 4_194_304;

/** What an append returns when its entry is on the disk. */
export interface Appended {
  /** The place of the entry in the log, from 0. */
  readonly index: number;
  /** The signed checkpoint that the entry is under: a note. */
  readonly checkpoint: string;
  /** The bytes of the entry in the log, which `checkProof` needs. For log-v1 they have the time that was added. */
  readonly entry: Uint8Array;
}

/** Someone who waits for an entry. */
interface Waiter {
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** A group of entries. */
export interface Group {
  /** The index of the first entry. */
  readonly first: number;
  /** How many entries it has. */
  readonly count: () => number;
  /** Its entries, each after its length in two bytes. */
  readonly records: () => Uint8Array;
  readonly openings: readonly StoredOpening[];
  readonly hasRoom: (length: number) => boolean;
  /** Adds an entry, whose bytes are copied. The promise is settled by `resolve` or `reject`. */
  readonly add: (entry: Uint8Array, opening: string | null) => Promise<Appended>;
  readonly resolve: (checkpoint: string) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a group of the entries from index `first` on. */
export function makeGroup(first: number): Group {
  let buffer = new Uint8Array(16_384);
  let used = 0;
  let count = 0;
  const openings: StoredOpening[] = [];
  const waiters: Waiter[] = [];
  const most = MOST_ENTRIES - (first % TILE_WIDTH);

  function put(entry: Uint8Array): void {
    const end = used + LENGTH_BYTES + entry.length;
    if (end > buffer.length) {
      const larger = new Uint8Array(Math.max(2 * buffer.length, end));
      larger.set(buffer.subarray(0, used));
      buffer = larger;
    }
    buffer[used] = entry.length >>> 8;
    buffer[used + 1] = entry.length & 255;
    buffer.set(entry, used + LENGTH_BYTES);
    used = end;
    count++;
  }

  return {
    first,
    openings,
    count: () => count,
    records: () => buffer.subarray(0, used),
    hasRoom: (length) => count === 0 || (count < most && used + LENGTH_BYTES + length <= MOST_BYTES),
    add(entry, opening) {
      if (opening !== null) openings.push({ index: first + count, text: opening });
      put(entry);
      return new Promise((resolve, reject) => waiters.push({ resolve, reject }));
    },
    resolve(checkpoint) {
      let at = 0;
      for (const [i, waiter] of waiters.entries()) {
        const start = at + LENGTH_BYTES;
        at = start + ((buffer[at]! << 8) | buffer[at + 1]!);
        waiter.resolve({ index: first + i, checkpoint, entry: buffer.slice(start, at) });
      }
    },
    reject(error) {
      for (const waiter of waiters) waiter.reject(error);
    },
  };
}
