/// <reference types="node" />
/**
 * A lock for runs that can be resumed. Their incomplete files have fixed names, so without a lock two runs at once
 * would write into the same files. The lock is a file beside them that names its process. It is created complete (by a
 * hard link). If a killed run has left one, the next run takes it over.
 *
 * Nobody can ask whether a process of another machine or container has ended. So the holder writes into its lock every
 * ten seconds, and a lock of another machine that was not written for a minute is taken over. Both times come from the
 * file system, so two clocks are never compared.
 */

import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../errors.ts';
import { errorCode, systemError } from '../system-error.ts';
import { isOver, type Owner, thisOwner } from './owner.ts';
import { temporaryPath } from './temporary.ts';

/** How often the holder writes into its lock, and when a lock of another machine is taken over; in milliseconds. */
const BEAT = 10_000;
const SILENCE = 60_000;

/** How often a run tries again if other runs take the lock at the same time. */
const TRIES = 10;

/** A lock that is held. */
export interface Lock {
  /** @throws TrefoilError `resume_refused` if another run has taken the lock over. */
  readonly check: () => Promise<void>;
  /** Removes the lock. It never throws. */
  readonly release: () => Promise<void>;
}

/**
 * Takes a lock.
 *
 * @param path of the lock.
 * @param file the file that it protects, for messages.
 * @throws TrefoilError `resume_refused` if another run holds it; `io_failed`.
 */
export async function takeLock(path: string, file: string): Promise<Lock> {
  const text = `${JSON.stringify({ trefoil: 'lock', ...(await thisOwner()) })}\n`;
  const own = await temporaryPath(dirname(path));
  try {
    await writeNew(own, text);
    const { mtimeMs: now } = await stat(own);
    for (let i = 0; ; i++) {
      if (await linkTo(own, path)) return await held(path, file, text);
      if (i === TRIES) fail('resume_refused', 'other runs are starting at the same time; try again', { file });
      await clear(path, file, now);
    }
  } catch (error) {
    throw systemError(error, 'cannot be written', file);
  } finally {
    await unlink(own).catch(() => {});
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

/** Error codes of file systems without hard links (FAT, some network drives). */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Gives a file a second name, or returns `false` if the name is taken. If the file system has no hard links, the file
 * is copied.
 */
async function linkTo(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch((error: unknown) => {
      if (!NO_LINKS.includes(errorCode(error))) throw error;
      return copyFile(from, to, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock that was left behind, and throws if the lock is held. */
async function clear(path: string, file: string, now: number): Promise<void> {
  const seen = await read(path);
  if (seen === null) return;
  const over = seen.owner === null ? null : await isOver(seen.owner);
  if (over === false) fail('resume_refused', `process ${seen.owner!.pid} is still working on it`, { file });
  if (over === null && now - seen.written < SILENCE) {
    const message = 'a run on another machine or in another container may be working on it; try again in a minute';
    fail('resume_refused', message, { file });
  }
  // The lock is renamed before it is removed. If another run has replaced it meanwhile, the inode differs, and it is
  // put back.
  const away = await temporaryPath(dirname(path));
  try {
    await rename(path, away);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await read(away))?.ino !== seen.ino) await linkTo(away, path);
  await unlink(away).catch(() => {});
}

interface Seen {
  /** `null` if the text is not that of a lock. */
  readonly owner: Owner | null;
  readonly written: number;
  readonly ino: number;
}

/** Reads a lock; `null` if there is none. */
async function read(path: string): Promise<Seen | null> {
  try {
    const [text, { mtimeMs, ino }] = [await readFile(path, 'utf8'), await stat(path)];
    return { owner: ownerIn(text), written: mtimeMs, ino };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function ownerIn(text: string): Owner | null {
  try {
    const { trefoil, host, boot, pid, start } = JSON.parse(text) as Partial<Owner> & { readonly trefoil?: unknown };
    const isOwner = typeof host === 'string' && typeof boot === 'string' && typeof start === 'string';
    return trefoil === 'lock' && isOwner && Number.isSafeInteger(pid) ? { host, boot, pid: pid!, start } : null;
  } catch {
    return null;
  }
}

async function held(path: string, file: string, text: string): Promise<Lock> {
  const handle: FileHandle = await open(path, 'r+');
  const { ino } = await handle.stat();
  const beat = setInterval(() => void handle.write(text, 0).catch(() => {}), BEAT);
  // The timer must not keep the process running.
  beat.unref();
  const isOurs = async () => (await stat(path).catch(() => null))?.ino === ino;
  return {
    async check() {
      if (await isOurs()) return;
      fail('resume_refused', 'another run has taken over; no output of this run got its final name', { file });
    },
    async release() {
      clearInterval(beat);
      if (await isOurs()) await unlink(path).catch(() => {});
      await handle.close().catch(() => {});
    },
  };
}
