/// <reference types="node" />
/**
 * An output that DuckDB writes: an empty file in a private folder (mode 0700) with a random name beside the output. The
 * file has its final permissions before DuckDB opens it, and gets its final name when it is complete.
 */

import { rmSync } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../../errors.ts';
import { guard } from '../system-error.ts';
import { findTarget, type OutputOptions, placeFile, setMode, syncFolder } from './output-file.ts';
import { temporaryPath } from './temporary.ts';

/** An output that DuckDB writes. One of `finish` and `discard` must be called; `discard` may follow either. */
export interface FolderOutput {
  /** Path of the empty file that DuckDB overwrites. */
  readonly file: string;
  /** Brings the file to the disk, gives it its name, removes the folder, and returns the size in bytes. */
  readonly finish: () => Promise<number>;
  /** Removes what was written. It never throws. */
  readonly discard: () => Promise<void>;
}

/** Folders of this process. They are removed at its exit, because a signal may end it before `discard` is called. */
const folders = new Set<string>();

/**
 * Makes the folder and the file.
 *
 * @throws TrefoilError `output_exists`, `same_file` (also through links), `no_space`, `io_failed`. A device or a pipe
 * is refused, because DuckDB does not write a file from beginning to end.
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
