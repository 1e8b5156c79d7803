/**
 * The tiles of a log, each verified before it is used: a full tile against its hash in the tile above, and the partial
 * tiles, which together are the right edge of the tree, against the root of the checkpoint.
 */

import { equalBytes } from '../../core/bytes.ts';
import { completeRoot } from '../../kernel/merkle/complete-root.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { nodesOf, type TreeNode } from '../tree/nodes.ts';
import { compactRange, rootOf } from '../tree/range.ts';
import type { LogSource } from '../tree/source.ts';
import { levelsOf, TILE_HEIGHT, TILE_WIDTH, tilePath, widthOfLevel } from '../tree/tiles.ts';
import { fault, within } from './finding.ts';
import { rangeOf, readTile } from './reading.ts';

/** The verified tiles of a tree. */
export interface TrustedTiles {
  readonly size: number;
  /**
   * Returns the hashes of a tile, after it was verified. Of each level, the last one is kept.
   *
   * @throws Fault
   */
  readonly tile: (level: number, index: number) => Promise<Uint8Array>;
  /** The hash that the tree has for a full tile. @throws Fault */
  readonly hashOfTile: (level: number, index: number) => Promise<Uint8Array>;
  /**
   * The roots of the complete subtrees that the tree of the first `size` entries consists of, from the left.
   *
   * @throws Fault
   */
  readonly edgeAt: (size: number) => Promise<Uint8Array[]>;
}

/**
 * Reads the right edge of a tree and verifies it.
 *
 * @param root the hash of the tree, which the log has signed.
 * @throws Fault if a partial tile is missing or too short, or if the tiles do not lead to the root.
 */
export async function trustedTiles(source: LogSource, size: number, root: Uint8Array): Promise<TrustedTiles> {
  const partial = await readPartial(source, size);
  if (!equalBytes(rootOf(partial.flatMap(hashesOfRow)), root)) {
    fault('rewritten', 'the tiles of the log do not lead to the root that it has signed', within([0, size]));
  }
  const kept: ({ readonly index: number; readonly bytes: Uint8Array } | undefined)[] = [];

  async function tile(level: number, index: number): Promise<Uint8Array> {
    const edgeTile = partial[partial.length - 1 - level]!;
    if (index === edgeTile.index) return edgeTile.bytes;
    if (kept[level]?.index === index) return kept[level].bytes;
    const hash = await hashOfTile(level, index);
    const place = { level, index, width: TILE_WIDTH };
    const bytes = await readTile(source, place);
    if (!equalBytes(completeRoot(bytes), hash)) {
      const path = tilePath(level, index);
      const range = rangeOf(place);
      fault('rewritten', `the file ${path} does not hash to its place in the tree`, { path, ...within(range) });
    }
    kept[level] = { index, bytes };
    return bytes;
  }

  async function hashOfTile(level: number, index: number): Promise<Uint8Array> {
    const above = await tile(level + 1, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    return above.subarray(at, at + HASH_BYTES);
  }

  async function hashOf({ level, index }: TreeNode): Promise<Uint8Array> {
    const count = 2 ** (level % TILE_HEIGHT);
    const first = index * count;
    const bytes = await tile(Math.floor(level / TILE_HEIGHT), Math.floor(first / TILE_WIDTH));
    const at = (first % TILE_WIDTH) * HASH_BYTES;
    return completeRoot(bytes.subarray(at, at + count * HASH_BYTES));
  }

  return {
    size,
    tile,
    hashOfTile,
    async edgeAt(first) {
      const hashes: Uint8Array[] = [];
      for (const node of nodesOf(0, first)) hashes.push(await hashOf(node));
      return hashes;
    },
  };
}

/** The partial tile of a level; one without hashes has no file. */
interface PartialTile {
  readonly level: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Reads the partial tiles of a tree, from the highest level down. */
async function readPartial(source: LogSource, size: number): Promise<PartialTile[]> {
  const tiles = Array.from({ length: levelsOf(size) }, async (_, level): Promise<PartialTile> => {
    const count = widthOfLevel(size, level);
    const width = count % TILE_WIDTH;
    const index = (count - width) / TILE_WIDTH;
    return { level, index, bytes: width === 0 ? new Uint8Array(0) : await readTile(source, { level, index, width }) };
  });
  // They are read side by side. The error of the first counts, which is that with the first entries.
  for (const tile of tiles) tile.catch(() => {});
  const fromTop: PartialTile[] = [];
  for (const tile of tiles.toReversed()) fromTop.push(await tile);
  return fromTop;
}

/** The roots of the complete subtrees that the hashes of a partial tile make up, from the left. */
function hashesOfRow({ bytes }: PartialTile): Uint8Array[] {
  const range = compactRange();
  for (let at = 0; at < bytes.length; at += HASH_BYTES) range.append(bytes.subarray(at, at + HASH_BYTES));
  return range.hashes();
}
