/// <reference types="node" />
/**
 * What a writer that was killed has left: tiles, bundles and openings of a group that no signed checkpoint covers. They
 * are removed before the log is continued, because tiles are never overwritten.
 */

import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../../errors.ts';
import { MOST_LEVELS, TILE_WIDTH, tilePath, widthOfLevel } from '../../log/tree/tiles.ts';
import { errorCode } from '../system-error.ts';
import { removeFile } from './durable.ts';

/**
 * Removes the tiles and bundles that a tree of this size does not have. A group ends where a tile of level 0 does.
 *
 * @throws TrefoilError `log_rolled_back` if there are those of more than one group. A group begins after the one before
 *   was signed, so the log was larger once; `log_broken` if there is a folder in the place of a file.
 */
export async function clearTiles(folder: string, size: number): Promise<void> {
  for (const level of ['entries', 0] as const) await checkOneGroup(folder, level, size);
  await clearLevel(folder, 'entries', size);
  for (let level = 0; level < MOST_LEVELS; level++) await clearLevel(folder, level, widthOfLevel(size, level));
}

/** @param count how many hashes or entries the level has. */
async function clearLevel(folder: string, level: number | 'entries', count: number): Promise<void> {
  const index = Math.floor(count / TILE_WIDTH);
  await removeTile(join(folder, tilePath(level, index)));
  const partial = dirname(join(folder, tilePath(level, index, 1)));
  for (const name of await namesIn(partial)) {
    if (Number(name) > count % TILE_WIDTH) await removeTile(join(partial, name));
  }
}

/** Looks for tiles of more than one group: two widths within the tile of the next group, or a tile that follows it. */
async function checkOneGroup(folder: string, level: 'entries' | 0, size: number): Promise<void> {
  const index = Math.floor(size / TILE_WIDTH);
  const partials = await namesIn(dirname(join(folder, tilePath(level, index, 1))));
  const widths = partials.map(Number).filter((width) => width > size % TILE_WIDTH);
  if (await exists(join(folder, tilePath(level, index)))) widths.push(TILE_WIDTH);
  const later = await namesIn(dirname(join(folder, tilePath(level, index + 1, 1))));
  if (widths.length <= 1 && later.length === 0 && !(await exists(join(folder, tilePath(level, index + 1))))) return;
  const message =
    'there are tiles of more than one group after the head: an old head was restored; find the newest head, and do ' +
    'not remove the tiles, which show it';
  fail('log_rolled_back', message, { file: join(folder, tilePath(level, index)), actual: size });
}

/** Removes a tile or a bundle. */
async function removeTile(path: string): Promise<void> {
  try {
    await removeFile(path);
  } catch (error) {
    await checkNoFolder(path);
    throw error;
  }
}

/** @throws TrefoilError `log_broken` if there is a folder where a file of the log has to be. */
export async function checkNoFolder(path: string): Promise<void> {
  if (!(await isFolder(path))) return;
  fail('log_broken', 'there is a folder where a file of the log has to be; move it away', { file: path });
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

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
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
