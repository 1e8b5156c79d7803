/// <reference types="node" />
/**
 * The folder of `--keep`: copies of the hash tiles that an overseer has verified. With them, a later run names the
 * first entry that was rewritten, also if the log has signed everything anew. Entries are not kept.
 */

import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, TrefoilError } from '../../errors.ts';
import { temporaryPath } from '../../files/outputs/temporary.ts';
import { errorCode, guard } from '../../files/system-error.ts';
import type { LogSource } from '../../log.ts';

/** Hash tiles: not bundles of entries. */
const TILE = /^tile\/[0-9]{1,2}\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/[0-9]{1,3})?$/;

/** The most bytes of a tile. */
const TILE_BYTES = 8_192;

/**
 * A log whose tiles are copied while it is read. One of `keep` and `discard` must be called. Nothing here throws
 * because of the folder: what is found about the log must not be lost to a disk that is full.
 */
export interface Copied {
  readonly source: LogSource;
  /** Whether this run has read the tile of a path, at this width or another: `keep` then makes the copy anew. */
  readonly hasRead: (path: string) => boolean;
  /** Does something with the folder; `null` if it cannot be done, or if something before it could not. */
  readonly trying: <T>(act: () => Promise<T>) => Promise<T | null>;
  /** The first error about the folder. After it, nothing more is copied. */
  readonly failure: () => TrefoilError | null;
  /** Puts the copies beside those of earlier runs. It must be called only if the log has verified. */
  readonly keep: () => Promise<void>;
  /** Removes the copies of this run. It never throws. */
  readonly discard: () => Promise<void>;
}

/** Copies the hash tiles that are read from a source: 8 KiB for each 256 entries that are new. */
export async function copied(source: LogSource, folder: string): Promise<Copied> {
  let failure: TrefoilError | null = null;

  async function trying<T>(act: () => Promise<T>): Promise<T | null> {
    if (failure !== null) return null;
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      failure = error;
      return null;
    }
  }

  await trying(() => makeFolders(folder, folder));
  const pending = await temporaryPath(folder);
  const paths = new Set<string>();
  const places = new Set<string>();
  return {
    source: {
      async read(path, limit) {
        const bytes = await source.read(path, limit);
        if (bytes !== null && TILE.test(path)) {
          await trying(async () => {
            await write(join(pending, path), bytes, folder);
            paths.add(path);
            places.add(placeOf(path));
          });
        }
        return bytes;
      },
    },
    hasRead: (path) => places.has(placeOf(path)),
    trying,
    failure: () => failure,
    async keep() {
      await trying(async () => {
        for (const path of paths) {
          const to = join(folder, path);
          // A wider tile of the same place has the hashes of the narrower ones.
          await guard(to, rm(`${join(folder, placeOf(path))}.p`, { recursive: true, force: true }));
          await makeFolders(dirname(to), to);
          await guard(to, rename(join(pending, path), to));
        }
        await guard(folder, rm(pending, { recursive: true, force: true }));
      });
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

/** The path of a tile without its width. */
const placeOf = (path: string): string => path.replace(/\.p\/[0-9]+$/, '');

/** Whether there is a copy of a tile. */
export async function hasKept(folder: string, path: string): Promise<boolean> {
  try {
    return (await stat(join(folder, path))).isFile();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    return guard(path, Promise.reject(error), 'cannot be read');
  }
}

/** Reads the tiles that were kept: a log without entries and without a checkpoint. */
export function keptTiles(folder: string): LogSource {
  return {
    async read(path, limit) {
      if (!TILE.test(path)) return null;
      let bytes: Uint8Array;
      try {
        bytes = await readFile(join(folder, path));
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return null;
        return guard(path, Promise.reject(error), 'cannot be read');
      }
      const maximum = Math.min(limit, TILE_BYTES);
      if (bytes.length > maximum) fail('log_broken', 'a copy is longer than its tile', { file: path, maximum });
      return Uint8Array.from(bytes);
    },
  };
}
