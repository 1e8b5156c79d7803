/// <reference types="node" />
/**
 * An output file, which gets its final name only when it is complete.
 *
 * The output is written under a hidden random name in the same folder, brought to the disk (`fsync`), and then renamed.
 * A private file (`mode`) has its permissions from the first byte on, whatever the umask and whatever file it replaces.
 * Without `force` the file is linked to its name instead of renamed. A link fails if the name exists by then, so two
 * runs cannot overwrite each other. A device or a pipe is written directly.
 */

import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, link, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail } from '../../errors.ts';
import { errorCode, guard } from '../system-error.ts';
import { temporaryPath } from './temporary.ts';

/** A file that is being written. One of `finish`, `keep` and `discard` must be called; `discard` may follow either. */
export interface Output {
  /** Writes a chunk. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Brings everything written so far to the disk. */
  readonly sync: () => Promise<void>;
  /** Path under which the file is written; `null` for a device or a pipe. */
  readonly temporary: string | null;
  /** Brings everything to the disk and closes the file, which has no name yet. */
  readonly close: () => Promise<void>;
  /** Closes the file if it is open, and gives it its name. If that fails, the file is removed. */
  readonly finish: () => Promise<void>;
  /** Closes the file and leaves it under its temporary name, for a run that is resumed later. It never throws. */
  readonly keep: () => Promise<void>;
  /** Closes and removes the file. It never throws. */
  readonly discard: () => Promise<void>;
}

/** Options of {@link openOutput}. */
export interface OutputOptions {
  /** Replace an existing file. */
  readonly force: boolean;
  /**
   * Exact permissions of the file, such as 0o600 for its owner alone. Neither the umask nor a file that is replaced
   * changes them. Without this option a new file has 0o666 less the umask, and a file that replaces another has the
   * permissions of that file.
   */
  readonly mode?: number | undefined;
  /** Files of the same run. The output must not be one of them, with or without `force`. */
  readonly inputs?: readonly string[] | undefined;
  /**
   * Good bytes that an interrupted run left under {@link partName}; 0 if there are none. Without this option the
   * temporary name is random.
   */
  readonly resumeAt?: number | undefined;
}

/** The temporary name of an output whose run can be resumed. */
export function partName(path: string): string {
  return join(dirname(path), `.${basename(path)}.trefoil-part`);
}

/** Path of standard input. A system without such a path has no output file that could be standard input. */
export const STDIN_PATH = '/dev/stdin';

/**
 * Opens an output file.
 *
 * @throws TrefoilError `output_exists`, `same_file` (also through links), `no_space`, `output_closed`, `io_failed`. The
 * last three also come from `write` and `finish`, and `output_exists` from `finish` if the file was created meanwhile.
 * `resume_refused` if the file of an interrupted run is shorter than `resumeAt`.
 */
export async function openOutput(path: string, options: OutputOptions): Promise<Output> {
  const found = await findTarget(path, options);
  if (found === null) return openDirect(path);
  const { force, resumeAt } = options;
  return openBeside({ path, ...found, force, resumeAt });
}

/** The file that an output becomes. */
export interface Target {
  /** The path, or the file to which its links lead. */
  readonly target: string;
  /** Exact permissions; `null` for those that the system gives to new files. */
  readonly mode: number | null;
}

/**
 * Checks the path of an output and returns the file that it becomes, or `null` for a device or a pipe.
 *
 * @throws TrefoilError `output_exists`, `same_file`, `io_failed`.
 */
export async function findTarget(path: string, options: OutputOptions): Promise<Target | null> {
  const existing = await statOrNull(path);
  if (existing?.isFile() === true) await checkNoInput(path, existing, options.inputs ?? []);
  // A link whose target does not exist takes the name, too.
  const taken = existing !== null || (await guard(path, lstatOrNull(path))) !== null;
  if (existing?.isDirectory() === true) fail('io_failed', 'cannot be written: it is a directory', { file: path });
  if (existing !== null && !existing.isFile()) return null;
  if (taken && !options.force) refuseExisting(path);
  // If the path is a link, its target is replaced, not the link.
  const target = existing === null ? path : await guard(path, realpath(path));
  const mode = options.mode ?? (existing === null ? null : Number(existing.mode & 0o777n));
  return { target, mode };
}

