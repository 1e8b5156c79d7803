/** Finding the first entry that was changed, with the tiles of an old copy of the log. */

import { HASH_BYTES } from '../../kernel/merkle.ts';
import { levelsOf, TILE_WIDTH, widthOfLevel } from '../tree/tiles.ts';
import type { TrustedTiles } from './trusted.ts';
import { firstDifference } from './walk.ts';

/**
 * Compares the tiles of two trees from the top down. At most two tiles of each level are read, and each is verified: a
 * copy that is damaged must not have an entry named that is right.
 *
 * @param kept the tiles of the tree that was seen, from an old copy.
 * @param now those of the tree that the log has now, which is no smaller.
 * @returns the number of the first entry whose leaf differs; `null` if there is none.
 * @throws Fault if one of them lacks a tile, or has one that does not hash to its place.
 */
export async function firstChange(kept: TrustedTiles, now: TrustedTiles): Promise<number | null> {
  const { size } = kept;
  // The first hash that differs in the level above.
  let above: number | null = null;
  for (let level = levelsOf(size) - 1; level >= 0; level--) {
    // Below a hash that differs, its tile; if there is none, the hashes that no level above covers.
    const from: number = (above ?? widthOfLevel(size, level + 1)) * TILE_WIDTH;
    const to: number = above === null ? widthOfLevel(size, level) : from + TILE_WIDTH;
    if (to === from) continue;
    const index = from / TILE_WIDTH;
    const [old, found] = await Promise.all([kept.tile(level, index), now.tile(level, index)]);
    const end = (to - from) * HASH_BYTES;
    const wrong = firstDifference(old.subarray(0, end), found.subarray(0, end));
    if (wrong !== null) above = from + wrong;
  }
  return above;
}
