/// <reference types="node" />
/**
 * What a writer that was killed has left: tiles, bundles and openings of a group that no signed checkpoint covers. They
 * are removed before the log is continued, because tiles are never overwritten.
 */

import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MOST_LEVELS, TILE_WIDTH, tilePath, widthOfLevel } from '../../log/tree/tiles.ts';
import { errorCode } from '../system-error.ts';
import { removeFile } from './durable.ts';

/** Removes the tiles and bundles that a tree of this size does not have. A group ends where a tile of level 0 does. */
export async function clearTiles(folder: string, size: number): Promise<void> {
  await clearLevel(folder, 'entries', size);
  for (let level = 0; level < MOST_LEVELS; level++) await clearLevel(folder, level, widthOfLevel(size, level));
}

/** @param count how many hashes or entries the level has. */
async function clearLevel(folder: string, level: number | 'entries', count: number): Promise<void> {
  const index = Math.floor(count / TILE_WIDTH);
  await removeFile(join(folder, tilePath(level, index)));
  const partial = dirname(join(folder, tilePath(level, index, 1)));
  for (const name of await namesIn(partial)) {
    if (Number(name) > count % TILE_WIDTH) await removeFile(join(partial, name));
  }
}

/** Removes the openings of the entries from an index on. A group has no more entries than a tile. */
export async function clearOpenings(folder: string, from: number): Promise<void> {
  // Most logs have none. A folder with a million openings is not listed.
  if (!(await isFolder(folder))) return;
  for (let index = from; index < from + TILE_WIDTH; index++) await removeFile(openingPath(folder, index));
}

/** The path of an opening. */
export function openingPath(folder: string, index: number): string {
  return join(folder, `${index}.json`);
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  });
  return stats?.isDirectory() === true;
}

/** The names in a folder; none if there is no such folder. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