interface Beside extends Target {
  readonly path: string;
  readonly force: boolean;
  readonly resumeAt: number | undefined;
}

async function openBeside({ path, target, mode, force, resumeAt }: Beside): Promise<Output> {
  const temporary = resumeAt === undefined ? await temporaryPath(dirname(target)) : partName(target);
  const handle = await guard(path, openTemporary(temporary, mode ?? 0o666, resumeAt));
  let position = resumeAt ?? 0;
  let isOpen = true;
  let exists = true;

  async function keep(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await handle.close().catch(() => {});
  }

  async function discard(): Promise<void> {
    await keep();
    if (exists) {
      exists = false;
      await unlink(temporary).catch(() => {});
    }
  }

  try {
    if (mode !== null) await guard(path, setMode(handle, mode));
  } catch (error) {
    await discard();
    throw error;
  }

  async function close(): Promise<void> {
    if (!isOpen) return;
    await guard(path, handle.sync());
    isOpen = false;
    await guard(path, handle.close());
  }

  return {
    temporary,
    async write(chunk) {
      await guard(path, writeAll(handle, chunk, position));
      position += chunk.length;
    },
    sync: () => guard(path, handle.datasync()),
    close,
    keep,
    discard,
    async finish() {
      try {
        await close();
        await guard(path, placeFile({ temporary, target, path, force }));
        exists = false;
      } catch (error) {
        await discard();
        throw error;
      }
      await syncFolder(dirname(target));
    },
  };
}

/** Sets the permissions of a file. */
export async function setMode(handle: FileHandle, mode: number): Promise<void> {
  if (((await handle.stat()).mode & 0o777) === mode) return;
  try {
    await handle.chmod(mode);
  } catch (error) {
    // Some file systems have no permissions (FAT, some network drives). There can be no other reason, because the file
    // is ours.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(error) ?? '')) throw error;
  }
}

interface Placing {
  readonly temporary: string;
  readonly target: string;
  /** The output as the caller named it. */
  readonly path: string;
  readonly force: boolean;
}

/** Gives a complete file its name. */
export async function placeFile({ temporary, target, path, force }: Placing): Promise<void> {
  if (force) return rename(temporary, target);
  try {
    await link(temporary, target);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') refuseExisting(path);
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    // Without hard links (FAT, some network drives), checking the name and taking it are two steps.
    if ((await lstatOrNull(target)) !== null) refuseExisting(path);
    return rename(temporary, target);
  }
  await unlink(temporary);
}

/**
 * Gives a complete output its name, if the run was interrupted before it could.
 *
 * @throws TrefoilError `resume_refused` if the files are not as the interrupted run left them.
 */
export async function placePart(path: string, size: number, force: boolean): Promise<void> {
  const existing = await statOrNull(path);
  const target = existing === null ? path : await guard(path, realpath(path));
  const part = partName(target);
  const left = await statOrNull(part);
  const isNamed = existing !== null && existing.size === BigInt(size);
  if (left === null) {
    if (!isNamed) refusePart(part, 'is missing');
    return;
  }
  // The run was interrupted after the link to the final name and before the temporary name was removed.
  if (isNamed && existing.ino === left.ino && existing.dev === left.dev) return guard(path, unlink(part));
  checkLength(part, left.size, size);
  if (left.size !== BigInt(size)) refusePart(part, 'was changed');
  if (existing !== null && !force) refuseExisting(path);
  await guard(path, rename(part, target));
}

/**
 * Checks that an interrupted run left all good bytes of an output, before anything is read. Without the check the file
 * system would fill the gap with zero bytes.
 *
 * @param size the good bytes, as the manifest has them.
 * @throws TrefoilError `resume_refused` if the half-written file is missing, too short or not a file; `io_failed`.
 */
