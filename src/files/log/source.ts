/// <reference types="node" />
/** A log in a folder, for reading: to verify it, or to serve it. It takes no lock and writes nothing. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../errors.ts';
import type { LogSource } from '../../log/tree/source.ts';
import { errorCode, systemError } from '../system-error.ts';

/** The names of the files that a log consists of (https://c2sp.org/tlog-tiles). Nothing else in the folder is read. */
const PATH = /^(?:checkpoint|tile\/(?:entries|[0-9]{1,2})\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/[0-9]{1,3})?)$/;

/**
 * Reads a log in a folder: its checkpoint, tiles and bundles. It follows symbolic links, and reads regular files only:
 * anything else, such as a pipe, a device, links in a circle, or a file in the place of a folder, is the error
 * `log_broken`.
 *
 * @param folder the folder that has the file `checkpoint`.
 *
 * @example
 * ```ts
 * import { readLogFolder } from 'trefoil/node';
 *
 * const source = readLogFolder('/var/lib/trefoil/log');
 * await source.read('tile/0/000', 8192); // → null
 * ```
 */
export function readLogFolder(folder: string): LogSource {
  if (typeof folder !== 'string' || folder === '') throw new TypeError('"folder" expected the path of a folder');
  return Object.freeze({
    async read(path: string, limit: number): Promise<Uint8Array | null> {
      if (typeof path !== 'string' || !PATH.test(path)) return null;
      const file = join(folder, path);
      try {
        return await readRaw(file, limit);
      } catch (error) {
        const form = NO_FILE[errorCode(error) ?? ''];
        if (form !== undefined) fail('log_broken', form, { file });
        throw systemError(error, 'cannot be read', file);
      }
    },
  });
}

/**
 * Opening without waiting for a writer: the maker of the folder may have put a pipe in the place of a file. Windows has
 * no such files, and not this flag.
 */
const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Reads a whole small file on this thread, which takes less time than to wait for another. `null`: there is none. */
export function readSmall(path: string, limit: number): Uint8Array | null {
  try {
    const descriptor = openSync(path, WITHOUT_WAITING);
    try {
      const bytes = roomFor(path, fstatSync(descriptor), limit);
      let length = 0;
      for (let more = -1; more !== 0 && length < bytes.length; length += more) {
        more = readSync(descriptor, bytes, length, bytes.length - length, null);
      }
      return bytes.subarray(0, length);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot be read', path);
  }
}

/** What the maker of the folder has put in the place of a file, by the code of the system's error. */
const NO_FILE: Readonly<Record<string, string>> = {
  ELOOP: 'its symbolic links form a circle',
  ENOTDIR: 'a part of its path is a file and not a folder',
};

/** Reads a whole file. `null`: there is none. */
export async function readLimited(path: string, limit: number): Promise<Uint8Array | null> {
  try {
    return await readRaw(path, limit);
  } catch (error) {
    throw systemError(error, 'cannot be read', path);
  }
}

/** The same, with the errors of the system. */
async function readRaw(path: string, limit: number): Promise<Uint8Array | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, WITHOUT_WAITING);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const bytes = roomFor(path, await handle.stat(), limit);
    let length = 0;
    for (let more = -1; more !== 0 && length < bytes.length; length += more) {
      more = (await handle.read(bytes, length, bytes.length - length, null)).bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/**
 * Space for the whole of an open file. No more is read, also if the file grows. Only regular files count: a device such
 * as /dev/zero has the length 0 and no end.
 */
function roomFor(file: string, stats: Stats, maximum: number): Uint8Array {
  if (!stats.isFile()) fail('log_broken', 'it is not a regular file', { file });
  if (stats.size > maximum) {
    fail('log_broken', 'the file is longer than a file of this kind can be', { file, maximum, actual: stats.size });
  }
  return new Uint8Array(stats.size);
}
