/// <reference types="node" />
/** A log in a folder, for reading: to verify it, or to serve it. It takes no lock and writes nothing. */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../errors.ts';
import type { LogSource } from '../../log/tree/source.ts';
import { errorCode, systemError } from '../system-error.ts';

/** The names of the files that a log consists of (https://c2sp.org/tlog-tiles). Nothing else in the folder is read. */
const PATH = /^(?:checkpoint|tile\/(?:entries|[0-9]{1,2})\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/[0-9]{1,3})?)$/;

/**
 * Reads a log in a folder: its checkpoint, tiles and bundles.
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
      return readLimited(join(folder, path), limit);
    },
  });
}

/** Reads a whole small file on this thread, which takes less time than to wait for another. `null`: there is none. */
export function readSmall(path: string, limit: number): Uint8Array | null {
  try {
    const descriptor = openSync(path, 'r');
    try {
      checkLength(path, fstatSync(descriptor).size, limit);
      return new Uint8Array(readFileSync(descriptor));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot be read', path);
  }
}

function checkLength(file: string, actual: number, maximum: number): void {
  if (actual <= maximum) return;
  fail('log_broken', 'the file is longer than a file of this kind can be', { file, maximum, actual });
}

/** Reads a whole file. `null`: there is none. */
export async function readLimited(path: string, limit: number): Promise<Uint8Array | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot be read', path);
  }
  try {
    checkLength(path, (await handle.stat()).size, limit);
    return new Uint8Array(await handle.readFile());
  } catch (error) {
    throw systemError(error, 'cannot be read', path);
  } finally {
    await handle.close();
  }
}