export async function checkPart(path: string, size: number): Promise<void> {
  if (size === 0) return;
  const existing = await statOrNull(path);
  // A device or a pipe was written directly.
  if (existing !== null && !existing.isFile()) return;
  const part = partName(existing === null ? path : await guard(path, realpath(path)));
  const left = await guard(path, lstatOrNull(part));
  if (left === null) refusePart(part, 'is missing');
  if (!left.isFile()) refusePart(part, 'is not a file');
  checkLength(part, left.size, size);
}

function checkLength(part: string, left: bigint, size: number): void {
  if (left < BigInt(size)) refusePart(part, `has ${left} bytes, and the manifest says ${size}`);
}

function refusePart(part: string, what: string): never {
  const advice = 'remove the manifest and the .trefoil-part files to start again';
  return fail('resume_refused', `the half-written output of the interrupted run ${what}; ${advice}`, { file: part });
}

/** Opens a new file, or the file of an interrupted run, cut to its good bytes. */
async function openTemporary(temporary: string, mode: number, resumeAt: number | undefined): Promise<FileHandle> {
  if (resumeAt === undefined) return open(temporary, 'wx', mode);
  if (resumeAt === 0) {
    await unlink(temporary).catch(() => {});
    return open(temporary, 'wx', mode);
  }
  const handle = await open(temporary, 'r+');
  try {
    // Somebody may have cut it since the run began.
    checkLength(temporary, (await handle.stat({ bigint: true })).size, resumeAt);
    await handle.truncate(resumeAt);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}

/** Opens a device or a pipe. Nothing that was written can be removed. */
async function openDirect(path: string): Promise<Output> {
  const handle = await guard(path, openDevice(path));
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  return {
    temporary: null,
    write: (chunk) => guard(path, writeAll(handle, chunk, null)),
    sync: async () => {},
    close: () => guard(path, close()),
    finish: () => guard(path, close()),
    keep: () => close().catch(() => {}),
    discard: () => close().catch(() => {}),
  };
}

/** How often is looked whether a pipe has a reader, in milliseconds. */
const READER_EVERY = 50;

/**
 * Opens a device or a pipe. A pipe without a reader is waited for without a thread that is stuck in `open`: no signal
 * would end a process that has one.
 */
async function openDevice(path: string): Promise<FileHandle> {
  if (process.platform === 'win32' || !(await stat(path)).isFIFO()) return open(path, constants.O_WRONLY);
  for (;;) {
    try {
      const probe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
      // A reader is there. The probe stays open until then, or the reader would see the end.
      try {
        return await open(path, constants.O_WRONLY);
      } finally {
        await probe.close();
      }
    } catch (error) {
      if (errorCode(error) !== 'ENXIO') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, READER_EVERY));
  }
}

/** @param position offset in the file; `null` for a device or a pipe. */
async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number | null): Promise<void> {
  // If the disk is nearly full or the size of files is limited, a part is written first, and the next call fails.
  for (let at = 0; at < chunk.length; ) {
    at += (await handle.write(chunk, at, chunk.length - at, position === null ? null : position + at)).bytesWritten;
  }
}

/** Brings a folder to the disk, because the names of its files are in it. Not every system allows that. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}

async function checkNoInput(path: string, output: BigIntStats, inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    const other = await statOrNull(input);
    // Device and inode are compared, because the same file may have another path, through a symbolic or a hard link.
    if (other !== null && other.dev === output.dev && other.ino === output.ino) {
      fail('same_file', 'the output is an input of the same run; write to another file', { file: path });
    }
  }
}

function refuseExisting(path: string): never {
  fail('output_exists', 'the output exists; remove it, or set force to replace it', { file: path });
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  return guard(path, orNull(stat(path, { bigint: true })));
}

async function lstatOrNull(path: string): Promise<BigIntStats | null> {
  return orNull(lstat(path, { bigint: true }));
}

async function orNull<T>(step: Promise<T>): Promise<T | null> {
  try {
    return await step;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
