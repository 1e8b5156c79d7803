/**
 * Verifying a log whose tiles do not lead to the root of its checkpoint. The tree is computed from the entries alone,
 * from the first to the last, and compared with all tiles. If its root is that of the checkpoint, a tile is wrong;
 * otherwise an entry is.
 */

import { equalBytes } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { type Tile, treeEdge } from '../tree/edge.ts';
import { nodesOf } from '../tree/nodes.ts';
import type { LogSource } from '../tree/source.ts';
import { TILE_WIDTH, tilePath } from '../tree/tiles.ts';
import { type HashedBundle, hashedBundles } from './bundles.ts';
import { caught, Fault, type Finding, fault, finding, within } from './finding.ts';
import { rangeOf, readTile } from './reading.ts';
import type { CheckedSeen } from './seen.ts';
import { firstDifference, longer, missing, rewritten, short } from './walk.ts';

/** The tree of a checkpoint. */
export interface SignedTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Finds what is wrong. It reads every file of the log, and needs as little memory as another verification.
 *
 * @param seen tells the range if all files were made anew and only the signature is missing.
 * @throws Fault, always.
 */
export async function explainTree(source: LogSource, tree: SignedTree, seen: CheckedSeen | null): Promise<never> {
  const { size, root } = tree;
  const edge = treeEdge();
  let first: Finding | null = null;
  let old: Uint8Array[] | null = null;
  const compare = async (tiles: readonly Tile[]): Promise<void> => {
    for (const tile of tiles) first = earlier(first, await wrongTile(source, tile));
  };
  for await (const bundle of hashedBundles(source, 0, size, null)) {
    for (let at = 0; at < bundle.leaves.length; at += HASH_BYTES) {
      if (edge.size === seen?.seen.size) old = edge.hashes();
      edge.append(bundle.leaves.subarray(at, at + HASH_BYTES));
    }
    await compare(edge.takeFullTiles());
    if (bundle.whole < bundle.width) await explainGap(source, bundle, size, first);
    if (bundle.isLonger) longer(bundle);
  }
  if (edge.size === seen?.seen.size) old = edge.hashes();
  await compare(edge.partialTiles());
  if (equalBytes(edge.root(), root)) throw new Fault(tileAlone(first));
  if (first !== null) throw new Fault(first);
  return resigned(size, seen, old);
}

/** The finding if all entries are those that the log has signed: then only a tile can be wrong. */
function tileAlone(first: Finding | null): Finding {
  if (first === null) return finding('unreadable', 'a file of the log has changed while it was read');
  if (first.word !== 'rewritten') return first;
  return Object.freeze({ ...first, message: `hash tile ${first.path} was rewritten; the entries are right` });
}

/** Throws that entries are missing, unless an entry before them is wrong. */
async function explainGap(
  source: LogSource,
  bundle: HashedBundle,
  size: number,
  before: Finding | null,
): Promise<never> {
  if (before !== null) throw new Fault(before);
  const { index, width, leaves } = bundle;
  const tile = await caught(readTile(source, { level: 0, index, width }));
  const wrong = tile instanceof Fault ? null : firstDifference(leaves, tile);
  if (wrong !== null) return rewritten(bundle, wrong);
  return bundle.file.bytes === null ? missing(source, bundle, size) : short(bundle);
}

/** The finding about earlier entries. One about a part of the tree says less than one about an entry in that part. */
function earlier(known: Finding | null, found: Finding | null): Finding | null {
  if (known === null || found === null) return known ?? found;
  const first = known.entry ?? known.range?.[0] ?? 0;
  const [from, to] = found.range ?? [found.entry ?? 0, (found.entry ?? 0) + 1];
  return from < first && to <= first ? found : known;
}

/** Compares a tile that was computed from the entries with the file. */
async function wrongTile(source: LogSource, tile: Tile): Promise<Finding | null> {
  const found = await caught(readTile(source, tile));
  if (found instanceof Fault) return found.finding;
  const wrong = firstDifference(found, tile.hashes);
  if (wrong === null) return null;
  const path = tilePath(tile.level, tile.index, tile.width);
  const [from] = rangeOf(tile);
  const leaves = TILE_WIDTH ** tile.level;
  const entry = from + wrong * leaves;
  return tile.level === 0
    ? finding('rewritten', `entry ${entry} does not hash to its leaf`, { path, entry })
    : finding('rewritten', `the file ${path} does not fit the entries`, {
        path,
        ...within([entry, entry + leaves]),
      });
}

/** Entries and tiles fit together, but the log has signed another tree. What was seen before tells where. */
function resigned(size: number, seen: CheckedSeen | null, old: readonly Uint8Array[] | null): never {
  const range = seen === null || old === null ? ([0, size] as const) : changedRange(seen, old, size);
  const message = 'the entries of the log make up another tree than the one that it has signed';
  return fault('rewritten', message, within(range));
}

/** The entries among which the first change is, by the right edge of the tree that was seen. */
export function changedRange(
  { seen, edge }: CheckedSeen,
  now: readonly Uint8Array[],
  size: number,
): readonly [from: number, to: number] {
  const nodes = nodesOf(0, seen.size);
  const at = edge.findIndex((hash, i) => !equalBytes(hash, now[i]!));
  if (at === -1) return [seen.size, size];
  const { level, index } = nodes[at]!;
  return [index * 2 ** level, (index + 1) * 2 ** level];
}
