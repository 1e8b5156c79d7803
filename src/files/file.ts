/// <reference types="node" />
/**
 * Files: an input with clear errors, and an output that has its final name only when it is whole.
 *
 * The output is written under a hidden random name in the same folder, brought to the disk (`fsync`), and then renamed.
 * Private files (`mode`) have their permissions from the first byte on, whatever the umask and whatever they replace.
 * Without `force` it is linked to its name instead of renamed: the link fails where the name exists by now, so two runs
 * cannot overwrite each other. What is no regular file (a device, a pipe) has no name to win and is written directly.
 */

import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, link, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, type IssueCode, TrefoilError } from '../errors.ts';
import { temporaryPath } from './outputs/temporary.ts';

/** Bytes that are read at once. */
const READ_BYTES = 1 << 18;

/** A file that is being written. One of `finish`, `keep` and `discard` must be called; `discard` may follow either. */
export interface Output {
  /** Writes all of a chunk. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Brings what was written to the disk. */
  readonly sync: () => Promise<void>;
  /** Brings everything to the disk and closes the file, which has no name yet. */
  readonly close: () => Promise<void>;
  /** Closes the file if it is open, and gives it its name. On failure nothing is left. */
  readonly finish: () => Promise<void>;
  /** Closes the file and leaves it under its temporary name, for a run that goes on later. It never throws. */
  readonly keep: () => Promise<void>;
  /** Takes away what was written. It never throws. */
  readonly discard: () => Promise<void>;
}

/** How an output is opened. */
export interface OutputOptions {
  /** Replace an existing file. */
  readonly force: boolean;
  /**
   * Exact permissions of the file: 0o600 for what its owner alone may read. The umask does not narrow them, and a file
   * that is replaced does not widen them. Without it a new file has 0o666 less the umask, and a replaced one its own.
   */
  readonly mode?: number | undefined;
  /** Files that are read in the same run: the output must be none of them, with or without `force`. */
  readonly inputs?: readonly string[] | undefined;
  /** Bytes of {@link partName} that a run before left and that are good; without it the temporary name is random. */
  readonly resumeAt?: number | undefined;
}

/** The temporary name of an output whose run can be resumed. */
export function partName(path: string): string {
  return join(dirname(path), `.${basename(path)}.trefoil-part`);
}

/** Standard input by a path, where the system has one; what is not there is no file that an output could be. */
export const STDIN_PATH = '/dev/stdin';

/**
 * Opens an output file.
 *
 * @throws TrefoilError `output_exists`, `same_file` (also behind links), `no_space`, `output_closed`, `io_failed`; its
 * `write` and `finish` the last three, and `finish` `output_exists` when the file came into being meanwhile.
 */
export async function openOutput(path: string, options: OutputOptions): Promise<Output> {
  const found = await findTarget(path, options);
  if (found === null) return openDirect(path);
  const { force, resumeAt } = options;
  return openBeside({ path, ...found, force, resumeAt });
}

/** Where an output goes. */
export interface Target {
  /** The path, or the file that it leads to through links. */
  readonly target: string;
  /** Exact permissions; `null` for those that the system gives new files. */
  readonly mode: number | null;
}

/**
 * Says all that may be wrong with the name of an output, and where it goes; `null` for a device or a pipe.
 *
 * @throws TrefoilError `output_exists`, `same_file`, `io_failed`.
 */
export async function findTarget(path: string, options: OutputOptions): Promise<Target | null> {
  const existing = await statOrNull(path);
  if (existing?.isFile() === true) await checkNoInput(path, existing, options.inputs ?? []);
  // A link that leads nowhere is something that exists, too.
  const taken = existing !== null || (await guard(path, lstatOrNull(path))) !== null;
  if (existing?.isDirectory() === true) fail('io_failed', 'cannot be written: it is a directory', { file: path });
  if (existing !== null && !existing.isFile()) return null;
  if (taken && !options.force) refuseExisting(path);
  // Through a link the file behind it is replaced, not the link.
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
  let there = true;

  async function keep(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await handle.close().catch(() => {});
  }

  async function discard(): Promise<void> {
    await keep();
    if (there) {
      there = false;
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
        there = false;
      } catch (error) {
        await discard();
        throw error;
      }
      await syncFolder(dirname(target));
    },
  };
}

