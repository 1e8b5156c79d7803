/// <reference types="node" />
/**
 * An output that an engine writes by itself: an empty file of a random name in a private folder (mode 0700) beside the
 * output. The file has its final mode before the engine opens it, and its final name when it is whole.
 */

import { rmSync } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../../errors.ts';
import { findTarget, guard, type OutputOptions, placeFile, setMode, syncFolder } from '../file.ts';
import { temporaryPath } from './temporary.ts';

/** An output that an engine fills. One of `finish` and `discard` must be called; `discard` may follow either. */
export interface FolderOutput {
  /** Path of the empty file that the engine is to write over. */
  readonly file: string;
  /** Brings the file to the disk, gives it its name, removes the folder, and gives the size in bytes. */
  readonly finish: () => Promise<number>;
  /** Removes what was written. It never throws. */
  readonly discard: () => Promise<void>;
}

/** Folders of this process: a signal's time of grace may end before the work that would remove them. */
const folders = new Set<string>();

/**
 * Makes the folder and the file.
 *
 * @throws TrefoilError `output_exists`, `same_file` (also behind links), `no_space`, `io_failed`, also for an output that
 * is a device or a pipe: an engine goes back in what it writes.
 */
export async function openFolderOutput(path: string, options: Omit<OutputOptions, 'resumeAt'>): Promise<FolderOutput> {
  const found = await findTarget(path, options);
  if (found === null) fail('io_failed', 'cannot be written by DuckDB: it is not a regular file', { file: path });
  const { target, mode } = found;
  const folder = await temporaryPath(dirname(target));
  await guard(path, mkdir(folder, { mode: 0o700 }));
  if (folders.size === 0) process.once('exit', removeAll);
  folders.add(folder);
  const file = join(folder, 'output');

  async function discard(): Promise<void> {
    await rm(folder, { recursive: true, force: true }).catch(() => {});
    folders.delete(folder);
  }

  try {
    const handle = await guard(path, open(file, 'wx', mode ?? 0o666));
    try {
      if (mode !== null) await guard(path, setMode(handle, mode));
    } finally {
      await handle.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }

  return {
    file,
    discard,
    async finish() {
      try {
        const handle = await guard(path, open(file, 'r+'));
        await guard(path, handle.sync()).finally(() => handle.close());
        const { size } = await guard(path, stat(file));
        await guard(path, placeFile({ temporary: file, target, path, force: options.force }));
        await syncFolder(dirname(target));
        return size;
      } finally {
        await discard();
      }
    },
  };
}

function removeAll(): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // The next run removes it.
    }
  }
}
