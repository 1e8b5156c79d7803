/// <reference types="node" />
/** Errors of the operating system in our own words: Node's messages repeat the system call. */

import { type IssueCode, TrefoilError } from '../errors.ts';

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

/** Waits for a system call and throws its error in our own words. `action` begins the message. */
export async function guard<T>(file: string, step: Promise<T>, action = 'cannot be written'): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw systemError(error, action, file);
  }
}

/** Makes a {@link TrefoilError} about a file of a system error. Any other error is returned as it is. */
export function systemError(error: unknown, action: string, file: string): unknown {
  const reason = errorCode(error);
  if (error instanceof TrefoilError || reason === null) return error;
  if (reason === 'EPIPE' || reason === 'ECONNRESET') {
    return new TrefoilError([{ code: 'output_closed', message: 'the program that reads it has ended', file }]);
  }
  const full = FULL[reason];
  const code: IssueCode = full === undefined ? 'io_failed' : 'no_space';
  const message = `${action}: ${full ?? REASONS[reason] ?? 'the system refused'} (${reason})`;
  return new TrefoilError([{ code, message, file }]);
}

/** The code of a system error (`ENOENT`), or `null` for any other error. */
export function errorCode(error: unknown): string | null {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}
