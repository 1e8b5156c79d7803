/**
 * The files of a log: which tiles and bundles there are, and how they are named (https://c2sp.org/tlog-tiles).
 *
 * A tile has up to 256 hashes of one level of tiles: level 0 has the leaves, and each hash of level n + 1 is that of a
 * full tile of level n. A bundle has the entries of a tile of level 0.
 */

import { checkInteger } from '../../core/checks.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';

/** How many hashes a full tile has, and how many entries a full bundle. */
export const TILE_WIDTH = 256;

/** How many levels of the Merkle tree a tile covers: 2^8 hashes. */
export const TILE_HEIGHT = 8;

/** Bytes of a full tile. */
export const TILE_BYTES: number = TILE_WIDTH * HASH_BYTES;

/** The levels of tiles of the largest tree that is read here, of 2^53 - 1 entries. */
export const MOST_LEVELS = 7;

/** A tile, or a bundle (`entries`), by its place. */
export interface TilePlace {
  readonly level: number | 'entries';
  /** Its number in the level, from 0. */
  readonly index: number;
  /** How many hashes or entries it has: 1 to 256. One with fewer than 256 is partial. */
  readonly width: number;
}

/**
 * Writes the path of a tile or a bundle below the prefix of the log.
 *
 * @param level 0 to 63, or `entries` for a bundle.
 * @param index its number in the level, from 0, up to 2^53 - 1.
 * @param width 1 to 256; less than 256 for a partial one.
 * @throws TypeError, RangeError
 *
 * @example
 * ```ts
 * import { tilePath } from 'trefoil/log';
 *
 * tilePath(0, 1234067, 256); // → 'tile/0/x001/x234/067'
 * tilePath('entries', 273, 112); // → 'tile/entries/273.p/112'
 * ```
 */
export function tilePath(level: number | 'entries', index: number, width: number = TILE_WIDTH): string {
  if (level !== 'entries') checkInteger('level', level, 0, 63);
  checkInteger('index', index, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('width', width, 1, TILE_WIDTH);
  const digits = String(index);
  const padded = digits.padStart(3 * Math.ceil(digits.length / 3), '0');
  const groups = padded.match(/.../g)!;
  const last = groups.pop()!;
  const path = [...groups.map((group) => `x${group}`), last].join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** How many hashes a level has in a tree of some size: those of the complete subtrees of 256^level leaves. */
export function widthOfLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** How many levels of tiles a tree has: those that are not empty. */
export function levelsOf(size: number): number {
  let levels = 0;
  while (widthOfLevel(size, levels) > 0) levels++;
  return levels;
}

/**
 * The tile in which a hash of a level is, in a tree of some size. It is as wide as the tree allows.
 *
 * @param index the number of the hash in its level.
 */
export function tileOf(level: number, index: number, size: number): TilePlace {
  const tile = Math.floor(index / TILE_WIDTH);
  return { level, index: tile, width: Math.min(TILE_WIDTH, widthOfLevel(size, level) - tile * TILE_WIDTH) };
}