/** Gives a file the permissions that it must have. */
export async function setMode(handle: FileHandle, mode: number): Promise<void> {
  if (((await handle.stat()).mode & 0o777) === mode) return;
  try {
    await handle.chmod(mode);
  } catch (error) {
    // A file system without permissions (FAT, some network drives) has nothing to set: the file is ours, so no other
    // reason is left.
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

/** Gives a file that is whole its name. */
export async function placeFile({ temporary, target, path, force }: Placing): Promise<void> {
  if (force) return rename(temporary, target);
  try {
    await link(temporary, target);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') refuseExisting(path);
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    // A file system without hard links (FAT, some network drives): the check and the name are two steps there.
    if ((await lstatOrNull(target)) !== null) refuseExisting(path);
    return rename(temporary, target);
  }
  await unlink(temporary);
}

/**
 * Gives a whole part its name, where a run was ended before it could.
 *
 * @throws TrefoilError `resume_refused` when neither the part nor the output is what the run left.
 */
export async function placePart(path: string, size: number, force: boolean): Promise<void> {
  const there = await statOrNull(path);
  const target = there === null ? path : await guard(path, realpath(path));
  const part = partName(target);
  const left = await statOrNull(part);
  const isNamed = there !== null && there.size === BigInt(size);
  if (left === null) {
    if (!isNamed)
      fail('resume_refused', 'the output of the interrupted run is gone; remove the manifest to start again', {
        file: path,
      });
    return;
  }
  // Linked to its name, and ended before the other name was gone.
  if (isNamed && there.ino === left.ino && there.dev === left.dev) return guard(path, unlink(part));
  if (left.size !== BigInt(size))
    fail('resume_refused', 'the output of the interrupted run was changed; remove it and the manifest to start again', {
      file: part,
    });
  if (there !== null && !force) refuseExisting(path);
  await guard(path, rename(part, target));
}

/** A new file, or the good beginning of one that a run before left. */
async function openTemporary(temporary: string, mode: number, resumeAt: number | undefined): Promise<FileHandle> {
  if (resumeAt === undefined) return open(temporary, 'wx', mode);
  if (resumeAt === 0) {
    await unlink(temporary).catch(() => {});
    return open(temporary, 'wx', mode);
  }
  const handle = await open(temporary, 'r+');
  await handle.truncate(resumeAt);
  return handle;
}

/** A device or a pipe: what is written is gone, and there is nothing to take away. */
async function openDirect(path: string): Promise<Output> {
  const handle = await guard(path, open(path, constants.O_WRONLY));
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  return {
    write: (chunk) => guard(path, writeAll(handle, chunk, null)),
    sync: async () => {},
    close: () => guard(path, close()),
    finish: () => guard(path, close()),
    keep: () => close().catch(() => {}),
    discard: () => close().catch(() => {}),
  };
}

/** @param position where in the file; `null` where that has no meaning. */
async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number | null): Promise<void> {
  // A disk that is nearly full, or a limit on the file's size, takes a part first and fails at the next call.
  for (let at = 0; at < chunk.length; ) {
    at += (await handle.write(chunk, at, chunk.length - at, position === null ? null : position + at)).bytesWritten;
  }
}

/** The name of a file is in its folder: that must reach the disk as well. Not every system lets us. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}

async function checkNoInput(path: string, output: BigIntStats, inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    const other = await statOrNull(input);
    // Device and inode, so that another spelling of the path, a symbolic or a hard link does not hide it.
    if (other !== null && other.dev === output.dev && other.ino === output.ino) {
      fail('same_file', 'the output is an input of the same run; write to another file', { file: path });
    }
  }
}

function refuseExisting(path: string): never {
  fail('output_exists', 'the output exists; remove it, or set force to replace it', { file: path });
}

/**
 * Opens an input file. The iterable reads 256 KiB at a time and closes the file at its end.
 *
 * @throws TrefoilError `io_failed`, here and while reading.
 */
export async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  const handle = await guard(path, open(path, 'r'), 'cannot be read');
  try {
    const stats = await guard(path, handle.stat(), 'cannot be read');
    if (stats.isDirectory()) fail('io_failed', 'cannot be read: it is a directory', { file: path });
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { [Symbol.asyncIterator]: () => readAll(handle, path) };
}

/** Not a generator: one that was never asked for a chunk would not close the file either. */
function readAll(handle: FileHandle, path: string): AsyncIterator<Uint8Array, undefined> {
  const close = async (): Promise<IteratorReturnResult<undefined>> => {
    await handle.close().catch(() => {});
    return { done: true, value: undefined };
  };
  return {
    async next() {
      const chunk = new Uint8Array(READ_BYTES);
      try {
        const { bytesRead } = await handle.read(chunk, 0, READ_BYTES, null);
        return bytesRead === 0 ? await close() : { done: false, value: chunk.subarray(0, bytesRead) };
      } catch (error) {
        await close();
        throw systemError(error, 'cannot be read', path);
      }
    },
    return: close,
  };
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

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'its symbolic links form a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  EROFS: 'the file system is read-only',
  EIO: 'the device failed',
};

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the limit',
};

/** Waits for a system call and puts its error in our words: Node's repeat the call. */
export async function guard<T>(file: string, step: Promise<T>, what = 'cannot be written'): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw systemError(error, what, file);
  }
}

/** A system error as a {@link TrefoilError} about a file; anything else is handed back as it is. */
export function systemError(error: unknown, what: string, file: string): unknown {
  const reason = errorCode(error);
  if (error instanceof TrefoilError || reason === null) return error;
  if (reason === 'EPIPE' || reason === 'ECONNRESET') {
    return new TrefoilError([{ code: 'output_closed', message: 'the program that reads it has ended', file }]);
  }
  const full = FULL[reason];
  const code: IssueCode = full === undefined ? 'io_failed' : 'no_space';
  const message = `${what}: ${full ?? REASONS[reason] ?? 'the system refused'} (${reason})`;
  return new TrefoilError([{ code, message, file }]);
}

function errorCode(error: unknown): string | null {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}
