/** Where the files of a log are read from, and how tiles are read there. */

import { badType, checkInteger, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { completeRoot } from '../../kernel/merkle/complete-root.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import type { HashReader } from './nodes.ts';
import { TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, type TilePlace, tileOf, tilePath } from './tiles.ts';

/** The path of the checkpoint of a log. */
export const CHECKPOINT_PATH = 'checkpoint';

/** The files of a log: a folder, a web server, or something else. */
export interface LogSource {
  /**
   * Reads a file: `checkpoint`, or a path that `tilePath` writes.
   *
   * It returns `null` if there is no such file. If the file has more than `limit` bytes it throws a `TrefoilError`
   * with the code `log_broken` and the number `maximum`, without having read the rest. If the path
   * leads to something else than a file, it throws `log_broken` without that number. If it cannot be known, such as
   * without a network, it throws another error, and verification ends with it.
   */
  readonly read: (path: string, limit: number) => Promise<Uint8Array | null>;
}

/** Checks that a value is a source. @throws TypeError */
export function checkSource(argument: string, value: LogSource): LogSource {
  if (typeof value !== 'object' || value === null || typeof value.read !== 'function') {
    badType(argument, `expected an object with a function "read", got ${typeName(value)}`);
  }
  return value;
}

/**
 * Reads a file with a fallback: a log may delete a partial file when the full one is there.
 *
 * @param limitOf the most bytes of the file if it has some width.
 * @returns the bytes, the width of the file that they are from, and its path; `null` if there is neither.
 */
export async function readTileFile(
  source: LogSource,
  { level, index, width }: TilePlace,
  limitOf: (width: number) => number,
): Promise<{ readonly bytes: Uint8Array; readonly width: number; readonly path: string } | null> {
  for (const from of width === TILE_WIDTH ? [width] : [width, TILE_WIDTH]) {
    const path = tilePath(level, index, from);
    const bytes = await source.read(path, limitOf(from));
    if (bytes !== null) return { bytes, width: from, path };
  }
  return null;
}

/**
 * Reads hashes from the tiles of a log: for proofs, without verifying the tiles. So check the proof, with
 * `checkInclusion` or `checkConsistency`, against a root that is signed.
 *
 * @param size the size of a checkpoint of the log. Only tiles of that tree are read, each once for a call, and side by
 *   side.
 * @throws TypeError, RangeError. The returned function throws `log_broken` if a tile is not there or has another
 *   length, and what the source throws.
 *
 * @example
 * ```ts
 * import { hashesOf, leafHash, tilePath, inclusionProof } from 'trefoil/log';
 *
 * const leaf = leafHash(Uint8Array.of(1));
 * const tile = Uint8Array.of(...leaf, ...leaf);
 * const source = { read: async (path: string) => (path === tilePath(0, 0, 2) ? tile : null) };
 * (await inclusionProof(hashesOf(source, 2), 0, 2)).length; // → 1
 * ```
 */
export function hashesOf(source: LogSource, size: number): HashReader {
  checkSource('source', source);
  checkInteger('size', size, 0, Number.MAX_SAFE_INTEGER);
  return async (nodes) => {
    const tiles = new Map<string, Promise<Uint8Array>>();
    const wanted = nodes.map(({ level, index }) => {
      // The tile of the node, and the hashes below the node in it.
      const row = Math.floor(level / TILE_HEIGHT);
      const count = 2 ** (level % TILE_HEIGHT);
      const place = tileOf(row, index * count, size);
      const path = tilePath(row, place.index, place.width);
      const bytes = tiles.get(path) ?? readTile(source, place);
      tiles.set(path, bytes);
      return { bytes, from: (index * count) % TILE_WIDTH, count };
    });
    return Promise.all(
      wanted.map(async ({ bytes, from, count }) =>
        completeRoot((await bytes).subarray(from * HASH_BYTES, (from + count) * HASH_BYTES)),
      ),
    );
  };
}

/** Reads a tile, at most as wide as its place says. @throws TrefoilError `log_broken`. */
async function readTile(source: LogSource, place: TilePlace): Promise<Uint8Array> {
  const file = await readTileFile(source, place, (width) => width * HASH_BYTES);
  const path = tilePath(place.level, place.index, place.width);
  if (file === null) return fail('log_broken', `the log has no file ${path}`);
  if (file.bytes.length !== file.width * HASH_BYTES) {
    return fail('log_broken', `the file ${file.path} is shorter or longer than its tile`, {
      expected: file.width * HASH_BYTES,
      actual: file.bytes.length,
    });
  }
  return file.bytes.subarray(0, Math.min(TILE_BYTES, place.width * HASH_BYTES));
}
