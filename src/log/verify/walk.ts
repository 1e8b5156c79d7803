/**
 * Verifying the entries of a log by tiles that are verified. Every entry is compared with its leaf, so the first wrong
 * one is known exactly, and nothing but the current tiles is held.
 */

import { equalBytes } from '../../core/bytes.ts';
import { completeRoot } from '../../kernel/merkle/complete-root.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import type { LogSource } from '../tree/source.ts';
import { TILE_WIDTH, tileOf, tilePath } from '../tree/tiles.ts';
import { type HashedBundle, hashedBundles } from './bundles.ts';
import { caught, Fault, fault, within } from './finding.ts';
import { readBundle, readTile } from './reading.ts';
import type { TrustedTiles } from './trusted.ts';

/**
 * Verifies the entries from some number on.
 *
 * @param everyTile whether the full tiles of leaves are compared as well. Entries are verified without them, by the
 *   tiles above; but anyone who makes a proof needs them.
 * @param visit is called with each bundle, in order, after it was verified.
 * @throws Fault for the first entry or tile that is wrong.
 */
export async function walkTrusted(
  source: LogSource,
  tiles: TrustedTiles,
  from: number,
  everyTile: boolean,
  visit: (bundle: HashedBundle) => Promise<void>,
): Promise<void> {
  const read = everyTile ? (index: number) => readTile(source, { level: 0, index, width: TILE_WIDTH }) : null;
  for await (const bundle of hashedBundles(source, Math.floor(from / TILE_WIDTH), tiles.size, read)) {
    const isFull = bundle.width === TILE_WIDTH;
    const isGood = isFull
      ? bundle.whole === TILE_WIDTH && equalBytes(completeRoot(bundle.leaves), await tiles.hashOfTile(0, bundle.index))
      : equalBytes(bundle.leaves, await tiles.tile(0, bundle.index));
    if (!isGood) await explain(source, tiles, bundle);
    if (bundle.isLonger) longer(bundle);
    if (bundle.tile !== null) compareTile(bundle, await caught(bundle.tile));
    await visit(bundle);
  }
}

/** Throws what is wrong with a bundle that does not hash to its place. */
async function explain(source: LogSource, tiles: TrustedTiles, bundle: HashedBundle): Promise<never> {
  if (bundle.file.bytes === null) return missing(source, bundle, tiles.size);
  // The tile of its leaves tells which entry it is, if that tile hashes to its place.
  const leaves = await caught(tiles.tile(0, bundle.index));
  if (leaves instanceof Fault) return unexplained(bundle);
  const wrong = firstDifference(bundle.leaves, leaves);
  return wrong === null ? short(bundle) : rewritten(bundle, wrong);
}

/** Throws that entries are missing: only these, or all to the end of the log. */
export async function missing(source: LogSource, bundle: HashedBundle, size: number): Promise<never> {
  const { first: entry, width, file } = bundle;
  const last = { ...tileOf(0, size - 1, size), level: 'entries' as const };
  const isLast = last.index === bundle.index;
  const isCut = isLast || (await readBundle(source, last)).bytes === null;
  const range = [entry, isCut ? size : entry + width] as const;
  return isCut
    ? fault('cut', `the log has no entries from ${entry} to its end`, { entry, range, path: file.path })
    : fault('deleted', `the log has no file ${file.path}, and files after it`, { entry, range, path: file.path });
}

/** Throws that a bundle has fewer entries than the checkpoint, the others being right. */
export function short({ first, width, whole, file: { path } }: HashedBundle): never {
  const entry = first + whole;
  return fault('deleted', `the file ${path} ends before entry ${entry}, or inside it`, {
    path,
    entry,
    range: [entry, first + width],
  });
}

/** Throws that an entry does not hash to its leaf. */
export function rewritten({ first, file: { path } }: HashedBundle, at: number): never {
  const entry = first + at;
  return fault('rewritten', `entry ${entry} does not hash to its leaf`, { path, entry });
}

/** Throws that a bundle has bytes after its last entry. */
export function longer({ first, width, file: { path } }: HashedBundle): never {
  return fault('unreadable', `the file ${path} has bytes after its last entry`, { path, entry: first + width - 1 });
}

/** Throws that a bundle is wrong, and that the tile of its leaves, which would tell the entry, is wrong as well. */
function unexplained({ first, width, file: { path } }: HashedBundle): never {
  return fault(
    'rewritten',
    `the file ${path} does not hash to its place in the tree, and the tile of its leaves neither`,
    {
      path,
      ...within([first, first + width]),
    },
  );
}

/** Compares the tile of leaves with entries that are verified. */
function compareTile({ index, first, leaves }: HashedBundle, tile: Uint8Array | null | Fault): void {
  if (tile instanceof Fault) throw tile;
  const wrong = tile === null ? 0 : firstDifference(leaves, tile);
  if (wrong === null) return;
  const path = tilePath(0, index);
  const entry = first + wrong;
  fault('rewritten', `hash tile ${path} was rewritten at entry ${entry}; the entries are right`, { path, entry });
}

/** The number of the first hash that differs, of those that both have; `null` if there is none. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | null {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return Math.floor(i / HASH_BYTES);
  return null;
}
