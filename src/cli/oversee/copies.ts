/// <reference types="node" />
/**
 * Whether the copies in the folder of `--keep` are those of the tree that was seen last. They are judged by the hashes
 * of `--seen` alone: a log that was changed since, or signed anew, must not make good copies look damaged.
 */

import { equalBytes } from '../../core/bytes.ts';
import { TrefoilError } from '../../errors.ts';
import { completeRoot } from '../../kernel/merkle/complete-root.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { compactRange, subtreesOf } from '../../log/tree/range.ts';
import { levelsOf, TILE_WIDTH, type TilePlace, tilePath, widthOfLevel } from '../../log/tree/tiles.ts';
import { checkedSeen } from '../../log/verify/seen.ts';
import type { LogSource, Seen } from '../../log.ts';
import { plural, type Voice, wordFor } from '../voice.ts';

/** The paths of the copies that are not what they should be. */
export interface BadCopies {
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
}

/**
 * Judges the copies from the top of the tree down: the right edge by the hashes of what was seen, every other tile by
 * its hash in the tile above. A tile below one that is missing or damaged counts as good if it is there, because
 * nothing tells.
 *
 * @param has whether a file is there.
 * @param everyTile whether full tiles are read as well, and not only looked for: 8 KiB for each 256 entries.
 */
export async function badCopies(
  kept: LogSource,
  has: (path: string) => Promise<boolean>,
  seen: Seen,
  everyTile: boolean,
): Promise<BadCopies> {
  const { size } = seen;
  const edge = [...checkedSeen(seen).edge];
  const [missing, damaged]: [string[], string[]] = [[], []];

  /** The hashes of a tile; `null` if it is missing or not of its length. */
  async function read(place: TilePlace): Promise<Uint8Array | null> {
    const path = tilePath(place.level, place.index, place.width);
    const length = place.width * HASH_BYTES;
    const bytes = await kept.read(path, length).catch((error: unknown) => {
      if (error instanceof TrefoilError && error.code === 'log_broken') return new Uint8Array(0);
      throw error;
    });
    if (bytes?.length === length) return bytes;
    (bytes === null ? missing : damaged).push(path);
    return null;
  }

  /** The same, if it has the hash that the tree has for it; `expected` is `null` if that is not known. */
  async function readFull(level: number, index: number, expected: Uint8Array | null): Promise<Uint8Array | null> {
    const place = { level, index, width: TILE_WIDTH };
    const path = tilePath(level, index);
    if (!everyTile && level === 0) {
      if (!(await has(path))) missing.push(path);
      return null;
    }
    const bytes = await read(place);
    if (bytes === null || expected === null || equalBytes(completeRoot(bytes), expected)) return bytes;
    damaged.push(path);
    return null;
  }

  let above: (Uint8Array | null)[] = [];
  for (let level = levelsOf(size) - 1; level >= 0; level--) {
    const count = widthOfLevel(size, level);
    const width = count % TILE_WIDTH;
    const full = (count - width) / TILE_WIDTH;
    const tiles: (Uint8Array | null)[] = [];
    for (let index = 0; index < full; index++) {
      const row = above[Math.floor(index / TILE_WIDTH)] ?? null;
      const at = (index % TILE_WIDTH) * HASH_BYTES;
      const bytes = await readFull(level, index, row?.subarray(at, at + HASH_BYTES) ?? null);
      // Nothing is below the lowest level, which has nearly all of the tiles.
      if (level > 0) tiles.push(bytes);
    }
    if (width > 0) {
      const place = { level, index: full, width };
      const bytes = await read(place);
      const hashes = edge.splice(0, subtreesOf(width));
      const isGood = bytes !== null && isRow(bytes, hashes);
      if (bytes !== null && !isGood) damaged.push(tilePath(level, full, width));
      if (level > 0) tiles.push(isGood ? bytes : null);
    }
    above = tiles;
  }
  return { missing, damaged };
}

/** Whether the hashes of a partial tile make up complete subtrees with these roots. */
function isRow(bytes: Uint8Array, roots: readonly Uint8Array[]): boolean {
  const range = compactRange();
  for (let at = 0; at < bytes.length; at += HASH_BYTES) range.append(bytes.subarray(at, at + HASH_BYTES));
  return range.hashes().every((hash, i) => equalBytes(hash, roots[i]!));
}

/** Says which copies are lost or damaged, so that the exact entry may not be named one day, and what to do. */
export function tellOfCopies({ missing, damaged }: BadCopies, isMade: (path: string) => boolean, voice: Voice): void {
  if (damaged.length > 0) {
    const tiles = `${plural(damaged.length, 'hash tile')} in the folder of --keep`;
    const are = wordFor(damaged.length, 'is', 'are');
    voice.warning(`${tiles} ${are} damaged: not of the tree of the last look${rest(damaged, isMade)}`);
  }
  if (missing.length > 0) {
    const tiles = plural(missing.length, 'hash tile');
    voice.warning(`the folder of --keep lacked ${tiles} of the entries that were seen${rest(missing, isMade)}`);
  }
}

/** What has become of bad copies, and what to do about the rest. */
function rest(paths: readonly string[], isMade: (path: string) => boolean): string {
  const made = paths.filter(isMade).length;
  const done = `; ${made} ${wordFor(made, 'was', 'were')} made anew`;
  if (made === paths.length) return done;
  const others = made === 0 ? 'them' : 'the others';
  return `${made === 0 ? '' : done}; run with --all while the log verifies to make ${others} anew`;
}
