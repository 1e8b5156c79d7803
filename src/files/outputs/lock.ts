/// <reference types="node" />
/**
 * A lock on what a run that can be resumed writes: its half-written files have names that do not change, so two runs at
 * once would write into each other's. The lock is a file beside them that says whose it is. It appears as a whole (a
 * hard link), and one that a killed run left behind is taken over by the next.
 *
 * Whether a process of another machine or container is over cannot be asked. So the holder writes into the lock every
 * ten seconds, and a foreign lock that was not written into for a minute is taken over. Both times are the file system's
 * own, not those of two clocks.
 */

import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../errors.ts';
import { systemError } from '../file.ts';
import { isOver, type Owner, thisOwner } from './owner.ts';
import { temporaryPath } from './temporary.ts';

/** How often the holder writes into the lock, and after what silence a foreign lock is taken over; in milliseconds. */
const BEAT = 10_000;
const SILENCE = 60_000;

/** Rounds of a race for a lock that was left behind. */
const TRIES = 10;

/** A lock that is held. */
export interface Lock {
  /** @throws TrefoilError `resume_refused` when somebody else has the lock by now. */
  readonly check: () => Promise<void>;
  /** Lets go of it. It never throws. */
  readonly release: () => Promise<void>;
}

/**
 * Takes a lock.
 *
 * @param path of the lock.
 * @param file what it is about, for messages.
 * @throws TrefoilError `resume_refused` when another run has it, `io_failed`.
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

/** What a file system says that has no hard links (FAT, some network drives). */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Gives a file a second name, if that is free; where there are no links, makes a copy of that name. */
async function linkTo(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch((error: unknown) => {
      if (!NO_LINKS.includes(codeOf(error))) throw error;
      return copyFile(from, to, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}

/** Removes a lock that was left behind; refuses one that is held. */
async function clear(path: string, file: string, now: number): Promise<void> {
  const seen = await read(path);
  if (seen === null) return;
  const over = seen.owner === null ? null : await isOver(seen.owner);
  if (over === false) fail('resume_refused', `process ${seen.owner!.pid} is still working on it`, { file });
  if (over === null && now - seen.written < SILENCE) {
    const message = 'a run on another machine or in another container may be working on it; try again in a minute';
    fail('resume_refused', message, { file });
  }
  // Under a name of our own nobody else judges it: of two that want to remove it, one finds that it is another by now.
  const away = await temporaryPath(dirname(path));
  try {
    await rename(path, away);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await read(away))?.ino !== seen.ino) await linkTo(away, path);
  await unlink(away).catch(() => {});
}

interface Seen {
  /** `null` where the text is not one of a lock. */
  readonly owner: Owner | null;
  readonly written: number;
  readonly ino: number;
}

/** What is in a lock; `null` if there is none. */
async function read(path: string): Promise<Seen | null> {
  try {
    const [text, { mtimeMs, ino }] = [await readFile(path, 'utf8'), await stat(path)];
    return { owner: ownerIn(text), written: mtimeMs, ino };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
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
  // The lock does not keep a process from ending.
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
