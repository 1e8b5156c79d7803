/// <reference types="node" />
/**
 * The folder of `--keep`: copies of the hash tiles that an overseer has verified. With them, a later run names the
 * first entry that was rewritten, also if the log has signed everything anew. Entries are not kept.
 */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporaryPath } from '../../files/outputs/temporary.ts';
import { errorCode, guard } from '../../files/system-error.ts';
import type { LogSource } from '../../log.ts';

/** Hash tiles: not bundles of entries. */
const TILE = /^tile\/[0-9]{1,2}\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/[0-9]{1,3})?$/;

/** The most bytes of a tile. */
const TILE_BYTES = 8_192;

/** A log whose tiles are copied while it is read. One of `keep` and `discard` must be called. */
export interface Copied {
  readonly source: LogSource;
  /** Puts the copies beside those of earlier runs. It must be called only if the log has verified. */
  readonly keep: () => Promise<void>;
  /** Removes the copies of this run. It never throws. */
  readonly discard: () => Promise<void>;
}

/** Copies the hash tiles that are read from a source: 8 KiB for each 256 entries that are new. */
export async function copied(source: LogSource, folder: string): Promise<Copied> {
  await guard(folder, mkdir(folder, { recursive: true, mode: 0o700 }));
  const pending = await temporaryPath(folder);
  const paths = new Set<string>();
  return {
    source: {
      async read(path, limit) {
        const bytes = await source.read(path, limit);
        if (bytes !== null && TILE.test(path)) {
          await write(join(pending, path), bytes);
          paths.add(path);
        }
        return bytes;
      },
    },
    async keep() {
      for (const path of paths) {
        const to = join(folder, path);
        // A wider tile of the same place has the hashes of the narrower ones.
        await guard(to, rm(`${to.replace(/\.p[/\\][0-9]+$/, '')}.p`, { recursive: true, force: true }));
        await guard(to, mkdir(dirname(to), { recursive: true, mode: 0o700 }));
        await guard(to, rename(join(pending, path), to));
      }
      await rm(pending, { recursive: true, force: true });
    },
    discard: () => rm(pending, { recursive: true, force: true }).catch(() => {}),
  };
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await guard(path, mkdir(dirname(path), { recursive: true, mode: 0o700 }));
  const handle = await guard(path, open(path, 'w', 0o600));
  await guard(path, handle.writeFile(bytes)).finally(() => handle.close());
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
