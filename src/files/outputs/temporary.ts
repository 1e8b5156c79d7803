/// <reference types="node" />
/**
 * Names of files and folders that a run makes for itself beside an output, and the removal of those that a run before
 * left behind because it was killed.
 *
 * A name tells which process it belongs to, so nothing has to be written, locked or kept up to date for that:
 * `.trefoil-HOST-BOOT-PID-START-RANDOM.tmp`. HOST is a digest of the name of the host and its process namespace, BOOT one
 * of Linux's identity of the boot, START the time at which the process began. It is stale if the host is this one and the
 * boot is over, or no process has that number, or another process has it by now. What cannot be judged stays.
 */

import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isOver, thisOwner } from './owner.ts';

/** Parts of a name. `0` where the system does not tell. */
const NAME = /^\.trefoil-([0-9a-f]{8})-([0-9a-f]{8}|0)-([0-9]{1,10})-([0-9]{1,20})-[0-9a-f]{32}\.tmp$/;

const swept = new Map<string, Promise<void>>();

/**
 * A new name in a folder, for a file or a folder of this process. The first one in each folder removes what killed runs
 * left there.
 */
export async function temporaryPath(folder: string): Promise<string> {
  const place = resolve(folder);
  if (!swept.has(place)) swept.set(place, removeStale(place));
  await swept.get(place);
  const { host, boot, pid, start } = await thisOwner();
  return join(folder, `.trefoil-${host}-${boot}-${pid}-${start}-${randomBytes(16).toString('hex')}.tmp`);
}

/** Removes files and folders of runs of this user that are over. It never throws: what resists stays. */
export async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!(await isStale(name))) continue;
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => null);
    // In a folder that others may write to, a name proves nothing: only what is ours is removed.
    if (stats === null || stats.uid !== process.getuid?.()) continue;
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isStale(name: string): Promise<boolean> {
  const [, host, boot, pid, start] = NAME.exec(name) ?? [];
  if (host === undefined) return false;
  return (await isOver({ host, boot: boot!, pid: Number(pid), start: start! })) === true;
}
