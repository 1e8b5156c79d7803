/** Reading the files of a log that is not trusted: every file has a limit, and what is wrong with one is a finding. */

import { TrefoilError } from '../../errors.ts';
import { HASH_BYTES } from '../../kernel/merkle.ts';
import { LENGTH_BYTES, MOST_ENTRY_BYTES } from '../tree/bundle.ts';
import { type LogSource, readTileFile } from '../tree/source.ts';
import { TILE_WIDTH, type TilePlace, tilePath } from '../tree/tiles.ts';
import { caught, Fault, fault, within } from './finding.ts';
import { Unread } from './unread.ts';

/** A source that counts the files that it was asked for, and holds every answer to its limit. */
export interface CountedSource extends LogSource {
  readonly count: () => number;
}

/**
 * Wraps a source. Its errors `log_broken`, and answers longer than their limit, become findings; all others become
 * {@link Unread}.
 */
export function counted(source: LogSource): CountedSource {
  let files = 0;
  return {
    count: () => files,
    async read(path, limit) {
      files++;
      const bytes = await readOrFault(source, path, limit);
      if (bytes !== null && !(bytes instanceof Uint8Array)) {
        throw new TypeError('"source" expected to read bytes or null');
      }
      if (bytes !== null && bytes.length > limit) tooLong(path, limit);
      return bytes;
    },
  };
}

async function readOrFault(source: LogSource, path: string, limit: number): Promise<Uint8Array | null> {
  try {
    return await source.read(path, limit);
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'log_broken') throw new Unread(error);
    const { message, maximum } = error.issues[0]!;
    if (maximum !== undefined) return tooLong(path, limit);
    return fault('unreadable', `the file ${path} cannot be read: ${message}`, { path });
  }
}

function tooLong(path: string, limit: number): never {
  return fault('unreadable', `the file ${path} is longer than the ${limit} bytes that it may have`, { path });
}

/** Adds the entries to what is wrong with a file. */
async function located<T>(reading: Promise<T>, range: readonly [from: number, to: number]): Promise<T> {
  const result = await caught(reading);
  if (result instanceof Fault) throw new Fault({ ...result.finding, ...within(range) });
  return result;
}

/** The first entry below a tile, and the one after the last. */
export function rangeOf({ level, index, width }: TilePlace): readonly [from: number, to: number] {
  const leaves = level === 'entries' ? 1 : TILE_WIDTH ** level;
  return [index * TILE_WIDTH * leaves, (index * TILE_WIDTH + width) * leaves];
}

/**
 * Reads a tile. If it is partial and was deleted, it is read from the full one.
 *
 * @throws Fault if it is missing, lacks hashes, or has more than its checkpoint has.
 */
export async function readTile(source: LogSource, place: TilePlace): Promise<Uint8Array> {
  const range = rangeOf(place);
  const file = await located(
    readTileFile(source, place, (width) => width * HASH_BYTES),
    range,
  );
  if (file === null) {
    const path = tilePath(place.level, place.index, place.width);
    return fault('deleted', `the log has no file ${path}, which has hashes of its tree`, { path, ...within(range) });
  }
  const { bytes, width, path } = file;
  if (bytes.length < width * HASH_BYTES) {
    return fault('deleted', `the file ${path} has fewer hashes than the checkpoint`, { path, ...within(range) });
  }
  return bytes.subarray(0, place.width * HASH_BYTES);
}

/** A bundle as it was read: `bytes` is `null` if it is missing; `width` is that of its file. */
export interface BundleFile {
  readonly bytes: Uint8Array | null;
  readonly width: number;
  readonly path: string;
}

/** Reads a bundle, or the full one if it is partial and was deleted. */
export async function readBundle(source: LogSource, place: TilePlace): Promise<BundleFile> {
  const reading = readTileFile(source, place, (width) => width * (LENGTH_BYTES + MOST_ENTRY_BYTES));
  const file = await located(reading, rangeOf(place));
  return file ?? { bytes: null, width: place.width, path: tilePath(place.level, place.index, place.width) };
}
