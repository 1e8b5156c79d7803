/// <reference types="node" />
/**
 * The folder of `--keep`: copies of the hash tiles that an overseer has verified. With them, a later run names the
 * first entry that was rewritten, also if the log has signed everything anew. Entries are not kept.
 */

import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../../errors.ts';
import { temporaryPath } from '../../files/outputs/temporary.ts';
import { errorCode, guard } from '../../files/system-error.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { levelsOf, TILE_WIDTH, tilePath, widthOfLevel } from '../../log/tree/tiles.ts';
import type { LogSource } from '../../log.ts';

/** Hash tiles: not bundles of entries. */
const TILE = /^tile\/[0-9]{1,2}\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/[0-9]{1,3})?$/;

/** The most bytes of a tile. */
const TILE_BYTES = 8_192;

/** A log whose tiles are copied while it is read. One of `keep` and `discard` must be called. */
export interface Copied {
  readonly source: LogSource;
  /**
   * Compares the folder with a tree of `size` entries that was verified: how many of its tiles are missing, and how
   * many have other bytes than those that this run has read. It must be called before `keep`.
   */
  readonly compare: (size: number) => Promise<{ readonly missing: number; readonly damaged: number }>;
  /** Puts the copies beside those of earlier runs. It must be called only if the log has verified. */
  readonly keep: () => Promise<void>;
  /** Removes the copies of this run. It never throws. */
  readonly discard: () => Promise<void>;
}

/** Copies the hash tiles that are read from a source: 8 KiB for each 256 entries that are new. */
export async function copied(source: LogSource, folder: string): Promise<Copied> {
  await makeFolders(folder, folder);
  const pending = await temporaryPath(folder);
  const paths = new Set<string>();
  return {
    source: {
      async read(path, limit) {
        const bytes = await source.read(path, limit);
        if (bytes !== null && TILE.test(path)) {
          await write(join(pending, path), bytes, folder);
          paths.add(path);
        }
        return bytes;
      },
    },
    async compare(size) {
      let missing = 0;
      let damaged = 0;
      for (const { path, bytes } of tilesOf(size)) {
        const kept = await guard(path, sizeOf(join(folder, path)), 'cannot be read');
        if (kept === null) missing++;
        else if (kept !== bytes || (paths.has(path) && !(await isSame(join(folder, path), join(pending, path))))) {
          damaged++;
        }
      }
      return { missing, damaged };
    },
    async keep() {
      for (const path of paths) {
        const to = join(folder, path);
        // A wider tile of the same place has the hashes of the narrower ones.
        await guard(to, rm(`${to.replace(/\.p[/\\][0-9]+$/, '')}.p`, { recursive: true, force: true }));
        await makeFolders(dirname(to), to);
        await guard(to, rename(join(pending, path), to));
      }
      await rm(pending, { recursive: true, force: true });
    },
    discard: () => rm(pending, { recursive: true, force: true }).catch(() => {}),
  };
}

/** Writes a file for this run alone; an error names the folder, because the name of the file says nothing. */
async function write(path: string, bytes: Uint8Array, folder: string): Promise<void> {
  await makeFolders(dirname(path), folder);
  const handle = await guard(folder, open(path, 'w', 0o600));
  await guard(folder, handle.writeFile(bytes)).finally(() => handle.close());
}

/**
 * Makes a folder and those above it. Node's own `recursive` says ENOENT on a file system that is read-only, and not
 * EROFS.
 *
 * @param file is named by the error.
 */
async function makeFolders(path: string, file: string): Promise<void> {
  const above = dirname(path);
  if ((await guard(file, isMade(path))) || above === path) return;
  await makeFolders(above, file);
  if (!(await guard(file, isMade(path))))
    fail('io_failed', 'cannot be written: a folder above it is missing', { file });
}

/** Makes one folder, which may be there; `false` if the one above is missing. */
async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    if (errorCode(error) === 'EEXIST' && (await stat(path)).isDirectory()) return true;
    throw error;
  }
}

/** The hash tiles of a tree, and how many bytes each has. */
function* tilesOf(size: number): Generator<{ readonly path: string; readonly bytes: number }> {
  for (let level = 0; level < levelsOf(size); level++) {
    const hashes = widthOfLevel(size, level);
    for (let first = 0; first < hashes; first += TILE_WIDTH) {
      const width = Math.min(TILE_WIDTH, hashes - first);
      yield { path: tilePath(level, first / TILE_WIDTH, width), bytes: width * HASH_BYTES };
    }
  }
}

/** How many bytes a file has; `null` if there is none. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function isSame(a: string, b: string): Promise<boolean> {
  return (await readFile(a)).equals(await readFile(b));
}

/** Reads the tiles that were kept: a log without entries and without a checkpoint. */
export function keptTiles(folder: string): LogSource {
  return {
    async read(path, limit) {
      if (!TILE.test(path)) return null;
      try {
        const bytes = await readFile(join(folder, path));
        return bytes.length <= Math.min(limit, TILE_BYTES) ? Uint8Array.from(bytes) : null;
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return null;
        return guard(path, Promise.reject(error), 'cannot be read');
      }
    },
  };
}
