/** The bundles of a log one after another, with the hashes of their entries, and with some read ahead. */

import { HASH_BYTES, leafHashTo } from '../../kernel/merkle.ts';
import { walkBundle } from '../tree/bundle.ts';
import type { LogSource } from '../tree/source.ts';
import { TILE_WIDTH, tileOf } from '../tree/tiles.ts';
import { type BundleFile, readBundle } from './reading.ts';

/** The most files that are read ahead, and about how many bytes they may have. */
const MOST_AHEAD = 8;
const BYTES_AHEAD = 4_194_304;

/** A bundle, and the hashes of its entries. */
export interface HashedBundle {
  /** The number of the bundle. */
  readonly index: number;
  /** The number of its first entry. */
  readonly first: number;
  /** How many entries it has in the tree. */
  readonly width: number;
  /** How many entries are there, up to `width`. */
  readonly whole: number;
  /** The hashes of these. */
  readonly leaves: Uint8Array;
  /** Whether there are bytes after the last entry that none of them has. */
  readonly isLonger: boolean;
  /** The file: its `bytes` are `null` if it is missing. */
  readonly file: BundleFile;
  /** The file that was read with it, if one was wanted. */
  readonly tile: Promise<Uint8Array | null> | null;
}

/**
 * Reads the bundles of a tree in their order.
 *
 * @param from the number of the first bundle.
 * @param readTile reads another file for each full bundle, ahead as well; its errors are those of `tile`.
 */
export async function* hashedBundles(
  source: LogSource,
  from: number,
  size: number,
  readTile: ((index: number) => Promise<Uint8Array | null>) | null,
): AsyncGenerator<HashedBundle> {
  const end = Math.ceil(size / TILE_WIDTH);
  const pending: ReturnType<typeof start>[] = [];
  let next = from;
  let ahead = 1;

  function start(index: number) {
    const { width } = tileOf(0, index * TILE_WIDTH, size);
    const file = readBundle(source, { level: 'entries', index, width });
    const tile = readTile !== null && width === TILE_WIDTH ? readTile(index) : null;
    // Their errors are for the one who takes them, if anybody does.
    file.catch(() => {});
    tile?.catch(() => {});
    return { index, width, file, tile };
  }

  for (let index = from; index < end; index++) {
    while (next < end && pending.length < ahead) pending.push(start(next++));
    const { width, file, tile } = pending.shift()!;
    const bundle = hashed(index, width, await file, tile);
    ahead = Math.max(1, Math.min(MOST_AHEAD, Math.floor(BYTES_AHEAD / (bundle.file.bytes?.length || 1))));
    yield bundle;
  }
}

function hashed(index: number, width: number, file: BundleFile, tile: HashedBundle['tile']): HashedBundle {
  const leaves = new Uint8Array(width * HASH_BYTES);
  const bytes = file.bytes ?? new Uint8Array(0);
  let at = 0;
  const { whole, end } = walkBundle(bytes, width, (from, length) => {
    leafHashTo(bytes, from, length, leaves, at);
    at += HASH_BYTES;
  });
  return {
    index,
    first: index * TILE_WIDTH,
    width,
    whole,
    leaves: leaves.subarray(0, at),
    isLonger: file.width === width && whole === width && end < bytes.length,
    file,
    tile,
  };
}
