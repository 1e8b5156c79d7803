/// <reference types="node" />
/** The files of a log that are many: tiles, bundles and openings, and the folders that they are in. */

import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import type { LogStore, TreeFile } from '../../log/writer/store.ts';
import { guard, systemError } from '../system-error.ts';
import { type Durable, removeFile } from './durable.ts';
import { checkNoFolder, openingPath } from './leftovers.ts';
import { readLimited } from './source.ts';

/** Permissions, less what the umask takes: of what is served to overseers, and of what is private. */
export const SERVED = 0o644;
export const SERVED_FOLDER = 0o755;
export const PRIVATE = 0o600;
export const PRIVATE_FOLDER = 0o700;

/** The part of a store that writes many files. */
export type ManyFiles = Pick<LogStore, 'writeTree' | 'dropPartials' | 'writeOpenings' | 'destroyOpening'>;

/** Writes the tiles and openings of a log. The names of new files are on the disk when a call is fulfilled. */
export function manyFiles(folder: string, openings: string, disk: Durable): ManyFiles {
  /** The folders that are known to exist. */
  const folders = new Set<string>();

  /** Makes the folder of a file. Returns the folders that are to be synchronised. */
  async function folderFor(file: string, mode: number): Promise<readonly string[]> {
    const parent = dirname(file);
    if (folders.has(parent)) return [parent];
    await disk.makeFolder(parent, mode);
    // The folders above it may be of a process that stopped before their names were on the disk.
    const changed = [parent];
    for (let path = parent; path !== folder && !folders.has(path); path = dirname(path)) {
      folders.add(path);
      changed.push(dirname(path));
    }
    return changed;
  }

  async function writeTreeFile({ path, bytes }: TreeFile): Promise<readonly string[]> {
    const file = join(folder, path);
    const changed = await folderFor(file, SERVED_FOLDER);
    if (await disk.create(file, bytes, SERVED)) return changed;
    await checkNoFolder(file);
    const existing = await readLimited(file, bytes.length);
    if (existing === null || !equalBytes(existing, bytes)) {
      const message = 'the file of the tree exists and has other content; another process may write this log';
      fail('log_broken', message, { file });
    }
    await disk.syncFile(file);
    return changed;
  }

  /** Waits for all writes, and then brings the names of the files to the disk. */
  async function writeAll(place: string, writes: readonly Promise<readonly string[]>[]): Promise<void> {
    const changed = new Set<string>();
    for (const result of await Promise.allSettled(writes)) {
      if (result.status === 'rejected') throw systemError(result.reason, 'cannot be written', place);
      for (const path of result.value) changed.add(path);
    }
    await guard(place, Promise.all([...changed].map(disk.syncFolder)));
  }

  return {
    writeTree: (files) => writeAll(join(folder, 'tile'), files.map(writeTreeFile)),
    async dropPartials(paths) {
      for (const partial of new Set(paths.map((path) => dirname(join(folder, path))))) {
        folders.delete(partial);
        await rm(partial, { recursive: true, force: true }).catch(() => {});
      }
    },
    async writeOpenings(list) {
      const writes = list.map(async ({ index, text }) => {
        const file = openingPath(openings, index);
        const changed = await folderFor(file, PRIVATE_FOLDER);
        await disk.replace(file, text, PRIVATE);
        return changed;
      });
      await writeAll(openings, writes);
    },
    async destroyOpening(index) {
      const wasThere = await guard(openings, removeFile(openingPath(openings, index)), 'cannot be removed');
      if (wasThere) await guard(openings, disk.syncFolder(openings));
      return wasThere;
    },
  };
}
