/**
 * Errors of the operating system in our words. Node's own messages are not shown: they repeat the call's arguments.
 */

import { type IssueCode, TrefoilError } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  EMFILE: 'too many files are open',
  EROFS: 'the file system is read-only',
  EIO: 'the device failed',
};

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the limit',
};

/** Turns a system error into a {@link TrefoilError}; anything else is handed back as it is. */
export function ioError(error: unknown, what: string, file: string): unknown {
  const reason = (error as { readonly code?: unknown } | null)?.code;
  if (error instanceof TrefoilError || typeof reason !== 'string') return error;
  if (reason === 'EPIPE' || reason === 'ECONNRESET') {
    return new TrefoilError([{ code: 'output_closed', message: 'output closed: its reader has gone', file }]);
  }
  const full = FULL[reason];
  const code: IssueCode = full === undefined ? 'io_failed' : 'no_space';
  return new TrefoilError([{ code, message: `${what}: ${full ?? REASONS[reason] ?? `system error ${reason}`}`, file }]);
}
