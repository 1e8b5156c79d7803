/// <reference types="node" />
/**
 * Holding a log: one writer for a folder, and one for a head. Both are locked, because a copied folder may be opened
 * under the same head, and one folder under two heads. docs/spec/log-v1.md, "Opening a log".
 */

import { existsSync, readFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { badRange } from '../../core/checks.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { type Lock, takeLock } from '../outputs/lock.ts';
import { errorCode, systemError } from '../system-error.ts';

/** The head must not be where a backup of the folder would take it along. */
export function checkApart(folder: string, head: string): void {
  if (head === folder || head.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    badRange('head', 'expected a path outside the folder of the log, because a backup must not bring an old head back');
  }
}

/**
 * Takes the locks of a head and of a folder. The lock of a process that has ended is taken over.
 *
 * @throws TrefoilError `log_in_use`, `log_missing` if there is no such folder, `log_rolled_back` if there is only the
 *   head; RangeError if a symbolic link leads the
 *   head into the folder.
 */
export async function holdLog(folder: string, head: string): Promise<Lock> {
  const real = await realPath(folder);
  const realHead = await realPath(dirname(head));
  if (real === null && existsSync(head)) {
    const message = 'the head is there, and the folder of its log is gone: bring the newest copy of the folder back';
    fail('log_rolled_back', message, { file: folder });
  }
  if (real === null || realHead === null) {
    const message = 'there is no log: the folder or the folder of its head does not exist; pass `create: true` once';
    fail('log_missing', message, { file: real === null ? folder : dirname(head) });
  }
  checkApart(real, join(realHead, 'head'));
  const first = await inOurWords(takeLock(`${head}.lock`, head));
  let second: Lock;
  try {
    second = await inOurWords(takeLock(join(folder, 'lock'), folder));
  } catch (error) {
    await first.release();
    throw error;
  }
  const texts = [`${head}.lock`, join(folder, 'lock')].map((path) => [path, readQuickly(path)] as const);
  return {
    async check() {
      // Both are read for every group. Without waiting for other threads this takes a tenth of the time (measured).
      if (texts.every(([path, text]) => text !== null && readQuickly(path) === text)) return;
      await inOurWords(Promise.all([first.check(), second.check()]));
    },
    async release() {
      await second.release();
      await first.release();
    },
  };
}

/** The text of a small file, read on this thread; `null` if it cannot be read. */
export function readQuickly(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The path without symbolic links; `null` if there is no such folder. */
async function realPath(folder: string): Promise<string | null> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot be read', folder);
  }
}

/** A lock that is held, in the words of a log: the lock itself speaks of runs over files. */
async function inOurWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'resume_refused') throw error;
    const { message, file } = error.issues[0]!;
    return fail('log_in_use', `the log has another writer: ${message}`, file === undefined ? {} : { file });
  }
}
