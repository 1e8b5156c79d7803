/**
 * The tree of a log as its writer has it: the right edge of the tree and the partial bundle. Entries are added group by
 * group, and each group gives the files that are new (https://c2sp.org/tlog-tiles).
 *
 * It holds at most 8 KiB a level and one bundle, whatever the size of the log.
 */

import { concat } from '../../core/bytes.ts';
import { HASH_BYTES, leafHashTo } from '../../kernel/merkle.ts';
import { walkBundle } from '../tree/bundle.ts';
import { type Tile, type TreeEdge, treeEdge } from '../tree/edge.ts';
import { TILE_WIDTH, tilePath } from '../tree/tiles.ts';
import type { TreeFile } from './store.ts';

/** Where a log has stopped. */
export interface Stop {
  readonly size: number;
  /** The hashes of the partial tile of each level, from level 0 on; no bytes where a level has none. */
  readonly partial: readonly Uint8Array[];
  /** The entries of the partial bundle, each after its length in two bytes. */
  readonly bundle: Uint8Array;
}

/** What the tree is after a group, and the files that make it so. */
export interface Growth {
  readonly size: number;
  readonly root: Uint8Array;
  readonly files: readonly TreeFile[];
  /** The partial tiles and bundles of the previous size that full ones have replaced. */
  readonly replaced: readonly string[];
}

/** A tree that grows. */
export interface GrowingTree {
  readonly size: () => number;
  readonly root: () => Uint8Array;
  /** Adds entries: `count` of them, each after its length in two bytes. */
  readonly grow: (records: Uint8Array, count: number) => Growth;
}

/** Makes a tree where a log has stopped, or an empty one. */
export function growingTree(stop: Stop): GrowingTree {
  const edge = treeEdge({ size: stop.size, partial: stop.partial });
  const leaf = new Uint8Array(HASH_BYTES);
  let bundle: Uint8Array = stop.bundle;

  function grow(records: Uint8Array, count: number): Growth {
    const before = partialPlaces(edge);
    const files: TreeFile[] = [];
    // Where the current bundle begins in the records. The entries of the partial bundle precede it.
    let start = 0;
    walkBundle(records, count, (at, length) => {
      leafHashTo(records, at, length, leaf, 0);
      edge.append(leaf);
      if (edge.size % TILE_WIDTH !== 0) return;
      const bytes = concat([bundle, records.subarray(start, at + length)]);
      files.push({ path: tilePath('entries', edge.size / TILE_WIDTH - 1), bytes });
      bundle = new Uint8Array(0);
      start = at + length;
    });
    bundle = concat([bundle, records.subarray(start)]);
    const full = edge.takeFullTiles();
    for (const tile of full) files.push(fileOf(tile));
    for (const tile of edge.partialTiles()) if (!before.has(pathOf(tile))) files.push(fileOf(tile));
    const width = edge.size % TILE_WIDTH;
    if (width > 0) files.push({ path: tilePath('entries', Math.floor(edge.size / TILE_WIDTH), width), bytes: bundle });
    const isFull = new Set(full.map(({ level, index }) => `${level}/${index}`));
    const replaced = [...before].filter(([, place]) => isFull.has(place)).map(([path]) => path);
    return { size: edge.size, root: edge.root(), files, replaced };
  }

  return { size: () => edge.size, root: edge.root, grow };
}

/** The paths of the partial tiles and of the partial bundle, each with the level and the number of its tile. */
function partialPlaces(edge: TreeEdge): Map<string, string> {
  const places = new Map<string, string>();
  for (const tile of edge.partialTiles()) {
    places.set(pathOf(tile), `${tile.level}/${tile.index}`);
    // A bundle is full when its tile is.
    if (tile.level === 0) places.set(tilePath('entries', tile.index, tile.width), `0/${tile.index}`);
  }
  return places;
}

function pathOf({ level, index, width }: Tile): string {
  return tilePath(level, index, width);
}

function fileOf(tile: Tile): TreeFile {
  return { path: pathOf(tile), bytes: tile.hashes };
}
