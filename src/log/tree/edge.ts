/** The right edge of a log that grows: its root, and the tiles that its leaves complete. */

import { checkInteger, typeName } from '../../core/checks.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { compactRange } from './range.ts';
import { levelsOf, TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, type TilePlace, widthOfLevel } from './tiles.ts';

/** A tile with its hashes. */
export interface Tile extends TilePlace {
  readonly level: number;
  /** 32 bytes for each hash, side by side: what the file of the tile contains. */
  readonly hashes: Uint8Array;
}

/** The right edge of a log. */
export interface TreeEdge {
  /** How many leaves were appended. */
  readonly size: number;
  /** Appends the hash of a leaf, 32 bytes, which are copied. @throws TypeError, RangeError */
  readonly append: (leafHash: Uint8Array) => void;
  /** The hash of the tree, 32 bytes. */
  readonly root: () => Uint8Array;
  /** The roots of the complete subtrees that the tree consists of, from the left: one for each bit 1 of the size. */
  readonly hashes: () => Uint8Array[];
  /** Returns the full tiles that became complete since the last call, lower levels first, and forgets them. */
  readonly takeFullTiles: () => Tile[];
  /** The partial tiles of the tree as it is: at most one for each level. */
  readonly partialTiles: () => Tile[];
}

/** Where a log has stopped: its size, and its partial tiles. */
export interface EdgeStart {
  readonly size: number;
  /** The hashes of the partial tile of each level, from 0; no bytes where a level has none. */
  readonly partial: readonly Uint8Array[];
}

/**
 * Starts the right edge of a tree, of an empty one or where a log has stopped. An append takes one hash on average.
 *
 * The partial tiles are taken as they are. Compare `root()` with that of a checkpoint before anything is signed.
 *
 * @throws TypeError, RangeError if the partial tiles are not those of a tree of that size.
 *
 * @example
 * ```ts
 * import { leafHash, treeEdge } from 'trefoil/log';
 *
 * const tree = treeEdge();
 * for (let i = 0; i < 300; i++) tree.append(leafHash(Uint8Array.of(i & 255)));
 * tree.takeFullTiles().length; // → 1
 * tree.partialTiles().map(({ level, width }) => [level, width]); // → [[0, 44], [1, 1]]
 * ```
 */
export function treeEdge(start: EdgeStart = { size: 0, partial: [] }): TreeEdge {
  if (typeof start !== 'object' || start === null) throw new TypeError('"start" expected an object');
  const size = checkInteger('size', start.size, 0, Number.MAX_SAFE_INTEGER);
  // The hashes of each level that are not in a full tile yet.
  const rows = readRows(size, start.partial);
  const full: Tile[] = [];
  const keep = (height: number, hash: Uint8Array): void => {
    if (height % TILE_HEIGHT !== 0) return;
    const level = height / TILE_HEIGHT;
    const row = rows[level] ?? { hashes: new Uint8Array(TILE_BYTES), width: 0, index: 0 };
    rows[level] = row;
    row.hashes.set(hash, row.width * HASH_BYTES);
    if (++row.width < TILE_WIDTH) return;
    full.push({ level, index: row.index, width: TILE_WIDTH, hashes: row.hashes });
    rows[level] = { hashes: new Uint8Array(TILE_BYTES), width: 0, index: row.index + 1 };
  };
  const range = compactRange(size, edgeOf(rows), keep);
  return {
    get size() {
      return range.size;
    },
    append(leafHash) {
      if (!(leafHash instanceof Uint8Array)) {
        throw new TypeError(`"leafHash" expected bytes, got ${typeName(leafHash)}`);
      }
      if (leafHash.length !== HASH_BYTES) throw new RangeError(`"leafHash" expected ${HASH_BYTES} bytes`);
      range.append(leafHash.slice());
    },
    root: () => range.root().slice(),
    hashes: () => range.hashes().map((hash) => hash.slice()),
    takeFullTiles: () => full.splice(0),
    partialTiles: () =>
      rows.flatMap(({ hashes, width, index }, level) =>
        width === 0 ? [] : [{ level, index, width, hashes: hashes.slice(0, width * HASH_BYTES) }],
      ),
  };
}

interface Row {
  readonly hashes: Uint8Array;
  width: number;
  readonly index: number;
}

function readRows(size: number, partial: readonly Uint8Array[]): Row[] {
  if (!Array.isArray(partial)) throw new TypeError(`"partial" expected an array, got ${typeName(partial)}`);
  const levels = levelsOf(size);
  if (partial.length > levels) throw new RangeError(`"partial" has more than the ${levels} levels of the tree`);
  return Array.from({ length: levels }, (_, level) => {
    const count = widthOfLevel(size, level);
    const width = count % TILE_WIDTH;
    const bytes: unknown = partial[level] ?? new Uint8Array(0);
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`"partial" expected bytes, got ${typeName(bytes)}`);
    if (bytes.length !== width * HASH_BYTES) {
      throw new RangeError(`"partial" expected ${width} hashes of ${HASH_BYTES} bytes at level ${level}`);
    }
    const hashes = new Uint8Array(TILE_BYTES);
    hashes.set(bytes);
    return { hashes, width, index: (count - width) / TILE_WIDTH };
  });
}

/** The roots of the complete subtrees of a tree, from the left, computed from its partial tiles. */
function edgeOf(rows: readonly Row[]): Uint8Array[] {
  return rows.toReversed().flatMap(({ hashes, width }) => {
    const range = compactRange();
    for (let i = 0; i < width; i++) range.append(hashes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    return range.hashes();
  });
}
