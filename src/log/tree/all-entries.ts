/** The entries of a log from its first to its last, held against the root of a checkpoint that somebody trusts. */

import { equalBytes } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import { leafHash } from '../../kernel/merkle.ts';
import { MOST_BUNDLE_BYTES, parseBundle } from './bundle.ts';
import { treeEdge } from './edge.ts';
import { type LogSource, readTileFile } from './source.ts';
import { TILE_WIDTH, tileOf } from './tiles.ts';

/**
 * Reads all entries of a tree.
 *
 * **Note**: what is wrong is known at the end alone, so nothing may be concluded before.
 *
 * @param root the root of the tree of this size.
 * @throws TrefoilError `log_broken` if a bundle is missing or damaged; after the last entry, if their root is another.
 */
export async function* allEntries(source: LogSource, size: number, root: Uint8Array): AsyncGenerator<Uint8Array> {
  const edge = treeEdge();
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const { index, width } = tileOf(0, first, size);
    const file = await readTileFile(source, { level: 'entries', index, width }, () => MOST_BUNDLE_BYTES);
    if (file === null) fail('log_broken', 'a bundle of entries is missing; the log was cut, or a file was deleted');
    for (const entry of parseBundle(file.bytes, file.width).slice(0, width)) {
      edge.append(leafHash(entry));
      yield entry;
    }
    // They are not needed here, and the edge would keep all of them.
    edge.takeFullTiles();
  }
  if (!equalBytes(edge.root(), root)) {
    fail('log_broken', 'the entries do not give the root that was signed: at least one of them was changed');
  }
}
