/** Finding the first entry that was changed, with the tiles of an old copy of the log. */

import { HASH_BYTES } from '../../kernel/merkle.ts';
import type { LogSource } from '../tree/source.ts';
import { levelsOf, TILE_WIDTH, tileOf, widthOfLevel } from '../tree/tiles.ts';
import { readTile } from './reading.ts';
import { firstDifference } from './walk.ts';

/**
 * Compares the tiles of two logs from the top down. At most two tiles of each level are read.
 *
 * @param kept an old copy, with the tiles of a tree of `oldSize` entries.
 * @param now the log, with the tiles of a tree of `size` entries, not fewer.
 * @returns the number of the first entry whose leaf differs; `null` if none of the first `oldSize` does.
 * @throws Fault if one of them lacks a tile.
 */
export async function firstChange(
  kept: LogSource,
  oldSize: number,
  now: LogSource,
  size: number,
): Promise<number | null> {
  // The first hash that differs in the level above.
  let above: number | null = null;
  for (let level = levelsOf(oldSize) - 1; level >= 0; level--) {
    // Below a hash that differs, its tile; if there is none, the hashes that no level above covers.
    const from: number = (above ?? widthOfLevel(oldSize, level + 1)) * TILE_WIDTH;
    const to: number = above === null ? widthOfLevel(oldSize, level) : from + TILE_WIDTH;
    if (to === from) continue;
    const [old, found] = await Promise.all([
      readTile(kept, tileOf(level, from, oldSize)),
      readTile(now, tileOf(level, from, size)),
    ]);
    const end = (to - from) * HASH_BYTES;
    const wrong = firstDifference(old.subarray(0, end), found.subarray(0, end));
    if (wrong !== null) above = from + wrong;
    // The tiles above differ and these do not, so a tile does not hash to its place, and the entry cannot be told.
    else if (above !== null) return null;
  }
  return above;
}
