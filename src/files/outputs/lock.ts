/// <reference types="node" />
/**
 * A lock for runs that can be resumed. Their incomplete files have fixed names, so without a lock two runs at once
 * would write into the same files. The lock is a file beside them that names its process. It is created complete (by a
 * hard link). If a killed run has left one, the next run takes it over.
 *
 * Nobody can ask whether a process of another machine or container has ended. So the holder writes into its lock every
 * ten seconds, and a lock of another machine that was not written for a minute is taken over. Both times come from the
 * file system, so two clocks are never compared.
 *
 * Two runs may find the same lock of a killed run at once, and a slow one must not remove what a fast one has put in
 * its place. So a lock is removed or replaced only by the process that holds its guard: a second lock, whose name is
 * made of the text of the first. Every lock has a text of its own, so a guard stands for one lock and for no later one.
 */

import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, TrefoilError } from '../../errors.ts';
import { errorCode, systemError } from '../system-error.ts';
import { isOver, type Owner, thisOwner } from './owner.ts';
import { temporaryPath } from './temporary.ts';

/** How often the holder writes into its lock, and when a lock of another machine is taken over; in milliseconds. */
const BEAT = 10_000;
const SILENCE = 60_000;

/** How often a run tries again if other runs take the lock at the same time, and its pause; in milliseconds. */
const TRIES = 10;
const PAUSE = 20;

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
  try {
    return await held(path, file, await put(path, file));
  } catch (error) {
    throw systemError(error, 'cannot be written', file);
  }
}

/** Puts a lock of this process at a path. Returns its text, which no other lock has. */
async function put(path: string, file: string): Promise<string> {
  const text = `${JSON.stringify({ trefoil: 'lock', ...(await thisOwner()), id: randomBytes(16).toString('hex') })}\n`;
  const own = await temporaryPath(dirname(path));
  try {
    await writeNew(own, text);
    const { mtimeMs: now } = await stat(own);
    for (let i = 0; ; i++) {
      if (await linkTo(own, path)) return text;
      const left = await leftLock(path, file, now);
      if (left !== null && (await replace(path, file, left, own))) return text;
      if (i === TRIES) fail('resume_refused', 'other runs are starting at the same time; try again', { file });
      await sleep(PAUSE);
    }
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

/** The text of a lock that was left behind; `null` if there is none any more. Throws if the lock is held. */
async function leftLock(path: string, file: string, now: number): Promise<string | null> {
  const seen = await read(path);
  if (seen === null) return null;
  const owner = ownerIn(seen.text);
  const over = owner === null ? null : await isOver(owner);
  if (over === false) fail('resume_refused', `process ${owner!.pid} is still working on it`, { file });
  if (over === null && now - seen.written < SILENCE) {
    const message = 'a run on another machine or in another container may be working on it; try again in a minute';
    fail('resume_refused', message, { file });
  }
  return seen.text;
}

/** Replaces a lock that was left behind by the lock in file `own`, or returns `false` if another run did so first. */
async function replace(path: string, file: string, left: string, own: string): Promise<boolean> {
  return withGuard(path, file, left, async () => {
    if ((await read(path))?.text !== left) return false;
    await rename(own, path);
    return true;
  });
}

/**
 * Does something while nobody else can remove or replace the lock with this text. Returns `false` if another process
 * holds the guard. A guard that a killed process left is taken over as any lock is.
 */
async function withGuard(path: string, file: string, text: string, act: () => Promise<boolean>): Promise<boolean> {
  const guard = guardOf(path, text);
  let own: string;
  try {
    own = await put(guard, file);
  } catch (error) {
    if (error instanceof TrefoilError && error.code === 'resume_refused') return false;
    throw error;
  }
  try {
    return await act();
  } finally {
    if ((await read(guard))?.text === own) await unlink(guard).catch(() => {});
  }
}

/** The name has a fixed length, as the guard of a guard has a guard, too. */
function guardOf(path: string, text: string): string {
  const digest = createHash('sha256')
    .update(`${basename(path)}\0${text}`)
    .digest('hex');
  return join(dirname(path), `.trefoil-guard-${digest.slice(0, 32)}.lock`);
}

/** Reads a lock; `null` if there is none. Text and time are of one file, also if the name goes to another meanwhile. */
async function read(path: string): Promise<{ readonly text: string; readonly written: number } | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const text = await handle.readFile('utf8');
    return { text, written: (await handle.stat()).mtimeMs };
  } finally {
    await handle.close();
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
  const isOurs = async () => (await read(path).catch(() => null))?.text === text;
  const check = async () => {
    if (await isOurs()) return;
    fail('resume_refused', 'another run has taken over; no output of this run got its final name', { file });
  };
  // The handle is asked, too: what is written into it must not go into the lock of another run.
  if ((await handle.readFile('utf8')) !== text) {
    await handle.close();
    fail('resume_refused', 'other runs are starting at the same time; try again', { file });
  }
  const beat = setInterval(() => void handle.write(text, 0).catch(() => {}), BEAT);
  // The timer must not keep the process running.
  beat.unref();
  return {
    check,
    async release() {
      clearInterval(beat);
      const remove = async () => (await isOurs()) && (await unlink(path).then(() => true));
      await withGuard(path, file, text, remove).catch(() => {});
      await handle.close().catch(() => {});
    },
  };
}
